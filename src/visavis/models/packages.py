"""Wheels from the package index: pip says where they are, so that the user's pip configuration (index, proxy,
certificates, credentials) holds; the bytes are fetched here, because pip can neither resume nor report progress.
"""

import asyncio
import json
import re
import ssl
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import certifi
import httpx

from visavis.models.child import run_python
from visavis.models.errors import NoNetworkError, PullError, WrongHashError
from visavis.models.store import sha256

RETRIES = 4
"""Attempts in a row that bring not one byte before a download is given up."""
RETRY_PAUSE_S = 0.25
_RETRY_STATUS = {408, 425, 429, 500, 502, 503, 504}
_UNREACHABLE = re.compile(
    r"Failed to establish a new connection|NewConnectionError|ConnectTimeout|NameResolutionError|Max retries exceeded"
    r"|Name or service not known|Temporary failure in name resolution|Network is unreachable|Read timed out"
    r"|Connection (?:refused|reset|aborted|broken)|ProxyError|RemoteDisconnected",
    re.IGNORECASE,
)


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


class _RefusedError(Exception):
    """The server does not give the file to us; pip, with its credentials and settings, may still get it."""


def http_client() -> httpx.AsyncClient:
    """A client that trusts the system's certificates and certifi's, and uses the proxies of the environment."""
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(certifi.where())
    return httpx.AsyncClient(verify=trusted, follow_redirects=True, timeout=httpx.Timeout(30, pool=None))


async def resolve(requirements: Sequence[str], platform: str | None) -> dict[str, Wheel]:
    """Ask the package index for the wheels of `requirements` (`name==version`).

    Raises `NoNetworkError` when the index does not answer, `PullError` when it does not have one of them.
    """
    with tempfile.TemporaryDirectory() as nowhere:
        output = await _pip(
            ["install", "--dry-run", "--ignore-installed", "--no-user", "--target", nowhere, "--report", "-"],
            requirements,
            platform,
        )
    wheels = {}
    wanted = {_normalised(requirement.split("==")[0]): requirement for requirement in requirements}
    for item in json.loads(output)["install"]:
        requirement = wanted[_normalised(item["metadata"]["name"])]
        info = item["download_info"]
        hashes = info.get("archive_info", {}).get("hashes", {})
        wheels[requirement] = Wheel(requirement, info["url"], hashes.get("sha256"))
    return wheels


async def fetch(
    wheel: Wheel, folder: Path, client: httpx.AsyncClient, platform: str | None, on_bytes: Callable[[int], None]
) -> Path:
    """Download a wheel into `folder`, going on where an earlier attempt stopped, and check its hash.

    `on_bytes` gets the number of bytes that are newly there, negative when some had to be thrown away.
    A wheel of a local index (`file://`) is used where it lies.
    """
    if wheel.url.startswith("file:"):
        local = Path(url2pathname(urlsplit(wheel.url).path))
        await _check(wheel, local)
        on_bytes(_size(local))
        return local
    partial = folder / f"{wheel.file_name}.part"
    resumed_at = _size(partial)
    on_bytes(resumed_at)
    try:
        await _download(wheel, partial, client, on_bytes)
        try:
            await _check(wheel, partial)
        except WrongHashError:
            on_bytes(-_size(partial))
            _delete(partial)
            if not resumed_at:
                raise
            await _download(wheel, partial, client, on_bytes)
            await _check(wheel, partial)
    except _RefusedError as refusal:
        return await _fetch_with_pip(wheel, folder, platform, on_bytes, refusal)
    return partial


async def _download(wheel: Wheel, partial: Path, client: httpx.AsyncClient, on_bytes: Callable[[int], None]) -> None:
    fruitless = 0
    while True:
        before = _size(partial)
        try:
            await _download_rest(wheel, partial, client, on_bytes)
            return
        except httpx.TransportError as error:
            have = _size(partial)
            fruitless = 0 if have > before else fruitless + 1
            reason = str(error) or type(error).__name__
            if fruitless > RETRIES and not have:
                raise _RefusedError(reason) from error
            if fruitless > RETRIES:
                raise NoNetworkError(
                    f"{wheel.requirement}: the connection to {urlsplit(wheel.url).hostname} broke after {have:,} bytes "
                    f"({reason}); run the same command again to go on from there"
                ) from error
            await asyncio.sleep(RETRY_PAUSE_S * 2**fruitless)


async def _download_rest(
    wheel: Wheel, partial: Path, client: httpx.AsyncClient, on_bytes: Callable[[int], None]
) -> None:
    have = _size(partial)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    async with client.stream("GET", wheel.url, headers=headers) as response:
        if response.status_code in _RETRY_STATUS:
            raise httpx.RemoteProtocolError(f"status {response.status_code}")
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to get; the hash decides
        if not response.is_success:
            raise _RefusedError(f"status {response.status_code}")
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not goes_on:
            on_bytes(-have)
        with open(partial, "ab" if goes_on else "wb") as file:  # noqa: ASYNC230 (blocks of kilobytes, no latency here)
            async for block in response.aiter_bytes():
                file.write(block)
                on_bytes(len(block))


async def _fetch_with_pip(
    wheel: Wheel, folder: Path, platform: str | None, on_bytes: Callable[[int], None], refusal: _RefusedError
) -> Path:
    inbox = folder / f"{wheel.requirement}.pip"
    try:
        await _pip(["download", "--no-cache-dir", "--dest", str(inbox)], [wheel.requirement], platform)
    except PullError as error:
        raise type(error)(f"{error} (before that, {urlsplit(wheel.url).hostname} said: {refusal})") from error
    fetched = inbox / wheel.file_name
    await _check(wheel, fetched)
    on_bytes(_size(fetched))
    return fetched


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _check(wheel: Wheel, path: Path) -> None:
    if wheel.sha256 is None:
        return
    found = await asyncio.to_thread(sha256, path)
    if found != wheel.sha256:
        raise WrongHashError(
            f"{wheel.requirement}: the package index promises sha256 {wheel.sha256}, the download has {found}; "
            "it was thrown away"
        )


async def _pip(command: Sequence[str], requirements: Sequence[str], platform: str | None) -> str:
    arguments = [
        *command,
        "--no-deps",
        "--only-binary=:all:",
        "--quiet",
        "--retries",
        "1",
        "--no-input",
        "--ignore-requires-python",
    ]
    if platform:
        arguments += ["--platform", platform]
    status, output, complaints = await run_python("-m", "pip", *arguments, *requirements)
    if status == 0:
        return output
    raise _pip_error(complaints, requirements)


def _pip_error(complaints: str, requirements: Sequence[str]) -> PullError:
    wanted = ", ".join(requirements)
    if "No module named pip" in complaints:
        return PullError("pip is not installed in this Python; run: python -m ensurepip")
    if _UNREACHABLE.search(complaints):
        return NoNetworkError(
            f"the package index cannot be reached, so {wanted} cannot be downloaded; is there a network?"
        )
    errors = [line.removeprefix("ERROR: ") for line in complaints.splitlines() if line.startswith("ERROR: ")]
    return PullError(f"pip cannot get {wanted}: {errors[-1] if errors else complaints.strip()[-300:]}")


def _normalised(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()
