"""The work of a replica job, as its child process does it.

The folder keeps the downloaded files, the consent and what the training has done so far; whatever is there already
when the work begins again is not done again.
"""

import asyncio
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from visavis.config import settings
from visavis.jobs import Report, WorkError
from visavis.outbound import OutboundError, SizeLimitError, outbound_of
from visavis.replica.bundle import PREVIEW, open_bundle
from visavis.replica.consent import Consent, declared
from visavis.replica.opening import background_is_replaceable, open_replica
from visavis.replica.preview import preview_of
from visavis.replica.statement import spoken_consent
from visavis.replica.train import Progress, Trained, TrainingError, train_photo, train_video
from visavis.replica.voice.part import put_into, stock
from visavis.replica.voice.step import train_face_and_voice
from visavis.training.uploads import CONSENT, SOURCE

LARGEST_VIDEO = 750 * 10**6
LARGEST_PHOTO = 50 * 10**6
LONGEST_DOWNLOAD_S = 3_600.0

BUNDLE = "trained.replica"

_FETCHED, _AGREED, _TRAINED = 0.05, 0.07, 0.96
"""Shares of the work until the files are here, the consent is known, and the replica is trained."""


async def make_replica(work_input: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    """Train a replica.

    Input: `name`; `video_url` or `photo_url`; `consent_url` or `declared_by`, or for a video neither when the statement
    is spoken in it; `green_screen`; `voice_name`, a stock voice instead of the person's own. In the place of addresses
    `uploads` may name files of `visavis.training.uploads`, which are in the folder then.
    """
    cv2.setNumThreads(1)
    try:
        return await _made(work_input, folder, report)
    except TrainingError as error:
        raise WorkError(error.error_type, str(error)) from error


async def _made(work_input: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    is_video = work_input.get("video_url") or "train_video" in work_input.get("uploads", ())
    field = "train_video_url" if is_video else "train_image_url"
    most = LARGEST_VIDEO if is_video else LARGEST_PHOTO
    url = work_input.get("video_url") or work_input.get("photo_url")
    source = await _fetched(field, url, folder / SOURCE, most, report)
    consent = await _consent(work_input, source, folder)
    report(_AGREED)
    trained = await asyncio.to_thread(
        _trained, field, source, folder, work_input["name"], consent, work_input.get("voice_name"), report
    )
    replaceable = await asyncio.to_thread(lambda: background_is_replaceable(open_replica(trained.path)))
    warnings = list(trained.warnings)
    if work_input.get("green_screen") and not replaceable:
        warnings.append("properties.background_green_screen: this replica is always seen before its own background")
    await preview_of(trained.path, folder, lambda share: report(_TRAINED + (1 - _TRAINED) * share))
    with open_bundle(trained.path) as bundle:
        manifest = bundle.manifest
    return {
        "files": {"bundle": BUNDLE, "preview": PREVIEW},
        "manifest": manifest.model_dump(mode="json", exclude={"checksums"}),
        "background_is_replaceable": replaceable,
        "green_screen": bool(work_input.get("green_screen")) and replaceable,
        "warnings": warnings,
        "figures": dict(trained.figures),
    }


def _trained(
    field: str, source: Path, folder: Path, name: str, consent: Consent, voice_name: str | None, report: Report
) -> Trained:
    def told(progress: Progress) -> None:
        report(_AGREED + (_TRAINED - _AGREED) * progress.share)

    known, kept = folder / "trained.json", folder / "training"
    if known.exists():
        return Trained(folder / BUNDLE, **json.loads(known.read_text()))
    kept.mkdir(exist_ok=True)
    train: Callable[..., Trained] = train_photo
    if field == "train_video_url":
        train = train_video if voice_name else train_face_and_voice
    trained = train(source, kept, folder / BUNDLE, name=name, consent=consent, report=told)
    if voice_name:
        put_into(trained.path, stock(voice_name))
    # What was not measured is no number, and no JSON.
    figures = {figure: value for figure, value in trained.figures.items() if math.isfinite(value)}
    _keep(known, json.dumps({"warnings": trained.warnings, "figures": figures}))
    shutil.rmtree(kept)
    return Trained(trained.path, trained.warnings, figures)


async def _consent(work_input: dict[str, Any], source: Path, folder: Path) -> Consent:
    known = folder / "consent.json"
    if known.exists():
        return Consent.model_validate_json(known.read_bytes())
    url = work_input.get("consent_url")
    if url or "consent_video" in work_input.get("uploads", ()):
        recording = await _fetched("consent_video_url", url, folder / CONSENT, LARGEST_VIDEO, lambda share: None)
        consent = await spoken_consent(recording, work_input["name"], "consent_video_url")
    elif person := work_input.get("declared_by"):
        consent = declared(person)
    else:
        consent = await _spoken_in_video(source, work_input["name"])
    _keep(known, consent.model_dump_json())
    return consent


async def _spoken_in_video(video: Path, name: str) -> Consent:
    try:
        return await spoken_consent(video, name, "train_video_url")
    except TrainingError as error:
        raise TrainingError(
            error.error_type,
            f"{error} Or give a recording of that in consent_video_url, or declare that the person agreed with "
            "their name in properties.consent_declaration.",
        ) from error


async def _fetched(field: str, url: str | None, path: Path, most: int, report: Report) -> Path:
    """The file, which may be here already: uploaded, or fetched before."""
    if await asyncio.to_thread(path.exists):
        return path
    if url is None:
        raise WorkError("download_link", f"{field}: the uploaded file is not here; upload it again.")
    partial = path.with_suffix(".partial")
    outbound = outbound_of(settings())
    try:
        await outbound.download(
            url,
            partial,
            max_bytes=most,
            timeout_s=LONGEST_DOWNLOAD_S,
            progress=lambda done, total: report(_FETCHED * done / total if total else 0.0),
        )
    except SizeLimitError as error:
        raise WorkError("file_size", f"{field}: {error}") from error
    except OutboundError as error:
        raise WorkError("download_link", f"{field}: {error}") from error
    partial.replace(path)
    return path


def _keep(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".partial")
    unfinished.write_text(text)
    unfinished.replace(path)
