"""The parts of a key-frame replica, and what is behind the person."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from visavis.replica import GREEN_SCREEN, Attitude, Background
from visavis.replica.bundle import BundleError, add_parts, open_bundle
from visavis.replica.key_frames.arrays import read
from visavis.replica.key_frames.renderer import Face, KeyFrameRenderer
from visavis.replica.opening import open_replica


@pytest.fixture
def copy(mira_path: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "mira.replica"
    copied.write_bytes(mira_path.read_bytes())
    return copied


def geometry(path: Path) -> dict:
    with zipfile.ZipFile(path) as archive:
        found: dict = json.loads(archive.read("key_frames.json"))
    return found


def rewritten(path: Path, **changes: object) -> Path:
    add_parts(path, {"key_frames.json": json.dumps(geometry(path) | changes).encode()})
    return path


def test_box_beyond_the_picture_is_refused(copy: Path) -> None:
    eyes = geometry(copy)["eyes"]
    eyes["box"]["x"] = 1000
    with pytest.raises(BundleError, match=r"key_frames\.json has a eyes\.box that reaches beyond the picture"):
        open_replica(rewritten(copy, eyes=eyes))


def test_nonsense_in_the_geometry_is_named(copy: Path) -> None:
    with pytest.raises(BundleError, match=r"supersampling in key_frames\.json"):
        open_replica(rewritten(copy, supersampling=0))


def test_key_without_its_picture_is_named(copy: Path) -> None:
    mouth = geometry(copy)["mouth"]
    mouth["keys"] = [*mouth["keys"], "yawn"]
    with pytest.raises(BundleError, match=r"mouth/yawn\.webp is missing"):
        open_replica(rewritten(copy, mouth=mouth))


def test_fields_of_another_shape_are_refused(copy: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "fields.npy", np.zeros((3, 2, 4, 4, 2), np.float16))
    add_parts(copy, {"mouth/fields.npy": (tmp_path / "fields.npy").read_bytes()})
    with open_bundle(copy) as bundle, pytest.raises(BundleError, match=r"mouth/fields\.npy has shape"):
        read(bundle)


def test_green_screen_is_the_exact_green_and_the_person_stays(face: Face) -> None:
    own = KeyFrameRenderer(face, seed=4).render(None, Attitude.IDLE)
    green = KeyFrameRenderer(face, GREEN_SCREEN, seed=4).render(None, Attitude.IDLE)
    assert (green[:60, :60] == (155, 255, 0)).all()
    assert np.array_equal(own[200:300, 220:290], green[200:300, 220:290])


def test_picture_behind_the_person_covers_the_frame_without_being_stretched() -> None:
    wide = np.zeros((100, 400, 3), np.uint8)
    wide[:, 200:] = 255
    filled = Background(picture=wide).filling((64, 64))
    assert filled.shape == (64, 64, 3)
    assert filled[:, :28].max() == 0 and filled[:, 36:].min() == 255
    assert (Background(colour=(1, 2, 3)).filling((5, 4)) == (1, 2, 3)).all()
