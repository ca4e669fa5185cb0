"""No test touches what the user of this machine has stored."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("VISAVIS_DATA")
    os.environ["VISAVIS_DATA"] = str(tmp_path_factory.mktemp("data"))
    yield
    if before is None:
        del os.environ["VISAVIS_DATA"]
    else:
        os.environ["VISAVIS_DATA"] = before
