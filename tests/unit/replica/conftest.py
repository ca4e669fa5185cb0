from pathlib import Path

import pytest

import visavis.replica.stock
from visavis.replica.bundle import open_bundle
from visavis.replica.key_frames.arrays import read
from visavis.replica.key_frames.renderer import Face


@pytest.fixture(scope="session")
def mira_path() -> Path:
    return Path(visavis.replica.stock.__file__).parent / "mira.replica"


@pytest.fixture(scope="session")
def face(mira_path: Path) -> Face:
    with open_bundle(mira_path) as bundle:
        return Face(read(bundle))
