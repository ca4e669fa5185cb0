"""`/v2/voices`: the voices that this server can speak with."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from visavis.api import pagination
from visavis.api.answers import shown
from visavis.api.shapes import Listed, Voice
from visavis.api.system import STOCK_REPLICA_ID

router = APIRouter(prefix="/v2/voices", tags=["voices"])

_VOICES: list[dict[str, Any]] = [
    {
        "voice_name": "heart",
        "replica_id": STOCK_REPLICA_ID,
        "audio_url": None,
        "tags": [{"tag_name": "english"}, {"tag_name": "female"}, {"tag_name": "built-in"}],
    }
]

VOICE_NAMES = tuple(voice["voice_name"] for voice in _VOICES)


@router.get("", responses=shown(Listed[Voice], {"data": _VOICES, "total_count": 1, "page": 1, "limit": 10}))
async def list_voices(
    page: pagination.FromOne,
    search: Annotated[str | None, Query(max_length=200, description="Part of a name.")] = None,
    sort: Annotated[Literal["asc", "desc"], Query(description="By name.")] = "asc",
    tag: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """The built-in voice; replicas that bring their own voice will be listed here too."""
    found = [
        voice
        for voice in _VOICES
        if (search or "").lower() in voice["voice_name"] and (not tag or {"tag_name": tag.lower()} in voice["tags"])
    ]
    found.sort(key=lambda voice: str(voice["voice_name"]), reverse=sort == "desc")
    return pagination.listed(found[page.offset :][: page.limit], len(found)) | {
        "page": page.number,
        "limit": page.limit,
    }
