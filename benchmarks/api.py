"""How long the API takes with many stored conversations and many clients, on each database.

A server process with the real application and a real database, but without engines: nobody joins a call here. Fifty
clients with keep-alive connections and an API key send a request each half a second on average, for one kind of request
at a time; afterwards all of them ask for everything as fast as they can, which shows what the server can do in a second
rather than how long a request takes. The figures are taken with 100,000 stored conversations; the rows for an empty
database show whether time grows with them.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import asyncpg
import psutil
from sqlalchemy import Connection, text

from benchmarks.api_server import READY
from benchmarks.report import QUICK, figures, percentile, stolen_percent, table
from tests.postgresql import is_installed, running_postgresql
from visavis.config import Settings
from visavis.store.configured import configured_store
from visavis.store.keys import Keys

STORED = 100_000
CLIENTS = 50
PAUSE_S = 0.5
PHASE_S = 1.0 if QUICK else 20.0
KINDS = ("create", "get", "list", "list ended")


@dataclass
class Target:
    """A running server, and ids of conversations that it has."""

    session: aiohttp.ClientSession
    url: str
    process: psutil.Process
    known: list[str] = field(default_factory=list)

    async def request(self, kind: str) -> float:
        """Send one request; the milliseconds until its whole answer is here."""
        began = time.perf_counter()
        if kind == "create":
            body = {"conversation_name": "Benchmark", "properties": {"max_call_duration": 60}}
            answer = await self._answer("POST", "/v2/conversations", json=body)
            self.known.append(answer["conversation_id"])
        elif kind == "get":
            await self._answer("GET", f"/v2/conversations/{random.choice(self.known)}")
        else:
            status = "&status=ended" if kind == "list ended" else ""
            await self._answer("GET", f"/v2/conversations?limit=10&page={random.randint(1, 3)}{status}")
        return 1000 * (time.perf_counter() - began)

    async def _answer(self, method: str, path: str, **what: object) -> dict[str, str]:
        async with self.session.request(method, self.url + path, **what) as response:  # type: ignore[arg-type]
            body: dict[str, str] = await response.json()
            assert response.status == 200, body
            return body


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each request, by kind and number of stored conversations; then all clients at once.

    per_s: requests answered in a second then; cpu_ms: what each took of the server process.
    """

    times: dict[tuple[str, int], list[float]]
    per_s: float
    cpu_ms: float


async def measure(database_url: str, folder: Path) -> Measured:
    """Start a server on this database and measure it, empty and full."""
    times: dict[tuple[str, int], list[float]] = {}
    settings = Settings(data=folder, database_url=database_url)
    async with configured_store(settings) as store:
        key = await _make_key(store.keys)
        async with serving(settings, key) as target:
            for stored in (0, STORED):
                if stored:
                    for first in range(1, STORED, _BATCH):
                        await store.database.write(partial(_copy, conversation_id=target.known[0], first=first))
                    target.known = await store.database.read(_some_ids)
                    await _settle(database_url)
                for kind in KINDS:
                    times[kind, stored] = await _paced(target, kind)
            before = _cpu_s(target.process)
            began = time.monotonic()
            flat_out = times["flat out", STORED] = await _flat_out(target)
            per_s = len(flat_out) / (time.monotonic() - began)
            cpu_ms = 1000 * (_cpu_s(target.process) - before) / len(flat_out)
    return Measured(times, per_s, cpu_ms)


def _cpu_s(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


async def _make_key(keys: Keys) -> str:
    made = await keys.create("benchmark")
    assert made
    return made[0]


@asynccontextmanager
async def serving(settings: Settings, key: str) -> AsyncIterator[Target]:
    """A server process on these settings, and connections to it that are open already."""
    assert settings.database_url
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.api_server",
        env={
            **os.environ,
            "VISAVIS_DATA": str(settings.data),
            "VISAVIS_DATABASE_URL": settings.database_url.get_secret_value(),
        },
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        said = (await process.stdout.readline()).decode()
        assert said.startswith(READY), "the server did not start"
        connector = aiohttp.TCPConnector(limit=CLIENTS, keepalive_timeout=600)
        async with aiohttp.ClientSession(connector=connector, headers={"x-api-key": key}) as session:
            target = Target(session, said.removeprefix(READY).strip(), psutil.Process(process.pid))
            await asyncio.gather(*(target.request("create") for _ in range(CLIENTS)))
            yield target
    finally:
        process.terminate()
        await process.wait()


async def _paced(target: Target, kind: str) -> list[float]:
    """Every client pauses at random between requests, so that they meet as often as chance has it."""

    async def client() -> list[float]:
        times = []
        await asyncio.sleep(random.uniform(0, PAUSE_S))
        until = time.monotonic() + PHASE_S
        while time.monotonic() < until:
            times.append(await target.request(kind))
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_S))
        return times

    return list(chain(*await asyncio.gather(*(client() for _ in range(CLIENTS)))))


