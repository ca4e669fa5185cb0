"""A photo to make replicas from: a picture of the stock replica, enlarged. It shows nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from visavis.faces import FaceLandmarker, Landmarks
from visavis.replica import Attitude, Frame
from visavis.replica.bundle import open_bundle
from visavis.replica.consent import synthetic
from visavis.replica.key_frames import KeyFrameReplica
from visavis.replica.photo.contents import read
from visavis.replica.photo.renderer import Face, PhotoRenderer
from visavis.replica.stock import stock
from visavis.replica.train import Progress, Trained, train_photo

Measure = Callable[[Frame], Landmarks]


@pytest.fixture(scope="session")
def picture() -> NDArray[np.uint8]:
    renderer = cast(KeyFrameReplica, stock()).renderer(seed=0)
    frame = renderer.render(None, Attitude.IDLE)
    return np.asarray(cv2.resize(frame, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="session")
def photo(picture: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "me.png"
    cv2.imwrite(str(path), picture)
    return path


@pytest.fixture(scope="session")
def stages() -> list[Progress]:
    """What the training of `trained` reported."""
    return []


@pytest.fixture(scope="session")
def trained(photo: Path, stages: list[Progress]) -> Trained:
    folder = photo.parent / "training"
    consent = synthetic("visavis", "Rendered from a CC0 model.")
    return train_photo(photo, folder, photo.parent / "me.replica", name="Me", consent=consent, report=stages.append)


@pytest.fixture(scope="session")
def face(trained: Trained) -> Face:
    with open_bundle(trained.path) as bundle:
        return Face(read(bundle))


@pytest.fixture
def renderer(face: Face) -> PhotoRenderer:
    return PhotoRenderer(face, seed=1)


@pytest.fixture(scope="session")
def measure() -> Measure:
    landmarker = FaceLandmarker()

    def measured(frame: Frame) -> Landmarks:
        found = landmarker.measure(frame)
        assert found is not None
        return found

    return measured
