"""What a user would write first: httpx, gather, a semaphore, csv. Five requests a row, and no memory of them.

python bench/script.py URL customers.csv 64
"""

import asyncio
import csv
import sys
import uuid

import httpx

TENANT = "/eclipse-conductor/rest/v1/tenants/1001"


async def onboard(client, semaphore, row, writer):
    async with semaphore:
        key = str(uuid.uuid5(uuid.NAMESPACE_URL, row["row_ref"]))
        body = {
            "firstName": row["first_name"], "lastName": row["last_name"], "phone1": "+27" + row["phone"][1:],
            "email": row["email"], "nationalIdentityNumber": row["national_id"],
            "dateOfBirth": row["date_of_birth"].replace("-", ""), "userTypeId": 1,
            "externalUniqueId": key, "version": 0,
        }  # fmt: skip
        customer = (await client.post(f"{TENANT}/customers", json=body)).raise_for_status().json()["customerId"]
        path = f"{TENANT}/customers/{customer}"
        (await client.post(f"{path}/ratify", json={})).raise_for_status()
        results = (await client.get(f"{path}/ratify", params={"limit": 1, "offset": 0})).raise_for_status().json()
        assert results[0]["status"] == "PASSED"
        types = (await client.get(f"{path}/wallet-types")).raise_for_status().json()
        kind = next(each["walletTypeId"] for each in types if each["allowed"])
        wanted = {
            "walletTypeId": kind,
            "currency": "ZAR",
            "status": "ACTIVE",
            "externalUniqueId": key + "-w",
            "version": 0,
        }
        wallet = (await client.post(f"{path}/wallets", json=wanted)).raise_for_status().json()["walletId"]
        writer.writerow([row["row_ref"], customer, wallet])


async def main(url, path, at_once):
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    semaphore = asyncio.Semaphore(at_once)
    with open(f"{path}.script.csv", "w", newline="") as out:
        writer = csv.writer(out)
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer t"}, timeout=60) as client:
            await asyncio.gather(*(onboard(client, semaphore, row, writer) for row in rows))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