async def _flat_out(target: Target) -> list[float]:
    until = time.monotonic() + PHASE_S

    async def client() -> list[float]:
        times = []
        while time.monotonic() < until:
            times.append(await target.request(random.choice(KINDS)))
        return times

    return list(chain(*await asyncio.gather(*(client() for _ in range(CLIENTS)))))


_COPIED = (
    "name, persona_id, replica_id, key_id, callback_url, nonce, shutdown_reason, updated_at, expires_at, started_at, "
    "ended_at, deleted_at, properties, metadata, snapshot"
)
_BATCH = 1000


def _copy(connection: Connection, conversation_id: str, first: int) -> None:
    """Store a batch of copies of one conversation, each a second older, every third one ended."""
    random_id = "lower(hex(randomblob(10)))"
    if connection.dialect.name == "postgresql":
        random_id = "substr(md5(random()::text), 1, 20)"
    connection.execute(
        text(
            "WITH RECURSIVE numbers (number) AS "
            "(SELECT CAST(:first AS BIGINT) UNION ALL SELECT number + 1 FROM numbers WHERE number < :last) "
            f"INSERT INTO conversations (id, status, created_at, {_COPIED}) "
            f"SELECT 'c' || {random_id}, CASE WHEN number % 3 = 0 THEN 'ended' ELSE 'active' END, "
            f"created_at - 1000000 * number, {_COPIED} FROM numbers CROSS JOIN conversations WHERE id = :template"
        ),
        {"template": conversation_id, "first": first, "last": first + _BATCH - 1},
    )


def _some_ids(connection: Connection) -> list[str]:
    """Of rows all over the table: ids are random."""
    return list(connection.execute(text("SELECT id FROM conversations ORDER BY id LIMIT 2000")).scalars())


async def _settle(database_url: str) -> None:
    """What a database does by itself after so many new rows is not what is measured."""
    if database_url.startswith("postgresql"):
        connection = await asyncpg.connect(database_url)
        for command in ("VACUUM ANALYZE", "CHECKPOINT"):
            await connection.execute(command)
        await connection.close()
    await asyncio.sleep(0.5 if QUICK else 5.0)


def databases(stack: AsyncExitStack) -> list[tuple[str, str, Path]]:
    """Name, URL and data folder of each database to be measured."""
    folders = [Path(stack.enter_context(TemporaryDirectory(prefix="visavis-"))) for _ in range(2)]
    found = [("sqlite", f"sqlite:///{folders[0]}/visavis.db", folders[0])]
    if is_installed():
        server = stack.enter_context(running_postgresql())
        found.append(("postgresql", server.new_database(), folders[1]))
    return found


async def main() -> None:
    """Measure and report."""
    rows: list[Sequence[object]] = []
    values: dict[str, float | int | None] = {"stored_conversations": STORED, "clients": CLIENTS}
    since = psutil.cpu_times()
    async with AsyncExitStack() as stack:
        for name, url, folder in databases(stack):
            measured = await measure(url, folder)
            times = measured.times
            for (kind, stored), taken in times.items():
                rows.append(
                    (f"{name}: {kind}", stored, len(taken), *(percentile(taken, share) for share in (50, 95, 99)))
                )
            values |= {f"{name}_create_p50_ms": percentile(times["create", STORED], 50)}
            for kind in ("create", "get", "list"):
                values[f"{name}_{kind}_p95_ms"] = percentile(times[kind, STORED], 95)
                values[f"{name}_{kind}_p95_ms_when_empty"] = percentile(times[kind, 0], 95)
            values[f"{name}_flat_out_per_s"] = measured.per_s
            values[f"{name}_cpu_ms_per_request"] = measured.cpu_ms
    values["stolen_percent"] = stolen_percent(since, psutil.cpu_times())
    table("API requests", ("request", "stored", "requests", "p50 ms", "p95 ms", "p99 ms"), rows)
    figures(values)


if __name__ == "__main__":
    asyncio.run(main())
