"""Where two sides can meet: STUN and TURN servers by configuration, own addresses, and what of an offer is used."""

import ipaddress
import re
from collections.abc import Sequence

from aiortc import RTCIceServer

from visavis.errors import BadInputError

_EXPECTED = 'a list like ["stun:host:3478", "turn:user:secret@host:3478"], with at most one of each kind'
_SERVER = re.compile(
    r"(?P<scheme>stun|turns?):"
    r"(?:(?P<user>[^:@]+):(?P<secret>.+)@)?"
    r"(?P<host>[A-Za-z0-9.-]+)(?::(?P<port>\d{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)


def ice_servers(urls: Sequence[str]) -> list[RTCIceServer]:
    """Servers as aiortc wants them; an empty list means that nobody is asked for one's own address.

    Raises `BadInputError`, which never shows a secret.
    """
    servers: dict[str, RTCIceServer] = {}
    for url in urls:
        match = _SERVER.fullmatch(url)
        if match is None or not 0 < int(match["port"] or 3478) < 65536:
            raise BadInputError("ice_servers", _without_secret(url), _EXPECTED)
        kind = match["scheme"][:4]
        if (kind == "turn") != bool(match["user"]):
            expected = "user:secret@ before the host" if kind == "turn" else "no user and secret"
            raise BadInputError("ice_servers", _without_secret(url), f"{expected}; {_EXPECTED}")
        if kind in servers:
            raise BadInputError("ice_servers", _without_secret(url), _EXPECTED)
        port = f":{match['port']}" if match["port"] else ""
        transport = f"?transport={match['transport']}" if match["transport"] and kind == "turn" else ""
        servers[kind] = RTCIceServer(
            f"{match['scheme']}:{match['host']}{port}{transport}", username=match["user"], credential=match["secret"]
        )
    return list(servers.values())


def usable_offer(sdp: str) -> str:
    """The offer without what would only cost time.

    Browsers hide their addresses behind mDNS names until a microphone is granted. Resolving one takes up to a
    second, and is needless: the browser's own checks show where it is (RFC 8445 section 7.3.1.3). For these the
    agent must go on waiting, hence the end of candidates is taken out too.
    """
    lines = sdp.replace("\r\n", "\n").split("\n")
    return "\r\n".join(line for line in lines if not _HIDDEN.match(line))


_HIDDEN = re.compile(r"a=candidate:(\S+ ){4}\S+\.local |a=end-of-candidates")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_secret(url: str) -> str:
    """`url` fit to be shown: nothing between the scheme and the last @."""
    return re.sub(r":.*@", ":***@", url, flags=re.DOTALL)
