"""`/v2/videos`: a replica that says a script or a recording, as a file."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from visavis.api import pagination, vocabulary
from visavis.api.answers import FromSettings, FromStore, errors, shown
from visavis.api.auth import Caller
from visavis.api.background import FromBackground, FromLinks, delete_media
from visavis.api.bodies import Body
from visavis.api.idempotency import ANSWERS as REPEATED
from visavis.api.idempotency import PerhapsAgain
from visavis.api.media_shapes import CreatedVideo, ShownVideo
from visavis.api.replicas import check_usable
from visavis.api.shapes import Listed
from visavis.errors import BadInputError
from visavis.outbound import PrivateAddresses, check_url
from visavis.videos.description import described_video
from visavis.videos.staging import Corner

router = APIRouter(prefix="/v2/videos", tags=["videos"])

LONGEST_SCRIPT = 10_000
"""Characters; about eleven minutes of speech."""

_Url = Annotated[str, Field(max_length=2_000)]
_Name = Annotated[str, Field(max_length=200)]

_NOT_RENDERED = {
    "background_url": "no value: this renderer cannot show a web page behind the replica; background_source_url "
    "takes a video or a picture",
    "properties.background_scroll": "false: this renderer cannot show a web page behind the replica",
    "properties.background_scroll_type": "no value: this renderer cannot show a web page behind the replica",
    "properties.background_scroll_depth": "no value: this renderer cannot show a web page behind the replica",
    "properties.background_scroll_return": "no value: this renderer cannot show a web page behind the replica",
    "properties.start_with_wave": "false: this replica has no hands to wave with",
}


class VideoProperties(BaseModel):
    """Manners of one video."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    background_color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$", examples=["#204060"])] | None = None
    watermark_position: Corner | None = None


class VideoBody(Body):
    """What is to be said, by whom. Exactly one of `script` and `audio_url`."""

    replica_id: Annotated[str, Field(max_length=100, examples=["rmira"])]
    script: Annotated[str, Field(max_length=LONGEST_SCRIPT, examples=["Hello, I am Mira."])] | None = None
    audio_url: _Url | None = None
    video_name: _Name | None = None
    callback_url: _Url | None = None
    fast: bool | None = None
    output_format: Literal["mp4", "webm"] = "mp4"
    background_url: _Url | None = None
    background_source_url: Annotated[
        _Url | None, Field(description="A video, which is repeated, or a picture, behind the replica.")
    ] = None
    transparent_background: Annotated[
        bool | None, Field(description="Nothing behind the replica: a WebM video with transparency.")
    ] = None
    watermark_image_url: Annotated[
        _Url | None, Field(description="A picture in a corner, `properties.watermark_position`.")
    ] = None
    properties: VideoProperties | None = None


class RenameBody(Body):
    """A new name."""

    video_name: Annotated[str, Field(min_length=1, max_length=200, examples=["Welcome"])]


_UNKNOWN = {400: "Invalid video_id: there is no video '0123456789ab'"}
_CREATED = {
    "video_id": "0123456789ab",
    "video_name": "Welcome",
    "status": "queued",
    "hosted_url": "http://127.0.0.1:8770/videos/0123456789ab/0123456789abcdef0123456789abcdef",
    "created_at": "2026-11-01T10:00:00Z",
}
_SHOWN = _CREATED | {
    "replica_id": "rmira",
    "status": "ready",
    "status_details": "Your video is ready.",
    "generation_progress": "100/100",
    "data": {"script": "Hello, I am Mira."},
    "download_url": _CREATED["hosted_url"] + "/video.mp4?download=true",
    "stream_url": _CREATED["hosted_url"] + "/video.mp4",
    "still_image_thumbnail_url": _CREATED["hosted_url"] + "/video.jpg",
    "gif_thumbnail_url": _CREATED["hosted_url"] + "/video.gif",
    "duration": 6.48,
    "error_type": None,
    "error_details": None,
    "callback_url": "",
    "updated_at": "2026-11-01T10:00:20Z",
}


