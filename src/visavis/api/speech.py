"""`/v2/speech`: a text in a replica's voice, as a sound file."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from visavis.api import pagination, vocabulary
from visavis.api.answers import FromSettings, FromStore, errors, shown
from visavis.api.auth import Caller
from visavis.api.background import FromBackground, FromLinks, delete_media
from visavis.api.bodies import Body
from visavis.api.idempotency import ANSWERS as REPEATED
from visavis.api.idempotency import PerhapsAgain
from visavis.api.media_shapes import ShownSpeech
from visavis.api.replicas import check_usable
from visavis.api.shapes import Listed
from visavis.api.videos import LONGEST_SCRIPT
from visavis.errors import BadInputError
from visavis.outbound import PrivateAddresses, check_url
from visavis.videos.description import described_speech

router = APIRouter(prefix="/v2/speech", tags=["speech"])

WAIT_S = 25.0
"""How long a request waits for its speech; later ones are looked up."""

_LOOK_EVERY_S = 0.2

_UNKNOWN = {400: "Invalid speech_id: there is no speech '0123456789ab'"}
_FILES = "http://127.0.0.1:8770/speeches/0123456789ab/0123456789abcdef0123456789abcdef"
_SHOWN = {
    "speech_id": "0123456789ab",
    "speech_name": "Welcome",
    "replica_id": "rmira",
    "status": "ready",
    "data": {"script": "Hello, I am Mira."},
    "speech_file_url": f"{_FILES}/speech.wav",
    "speech_mp3_url": f"{_FILES}/speech.mp3",
    "duration": 1.52,
    "error_details": None,
    "callback_url": "",
    "created_at": "2026-11-01T10:00:00Z",
    "updated_at": "2026-11-01T10:00:03Z",
}


class SpeechBody(Body):
    """What is to be said, in whose voice."""

    replica_id: Annotated[str, Field(max_length=100, examples=["rmira"])]
    script: Annotated[str, Field(min_length=1, max_length=LONGEST_SCRIPT, examples=["Hello, I am Mira."])]
    speech_name: Annotated[str, Field(max_length=200)] | None = None
    callback_url: Annotated[str, Field(max_length=2_000)] | None = None


@router.post(
    "",
    responses=shown(ShownSpeech, _SHOWN) | errors({400: "Invalid replica_id: there is no replica 'r0123'"}) | REPEATED,
)
async def create_speech(
    body: SpeechBody,
    store: FromStore,
    settings: FromSettings,
    caller: Caller,
    once: PerhapsAgain,
    background: FromBackground,
    links: FromLinks,
) -> JSONResponse:
    """Say a text. The answer comes when the files are there, or after some time with the status that it has then."""

    async def create() -> dict[str, Any]:
        if not body.script.strip():
            raise BadInputError("script", body.script, "text to say")
        if body.callback_url:
            check_url("callback_url", body.callback_url, PrivateAddresses.parse(settings.allow_private_urls))
        await check_usable(store, "replica_id", body.replica_id)
        document = {"script": body.script, "callback_url": body.callback_url, "key_id": caller.key_id}
        made = await store.speeches.create(name=body.speech_name or "", replica_id=body.replica_id, document=document)
        await store.jobs.add("speech", made.video_id, {"script": body.script})
        if background:
            background.speeches.wake()
            for _ in range(round(WAIT_S / _LOOK_EVERY_S)):
                await asyncio.sleep(_LOOK_EVERY_S)
                made = await store.speeches.get(made.video_id)
                if made.status in ("ready", "error"):
                    break
        return vocabulary.in_both(described_speech(made, links))

    return await once(create)


@router.get("", responses=shown(Listed[ShownSpeech], {"data": [_SHOWN], "total_count": 1}))
async def list_speeches(store: FromStore, links: FromLinks, page: pagination.FromZero) -> dict[str, Any]:
    """Speeches, newest first; `page` counts from 0."""
    found = await store.speeches.page(limit=page.limit, offset=page.offset)
    return pagination.listed([described_speech(one, links) for one in found.items], found.total)


@router.get("/{speech_id}", responses=shown(ShownSpeech, _SHOWN) | errors(_UNKNOWN))
async def get_speech(store: FromStore, links: FromLinks, speech_id: str) -> dict[str, Any]:
    """One speech."""
    return vocabulary.in_both(described_speech(await store.speeches.get(speech_id), links))


@router.delete("/{speech_id}", response_class=Response, responses=errors(_UNKNOWN))
async def delete_speech(
    store: FromStore,
    background: FromBackground,
    speech_id: str,
    hard: Annotated[bool, Query(description="Also remove its files, which are kept otherwise.")] = False,
) -> Response:
    """Delete a speech. Its links work no longer."""
    await delete_media(store, background, "speeches", speech_id, hard)
    return Response()
