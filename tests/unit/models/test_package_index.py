import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.unit.models.conftest import use_index
from visavis.models import PullError, package_index
from visavis.models.package_index import IndexSettings, OnlyPipKnowsError, find, pip_settings

HTML = "text/html"
JSON = "application/vnd.pypi.simple.v1+json"


@contextmanager
def page(content: str, kind: str, status: int = 200) -> Iterator[str]:
    """An index whose every page is `content`; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        thread.join()


async def found(*indexes: str, platform: str | None = None, find_links: str = "") -> package_index.Wheel:
    settings = IndexSettings(indexes, (find_links,) if find_links else (), None, None)
    async with settings.client() as client:
        return await find("ear-model==1.0", platform, settings, client)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


async def test_a_wheel_is_found_on_a_page_of_html() -> None:
    links = (
        '<a href="../../files/ear_model-1.0.1-py3-none-any.whl#sha256=bb">no</a>'
        '<a href="../../files/ear_model-1.0.tar.gz#sha256=cc">no</a>'
        '<a href="../../files/ear_model-1.0-py3-none-any.whl#sha256=aa">yes</a>'
    )
    with page(links, HTML) as index:
        wheel = await found(index)
    assert wheel.url == index.replace("/simple", "/files/ear_model-1.0-py3-none-any.whl")
    assert wheel.sha256 == "aa"


async def test_a_wheel_is_found_on_a_page_of_json() -> None:
    files = [{"filename": "x", "url": "/files/ear_model-1.0-py3-none-any.whl", "hashes": {"sha256": "aa"}}]
    with page(json.dumps({"files": files}), JSON) as index:
        wheel = await found(index)
    assert (wheel.url, wheel.sha256) == (index.replace("/simple", "/files/ear_model-1.0-py3-none-any.whl"), "aa")


@pytest.mark.parametrize(
    ("tags", "platform", "fits"),
    [
        ("py3-none-any", None, True),
        ("py3-none-any", "manylinux2014_x86_64", True),
        ("1-py3-none-any", None, True),
        ("py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64", "manylinux2014_x86_64", True),
        ("py3-none-manylinux2014_x86_64", None, False),
        ("py3-none-win_amd64", "manylinux2014_x86_64", False),
    ],
)
async def test_only_a_wheel_for_the_platform_is_taken(tags: str, platform: str | None, fits: bool) -> None:
    with page(f'<a href="/ear_model-1.0-{tags}.whl">wheel</a>', HTML) as index:
        if fits:
            assert tags in (await found(index, platform=platform)).url
        else:
            with pytest.raises(PullError, match=r"no wheel of ear-model==1\.0"):
                await found(index, platform=platform)


async def test_the_second_index_is_asked_when_the_first_does_not_have_it() -> None:
    with page("", HTML, 404) as first, page('<a href="/ear_model-1.0-py3-none-any.whl"></a>', HTML) as second:
        assert (await found(first, second)).url.startswith(second.removesuffix("/simple"))


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_an_index_that_refuses_us_is_left_to_pip(status: int) -> None:
    with page("", HTML, status) as index, pytest.raises(OnlyPipKnowsError, match=str(status)):
        await found(index)


async def test_an_index_in_a_folder_is_read(tmp_path: Path) -> None:
    wheel = tmp_path / "ear-model" / "ear_model-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.touch()
    assert (await found(tmp_path.as_uri())).url == wheel.as_uri()


async def test_find_links_are_asked_first(tmp_path: Path) -> None:
    wheel = tmp_path / "ear_model-1.0-py3-none-any.whl"
    wheel.touch()
    assert (await found("http://127.0.0.1:9/simple", find_links=str(tmp_path))).url == wheel.as_uri()


async def test_the_settings_are_those_of_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_index(monkeypatch, "http://127.0.0.1:9/first")
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = http://127.0.0.1:9/beaten\ncert = /global.pem\nproxy = http://127.0.0.1:8\n"
        "extra-index-url =\n    http://127.0.0.1:9/second\n    http://127.0.0.1:9/third\n[install]\ncert = /own.pem\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    assert await pip_settings() == IndexSettings(
        indexes=tuple(f"http://127.0.0.1:9/{name}" for name in ("first", "second", "third")),
        find_links=(),
        certificates="/own.pem",
        proxy="http://127.0.0.1:8",
    )


async def test_without_settings_pips_own_index_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    use_index(monkeypatch, "unused")
    monkeypatch.delenv("PIP_INDEX_URL")
    (index,) = (await pip_settings()).indexes
    assert index.startswith("https://")
    assert index.endswith("/simple")


async def test_no_index_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    use_index(monkeypatch, "http://127.0.0.1:9/first")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert (await pip_settings()).indexes == ()
