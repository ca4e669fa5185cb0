"""The one HTTP client for addresses that users give: callbacks, recordings, training videos.

An address from a user may point into the network of the server (server-side request forgery). Therefore names are
resolved here, every address they lead to is checked, and the connection goes to exactly the address that was checked,
so that a name that changes between check and connection (DNS rebinding) gains nothing. Redirects are followed by hand
and checked again. Every request has a limit of time and of size.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeAlias

import httpx

from visavis import __version__
from visavis.config import Settings
from visavis.errors import BadInputError, VisavisError

_log = logging.getLogger(__name__)

Address: TypeAlias = IPv4Address | IPv6Address

CONNECT_S = 5.0
"""Time for one address to accept a connection."""

MAX_REDIRECTS = 5

MAX_URL = 2_000
"""Longest URL that is taken, characters."""

_NEVER_BY_DEFAULT = frozenset(
    map(
        ip_address,
        # Where clouds hand out credentials: AWS and most others, AWS over IPv6, ECS tasks, Azure, Alibaba, Oracle.
        "169.254.169.254 fd00:ec2::254 169.254.170.2 168.63.129.16 100.100.100.200 192.0.0.192".split(),
    )
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class OutboundError(VisavisError):
    """A request to an address that a user gave did not succeed; the text names the address."""


class ForbiddenAddressError(OutboundError):
    """The address lies in a network that users may not reach through this server."""


class UnreachableError(OutboundError):
    """Nobody there speaks HTTP: no such name, no connection, no valid certificate, an answer that is not HTTP."""


class TimeLimitError(OutboundError):
    """It took too long."""


class SizeLimitError(OutboundError):
    """More bytes than allowed."""


class RefusedError(OutboundError):
    """The other side answered, but not with what was asked for."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class PrivateAddresses:
    """Which private addresses users may reach. Made by `PrivateAddresses.parse`."""

    every: bool = False
    """All of private, loopback and shared networks; never link-local ones and those of cloud metadata."""
    hosts: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "PrivateAddresses":
        """Read `true`, `false`, or host names and networks (`10.1.0.0/16`, `fd12::/48`) separated by commas.

        Raises `BadInputError`.
        """
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if parts in ([], ["false"], ["0"], ["no"]):
            return cls()
        if parts in (["true"], ["1"], ["yes"]):
            return cls(every=True)
        hosts, networks = set(), []
        for part in parts:
            try:
                networks.append(ip_network(part))
            except ValueError:
                if "/" in part or not part.replace("-", "").replace(".", "").replace("_", "").isalnum():
                    expected = "true, false, or host names and networks like 10.1.0.0/16, separated by commas"
                    raise BadInputError("VISAVIS_ALLOW_PRIVATE_URLS", part, expected) from None
                hosts.add(part)
        return cls(False, frozenset(hosts), tuple(networks))

    def allow(self, host: str, address: Address) -> bool:
        """Whether users may reach `address`, which `host` leads to."""
        seen = _seen_through(address)
        if host.lower().rstrip(".") in self.hosts or any(seen in network for network in self.networks):
            return True
        if seen in _NEVER_BY_DEFAULT or seen.is_link_local or seen.is_multicast or seen.is_unspecified:
            return False
        return self.every or _is_global(seen)


