"""How this server answers browsers: which addresses it offers and which helpers it names."""

from functools import partial

from visavis.api.live import Answer
from visavis.config import Settings
from visavis.transport.ice import ice_servers, is_loopback
from visavis.transport.webrtc import WebRtcCall


def answerer(settings: Settings) -> Answer:
    """Turns SDP offers into calls, as the settings say."""
    return partial(
        WebRtcCall.answer,
        ice_addresses=["127.0.0.1"] if is_loopback(settings.host) else None,
        ice_servers=settings.ice_servers,
    )


def ice_servers_for_browsers(settings: Settings) -> list[dict[str, str]]:
    """The STUN and TURN servers as `RTCConfiguration.iceServers` wants them."""
    servers = []
    for server in ice_servers(settings.ice_servers):
        described = {"urls": str(server.urls)}
        if server.username and server.credential:
            described |= {"username": server.username, "credential": server.credential}
        servers.append(described)
    return servers
