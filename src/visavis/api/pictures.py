"""`/v2/replicas/picture-check`: would this picture do in a training video?"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from visavis.api.answers import errors, shown
from visavis.api.shapes import CheckedPicture
from visavis.errors import BadInputError
from visavis.replica.train.picture import Judge, Judged

router = APIRouter(prefix="/v2/replicas", tags=["replicas"])

_SHOWN = {
    "width": 640,
    "height": 480,
    "faces": 1,
    "box": [220.0, 120.0, 420.0, 380.0],
    "brightness": 61.5,
    "remarks": [
        {"about": "light", "text": "The face is rather dark (62 of 255); more light shows more.", "must": False}
    ],
}


class _Looker:
    """The judge of one application, made when it is first asked, and whose turn it is. Owner of both."""

    def __init__(self) -> None:
        self._judge: Judge | None = None
        self._turn = asyncio.Lock()

    async def look(self, data: bytes) -> Judged:
        async with self._turn:
            if self._judge is None:
                self._judge = await asyncio.to_thread(Judge)
            return await asyncio.to_thread(self._judge.look, data)


@router.post(
    "/picture-check",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("image/jpeg", "image/png", "image/webp")
            },
        }
    },
    responses=shown(CheckedPicture, _SHOWN)
    | errors(
        {400: "body: '12 bytes' is not valid; expected a JPEG, PNG or WebP picture of at most 4096 pixels a side"}
    ),
)
async def check_picture(request: Request) -> dict[str, Any]:
    """Look at a picture of a camera before a training video is recorded with it. The picture is not kept."""
    data = await request.body()
    if not data:
        raise BadInputError("body", None, "a JPEG, PNG or WebP picture")
    state = request.app.state
    if not hasattr(state, "picture_looker"):
        state.picture_looker = _Looker()
    judged: Judged = await state.picture_looker.look(data)
    seen = judged.seen
    return {
        "width": judged.width,
        "height": judged.height,
        "faces": seen.faces,
        "box": [round(side, 1) for side in seen.box] if seen.faces else None,
        "brightness": round(seen.brightness, 1),
        "remarks": [{"about": one.about, "text": one.text, "must": one.must} for one in judged.remarks],
    }
