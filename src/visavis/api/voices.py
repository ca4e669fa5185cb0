"""`/v2/voices`: the voices that this server can speak with."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from visavis.api import pagination
from visavis.api.answers import FromSettings, shown
from visavis.api.shapes import Listed, Voice
from visavis.api.system import STOCK_REPLICA_ID
from visavis.layers.tts.stock_voices import STOCK_VOICES, StockVoice, stock_voice

router = APIRouter(prefix="/v2/voices", tags=["voices"])
public = APIRouter(include_in_schema=False)

_SAMPLES = Path(str(resources.files("visavis.layers.tts"))) / "samples"


def _described(voice: StockVoice, base_url: str) -> dict[str, Any]:
    tags = ("english", voice.gender, "built-in", *voice.described.split(" and "))
    return {
        "voice_name": voice.name,
        "replica_id": STOCK_REPLICA_ID,
        "audio_url": f"{base_url}/voices/{voice.name}.mp3",
        "tags": [{"tag_name": tag} for tag in tags],
    }


_VOICES = [_described(voice, "http://127.0.0.1:8770") for voice in STOCK_VOICES]


@router.get("", responses=shown(Listed[Voice], {"data": _VOICES, "total_count": len(_VOICES), "page": 1, "limit": 10}))
async def list_voices(
    settings: FromSettings,
    page: pagination.FromOne,
    search: Annotated[str | None, Query(max_length=200, description="Part of a name.")] = None,
    sort: Annotated[Literal["asc", "desc"], Query(description="By name.")] = "asc",
    tag: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """The built-in voices, each with a sample. A replica that has a voice of its own speaks with that."""
    found = [
        voice
        for voice in (_described(one, settings.base_url) for one in STOCK_VOICES)
        if (search or "").lower() in voice["voice_name"] and (not tag or {"tag_name": tag.lower()} in voice["tags"])
    ]
    found.sort(key=lambda voice: str(voice["voice_name"]), reverse=sort == "desc")
    return pagination.listed(found[page.offset :][: page.limit], len(found)) | {
        "page": page.number,
        "limit": page.limit,
    }


@public.get("/voices/{name}.mp3")
async def sample(name: str) -> FileResponse:
    """What a voice sounds like. Open to everybody, as the voices are."""
    voice = stock_voice(name, "voice_name")
    return FileResponse(_SAMPLES / f"{voice.name}.mp3", media_type="audio/mpeg")
