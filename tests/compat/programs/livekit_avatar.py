"""The REST calls of livekit-plugins-tavus, with its retries and its own HTTP session: `… BASE_URL KEY`."""

import asyncio
import json
import sys

from livekit.agents import APIConnectOptions, APIStatusError, utils
from livekit.plugins.tavus import AvatarSession
from livekit.plugins.tavus.api import TavusAPI

ONCE = APIConnectOptions(max_retry=0)
ROOM = {"livekit_ws_url": "wss://livekit.example.com", "livekit_room_token": "token"}


async def main(base_url: str, key: str) -> None:
    async with utils.http_context.open():
        api = TavusAPI(key, base_url, conn_options=ONCE, session=utils.http_context.http_session())
        pal_id = await api.create_pal("Parrot", default_face_id="rmira")
        found = {
            "pal": pal_id,
            "persona": await api.create_persona("Parrot too", extra_payload={"default_replica_id": "rmira"}),
            "conversation": await api.create_conversation(pal_id=pal_id, properties=ROOM),
            "old names": await api.create_conversation(persona_id=pal_id, replica_id="rmira"),
            "no names": await api.create_conversation(properties=ROOM),
        }
        # What AvatarSession.start does before it joins a LiveKit room, with the same object.
        session = AvatarSession(pal_id=pal_id, api_url=base_url, api_key=key, conn_options=ONCE)
        found["avatar session"] = await session._api.create_conversation(
            pal_id=session._pal_id, face_id=session._face_id, properties=ROOM
        )
        try:
            await api.create_conversation(pal_id="punknown")
        except APIStatusError as error:
            found["unknown pal"] = {"status": error.status_code, "body": json.loads(str(error.body))}
        try:
            await TavusAPI("wrong", base_url, conn_options=ONCE).create_pal(default_face_id="rmira")
        except APIStatusError as error:
            found["wrong key"] = {"status": error.status_code, "body": json.loads(str(error.body))}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
