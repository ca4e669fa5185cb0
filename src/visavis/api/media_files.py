"""The files of videos, speeches and replicas, and the page that shows a video: open to whoever has the link."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from visavis.api.answers import FromStore
from visavis.api.background import FromLinks
from visavis.api.system import STOCK_REPLICA_ID, stock_preview
from visavis.store import Store
from visavis.store.errors import NotFoundError
from visavis.store.videos import StoredVideo
from visavis.training.kinds import preview_blob
from visavis.videos.description import described_video
from visavis.videos.links import Kind, Links, blob

router = APIRouter(include_in_schema=False)

_TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">{refresh}
<link rel="icon" href="data:,">
<title>{name}</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #15171c; color: #eee;
  font: 16px/1.5 system-ui, sans-serif }}
main {{ width: min(92vw, 80vh); text-align: center }}
video {{ width: 100%; border-radius: 12px; background: #000 }}
a {{ color: #9cf }}
</style>
</head>
<body><main>{content}</main></body>
</html>
"""
_PAGE_POLICY = "default-src 'none'; media-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'"


@router.get("/videos/{video_id}/{token}")
async def video_page(store: FromStore, links: FromLinks, video_id: str, token: str) -> HTMLResponse:
    """The page behind `hosted_url`."""
    video = await _found(store, links, "videos", video_id, token)
    shown = described_video(video, links)
    name = escape(video.name or "Video")
    refresh = ""
    if video.status == "ready":
        # Relative, so that it works under whatever name the page was opened.
        files = video.document["files"]
        base = f"/videos/{video_id}/{token}"
        content = (
            f'<video src="{base}/{files["video"]}" poster="{base}/{files["still"]}" controls playsinline></video>'
            f'<p>{name} · <a href="{base}/{files["video"]}?download=true">Download</a></p>'
        )
    elif video.status == "error":
        content = f"<p>This video could not be made. {escape(str(shown['error_details']))}</p>"
    else:
        refresh = '<meta http-equiv="refresh" content="3">'
        percent = shown["generation_progress"].partition("/")[0]
        content = f"<p>This video is being made: {percent} %.</p>"
    return HTMLResponse(
        _PAGE.format(name=name, refresh=refresh, content=content),
        headers={"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-store"},
    )


Download = Annotated[bool, Query(description="Save it instead of showing it.")]


@router.api_route("/videos/{video_id}/{token}/{name}", methods=["GET", "HEAD"])
@router.api_route("/speeches/{video_id}/{token}/{name}", methods=["GET", "HEAD"])
async def media_file(
    request: Request,
    store: FromStore,
    links: FromLinks,
    video_id: str,
    token: str,
    name: str,
    download: Download = False,
) -> Response:
    """A file of a video or a speech, or the part of it that the `Range` header asks for."""
    kind: Kind = "videos" if request.scope["route"].path.startswith("/videos/") else "speeches"
    video = await _found(store, links, kind, video_id, token)
    if name not in video.document.get("files", {}).values() or video.status != "ready":
        raise NotFoundError("file", name)
    stored = blob(kind, video.video_id, name)
    return await _stored(request, stored, video.video_id, video.created_at, video.name, download)


@router.api_route("/replicas/{replica_id}/{token}/preview.mp4", methods=["GET", "HEAD"])
async def replica_preview(
    request: Request, store: FromStore, links: FromLinks, replica_id: str, token: str, download: Download = False
) -> Response:
    """The film behind `thumbnail_video_url`."""
    if not links.fits("replicas", replica_id, token):
        raise NotFoundError("file", replica_id)
    if replica_id == STOCK_REPLICA_ID and (film := stock_preview()):
        return _answered(
            request,
            lambda start, end: _pieces(film[start:end]),
            len(film),
            "mp4",
            replica_id,
            replica_id if download else None,
        )
    replica = await store.replicas.get(replica_id)
    if not replica.document.get("preview"):
        raise NotFoundError("file", replica_id)
    return await _stored(request, preview_blob(replica_id), replica_id, replica.updated_at, replica.name, download)


async def _stored(
    request: Request, stored: str, subject_id: str, made_at: datetime, name: str, download: bool
) -> Response:
    store: Store = request.app.state.store
    size = await store.blobs.size_bytes(stored)
    version = f"{subject_id}-{int(made_at.timestamp())}"
    called = re.sub(r"[^\w .-]", "_", name, flags=re.ASCII).strip() or subject_id
    return _answered(
        request,
        lambda start, end: store.blobs.stream(stored, start, end),
        size,
        stored.rpartition(".")[2],
        version,
        called if download else None,
    )


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _answered(
    request: Request,
    stream: Callable[[int, int], AsyncIterator[bytes]],
    size: int,
    ending: str,
    version: str,
    saved_as: str | None,
) -> Response:
    """A file, or the part of it that the `Range` header asks for; saved under a name when `saved_as` is given."""
    etag = f'"{version}-{size}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": "private, max-age=3600"}
    if saved_as is not None:
        headers["Content-Disposition"] = f'attachment; filename="{saved_as}.{ending}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    asked = request.headers.get("range", "")
    if request.headers.get("if-range", etag) != etag:
        asked = ""
    part = _part(asked, size)
    start, end = part or (0, size)
    if start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 206 if part else 200
    headers["Content-Length"] = str(end - start)
    media_type = _TYPES[ending]
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(stream(start, end), status, headers, media_type)


async def _found(store: Store, links: Links, kind: Kind, video_id: str, token: str) -> StoredVideo:
    """The video that a link leads to. Raises `NotFoundError`, the same for a wrong token as for a wrong id."""
    if not links.fits(kind, video_id, token):
        raise NotFoundError("file", video_id)
    try:
        return await (store.videos if kind == "videos" else store.speeches).get(video_id)
    except NotFoundError:
        raise NotFoundError("file", video_id) from None


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """From where until before where a Range header (RFC 9110, section 14) asks; None without one that is understood.

    Empty when it asks for what is not there.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.replace(" ", ""), flags=re.ASCII)
    if not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(size - int(found[2]), 0), size
    start, last = int(found[1]), int(found[2] or size)
    return None if last < start and found[2] else (start, min(last + 1, size))
