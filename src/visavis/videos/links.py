"""Addresses of finished files, which work without an API key for whoever was given them."""

import hashlib
import hmac
from typing import Literal

from visavis.store.videos import StoredVideo

Kind = Literal["videos", "speeches", "replicas"]


class Links:
    """Makes and checks the links of one server."""

    def __init__(self, base_url: str, secret: bytes) -> None:
        """`base_url` has no slash at its end; `secret` is the store's, so links outlive the process."""
        self._base_url = base_url
        self._secret = secret

    def token(self, kind: Kind, subject_id: str) -> str:
        """What makes a link unguessable: 32 hexadecimal digits."""
        return hmac.new(self._secret, f"{kind}/{subject_id}".encode(), hashlib.sha256).hexdigest()[:32]

    def fits(self, kind: Kind, subject_id: str, token: str) -> bool:
        """Whether somebody who shows `token` was given a link to this video, speech or replica."""
        return hmac.compare_digest(self.token(kind, subject_id).encode(), token.encode())

    def preview(self, replica_id: str) -> str:
        """Where the film of a replica is."""
        return f"{self._base_url}/replicas/{replica_id}/{self.token('replicas', replica_id)}/preview.mp4"

    def page(self, video: StoredVideo) -> str:
        """Where to watch a video."""
        return f"{self._base_url}/videos/{video.video_id}/{self.token('videos', video.video_id)}"

    def file(self, kind: Kind, video: StoredVideo, part: str) -> str | None:
        """Where one of its files is (`video`, `still`, `preview`; `wav`, `mp3`); None before it is made."""
        name = video.document.get("files", {}).get(part)
        if video.status != "ready" or name is None:
            return None
        return f"{self._base_url}/{kind}/{video.video_id}/{self.token(kind, video.video_id)}/{name}"


def blob(kind: Kind, video_id: str, name: str) -> str:
    """Under which name the store keeps a file."""
    return f"{kind}/{video_id}/{name}"
