"""Videos and speeches as the API and its callbacks show them."""

from datetime import datetime
from typing import Any

from visavis.store.videos import StoredVideo
from visavis.videos.links import Links

_DETAILS = {
    "queued": "Your request has been queued.",
    "generating": "Your video is being made.",
    "ready": "Your video is ready.",
    "deleted": "The video has been deleted.",
}


def described_video(video: StoredVideo, links: Links) -> dict[str, Any]:
    """All of one video."""
    document = video.document
    download = links.file("videos", video, "video")
    failed = video.status == "error"
    return {
        "video_id": video.video_id,
        "video_name": video.name,
        "replica_id": video.replica_id,
        "status": video.status,
        "status_details": document.get("error_message") if failed else _DETAILS.get(video.status, ""),
        "generation_progress": f"{100 if video.status == 'ready' else document.get('progress', 0)}/100",
        "data": {name: document[name] for name in ("script", "audio_url") if document.get(name)},
        "hosted_url": links.page(video),
        "download_url": f"{download}?download=true" if download else None,
        "stream_url": download,
        "still_image_thumbnail_url": links.file("videos", video, "still"),
        "gif_thumbnail_url": links.file("videos", video, "preview"),
        "duration": document.get("duration_s"),
        "error_type": document.get("error_type") if failed else None,
        "error_details": document.get("error_message") if failed else None,
        "callback_url": document.get("callback_url") or "",
        "created_at": _moment(video.created_at),
        "updated_at": _moment(video.updated_at),
        **{name: url for name in ("background_source_url",) if (url := document.get("request", {}).get(name))},
    }


def described_speech(speech: StoredVideo, links: Links) -> dict[str, Any]:
    """All of one speech."""
    failed = speech.status == "error"
    return {
        "speech_id": speech.video_id,
        "speech_name": speech.name,
        "replica_id": speech.replica_id,
        "status": speech.status,
        "data": {"script": speech.document.get("script", "")},
        "speech_file_url": links.file("speeches", speech, "wav"),
        "speech_mp3_url": links.file("speeches", speech, "mp3"),
        "duration": speech.document.get("duration_s"),
        "error_details": speech.document.get("error_message") if failed else None,
        "callback_url": speech.document.get("callback_url") or "",
        "created_at": _moment(speech.created_at),
        "updated_at": _moment(speech.updated_at),
    }


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
