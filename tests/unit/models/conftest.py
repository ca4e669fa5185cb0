from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.models import package_index
from tests.unit.models.package_index import PackageIndex


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """A package index, and pip configured to ask it alone."""
    with package_index.serve() as served:
        use_index(monkeypatch, f"{served.url}/simple")
        yield served


def use_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "PIP_NO_INDEX", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", url)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "5")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
