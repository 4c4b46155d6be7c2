"""The target that all are measured against: nginx with Lua where it is there, else an asyncio server of our own.

It is the cheapest stateful thing that a run accepts: customers, KYC (always PASSED), wallets, keys that are unique, a
list by `offset` and `limit`. `GET /_counts` tells the calls by operation, `/_arrived` when writes came (`/_log?on=1`
first), `/_reset` forgets. `python bench/stand_in.py PORT` serves the one of our own.
"""

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

HERE = Path(__file__).resolve().parent
MODULES = (Path("/usr/lib/nginx/modules/ndk_http_module.so"), Path("/usr/lib/nginx/modules/ngx_http_lua_module.so"))
NOW = "2026-11-28T17:00:00.000Z"
RESULT = {"status": "PASSED", "lastModified": NOW, "sanctionsListCheck": {"result": "PASSED"}}
TYPES = [{"walletTypeId": 5001, "allowed": True}, {"walletTypeId": 5002, "allowed": False}]
MISSING = 404, [{"code": "ARCH086", "description": "not there", "traceId": "t-1"}]
TAKEN = 409, [{"code": "USR004", "description": "exists", "traceId": "t-1"}]
LIFE_SECONDS = 36_000


@dataclass(frozen=True)
class Target:
    """Where the stand-in listens: at once, after 50 ms, and with TLS (empty: not there) that `authorities` verify."""

    url: str
    slow_url: str
    tls_url: str
    authorities: Path
    kind: str


class State:
    """What the stand-in of our own knows."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nobody is there."""
        self.customers: dict[str, dict[str, object]] = {}
        self.holders: dict[str, str] = {}
        self.wallets: dict[str, list[dict[str, object]]] = {}
        self.keys: set[str] = set()
        self.decided: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.arrived: list[float] = []

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        """Status and body of the reply."""
        parts = urlsplit(target)
        path = parts.path.split("/")
        if path[1].startswith("_"):
            return self.told(path[1])
        if path[-2] == "authentication":
            return 200, {
                "headerName": "Authorization", "headerValue": "Bearer t", "tenantId": "1001",
                "expiresEpochSecs": int(time.time()) + LIFE_SECONDS, "roles": ["TENANT_SYSTEM"],
            }  # fmt: skip
        if method == "POST":
            self.arrived.append(time.time())
        found = path[path.index("customers") + 1 :] if "customers" in path else None
        if found is None:
            return MISSING
        self.counts[f"{method} {found[1] if len(found) > 1 else 'customer' if found else 'customers'}"] += 1
        if not found:
            return self.create(json.loads(body)) if method == "POST" else self.search(parse_qs(parts.query))
        return self.of_one(method, found[0], found[1] if len(found) > 1 else "", body)

    def told(self, what: str) -> tuple[int, object]:
        """What the benchmark asks for."""
        if what == "_reset":
            self.reset()
        return 200, self.arrived if what == "_arrived" else dict(self.counts)

    def create(self, form: dict[str, object]) -> tuple[int, object]:
        """A customer; its key is unique, nothing else is."""
        key = str(form["externalUniqueId"])
        if key in self.keys:
            return TAKEN
        self.keys.add(key)
        number = 1_000_001 + len(self.customers)
        names = ("firstName", "lastName", "phone1", "email", "nationalIdentityNumber")
        shown = {name: form.get(name) for name in names}
        record = {"customerId": number, **shown, "status": "ACTIVE", "created": NOW}
        self.customers[str(number)] = record
        self.holders |= {str(form.get(name)): str(number) for name in ("phone1", "nationalIdentityNumber")}
        return 200, {**record, "externalUniqueId": key}

    def search(self, query: dict[str, list[str]]) -> tuple[int, object]:
        """By identity, or a page of everybody."""
        offset, limit = (int(query.get(name, ["1000"])[0]) for name in ("offset", "limit"))
        if wanted := query.get("identity"):
            holder = self.holders.get(wanted[0])
            return 200, [self.customers[holder]] if holder and not offset else []
        return 200, list(self.customers.values())[offset : offset + limit]

    def of_one(self, method: str, number: str, part: str, body: bytes) -> tuple[int, object]:
        """What hangs on one customer."""
        if number not in self.customers:
            return MISSING
        if part == "ratify":
            self.decided.update({number} if method == "POST" else ())
            return 200, RESULT if method == "POST" else [RESULT] if number in self.decided else []
        if part == "wallet-types":
            return 200, TYPES
        if part != "wallets":
            return 200, self.customers[number]
        if method == "GET":
            return 200, self.wallets.get(number, [])
        form = json.loads(body)
        if form["externalUniqueId"] in self.keys:
            return TAKEN
        self.keys.add(form["externalUniqueId"])
        wallet = {**form, "walletId": 5_000_001 + len(self.wallets), "customerId": int(number), "created": NOW}
        self.wallets.setdefault(number, []).append(wallet)
        return 200, wallet


