"""The short film of a replica that its bundle carries, to see it before a call."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from visavis.layers.tts.hibari import Hibari
from visavis.replica.bundle import PREVIEW, add_parts, open_bundle
from visavis.replica.opening import open_replica
from visavis.replica.voice.part import voice_in
from visavis.videos.rendering import render_film
from visavis.videos.sound import spoken

SAID = "Hello, nice to meet you. Whenever you like, we can talk face to face."


async def preview_of(path: Path, folder: Path, report: Callable[[float], None] = lambda share: None) -> Path:
    """The film in a bundle, as a file in `folder`; where there is none, one is made and put into the bundle.

    `report` is told the share that is done, 0 to 1. Raises `visavis.models.ModelMissingError` without a voice.
    """
    with open_bundle(path) as bundle:
        film = bundle.part(PREVIEW) if PREVIEW in bundle else None
    if film:
        await asyncio.to_thread((folder / PREVIEW).write_bytes, film)
        return folder / PREVIEW
    own = await asyncio.to_thread(voice_in, path)
    speeches = await spoken(SAID, await asyncio.to_thread(lambda: Hibari(voice=own) if own else Hibari()))
    replica = await asyncio.to_thread(open_replica, path)
    made = await render_film(speeches, replica.renderer(), folder / PREVIEW, report, previews=False)
    await asyncio.to_thread(lambda: add_parts(path, {PREVIEW: made.path.read_bytes()}))
    return made.path