@router.post(
    "",
    responses=shown(CreatedVideo, _CREATED)
    | errors({400: "Invalid replica_id: there is no replica 'r0123'"})
    | REPEATED,
)
async def create_video(
    body: VideoBody,
    store: FromStore,
    settings: FromSettings,
    caller: Caller,
    once: PerhapsAgain,
    background: FromBackground,
    links: FromLinks,
) -> JSONResponse:
    """Have a replica say a script, or move its lips to a recording (WAV, MP3, FLAC, Ogg, M4A; 3 s to 10 minutes).

    It is made in the background; `hosted_url` works at once and shows the video when it is there. `fast` changes
    nothing, because there is only one way of rendering. `output_format` is `mp4` (VP9 and AAC) or `webm` (VP9, Opus).
    What is behind the replica can be replaced where it was not trained from a video that shows it.
    """

    async def create() -> dict[str, Any]:
        private = PrivateAddresses.parse(settings.allow_private_urls)
        _check(body, private)
        replica = await check_usable(store, "replica_id", body.replica_id)
        staging = _staging(body)
        if replica and not replica.document.get("background_is_replaceable", True):
            _check_keeps_background(staging)
        suffix = ".webm" if body.transparent_background else f".{body.output_format}"
        said = {"script": body.script} if body.script else {"audio_url": body.audio_url}
        document = said | {"callback_url": body.callback_url, "key_id": caller.key_id, "request": body.given()}
        made = await store.videos.create(name=body.video_name or "", replica_id=body.replica_id, document=document)
        await store.jobs.add("video", made.video_id, said | staging | {"suffix": suffix})
        if background:
            background.videos.wake()
        described = described_video(made, links)
        return vocabulary.in_both({name: described[name] for name in (*_CREATED, "replica_id")})

    return await once(create)


@router.get("", responses=shown(Listed[ShownVideo], {"data": [_SHOWN], "total_count": 1}))
async def list_videos(store: FromStore, links: FromLinks, page: pagination.FromZero) -> dict[str, Any]:
    """Videos, newest first; `page` counts from 0."""
    found = await store.videos.page(limit=page.limit, offset=page.offset)
    return pagination.listed([described_video(one, links) for one in found.items], found.total)


@router.get("/{video_id}", responses=shown(ShownVideo, _SHOWN) | errors(_UNKNOWN))
async def get_video(
    store: FromStore,
    links: FromLinks,
    video_id: str,
    verbose: Annotated[bool, Query(description="Also what was asked for.")] = False,
) -> dict[str, Any]:
    """One video, and how far it is."""
    found = await store.videos.get(video_id)
    described = vocabulary.in_both(described_video(found, links))
    return described | {"request": found.document.get("request", {})} if verbose else described


@router.patch("/{video_id}/name", response_class=Response, responses=errors(_UNKNOWN))
async def rename_video(store: FromStore, video_id: str, body: RenameBody) -> Response:
    """Give a video another name."""
    await store.videos.update(video_id, name=body.video_name)
    return Response()


@router.delete("/{video_id}", response_class=Response, responses=errors(_UNKNOWN))
async def delete_video(
    store: FromStore,
    background: FromBackground,
    video_id: str,
    hard: Annotated[bool, Query(description="Also remove its files, which are kept otherwise.")] = False,
) -> Response:
    """Delete a video; one that is being made is given up. Its links work no longer."""
    await delete_media(store, background, "videos", video_id, hard)
    return Response()


def _check(body: VideoBody, private: PrivateAddresses) -> None:
    if bool(body.script and body.script.strip()) == bool(body.audio_url):
        expected = "text to say, or instead of it an audio_url" if not body.audio_url else "no text beside an audio_url"
        raise BadInputError("script", body.script, expected)
    for name in ("audio_url", "callback_url", "background_source_url", "watermark_image_url"):
        if url := getattr(body, name):
            check_url(name, url, private)
    for field, expected in _NOT_RENDERED.items():
        inside, _, name = field.rpartition(".")
        value = getattr(body.properties, name, None) if inside else getattr(body, name)
        if value:
            raise BadInputError(field, value, expected)
    staging = _staging(body)
    behind = [field for field in _BEHIND if staging.get(field.rpartition(".")[2])]
    if len(behind) > 1:
        value = staging[behind[1].rpartition(".")[2]]
        raise BadInputError(behind[1], value, f"no value beside {behind[0]}: only one thing can be behind the replica")


_BEHIND = ("transparent_background", "background_source_url", "properties.background_color")


def _staging(body: VideoBody) -> dict[str, Any]:
    """What the work has to know of where the replica stands."""
    properties = body.properties or VideoProperties()
    wanted = {
        "transparent_background": body.transparent_background,
        "background_source_url": body.background_source_url,
        "background_color": properties.background_color,
        "watermark_image_url": body.watermark_image_url,
        "watermark_position": properties.watermark_position,
    }
    return {name: value for name, value in wanted.items() if value}


def _check_keeps_background(staging: dict[str, Any]) -> None:
    for field in _BEHIND:
        if value := staging.get(field.rpartition(".")[2]):
            raise BadInputError(field, value, "no value: this replica is always seen before its own background")
