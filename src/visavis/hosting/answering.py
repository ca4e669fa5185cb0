"""How this server answers browsers: which of its addresses it offers."""

from aioice.ice import get_host_addresses

from visavis.config import Settings
from visavis.hosting.place import Answer
from visavis.transport import Call
from visavis.transport.ice import is_loopback
from visavis.transport.webrtc import WebRtcCall


def answerer(settings: Settings) -> Answer:
    """Turns SDP offers into calls, as the settings say."""

    async def answer(sdp_offer: str) -> tuple[Call, str]:
        return await WebRtcCall.answer(
            sdp_offer, ice_addresses=_own_addresses(settings), ice_servers=settings.ice_servers
        )

    return answer


def _own_addresses(settings: Settings) -> list[str] | None:
    """The addresses to offer; None for those of all interfaces."""
    if settings.ice_addresses:
        return settings.ice_addresses
    if is_loopback(settings.host):
        # Chromium reaches 127.0.0.1, also without a network; Firefox never tries it, but reaches the other addresses.
        return ["127.0.0.1", *get_host_addresses(use_ipv4=True, use_ipv6=True)]
    return None
