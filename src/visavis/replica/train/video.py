"""From a video of a person to a replica, in stages; every stage that takes long leaves a file in the folder.

survey   a glimpse of every second: one face, near, lit, from the front?
track    the face in every picture
learn    lips from sound
mouths   pictures of the mouth and of calm moments
preview  the replica says what the person said
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.layers.tts import Speech
from visavis.replica import FPS
from visavis.replica.bundle import PREVIEW, THUMBNAIL, BundleWriter
from visavis.replica.consent import Consent
from visavis.replica.motion import SAMPLES
from visavis.replica.patches.contents import Contents, Layout, Lips, write
from visavis.replica.patches.hearing import Layer, LipNetwork, listen, with_neighbours
from visavis.replica.patches.points import LOWER_MIDDLE, RIM, UPPER_MIDDLE
from visavis.replica.patches.renderer import PatchRenderer, Person
from visavis.replica.sound_mouth import Heard, version
from visavis.replica.train import Report, Trained, checks
from visavis.replica.train.anatomy import FRAME_SIDE, Anatomy, take_apart
from visavis.replica.train.collecting import Collected, collect
from visavis.replica.train.film import Film, open_film, sound
from visavis.replica.train.idle import choose_loop
from visavis.replica.train.learning import fit
from visavis.replica.train.mouths import choose_moments, choose_region
from visavis.replica.train.stages import share_of
from visavis.replica.train.survey import look_over
from visavis.replica.train.tracking import Track, follow
from visavis.replica.visemes import CLOSED, JAW
from visavis.videos.rendering import render_film

CHECKPOINTS = "video.json"
VERSION = 2
"""Of the checkpoints: those of another version are made again."""

HIDDEN, ARTICULATION_HIDDEN = 128, 32
EPOCHS = 20

USUAL_LEAD = 1
"""Frames by which the common network's mouth leads a filmed one whose sound is in time (measured on GRID's talkers)."""

PREVIEW_S = 5.0
CLOSED_PERCENTILE = 12

Floats = NDArray[np.float32]


def train(video: Path, folder: Path, out: Path, *, name: str, consent: Consent, report: Report) -> Trained:
    """Make a replica of the person in a video; see `visavis.replica.train.train_video`."""
    folder.mkdir(parents=True, exist_ok=True)
    film = open_film(video)
    warnings = checks.check_film(film)
    _claim(folder, video)
    survey = look_over(film, report)
    span = survey.stretch(film.duration_s)
    warnings += checks.check_glimpses(survey, span)
    if span != (0.0, film.duration_s):
        warnings.append(
            f"The video is long; {span[0]:.0f} to {span[1]:.0f} seconds, where the face is seen best, are used."
        )
    track = _tracked(film, span, folder, report)
    shots = track.shots()
    warnings += checks.check_shots(shots, len(track.seen))
    checks.check_place(track, shots)
    checks.check_teeth(track)
    pcm, heard, sync_warnings = _in_time(film, span, track, shots)
    warnings += sync_warnings
    anatomy = take_apart(track, shots, film.size)
    used = np.concatenate([np.arange(shot.start, shot.stop) for shot in shots])
    closed = used[track.opening[used] <= np.percentile(track.opening[used], CLOSED_PERCENTILE)]
    rest = np.median(anatomy.lips[closed], axis=0).astype(np.float32)
    networks, figures = _learned(anatomy, heard, used, folder, report)
    steps = choose_loop(track, anatomy, shots, rest)
    report(share_of("idle", 1))
    usual_pose = np.median(anatomy.pose[[step.picture for step in steps]], axis=0)
    moments = choose_moments(track, anatomy, shots, np.asarray(usual_pose, np.float32))
    collected = collect(film, span, track, anatomy, shots, steps, moments, choose_region(anatomy), folder, report)
    contents = _contents(anatomy, rest, networks, collected)
    person = Person(contents, (FRAME_SIDE, FRAME_SIDE))
    preview = folder / PREVIEW
    asyncio.run(
        render_film(
            [Speech(_spoken_part(pcm), (), ())],
            PatchRenderer(person, seed=1),  # type: ignore[arg-type]
            preview,
            lambda share: report(share_of("preview", share)),
            previews=False,
        )
    )
    with BundleWriter(out, name=name, renderer="patches", size=person.size, consent=consent) as writer:
        write(writer, contents)
        writer.picture(THUMBNAIL, contents.loop.frames[0], 90)
        writer.file(PREVIEW, preview)
    report(share_of("pack", 1))
    figures |= {"used_s": len(used) / FPS, "loop_s": len(steps) / FPS, "mouths": float(len(moments))}
    return Trained(out, tuple(warnings), figures)


def _claim(folder: Path, video: Path) -> None:
    """Remove what was kept of another video."""
    state = video.stat()
    mine = {"version": VERSION, "bytes": state.st_size, "changed_ns": state.st_mtime_ns}
    note = folder / CHECKPOINTS
    if not note.is_file() or json.loads(note.read_text()) != mine:
        for kept in folder.glob("*.npz"):
            kept.unlink()
        note.write_text(json.dumps(mine))


def _tracked(film: Film, span: tuple[float, float], folder: Path, report: Report) -> Track:
    kept = folder / "track.npz"
    if not kept.is_file():
        follow(film, *span, report).save(kept)
    report(share_of("track", 1))
    return Track.load(kept)


def _in_time(
    film: Film, span: tuple[float, float], track: Track, shots: list[slice]
) -> tuple[Pcm, list[Heard], list[str]]:
    """The sound of the span, what is heard in it, and warnings; moved to where the lips say it belongs."""
    pcm = sound(film, *span)
    count = len(track.seen)
    checks.check_sound(_levels_db(pcm))
    heard = listen(pcm, count)
    offset, following = _offset(heard, track, shots)
    warnings = checks.check_sync(offset, following)
    if warnings:
        later = offset / FPS
        pcm = sound(film, span[0] + later, span[1] + later)
        heard = listen(pcm, count)
    return pcm, heard, warnings


def _levels_db(pcm: Pcm) -> NDArray[np.float64]:
    whole = pcm[: len(pcm) // SAMPLES * SAMPLES].reshape(-1, SAMPLES).astype(np.float64)
    return np.asarray(10 * np.log10((whole**2).mean(1) / 32768**2 + 1e-12))


def _offset(heard: list[Heard], track: Track, shots: list[slice]) -> tuple[int, float]:
    """How many frames the sound is behind the picture, and the correlation of lips and sound there."""
    parameters = np.stack([frame.parameters for frame in heard])
    said = parameters[:, JAW] * (1 - parameters[:, CLOSED])
    reach = checks.LATEST_FRAMES + 4
    likeness = {}
    for shift in range(-reach, reach + 1):
        pairs = [
            (said[shot.start + max(-shift, 0) : shot.stop - max(shift, 0)], track.opening[shot.start + max(shift, 0) :])
            for shot in shots
            if shot.stop - shot.start > 2 * reach
        ]
        if pairs:
            first = np.concatenate([one for one, _ in pairs])
            second = np.concatenate([other[: len(one)] for one, other in pairs])
            likeness[shift] = float(np.corrcoef(first, second)[0, 1])
    if not likeness:
        return 0, 1.0
    best = max(likeness, key=lambda shift: likeness[shift])
    return USUAL_LEAD - best, likeness[best]


def _learned(
    anatomy: Anatomy, heard: list[Heard], used: NDArray[np.intp], folder: Path, report: Report
) -> tuple[dict[str, LipNetwork], dict[str, float]]:
    """Networks from sound and from articulation to lips."""
    kept = folder / "learned.npz"
    if not kept.is_file():
        opening = anatomy.components[:, LOWER_MIDDLE, 1] - anatomy.components[:, UPPER_MIDDLE, 1]
        parameters = np.stack([frame.parameters for frame in heard])
        lips = anatomy.lips[used]

        def told(begun: float, share: float) -> Callable[[float], None]:
            return lambda done: report(share_of("learn", begun + share * done))

        sounds = np.stack([frame.features for frame in heard])[used]
        by_sound, likeness = fit(sounds, lips, opening, HIDDEN, EPOCHS, told(0, 0.9))
        windows = with_neighbours(parameters)[used]
        by_articulation, _ = fit(windows, lips, opening, ARTICULATION_HIDDEN, EPOCHS, told(0.9, 0.1))
        arrays: dict[str, Any] = {"likeness": np.array(likeness, np.float32)}
        for name, network in (("sound", by_sound), ("articulation", by_articulation)):
            for number, layer in enumerate(network.layers):
                arrays[f"{name}_{number}"], arrays[f"{name}_{number}_bias"] = layer.weights, layer.bias
        unfinished = kept.with_suffix(".unfinished.npz")
        np.savez(unfinished, **arrays)
        unfinished.replace(kept)
    report(share_of("learn", 1))
    with np.load(kept) as stored:
        networks = {}
        for name in ("sound", "articulation"):
            count = sum(key.startswith(f"{name}_") and key.endswith("_bias") for key in stored.files)
            networks[name] = LipNetwork(
                tuple(Layer(stored[f"{name}_{number}"], stored[f"{name}_{number}_bias"]) for number in range(count))
            )
        figures = {"opening_r": float(stored["likeness"])}
    return networks, figures


def _contents(anatomy: Anatomy, rest: Floats, networks: dict[str, LipNetwork], collected: Collected) -> Contents:
    region = collected.region
    return Contents(
        layout=Layout(
            region=(region.left, region.top, region.width, region.height),
            components=len(anatomy.components),
            rim=len(RIM),
            loop=len(collected.loop.frames),
            mouths=len(collected.mouths.pictures),
            sound_layers=len(networks["sound"].layers),
            articulation_layers=len(networks["articulation"].layers),
            hears=version(),
        ),
        loop=collected.loop,
        mouths=collected.mouths,
        lips=Lips(anatomy.mean, anatomy.by_pose, anatomy.components, rest),
        rim=anatomy.head[list(RIM)],
        head=anatomy.head,
        sound=networks["sound"],
        articulation=networks["articulation"],
    )


def _spoken_part(pcm: Pcm) -> Pcm:
    """The `PREVIEW_S` in which most is said."""
    levels = np.clip(_levels_db(pcm) + 60, 0, None)
    count = round(PREVIEW_S * FPS)
    if len(levels) <= count:
        return pcm
    sums = np.convolve(levels, np.ones(count), "valid")
    first = int(sums.argmax()) * SAMPLES
    return pcm[first : first + round(PREVIEW_S * PLAYOUT_RATE_HZ)]
