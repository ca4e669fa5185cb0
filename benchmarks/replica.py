"""How well a replica made from a person's video moves its lips: what is rendered is measured again, beside the truth.

A replica is trained on four minutes of GRID's talker 1 and kept; twelve of their clips are held out. Three sets
speak through it: their held-out clips, other talkers (both by sound alone, as in echo mode, with 80 ms of
look-ahead), and the built-in voice by its phonemes. What comes out is measured by the same landmarks as recordings.

lip_r is the mean over clips of the correlation of the lips' distance with the truth; for the built-in voice the truth
is the articulation that its phonemes demand. LMD is the mean distance of the lips' points from the truth's, heads
laid upon each other by eyes and nose and the clip's mean offset taken out, because the heads are not turned alike, in
percent of the distance of the outer eye corners. Training time is processor time: it uses one core.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import QUICK, figures, table
from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.faces import FaceLandmarker
from visavis.faces.points import LEFT_EYE_OUTER, LIPS_INNER, LIPS_OUTER, LOWER_LIP, RIGHT_EYE_OUTER, UPPER_LIP
from visavis.layers.tts import Speech
from visavis.replica import LOOK_AHEAD_S, Attitude
from visavis.replica.motion import LEAD_S, SAMPLES, articulate
from visavis.replica.opening import open_replica
from visavis.replica.patches.geometry import fit_similarity, moved
from visavis.replica.patches.points import HELD
from visavis.replica.train.film import open_film, pictures, sound
from visavis.replica.visemes import CLOSED, JAW, LIPS_TOGETHER, STOPS

DATA = Path(os.environ.get("VISAVIS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
CACHE = Path(os.environ.get("VISAVIS_BENCHMARK_CACHE", Path.home() / ".cache" / "visavis-benchmarks")) / "replica"

HELD_OUT, LEARNT = 12, 80
SENTENCES = (
    "My brother Bob makes maps of the big old bay.",
    "Please put the warm bread on the small blue table.",
    "Maybe we should move the piano before the party begins.",
    "The museum shop opens at five, but people may come by bus.",
    "She sells fresh fruit and vegetables over there.",
    "Every morning I make a cup of tea and read the paper.",
)
CORNERS = (78, 308)
WARM_UP = 5
"""Frames left out at both ends of a clip."""

MOUTH_SIDE = 96

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Faces and pixels of one clip."""

    points: Floats
    """float64[T, 478, 2]."""
    sharpness: float
    mouths: NDArray[np.uint8]
    """Grey mouths, uint8[T, side, side], all upright and of the same size."""

    @property
    def eyes(self) -> Floats:
        return np.linalg.norm(self.points[:, RIGHT_EYE_OUTER] - self.points[:, LEFT_EYE_OUTER], axis=1)

    @property
    def opening(self) -> Floats:
        return np.linalg.norm(self.points[:, UPPER_LIP] - self.points[:, LOWER_LIP], axis=1) / self.eyes

    @property
    def width(self) -> Floats:
        return np.linalg.norm(self.points[:, CORNERS[0]] - self.points[:, CORNERS[1]], axis=1) / self.eyes


