"""What holds for every test: it touches nothing that the user of this machine has stored, it reads its own settings,
and a live call gets a second and a third chance, because a machine that has no time for it for a second cannot hold
it."""

from collections.abc import Iterator

import pytest

from visavis.config import settings

RERUNS = 2
"""How often a failed test of a live call is repeated; what is broken fails every time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        live = item.get_closest_marker("browser") or item.get_closest_marker("realtime")
        if live and not item.get_closest_marker("flaky"):
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))


@pytest.fixture(autouse=True, scope="session")
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVIS_DATA", str(tmp_path_factory.mktemp("data")))
        # Behind other tests, which use all of the machine, it would take for ever.
        patch.setenv("VISAVIS_JOB_NICENESS", "0")
        yield


@pytest.fixture(autouse=True)
def _own_settings(_own_data_folder: None) -> Iterator[None]:
    """Settings are read once in a process; here once in a test, so that what it sets in the environment counts."""
    settings.cache_clear()
    yield
    settings.cache_clear()
