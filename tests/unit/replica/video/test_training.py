"""From a film to a replica, with the stock replica filmed as if it were a person."""

import asyncio
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unit.replica.video.filming import greys, write_film
from visavis.audio import PLAYOUT_RATE_HZ
from visavis.errors import BadInputError
from visavis.layers.tts import Speech
from visavis.layers.tts.hibari import Hibari
from visavis.replica import GREEN_SCREEN, Attitude, Frame
from visavis.replica.bundle import PREVIEW, THUMBNAIL, BundleError, BundleWriter, open_bundle
from visavis.replica.consent import synthetic
from visavis.replica.key_frames.renderer import Face, KeyFrameRenderer
from visavis.replica.motion import SAMPLES
from visavis.replica.opening import open_replica
from visavis.replica.patches import PatchReplica
from visavis.replica.patches.contents import LAYOUT
from visavis.replica.train import Progress, Trained, TrainingError, checks, train_video, video

pytestmark = pytest.mark.models
CONSENT = synthetic("visavis", "Rendered from a CC0 model.")
QUIET_FRAMES = 75
SAID = "Hello there, my name is Mira. Please move the big blue boat to the other side, and smile for me."


@pytest.fixture(scope="module")
def speeches() -> list[Speech]:
    async def all_of(voice: Hibari) -> list[Speech]:
        return [speech async for speech in voice.stream(SAID)]

    return asyncio.run(all_of(Hibari()))


@pytest.fixture(scope="module")
def film(face: Face, speeches: list[Speech], tmp_path_factory: pytest.TempPathFactory) -> Path:
    renderer = KeyFrameRenderer(face, seed=1)
    frames: list[Frame] = []
    pcm = []
    for speech in [speeches[0], None, *speeches[1:], None]:
        motions = renderer.plan(speech) if speech else [None] * QUIET_FRAMES
        sound = np.zeros(len(motions) * SAMPLES, np.int16)
        if speech:
            sound[: len(speech.pcm)] = speech.pcm
        pcm.append(sound)
        attitude = Attitude.SPEAKING if speech else Attitude.LISTENING
        frames += [renderer.render(motion, attitude) for motion in motions]
    path = tmp_path_factory.mktemp("film") / "mira.mp4"
    return write_film(path, frames, np.concatenate(pcm))


@pytest.fixture(scope="module")
def stages() -> list[Progress]:
    """What the training of `trained` reported."""
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def trained(film: Path, folder: Path, stages: list[Progress]) -> Trained:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "SHORTEST_S", 5.0)
        patch.setattr(checks, "USABLE_S", 5.0)
        patch.setattr(video, "EPOCHS", 150)
        return train_video(film, folder, folder / "m.replica", name="Mira", consent=CONSENT, report=stages.append)


@pytest.mark.slow
def test_a_film_becomes_a_replica(trained: Trained, stages: list[Progress]) -> None:
    shares = [stage.share for stage in stages]
    assert shares == sorted(shares) and shares[-1] == 1
    assert any("seconds long" in warning for warning in trained.warnings)
    assert open_replica(trained.path).name == "Mira"
    with open_bundle(trained.path) as bundle:
        assert bundle.manifest.renderer == "patches"
        assert bundle.manifest.consent.kind == "synthetic"
        assert bundle.picture(THUMBNAIL, (None, None, 3)).shape == (512, 512, 3)
        assert PREVIEW in bundle


@pytest.mark.slow
def test_a_training_that_was_interrupted_goes_on_from_what_was_done(
    film: Path, folder: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "SHORTEST_S", 5.0)
    monkeypatch.setattr(checks, "USABLE_S", 5.0)
    monkeypatch.setattr(video, "follow", lambda *_: pytest.fail("the face was measured again"))
    monkeypatch.setattr(video, "fit", lambda *_: pytest.fail("the lips were learnt again"))
    again = folder / "again.replica"
    train_video(film, folder, again, name="Mira", consent=CONSENT, report=lambda _: None)
    assert again.is_file()


@pytest.mark.slow
def test_the_mouth_moves_with_speech_and_is_at_rest_without(trained: Trained, speeches: list[Speech]) -> None:
    with open_bundle(trained.path) as bundle:
        renderer = PatchReplica(bundle).renderer(seed=1)
    calm = [renderer.render(None, Attitude.IDLE) for _ in range(5)]
    motions = renderer.plan(speeches[0])
    assert len(motions) == -(-len(speeches[0].pcm) // SAMPLES)
    speaking = [renderer.render(motion, Attitude.SPEAKING) for motion in motions]
    after = [renderer.render(None, Attitude.IDLE) for _ in range(45)]

    def mouth_moves(frames: list[Frame]) -> float:
        mouths = [cv2.GaussianBlur(frame[300:380, 200:312], (0, 0), 1).astype(int) for frame in frames]
        return float(np.mean([np.abs(b - a).mean() for a, b in pairwise(mouths)]))

    assert all(frame.shape == (512, 512, 3) for frame in (*calm, *speaking, *after))
    assert mouth_moves(speaking) > 1.2 * mouth_moves(after[20:])


@pytest.mark.slow
def test_sound_alone_moves_the_mouth(trained: Trained, speeches: list[Speech]) -> None:
    follower = open_replica(trained.path).renderer().follow_sound()
    pcm = speeches[0].pcm
    lips = np.stack([follower.next(pcm[at : at + 3 * SAMPLES]).lips for at in range(0, len(pcm) - SAMPLES, SAMPLES)])  # type: ignore[attr-defined]
    assert lips.std(0).max() > 3
    assert np.isfinite(lips).all()


@pytest.mark.slow
def test_a_filmed_person_keeps_their_background(trained: Trained) -> None:
    with pytest.raises(BadInputError, match="background"):
        open_replica(trained.path).renderer(GREEN_SCREEN)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["loop/frames.bin", "mouths/lips.npy", "hearing/sound_1.npy", LAYOUT])
def test_a_bundle_without_a_part_is_refused_by_its_name(trained: Trained, tmp_path: Path, part: str) -> None:
    damaged = tmp_path / "damaged.replica"
    with (
        open_bundle(trained.path) as bundle,
        BundleWriter(damaged, name="Mira", renderer="patches", size=(512, 512), consent=CONSENT) as writer,
    ):
        for name in bundle.manifest.checksums:
            if name != part:
                writer.part(name, bundle.part(name))
    with pytest.raises(BundleError, match=part):
        open_replica(damaged)


def test_a_film_without_a_face_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SHORTEST_S", 2.0)
    pcm = (6000 * np.sin(np.arange(3 * PLAYOUT_RATE_HZ) / 9)).astype(np.int16)
    path = write_film(tmp_path / "empty.mp4", greys([120] * 75, (320, 240)), pcm)
    out = tmp_path / "out.replica"
    with pytest.raises(TrainingError, match="No face"):
        train_video(path, tmp_path / "work", out, name="Nobody", consent=CONSENT, report=lambda _: None)
    assert not out.exists()