class Answering(asyncio.Protocol):
    """HTTP/1.1 as far as those need it who are measured: a head, a length, a body."""

    def __init__(self, state: State, latency: float) -> None:
        self.state, self.latency, self.held = state, latency, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the way back."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            head = self.held[:end]
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.held) < whole:
                return
            body, self.held = self.held[end + 4 : whole], self.held[whole:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            status, reply = self.state.answer(method, target, body)
            text = json.dumps(reply).encode()
            said = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
                status,
                len(text),
            )
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.transport.write, said + text)
            else:
                self.transport.write(said + text)


async def serve(port: int, latency: float) -> None:
    """Answers until it is ended."""
    state = State()
    server = await asyncio.get_running_loop().create_server(lambda: Answering(state, latency), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def nginx_is_there() -> bool:
    """Whether nginx with Lua can be used."""
    return shutil.which("nginx") is not None and all(path.exists() for path in MODULES)


def certified(folder: Path) -> bool:
    """Makes a certificate for this machine's address; whether it could be made."""
    if shutil.which("openssl") is None:
        return False
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    written = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    command = [str(part) for part in ("openssl", "req", *made, *named, *written)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def configuration(folder: Path, port: int, slow_port: int, tls_port: int | None) -> str:
    """nginx.conf: one worker with Lua tables as state, `slow_port` with 50 ms a reply."""
    secret = f"ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;"
    listening = [(f"{port} backlog=4096;", ""), (f"{slow_port} backlog=4096;", "0.05")]
    listening += [(f"{tls_port} ssl backlog=4096; {secret}", "")] if tls_port else []
    served = "\n".join(
        f"server {{ listen 127.0.0.1:{listens}"
        f' location / {{ content_by_lua_block {{ require("state").handle({delay}) }} }}'
        f' location /_ {{ content_by_lua_block {{ require("state").control() }} }} }}'
        for listens, delay in listening
    )
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi"))
    loaded = " ".join(f"load_module {path};" for path in MODULES)
    return (
        f"{loaded} worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;\n"
        f"events {{ worker_connections 4096; }}\nhttp {{ access_log off; default_type application/json;"
        f" keepalive_timeout 3600s; keepalive_requests 1000000000; tcp_nodelay on; {temporary}"
        f" scgi_temp_path {folder}/scgi; client_body_buffer_size 16k; lua_package_path '{HERE}/?.lua;;';\n{served}\n}}"
    )


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def stand_in(folder: Path) -> Iterator[Target]:
    """Where it is, while it serves."""
    ports, tls_port = (free_port(), free_port()), None
    if nginx_is_there():
        kind, path, tls_port = "nginx with Lua", folder / "nginx.conf", free_port() if certified(folder) else None
        path.write_text(configuration(folder, *ports, tls_port))
        commands = [["nginx", "-c", str(path), "-e", str(folder / "error.log")]]
    else:
        kind = "asyncio"
        commands = [
            [sys.executable, __file__, str(port), delay] for port, delay in zip(ports, ("0", "0.05"), strict=True)
        ]
    running = [subprocess.Popen(command) for command in commands]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        for url in urls:
            _until_there(url)
        secure = f"https://127.0.0.1:{tls_port}" if tls_port else ""
        yield Target(*urls, secure, folder / "certificate.pem", kind)
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _until_there(url: str) -> None:
    for _ in range(100):
        with suppress(OSError), urlopen(f"{url}/_counts", timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit(f"the stand-in does not answer at {url}")


def asked(url: str, what: str) -> object:
    """What the stand-in tells of itself."""
    with urlopen(f"{url}/_{what}", timeout=60) as reply:
        text = reply.read()
    return None if text == b"ok" else json.loads(text)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
