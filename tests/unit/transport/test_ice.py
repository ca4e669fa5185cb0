import pytest

from visavis.errors import BadInputError
from visavis.transport.ice import ice_servers, is_loopback, usable_offer


def test_stun_and_turn_servers_are_read() -> None:
    stun, turn = ice_servers(["stun:stun.example.org:3478", "turn:ann:s:e@cret@turn.example.org:443?transport=tcp"])
    assert (stun.urls, stun.username) == ("stun:stun.example.org:3478", None)
    assert (turn.urls, turn.username, turn.credential) == (
        "turn:turn.example.org:443?transport=tcp",
        "ann",
        "s:e@cret",
    )


def test_nobody_is_asked_by_default() -> None:
    assert ice_servers([]) == []


@pytest.mark.parametrize(
    "url",
    [
        "turn:ann:geheim@",
        "turn:ann:geheim@host:99999",
        "turn:ann:geheim@host:0",
        "turn:ann:geheim@host?transport=sctp",
        "https://ann:geheim@host",
        "stun:ann:geheim@host",
        "turn:geheim@host",
        "turn:host:3478",
        "host:3478",
        "",
    ],
)
def test_a_wrong_url_is_named_without_its_secret(url: str) -> None:
    with pytest.raises(BadInputError, match="ice_servers") as error:
        ice_servers([url])
    assert "geheim" not in str(error.value)


def test_a_second_server_of_a_kind_is_refused() -> None:
    with pytest.raises(BadInputError, match="at most one"):
        ice_servers(["stun:one", "stun:two"])


def test_names_that_only_multicast_could_resolve_are_taken_out_of_an_offer() -> None:
    offer = (
        "v=0\r\n"
        "a=candidate:1 1 udp 2113937151 347420c8-8c0a-4581.local 53230 typ host\r\n"
        "a=candidate:2 1 udp 2113937151 192.0.2.2 53230 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=mid:0\r\n"
    )
    assert usable_offer(offer) == ("v=0\r\na=candidate:2 1 udp 2113937151 192.0.2.2 53230 typ host\r\na=mid:0\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_for_this_machine_alone_is_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.7", "example.org"])
def test_a_server_for_others_is_recognised(host: str) -> None:
    assert not is_loopback(host)