def main() -> None:
    """Train if needed, render, measure, report."""
    cv2.setNumThreads(1)
    bundle, training = trained()
    began = time.perf_counter()
    replica = open_replica(bundle)
    loaded = time.perf_counter()
    renderer = replica.renderer(seed=3)
    renderer.render(None, Attitude.IDLE)
    first_ms = 1000 * (time.perf_counter() - loaded)
    _, held = split()
    same = held[: 4 if QUICK else None]
    others = sorted((DATA / "grid_others").glob("*.mpg"))[: 3 if QUICK else None]
    costs: list[float] = []
    by_sound = lambda path: film_of(renderer, sound(open_film(path)), costs)  # noqa: E731
    sets = {"same voice": compare(same, by_sound), "unseen talkers": compare(others, by_sound)}
    spoken = compare_spoken(renderer, SENTENCES[: 2 if QUICK else None], costs)
    rows = [
        ("lips' distance, r (mean of clips)", *(f"{found['r']:.3f}" for found in sets.values()), f"{spoken['r']:.3f}"),
        ("  all clips as one", *(f"{found['pooled']:.3f}" for found in sets.values()), "-"),
        ("  beside the wrong clip", *(f"{found['wrong']:.3f}" for found in sets.values()), f"{spoken['wrong']:.3f}"),
        ("lips' width, r", *(f"{found['width']:.3f}" for found in sets.values()), "-"),
        ("best lag, frames", *(f"{found['lag']:.0f}" for found in sets.values()), f"{spoken['lag']:.0f}"),
        ("LMD, % of the eyes' distance", *(f"{found['lmd']:.2f}" for found in sets.values()), "-"),
        ("  of a still mouth", *(f"{found['lmd_still']:.2f}" for found in sets.values()), "-"),
        ("amplitude of the opening, ratio", *(f"{found['amplitude']:.2f}" for found in sets.values()), "-"),
        ("jitter of the opening, ratio", *(f"{found['jitter']:.2f}" for found in sets.values()), "-"),
        ("sharpness of the mouth, ratio", f"{sets['same voice']['sharpness']:.2f}", "-", "-"),
        ("PSNR / SSIM of the mouth", f"{sets['same voice']['psnr']:.1f} / {sets['same voice']['ssim']:.3f}", "-", "-"),
        ("m, b, p with closed lips", "-", "-", f"{spoken['closed']:.3f}"),
    ]
    table("Rendered lips beside the truth", ("", "same voice", "unseen talkers", "built-in voice"), rows)
    print(f"loading {1000 * (loaded - began):.0f} ms, first frame {first_ms:.0f} ms; sheets in {CACHE}")
    figures(
        {
            "lip_r_same": sets["same voice"]["r"],
            "lip_r_unseen": sets["unseen talkers"]["r"],
            "lip_r_tts": spoken["r"],
            "lip_r_wrong_audio": sets["same voice"]["wrong"],
            "lmd_percent": sets["same voice"]["lmd"],
            "sharpness": sets["same voice"]["sharpness"],
            "jitter": sets["same voice"]["jitter"],
            "amplitude": sets["same voice"]["amplitude"],
            "lag_frames": sets["same voice"]["lag"],
            "bilabial_closed": spoken["closed"],
            "cpu_ms_per_frame": 1000 * float(np.mean(costs)),
            "first_frame_ms": first_ms,
            "load_ms": 1000 * (loaded - began),
            "train_minutes": training["cpu_minutes"],
            "train_gb": training["gb"],
        }
    )


def split() -> tuple[list[Path], list[Path]]:
    """Clips to learn from, and clips held out."""
    clips = sorted((DATA / "grid_s1").glob("*.mpg"))
    if len(clips) < HELD_OUT + LEARNT:
        raise SystemExit(f"{DATA / 'grid_s1'} has {len(clips)} clips; expected {HELD_OUT + LEARNT} of GRID's talker 1")
    shuffled = [clips[index] for index in np.random.default_rng(1).permutation(len(clips))]
    return sorted(shuffled[HELD_OUT : HELD_OUT + LEARNT]), shuffled[:HELD_OUT]


def trained() -> tuple[Path, dict[str, float]]:
    """The replica, trained in a process of its own unless that was done before, and what the training took."""
    CACHE.mkdir(parents=True, exist_ok=True)
    bundle, note = CACHE / "grid.replica", CACHE / "training.json"
    if not (bundle.is_file() and note.is_file()):
        film = CACHE / "video.mp4"
        if not film.is_file():
            one_video(split()[0], film)
        subprocess.run([sys.executable, "-m", __spec__.name, "train"], check=True)
    return bundle, json.loads(note.read_text())


