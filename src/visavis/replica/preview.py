"""The short film of a replica that its bundle carries, to see it before a call."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from visavis.layers.tts.hibari import Hibari
from visavis.replica.bundle import PREVIEW, add_parts
from visavis.replica.opening import open_replica
from visavis.videos.rendering import render_film
from visavis.videos.sound import spoken

SAID = "Hello, nice to meet you. Whenever you like, we can talk face to face."


async def add_preview(path: Path, folder: Path, report: Callable[[float], None] = lambda share: None) -> Path:
    """Film the replica in a bundle and put the film into it; returns the film, in `folder`.

    `report` is told the share that is done, 0 to 1. Raises `visavis.models.ModelMissingError` without a voice.
    """
    speeches = await spoken(SAID, await asyncio.to_thread(Hibari))
    replica = await asyncio.to_thread(open_replica, path)
    film = await render_film(speeches, replica.renderer(), folder / PREVIEW, report, previews=False)
    await asyncio.to_thread(lambda: add_parts(path, {PREVIEW: film.path.read_bytes()}))
    return film.path
