"""The work of video and speech jobs, as their child processes do it."""

import asyncio
from pathlib import Path
from typing import Any

import cv2

from visavis.config import settings
from visavis.errors import BadInputError
from visavis.jobs import Report, WorkError
from visavis.layers.tts import Speech
from visavis.layers.tts.hibari import Hibari
from visavis.outbound import Outbound, OutboundError, PrivateAddresses, SizeLimitError
from visavis.replica import GREEN_SCREEN, Background, Renderer
from visavis.replica.opening import open_replica
from visavis.replica.voice.part import voice_in
from visavis.videos.files import write_sound
from visavis.videos.rendering import render_film, sound_of
from visavis.videos.sound import recorded, spoken
from visavis.videos.staging import LARGEST_SIDE, BeforeFilm, Cutout, Watermark, picture_in

LARGEST_RECORDING = 250 * 2**20
"""Bytes of an `audio_url`: ten minutes of stereo at 96 kHz and 24 bits are 350 MB, of CD quality 106 MB."""

LARGEST_BACKGROUND = 200 * 2**20
LARGEST_WATERMARK = 20 * 2**20

_SPOKEN = 0.15
"""Share of the work until the sound is known."""


async def make_video(work_input: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Film a replica. Input: `bundle` (path), `suffix` (.mp4, .webm), and `script` or `audio_url`; perhaps
    `green_screen`, `background_color` (#rrggbb), `background_source_url`, `transparent_background`,
    `watermark_image_url` and `watermark_position`.
    """
    cv2.setNumThreads(1)
    speeches = await _speeches(work_input, folder, lambda share: report(_SPOKEN * share))
    renderer = await _staged(work_input, folder)
    film = await render_film(
        speeches,
        renderer,
        folder / f"video{work_input['suffix']}",
        lambda share: report(_SPOKEN + (1 - _SPOKEN) * share),
        watermark=await _watermark(work_input, folder, renderer.size),
    )
    assert film.still and film.moving_preview
    return {
        "files": {"video": film.path.name, "still": film.still.name, "preview": film.moving_preview.name},
        "duration_s": round(film.duration_s, 3),
        "size": list(film.size),
    }


async def make_speech(work_input: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Speak a `script`, in the voice of the replica whose `bundle` (path) is given."""
    pcm = sound_of(await _speeches(work_input, folder, report))
    files = {"wav": "speech.wav", "mp3": "speech.mp3"}
    for name in files.values():
        await asyncio.to_thread(write_sound, folder / name, pcm)
    return {"files": files, "duration_s": round(len(pcm) / 48_000, 3)}


async def _speeches(work_input: dict[str, Any], folder: Path, report: Report) -> list[Speech]:
    if script := work_input.get("script"):
        return await spoken(script, await asyncio.to_thread(_voice, work_input.get("bundle")))
    path = await _downloaded(work_input, "audio_url", folder, LARGEST_RECORDING, report)
    try:
        return [await asyncio.to_thread(recorded, path)]
    except BadInputError as error:
        raise WorkError("audio_file", str(error)) from error


async def _staged(work_input: dict[str, Any], folder: Path) -> Renderer[object]:
    """The replica before what is wanted behind it."""
    replica = open_replica(Path(work_input["bundle"]))
    if work_input.get("transparent_background"):
        return Cutout(replica)
    if work_input.get("background_source_url"):
        path = await _downloaded(work_input, "background_source_url", folder, LARGEST_BACKGROUND)
        picture = await asyncio.to_thread(picture_in, path)
        try:
            return (
                replica.renderer(Background(picture=picture[..., :3]))
                if picture is not None
                else BeforeFilm(replica, path)
            )
        except BadInputError as error:
            raise WorkError("background_file", str(error)) from error
    if colour := work_input.get("background_color"):
        red, green, blue = bytes.fromhex(colour.removeprefix("#"))
        return replica.renderer(Background((blue, green, red)))
    return replica.renderer(GREEN_SCREEN if work_input.get("green_screen") else None)


async def _watermark(work_input: dict[str, Any], folder: Path, size: tuple[int, int]) -> Watermark | None:
    if not work_input.get("watermark_image_url"):
        return None
    path = await _downloaded(work_input, "watermark_image_url", folder, LARGEST_WATERMARK)
    picture = await asyncio.to_thread(picture_in, path)
    if picture is None:
        expected = f"a JPEG, PNG or WebP picture of at most {LARGEST_SIDE} pixels a side"
        raise WorkError("watermark_file", f"watermark_image_url: expected {expected}")
    return Watermark(picture, size, work_input.get("watermark_position") or "bottom_right")


async def _downloaded(
    work_input: dict[str, Any], field: str, folder: Path, max_bytes: int, report: Report = lambda share: None
) -> Path:
    path = folder / field
    outbound = Outbound(PrivateAddresses.parse(settings().allow_private_urls))
    try:
        await outbound.download(
            work_input[field],
            path,
            max_bytes=max_bytes,
            progress=lambda done, total: report(done / total if total else 0.0),
        )
    except SizeLimitError as error:
        raise WorkError("file_size", f"{field}: {error}") from error
    except OutboundError as error:
        raise WorkError("download_link", f"{field}: {error}") from error
    return path


def _voice(bundle: str | None) -> Hibari:
    """The replica's own, or the stock one."""
    own = voice_in(Path(bundle)) if bundle else None
    return Hibari(voice=own) if own else Hibari()
