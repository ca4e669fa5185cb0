"""Where the package index keeps a wheel: the index that the user's pip is configured for.

pip itself cannot be asked, because most versions download the whole wheel before they tell its address.
The protocol is the Simple Repository API (PEP 503 as HTML, PEP 691 as JSON).
"""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import certifi
import httpx

from visavis.models.child import run_python
from visavis.models.errors import PullError

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_PIP_SETTINGS = """
import json
from pip._internal.configuration import Configuration
from pip._internal.models.index import PyPI
configuration = Configuration(isolated=False)
configuration.load()
print(json.dumps({"default": PyPI.simple_url, "set": dict(configuration.items())}))
"""


class OnlyPipKnowsError(Exception):
    """The index does not talk to us as it is configured here; pip may have better luck."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that the package index offers."""

    requirement: str
    url: str
    sha256: str | None

    @property
    def file_name(self) -> str:
        """Its name as a file."""
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What pip is configured for, as far as it matters here."""

    indexes: tuple[str, ...]
    find_links: tuple[str, ...]
    certificates: str | None
    proxy: str | None

    def client(self) -> httpx.AsyncClient:
        """A client that trusts the system's certificates, certifi's and pip's, and uses pip's or the system's proxy."""
        trusted = ssl.create_default_context()
        trusted.load_verify_locations(certifi.where())
        if self.certificates and Path(self.certificates).is_file():
            trusted.load_verify_locations(self.certificates)
        return httpx.AsyncClient(
            verify=trusted, proxy=self.proxy, follow_redirects=True, timeout=httpx.Timeout(30, pool=None)
        )


async def pip_settings() -> IndexSettings:
    """Settings of the user's pip: files and environment. Raises `PullError` where there is no pip."""
    status, output, complaints = await run_python("-c", _PIP_SETTINGS)
    if "No module named 'pip'" in complaints:
        raise PullError("pip is not installed in this Python, so nothing can be downloaded; run: python -m ensurepip")
    found = json.loads(output) if status == 0 else {"default": None, "set": {}}
    value = _Configured(found["set"])
    first = () if value.flag("no-index") else value.words("index-url") or tuple(filter(None, [found["default"]]))
    more = () if value.flag("no-index") else value.words("extra-index-url")
    return IndexSettings((*first, *more), value.words("find-links"), value.text("cert"), value.text("proxy"))


async def find(requirement: str, platform: str | None, settings: IndexSettings, client: httpx.AsyncClient) -> Wheel:
    """The wheel `requirement` (`name==version`) for `platform` or for all.

    Raises `PullError` if no index has it, `OnlyPipKnowsError` if one does not answer as it should.
    """
    package, version = requirement.split("==")
    pages = [*settings.find_links, *(f"{index.rstrip('/')}/{_normalised(package)}/" for index in settings.indexes)]
    silent: OnlyPipKnowsError | None = None
    for page in pages:
        try:
            offers = await _offers(page, client)
        except OnlyPipKnowsError as error:
            silent = error
            continue
        for url, digest in offers:
            wheel = Wheel(requirement, url, digest)
            if _fits(wheel.file_name, package, version, platform):
                return wheel
    if silent or not pages:
        raise silent or OnlyPipKnowsError("no package index is configured")
    raise PullError(f"the package index has no wheel of {requirement}{f' for {platform}' if platform else ''}")


class _Configured:
    """pip's settings by name; its environment wins over a command's section, and that over the global one."""

    _SECTIONS = (":env:", "download", "install", "global")

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """One setting, None if it is not set."""
        found = (self._values.get(f"{section}.{name}") for section in self._SECTIONS)
        return next((value for value in found if value), None)

    def words(self, name: str) -> tuple[str, ...]:
        """A setting of several values."""
        return tuple((self.text(name) or "").split())

    def flag(self, name: str) -> bool:
        """A setting that is on or off."""
        return (self.text(name) or "").lower() in ("1", "true", "yes", "on", "y", "t")


async def _offers(page: str, client: httpx.AsyncClient) -> list[tuple[str, str | None]]:
    """Address and sha256 of every file on a page of an index, or in a folder of this machine."""
    if not page.startswith(("http://", "https://")):
        return await asyncio.to_thread(_local_offers, page)
    try:
        response = await client.get(page, headers={"Accept": _ACCEPT})
    except httpx.HTTPError as error:
        raise OnlyPipKnowsError(str(error) or type(error).__name__) from error
    if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return []
    if not response.is_success:
        raise OnlyPipKnowsError(f"status {response.status_code}")
    base = str(response.url)
    if "json" in response.headers.get("Content-Type", ""):
        files = response.json()["files"]
        return [(urljoin(base, file["url"]), file["hashes"].get("sha256")) for file in files]
    return _page_offers(response.text, base)


def _local_offers(page: str) -> list[tuple[str, str | None]]:
    path = Path(url2pathname(urlsplit(page).path)) if page.startswith("file:") else Path(page)
    if path.is_file():
        return _page_offers(path.read_text(errors="replace"), path.as_uri())
    if (path / "index.html").is_file():
        return _page_offers((path / "index.html").read_text(errors="replace"), f"{path.as_uri()}/")
    return [(wheel.resolve().as_uri(), None) for wheel in sorted(path.glob("*.whl"))]


def _page_offers(page: str, base: str) -> list[tuple[str, str | None]]:
    offers = []
    for link in _Links(page).found:
        url, fragment = urldefrag(urljoin(base, link))
        offers.append((url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else None))
    return offers


class _Links(HTMLParser):
    """The links of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def _fits(file_name: str, package: str, version: str, platform: str | None) -> bool:
    """Whether a wheel (`name-version[-build]-python-abi-platform.whl`) is that of a package, for a platform or all."""
    fields = file_name.removesuffix(".whl").split("-")
    if not file_name.endswith(".whl") or len(fields) < 5:
        return False
    return (
        _normalised(fields[0]) == _normalised(package)
        and fields[1] == version
        and not {"any", platform}.isdisjoint(fields[-1].split("."))
    )


def _normalised(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
