"""Muster's sender alone: the ten requests a row of `wrk.lua`, no permit, no ledger, nobody who judges the replies.

python bench/sending.py URL ROWS 64

Prints milliseconds of CPU a row, once all connections stand.
"""

import asyncio
import sys
import time

import uvloop

from jobs.clock import Clock
from jobs.systems.messages import Request
from jobs.transport.sender import HttpSender

CUSTOMERS = "/eclipse-conductor/rest/v1/tenants/1001/customers"
ONE = f"{CUSTOMERS}/1000001"
HEADERS = {"Authorization": "Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJvbmJvYXJkIn0.c2lnbmF0dXJlLXNpZ25h"}
CUSTOMER = (
    b'{"firstName":"Ayesha","lastName":"Naidoo","phone1":"+27601000000","email":"ayesha.naidoo.1@example.com",'
    b'"nationalIdentityNumber":"5001020000082","dateOfBirth":"19500102","userTypeId":1,"version":0}'
)
WALLET = b'{"walletTypeId":5001,"currency":"ZAR","status":"ACTIVE","version":0}'


def row():
    """The requests of one row, each made anew."""
    newest = (("offset", "0"), ("limit", "1"))
    yield from (
        Request("search", "GET", CUSTOMERS, (("identity", each), ("limit", "20"), ("offset", "0"))) for each in "12"
    )
    yield Request("create_customer", "POST", CUSTOMERS, body=CUSTOMER)
    yield Request("read_decision", "GET", f"{ONE}/ratify", newest)
    yield Request("ratify", "POST", f"{ONE}/ratify", body=b"{}")
    yield Request("wallet_types", "GET", f"{ONE}/wallet-types")
    yield Request("create_wallet", "POST", f"{ONE}/wallets", body=WALLET)
    yield Request("profile", "GET", ONE)
    yield Request("read_decision", "GET", f"{ONE}/ratify", newest)
    yield Request("wallets", "GET", f"{ONE}/wallets")


async def sent(sender, rows):
    for _ in range(rows):
        for request in row():
            await sender.send(request, HEADERS)


async def main(url, rows, at_once):
    async with HttpSender(url, Clock()) as sender:
        await asyncio.gather(*(sent(sender, 1) for _ in range(at_once)))
        share = max(1, rows // at_once)
        began = time.process_time()
        await asyncio.gather(*(sent(sender, share) for _ in range(at_once)))
        print((time.process_time() - began) * 1000 / (share * at_once))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