def _seen_through(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it (mapped, NAT64, 6to4), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address


def _is_global(address: Address) -> bool:
    if not address.is_global or address.is_reserved:
        return False
    return isinstance(address, IPv4Address) or address in _GLOBAL_IPV6


def check_url(field: str, url: str, private: PrivateAddresses) -> str:
    """`url` if it may be called, as far as can be told without asking the network.

    Names are not resolved; that happens with each request. Raises `BadInputError` that names `field`.
    """
    try:
        _checked(url, private)
    except OutboundError as error:
        raise BadInputError(field, _shown(url), f"a public http or https address ({error})") from None
    return url


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the beginning of the body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that was downloaded."""

    path: Path
    size: int
    content_type: str
    """As the server said it, without parameters; empty when it said nothing."""


Progress: TypeAlias = Callable[[int, int | None], None]
"""Told how many bytes have come and how many there will be, if the server said so."""

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[Address]]]
"""Gives the addresses of a host name. Raises `OSError`."""


async def resolve(host: str, port: int) -> list[Address]:
    """The addresses that the system's resolver knows for `host`, best first. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


class Outbound:
    """Makes requests to addresses that users give. Use one for a whole process; it keeps no connections."""

    def __init__(self, private: PrivateAddresses | None = None, resolve: Resolve = resolve) -> None:
        self._private = private or PrivateAddresses()
        self._resolve = resolve
        self._tls = httpx.create_ssl_context()

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float = 10.0, max_answer: int = 65_536
    ) -> Answer:
        """`request` with the method POST."""
        return await self.request("POST", url, body, headers, timeout_s=timeout_s, max_answer=max_answer)

    async def request(
        self,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float = 10.0,
        max_answer: int = 65_536,
    ) -> Answer:
        """Send `body`; redirects are not followed, and of the answer at most `max_answer` bytes are read.

        `timeout_s` covers everything up to the end of what is read. Any status is an answer.
        Raises `ForbiddenAddressError`, `UnreachableError`, `TimeLimitError`.
        """
        async with (
            _within(timeout_s, url),
            self._request(method, _checked(url, self._private), body, headers) as answer,
        ):
            return Answer(answer.status_code, await _beginning(answer, max_answer))

    async def download(
        self,
        url: str,
        path: Path,
        *,
        max_bytes: int,
        timeout_s: float = 600.0,
        progress: Progress = lambda done, total: None,
    ) -> Downloaded:
        """GET `url` into the file `path`, which is removed again when that fails.

        Raises every kind of `OutboundError`; `RefusedError` for a status other than 200.
        """
        try:
            async with _within(timeout_s, url), self._following(url) as answer:
                if answer.status_code != 200:
                    text = f"{_shown(url)} answered {answer.status_code} instead of the file"
                    raise RefusedError(text, answer.status_code)
                if answer.headers.get("content-encoding", "identity").lower() != "identity":
                    text = f"{_shown(url)} sends the file compressed although that was not asked for"
                    raise RefusedError(text, answer.status_code)
                size = await _save(answer, path, max_bytes, progress)
                kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                return Downloaded(path, size, kind)
        except BaseException:
            _remove(path)
            raise

    async def addresses(self, url: str) -> list[Address]:
        """Addresses of the host of `url` that users may reach, best first.

        Raises `ForbiddenAddressError`, `UnreachableError`.
        """
        return await self._addresses(_checked(url, self._private))

    async def connect(self, url: str, *, timeout_s: float = 10.0) -> socket.socket:
        """A TCP connection to the host of `url`, which belongs to the caller: for protocols besides HTTP requests.

        Raises `ForbiddenAddressError`, `UnreachableError`, `TimeLimitError`.
        """
        target = _checked(url, self._private)
        async with _within(timeout_s, url):
            addresses = await self._addresses(target)
            for address in addresses:
                try:
                    return await _connected(address, target)
                except OSError as error:
                    if address is addresses[-1]:
                        raise UnreachableError(f"{_shown(url)} cannot be reached: {_reason(error)}") from error
        raise AssertionError  # there is at least one address

    @asynccontextmanager
    async def _following(self, url: str) -> AsyncIterator[httpx.Response]:
        target = _checked(url, self._private)
        for _ in range(MAX_REDIRECTS + 1):
            async with self._request("GET", target, b"", {}) as answer:
                if not answer.has_redirect_location:
                    yield answer
                    return
                status, target = (
                    answer.status_code,
                    _checked(str(target.join(answer.headers["location"])), self._private),
                )
        raise RefusedError(f"{_shown(url)} redirects more than {MAX_REDIRECTS} times", status)

    @asynccontextmanager
    async def _request(
        self, method: str, url: httpx.URL, body: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """One request, to the first allowed address that accepts a connection."""
        addresses = await self._addresses(url)
        timeout = httpx.Timeout(None, connect=CONNECT_S)
        # No environment: a proxy would resolve the name again, unchecked.
        async with httpx.AsyncClient(verify=self._tls, trust_env=False, timeout=timeout) as client:
            for address in addresses:
                request = client.build_request(
                    method,
                    # To the checked address, under the name that was asked for.
                    url.copy_with(host=str(address)),
                    content=body or None,
                    headers={
                        "accept-encoding": "identity",
                        "user-agent": f"visavis/{__version__}",
                        **headers,
                        "host": url.netloc.decode("ascii"),
                    },
                    extensions={"sni_hostname": url.raw_host.decode("ascii")},
                )
                try:
                    answer = await client.send(request, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    if address is not addresses[-1]:
                        continue
                    raise UnreachableError(f"{_shown(url)} cannot be reached: {_reason(error)}") from error
                except httpx.HTTPError as error:
                    raise UnreachableError(f"{_shown(url)} does not answer with HTTP: {_reason(error)}") from error
                try:
                    yield answer
                except httpx.HTTPError as error:
                    raise UnreachableError(f"{_shown(url)} broke off its answer: {_reason(error)}") from error
                finally:
                    await answer.aclose()
                return

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        try:
            found = await self._resolve(url.host, _port(url))
        except (OSError, UnicodeError) as error:
            raise UnreachableError(f"{_shown(url)}: there is no host of this name") from error
        allowed = [address for address in found if self._private.allow(url.host, address)]
        if not allowed:
            raise ForbiddenAddressError(_forbidden(url))
        return allowed


def _checked(url: str, private: PrivateAddresses) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise UnreachableError(f"{_shown(url)} is not a URL") from error
    if len(url) > MAX_URL:
        raise UnreachableError(f"a URL of {len(url)} characters is longer than {MAX_URL}")
    if parsed.scheme not in ("http", "https"):
        raise UnreachableError(f"{_shown(url)} does not begin with http:// or https://")
    if not parsed.host:
        raise UnreachableError(f"{_shown(url)} names no host")
    known = _known_without_asking(parsed.host.rstrip("."))
    if known and not private.allow(parsed.host, known):
        raise ForbiddenAddressError(_forbidden(parsed))
    return parsed


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _connected(address: Address, url: httpx.URL) -> socket.socket:
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(CONNECT_S):
            await asyncio.get_running_loop().sock_connect(made, (str(address), _port(url)))
    except BaseException:
        made.close()
        raise
    return made


def _known_without_asking(host: str) -> Address | None:
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None


@asynccontextmanager
async def _within(seconds: float, url: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise TimeLimitError(f"{_shown(url)} took longer than {seconds:g} s") from None


async def _beginning(answer: httpx.Response, most: int) -> bytes:
    read = bytearray()
    async for chunk in answer.aiter_raw():
        read += chunk
        if len(read) >= most:
            break
    return bytes(read[:most])


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _save(answer: httpx.Response, path: Path, max_bytes: int, progress: Progress) -> int:
    stated = answer.headers.get("content-length", "")
    total = int(stated) if stated.isdecimal() else None
    too_large = SizeLimitError(f"the file is larger than {max_bytes} bytes")
    if total is not None and total > max_bytes:
        raise too_large
    done = 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in answer.aiter_raw(1 << 18):
            done += len(chunk)
            if done > max_bytes:
                raise too_large
            await asyncio.to_thread(file.write, chunk)
            progress(done, total)
    return done


def _forbidden(url: httpx.URL) -> str:
    return (
        f"{_shown(url)} leads to a private address, which this server does not call; "
        "whoever runs it can allow that with VISAVIS_ALLOW_PRIVATE_URLS"
    )


def _shown(url: str | httpx.URL) -> str:
    """Scheme, host and path: user names, passwords and tokens in a query are nobody's business."""
    try:
        parsed = httpx.URL(url)
        shown = str(parsed.copy_with(username=None, password=None, query=None, fragment=None))
    except (httpx.InvalidURL, ValueError, TypeError):
        return "the address given"
    return shown if len(shown) <= 120 else shown[:117] + "..."


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def outbound_of(settings: Settings) -> Outbound:
    """What reaches the addresses that users give, as the settings allow."""
    return Outbound(PrivateAddresses.parse(settings.allow_private_urls))