def train() -> None:
    """The child: train and note what it took."""
    from visavis.replica.consent import declared
    from visavis.replica.train import train_video

    cv2.setNumThreads(1)
    done = train_video(
        CACHE / "video.mp4",
        CACHE / "work",
        CACHE / "grid.replica",
        name="GRID talker 1",
        consent=declared("talker 1 of the GRID corpus"),
        report=lambda progress: None,
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    note = {"cpu_minutes": (used.ru_utime + used.ru_stime) / 60, "gb": used.ru_maxrss / 1e6}
    (CACHE / "training.json").write_text(json.dumps(note | dict(done.figures)))


def one_video(clips: Sequence[Path], out: Path) -> None:
    """All clips one after the other, nearly without loss."""
    unfinished = out.with_suffix(".unfinished.mp4")
    with av.open(str(unfinished), "w") as container:
        film = open_film(clips[0])
        video = container.add_stream("libx264", rate=25, options={"crf": "8", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = *film.size, "yuv420p"
        audio = container.add_stream("aac", rate=PLAYOUT_RATE_HZ)
        number = 0
        for clip in clips:
            film = open_film(clip)
            frames = list(pictures(film))
            pcm = np.zeros(len(frames) * SAMPLES, np.int16)
            heard = sound(film)[: len(pcm)]
            pcm[: len(heard)] = heard
            for index, picture in enumerate(frames):
                image = av.VideoFrame.from_ndarray(picture, "bgr24")
                image.pts, image.time_base = number, Fraction(1, 25)
                container.mux(video.encode(image))
                piece = pcm[None, index * SAMPLES : (index + 1) * SAMPLES].astype(np.float32) / 32768
                samples = av.AudioFrame.from_ndarray(piece, "fltp", "mono")
                samples.rate, samples.pts = PLAYOUT_RATE_HZ, number * SAMPLES
                samples.time_base = Fraction(1, PLAYOUT_RATE_HZ)
                container.mux(audio.encode(samples))
                number += 1
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    unfinished.replace(out)


def film_of(renderer, pcm: Pcm, costs: list[float]) -> list[NDArray[np.uint8]]:
    """Frames of a replica that says this by its sound alone; adds what each cost to `costs`, seconds."""
    known = SAMPLES + round(LOOK_AHEAD_S * PLAYOUT_RATE_HZ)
    follower, frames = renderer.follow_sound(), []
    for start in range(0, len(pcm) - SAMPLES + 1, SAMPLES):
        began = time.thread_time()
        motion = follower.next(pcm[start : start + known])
        frames.append(renderer.render(motion, Attitude.SPEAKING))
        costs.append(time.thread_time() - began)
    for _ in range(10):
        renderer.render(None, Attitude.IDLE)
    return frames


def measured(frames: Sequence[NDArray[np.uint8]]) -> Measured:
    """Faces in frames, and how sharp and what their mouths are."""
    landmarker = FaceLandmarker(blendshapes=False)
    # The detector overlooks a face now and then; any frame will do to find it, as it hardly moves.
    face = next(found for frame in frames if (found := landmarker.measure(frame)) is not None)
    rows, mouths, sharp = [], [], []
    for frame in frames:
        for _ in range(1 if rows else 3):
            face = landmarker.measure(frame, face) or face
        rows.append(face.xy.astype(np.float64))
        mouths.append(_mouth(frame, rows[-1]))
        sharp.append(cv2.Laplacian(mouths[-1], cv2.CV_32F).var())
    return Measured(np.stack(rows), float(np.mean(sharp)), np.stack(mouths))


def _mouth(frame: NDArray[np.uint8], points: Floats) -> NDArray[np.uint8]:
    """The mouth upright, the eyes 110 pixels apart; its middle is found from eyes and nose."""
    right, left, nose = points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER], points[2]
    across = (left - right) / np.linalg.norm(left - right)
    scale = np.linalg.norm(left - right) / 110
    middle = nose + np.array([-across[1], across[0]]) * 18 * scale
    linear = np.array([[across[0], -across[1]], [across[1], across[0]]]) * scale
    matrix = np.concatenate([linear, (middle - linear @ [MOUTH_SIDE / 2, MOUTH_SIDE / 2])[:, None]], 1)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return cv2.warpAffine(grey, matrix, (MOUTH_SIDE, MOUTH_SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def compare(clips: Sequence[Path], render: Callable[[Path], list[NDArray[np.uint8]]]) -> dict[str, float]:
    """Render clips by their sound and measure against their pictures."""
    truths = [truth(clip) for clip in clips]
    made = []
    for number, clip in enumerate(clips):
        frames = render(clip)
        made.append(measured(frames))
        if number < 3:
            sheet(CACHE / f"{clip.parent.name}_{clip.stem}.png", list(pictures(open_film(clip))), frames)
    pairs = [_cut(one, other) for one, other in zip(made, truths, strict=True)]
    wrong = [_cut(one, other) for one, other in zip(made, [*truths[1:], truths[0]], strict=True)]
    return {
        "r": _mean(_r(a.opening, b.opening) for a, b in pairs),
        "pooled": _r(*(np.concatenate([pair[side].opening for pair in pairs]) for side in (0, 1))),
        "wrong": _mean(_r(a.opening, b.opening) for a, b in wrong),
        "width": _mean(_r(a.width, b.width) for a, b in pairs),
        "lag": _lag([(a.opening, b.opening) for a, b in pairs]),
        "lmd": _mean(_lmd(a.points, b.points) for a, b in pairs),
        "lmd_still": _mean(_lmd(np.repeat(b.points[:1], len(b.points), 0), b.points) for _, b in pairs),
        "amplitude": float(np.sum([a.opening.std() for a, _ in pairs]) / np.sum([b.opening.std() for _, b in pairs])),
        "jitter": float(np.sum([_jitter(a) for a, _ in pairs]) / np.sum([_jitter(b) for _, b in pairs])),
        "sharpness": float(np.sum([a.sharpness for a, _ in pairs]) / np.sum([b.sharpness for _, b in pairs])),
        "psnr": _mean(_psnr(a.mouths, b.mouths) for a, b in pairs),
        "ssim": _mean(_ssim(a.mouths, b.mouths) for a, b in pairs),
    }


def truth(clip: Path) -> Measured:
    """The recording itself, enlarged as replicas enlarge it, measured; kept."""
    kept = CACHE / "truth" / f"{clip.parent.name}_{clip.stem}.npz"
    if not kept.is_file():
        film = open_film(clip)
        scale = 512 / film.size[1]
        frames = [cv2.resize(p, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) for p in pictures(film)]
        found = measured(frames)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, points=found.points, sharpness=found.sharpness, mouths=found.mouths)
    with np.load(kept) as stored:
        return Measured(stored["points"], float(stored["sharpness"]), stored["mouths"])


def compare_spoken(renderer, sentences: Sequence[str], costs: list[float]) -> dict[str, float]:
    """The built-in voice by its phonemes: do the lips do what those demand, and do they close?"""
    made, wanted, closed, total = [], [], 0, 0
    for number, speech in enumerate(spoken(sentences)):
        frames = []
        began = time.thread_time()
        motions = renderer.plan(speech)
        planning = (time.thread_time() - began) / max(len(motions), 1)
        for motion in motions:
            began = time.thread_time()
            frames.append(renderer.render(motion, Attitude.SPEAKING))
            costs.append(time.thread_time() - began + planning)
        for _ in range(10):
            renderer.render(None, Attitude.IDLE)
        opening = measured(frames).opening
        middles = (np.arange(len(frames)) + 0.5) / 25
        parameters = articulate(speech.phonemes, middles)
        made.append(opening)
        wanted.append(parameters[:, JAW] * (1 - parameters[:, CLOSED]))
        low, high = np.percentile(opening, (1, 99))
        for phoneme in speech.phonemes:
            if phoneme.symbol in LIPS_TOGETHER:
                end = phoneme.end_s - (0.3 * (phoneme.end_s - phoneme.start_s) if phoneme.symbol in STOPS else 0)
                middle = (phoneme.start_s + end) / 2 - LEAD_S
                at = int(np.clip(round(middle * 25 - 0.5), 0, len(opening) - 1))
                total += 1
                closed += bool(opening[at] < low + 0.1 * (high - low))
        if number < 2:
            sheet(CACHE / f"spoken_{number}.png", frames, frames)
    return {
        "r": _mean(_r(a, b) for a, b in zip(made, wanted, strict=True)),
        "wrong": _mean(
            _r(a[: min(len(a), len(b))], b[: min(len(a), len(b))])
            for a, b in zip(made, [*wanted[1:], wanted[0]], strict=True)
        ),
        "lag": _lag(list(zip(made, wanted, strict=True))),
        "closed": closed / max(total, 1),
    }


def spoken(sentences: Sequence[str]) -> list[Speech]:
    """Sentences in the built-in voice."""
    import asyncio

    from visavis.layers.tts.hibari import Hibari

    async def all_of(voice: Hibari) -> list[Speech]:
        return [speech for sentence in sentences async for speech in voice.stream(sentence)]

    return [speech for speech in asyncio.run(all_of(Hibari())) if speech.phonemes and len(speech.pcm) > 10 * SAMPLES]


def sheet(path: Path, above: Sequence[NDArray[np.uint8]], below: Sequence[NDArray[np.uint8]]) -> None:
    """Pictures of the truth over what was rendered, every fifth frame, lower halves of the faces."""
    rows = []
    for frames in (above, below):
        cells = []
        for index in range(20, min(len(above), len(below)) - 4, 4)[:12]:
            frame = frames[index]
            scale = 512 / frame.shape[0]
            large = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            middle = large.shape[1] // 2
            cells.append(large[220:470, middle - 125 : middle + 125])
        rows.append(np.hstack(cells))
    cv2.imwrite(str(path), np.vstack(rows))


def _cut(one: Measured, other: Measured) -> tuple[Measured, Measured]:
    count = min(len(one.points), len(other.points))
    part = slice(WARM_UP, count - WARM_UP)
    return (
        Measured(one.points[part], one.sharpness, one.mouths[part]),
        Measured(other.points[part], other.sharpness, other.mouths[part]),
    )


def _r(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 1e-9 and other.std() > 1e-9 else 0.0


def _mean(values) -> float:
    return float(np.mean(list(values)))


def _lag(pairs: Sequence[tuple[Floats, Floats]]) -> float:
    """By how many frames the first comes after the second where they agree best."""
    found = {
        lag: _mean(_r(a[6 + lag : len(a) - 6 + lag], b[6 : len(b) - 6][: len(a) - 12]) for a, b in pairs)
        for lag in range(-6, 7)
    }
    return float(max(found, key=lambda lag: found[lag]))


def _jitter(clip: Measured) -> float:
    return float(np.abs(np.diff(clip.opening, 2)).mean())


def _lmd(made: Floats, true: Floats) -> float:
    """Percent of the eyes' distance."""
    held, lips = list(HELD), [*LIPS_OUTER, *LIPS_INNER]
    eyes = np.linalg.norm(true[:, RIGHT_EYE_OUTER] - true[:, LEFT_EYE_OUTER], axis=1)
    offsets = np.stack(
        [
            moved(one[lips], fit_similarity(one[held], other[held])) - other[lips]
            for one, other in zip(made, true, strict=True)
        ]
    )
    offsets -= offsets.mean((0, 1))
    return float(100 * (np.linalg.norm(offsets, axis=-1).mean(1) / eyes).mean())


def _psnr(made: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    return float(10 * np.log10(255**2 / np.mean((made.astype(np.float32) - true) ** 2)))


def _ssim(made: NDArray[np.uint8], true: NDArray[np.uint8]) -> float:
    """Structural similarity (Wang et al. 2004), Gaussian window of 1.5 pixels."""

    def blur(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return cv2.GaussianBlur(picture, (11, 11), 1.5)

    values = []
    for a, b in zip(made.astype(np.float32)[::5], true.astype(np.float32)[::5], strict=True):
        mean_a, mean_b = blur(a), blur(b)
        spread_a, spread_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
        both = blur(a * b) - mean_a * mean_b
        low, high = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        top = (2 * mean_a * mean_b + low) * (2 * both + high)
        values.append((top / ((mean_a**2 + mean_b**2 + low) * (spread_a + spread_b + high))).mean())
    return float(np.mean(values))


if __name__ == "__main__":
    if sys.argv[1:] == ["train"]:
        train()
    else:
        main()
