"""Lists and looks up conversations with astrocyte-integration-tavus: `… BASE_URL KEY CONVERSATION_ID`."""

import asyncio
import json
import sys

from astrocyte_integration_tavus import TavusAPIError, TavusClient


async def main(base_url: str, key: str, conversation_id: str) -> None:
    async with TavusClient(key, base_url=base_url) as client:
        found = {
            "first": await client.list_conversations(),
            "ended": await client.list_conversations(limit=5, page=1, status="ended"),
            "one": await client.get_conversation(conversation_id),
            "verbose": await client.get_conversation(conversation_id, verbose=True),
        }
        try:
            await client.get_conversation("cunknown")
        except TavusAPIError as error:
            found["unknown"] = {"status": error.status_code, "body": json.loads(error.body or "{}")}
    async with TavusClient("wrong", base_url=base_url) as client:
        try:
            await client.list_conversations()
        except TavusAPIError as error:
            found["wrong key"] = {"status": error.status_code, "body": json.loads(error.body or "{}")}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
