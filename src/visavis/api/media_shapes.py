"""What answers about videos, speeches and webhooks look like, for the OpenAPI document."""

from typing import Any, Literal

from visavis.api.shapes import Shape

MediaStatus = Literal["queued", "generating", "ready", "error", "deleted"]


class CreatedVideo(Shape):
    """A new video; `hosted_url` works at once."""

    video_id: str
    video_name: str
    replica_id: str
    face_id: str
    status: MediaStatus
    hosted_url: str
    created_at: str


class ShownVideo(CreatedVideo):
    """A video; the addresses of its files are null until it is ready. `data` says what it was made from."""

    status_details: str
    generation_progress: str
    data: dict[str, str]
    download_url: str | None
    stream_url: str | None
    still_image_thumbnail_url: str | None
    gif_thumbnail_url: str | None
    duration: float | None
    error_type: str | None
    error_details: str | None
    callback_url: str
    updated_at: str
    background_source_url: str | None = None
    request: dict[str, Any] | None = None


class ShownSpeech(Shape):
    """A speech; the addresses of its files are null until it is ready."""

    speech_id: str
    speech_name: str
    replica_id: str
    face_id: str
    status: MediaStatus
    data: dict[str, str]
    speech_file_url: str | None
    speech_mp3_url: str | None
    duration: float | None
    error_details: str | None
    callback_url: str
    created_at: str
    updated_at: str


class ShownDelivery(Shape):
    """A message to a webhook; `body` only when it is looked up by itself."""

    delivery_id: str
    status: Literal["pending", "delivered", "dead"]
    event_type: str
    conversation_id: str | None
    url: str
    attempts: int
    last_error: str | None
    created_at: str
    next_attempt_at: str | None
    finished_at: str | None
    body: dict[str, Any] | None = None
