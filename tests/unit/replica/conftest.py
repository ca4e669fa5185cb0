from pathlib import Path

import pytest

import visavis.replica.stock
from visavis.replica.bundle import load
from visavis.replica.render import Face


@pytest.fixture(scope="session")
def mira_path() -> Path:
    return Path(visavis.replica.stock.__file__).parent / "mira.replica"


@pytest.fixture(scope="session")
def face(mira_path: Path) -> Face:
    return Face(load(mira_path))
