"""A process that stores conversations and says which of them are stored; to be killed.

Usage: python -m tests.chaos.writer DATABASE_URL FOLDER SECRET_KEY [LIMIT_BYTES]

Writes the id of each conversation to standard output once it is acknowledged. With LIMIT_BYTES no file may grow beyond
that (SIGXFSZ is ignored by Python, so that writing fails as on a full disk) until a line arrives on standard input.
"""

import asyncio
import resource
import sys

from visavis.store import Store, open_store
from visavis.store.errors import StoreError
from visavis.store.webhooks import NewDelivery

_CLIENTS = 8
_TEXT = "A conversation of a few kilobytes. " * 100


async def main(url: str, folder: str, key: str, limit: str = "") -> None:
    """Write until killed."""
    async with open_store(url, folder, [key]) as store:
        _say("ready")
        if limit:
            await _until_full(store, int(limit))
        await asyncio.gather(*(_write_for_ever(store) for _ in range(_CLIENTS)))


async def _write_for_ever(store: Store) -> None:
    while True:
        _say(await _write(store))


async def _until_full(store: Store, limit: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    errors: list[StoreError] = []
    while len(errors) < 5:
        try:
            _say(await _write(store))
        except StoreError as error:
            errors.append(error)
    _say(f"error {type(errors[0]).__name__} {errors[0]}")
    _say(f"total {(await store.conversations.page()).total}")
    await asyncio.to_thread(sys.stdin.readline)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _write(store: Store) -> str:
    hook = NewDelivery("https://example.org", "made", {"text": _TEXT})
    return (await store.conversations.create(snapshot={"text": _TEXT}, deliveries=[hook])).conversation_id


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
