"""URLs that users give are called only where that is safe, and never without limits."""

import asyncio
import socket
import ssl
from ipaddress import ip_address

import pytest

from tests.receiver import answers, receiver
from visavis.errors import BadInputError
from visavis.outbound import (
    ForbiddenAddressError,
    Outbound,
    PrivateAddresses,
    RefusedError,
    SizeLimitError,
    TimeLimitError,
    UnreachableError,
    check_url,
)

LOOPBACK = PrivateAddresses.parse("127.0.0.1/32")


def leads_to(*addresses):
    """A resolver, the one thing outside the process, that gives these addresses for every name."""

    async def resolve(host, port):
        return [ip_address(address) for address in addresses]

    return resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
async def test_no_private_address_is_called(address):
    assert not PrivateAddresses().allow("h", ip_address(address))
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(BadInputError, match="callback_url"):
        check_url("callback_url", f"http://{literal}/x", PrivateAddresses())
    with pytest.raises(ForbiddenAddressError):
        await Outbound(resolve=leads_to(address)).post("http://innocent.example/x", b"", {})


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_called(address):
    assert PrivateAddresses().allow("h", ip_address(address))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "127.1"])
async def test_odd_spellings_of_loopback_are_seen_through(spelling):
    with pytest.raises(ForbiddenAddressError):
        await Outbound().post(f"http://{spelling}/", b"", {})


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "example.com", "http://", "http://localhost/", "", "http://[x]/"],
)
def test_what_is_no_public_web_address_is_refused(url):
    with pytest.raises(BadInputError, match="callback_url"):
        check_url("callback_url", url, PrivateAddresses())


def test_everything_private_can_be_allowed_but_not_the_clouds_credentials():
    private = PrivateAddresses.parse("true")
    assert private.allow("h", ip_address("192.168.1.1"))
    assert private.allow("h", ip_address("::1"))
    assert not private.allow("h", ip_address("169.254.169.254"))
    assert not private.allow("h", ip_address("fd00:ec2::254"))


def test_some_hosts_and_networks_can_be_allowed():
    private = PrivateAddresses.parse("10.1.0.0/16, printer.lan,fd12::/48")
    assert private.allow("h", ip_address("10.1.2.3"))
    assert private.allow("h", ip_address("::ffff:10.1.2.3"))
    assert private.allow("Printer.lan.", ip_address("192.168.7.7"))
    assert private.allow("h", ip_address("fd12::9"))
    assert not private.allow("h", ip_address("10.2.0.1"))
    assert not private.allow("other.lan", ip_address("192.168.7.7"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/99", "http://x", "a b"])
def test_a_wrong_setting_is_named(text):
    with pytest.raises(BadInputError, match="VISAVIS_ALLOW_PRIVATE_URLS"):
        PrivateAddresses.parse(text)


async def test_connection_goes_to_the_address_that_was_checked_under_its_name():
    async with receiver() as there:
        outbound = Outbound(LOOPBACK, leads_to("127.0.0.1"))
        answer = await outbound.post(
            f"http://name.example:{there.port}/hook?a=1", b"hi", {"content-type": "text/plain"}
        )
    [request] = there.received
    assert answer.status == 200
    assert request.headers["host"] == f"name.example:{there.port}"
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=1", b"hi")


async def test_a_name_is_resolved_once_for_each_connection():
    """A name that shows a public address to the check and a private one to the connection gains nothing."""
    asked = []

    async def rebinding(host, port):
        asked.append(host)
        return [ip_address("192.0.2.1" if len(asked) > 1 else "10.0.0.1")]

    with pytest.raises(ForbiddenAddressError):
        await Outbound(resolve=rebinding).post("http://rebind.example/", b"", {})
    assert asked == ["rebind.example"]


async def test_private_ones_among_public_addresses_are_left_out():
    async with receiver() as there:
        outbound = Outbound(LOOPBACK, leads_to("10.0.0.1", "127.0.0.1"))
        assert (await outbound.post(f"http://two.example:{there.port}/", b"", {})).status == 200


async def test_second_address_is_tried_when_the_first_takes_no_connection():
    async with receiver() as there:
        outbound = Outbound(PrivateAddresses.parse("127.0.0.0/8"), leads_to("127.0.0.2", "127.0.0.1"))
        assert (await outbound.post(f"http://two.example:{there.port}/", b"", {})).status == 200


async def test_post_does_not_follow_redirects():
    async with receiver() as secret, receiver(answers(307, headers=(("Location", secret.url()),))) as there:
        assert (await Outbound(LOOPBACK).post(there.url(), b"x", {})).status == 307
        assert not secret.received


async def test_download_follows_redirects_but_not_into_private_networks(tmp_path):
    outbound = Outbound(LOOPBACK)
    async with (
        receiver(answers(200, b"film", (("Content-Type", "video/mp4; a=b"),))) as last,
        receiver(answers(302, headers=(("Location", last.url("/film")),))) as first,
    ):
        got = await outbound.download(first.url(), tmp_path / "film", max_bytes=100)
    assert ((tmp_path / "film").read_bytes(), got.size, got.content_type) == (b"film", 4, "video/mp4")
    for target in ("http://169.254.169.254/latest", "http://127.0.0.2/", "file:///etc/passwd"):
        async with receiver(answers(302, headers=(("Location", target),))) as there:
            with pytest.raises((ForbiddenAddressError, UnreachableError)):
                await outbound.download(there.url(), tmp_path / "x", max_bytes=100)
    assert not (tmp_path / "x").exists()


async def test_endless_redirects_end(tmp_path):
    async with receiver(answers(302, headers=(("Location", "/again"),))) as there:
        with pytest.raises(RefusedError, match="redirects more than"):
            await Outbound(LOOPBACK).download(there.url(), tmp_path / "x", max_bytes=100)
    assert len(there.received) == 6


async def test_files_that_are_too_large_are_given_up(tmp_path):
    async def endless(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    for behave in (endless, answers(200, b"x" * 2000)):
        async with receiver(behave) as there:
            with pytest.raises(SizeLimitError, match="1000 bytes"):
                await Outbound(LOOPBACK).download(there.url(), tmp_path / "x", max_bytes=1000)
    assert not (tmp_path / "x").exists()


async def test_download_reports_progress(tmp_path):
    seen = []
    async with receiver(answers(200, b"x" * 600_000)) as there:
        await Outbound(LOOPBACK).download(
            there.url(), tmp_path / "x", max_bytes=10**6, progress=lambda done, total: seen.append((done, total))
        )
    assert len(seen) > 1
    assert seen[-1] == (600_000, 600_000)


async def test_a_file_that_is_not_there_is_refused(tmp_path):
    async with receiver(answers(404)) as there:
        with pytest.raises(RefusedError, match="answered 404"):
            await Outbound(LOOPBACK).download(there.url(), tmp_path / "x", max_bytes=100)


async def test_compressed_answers_are_refused(tmp_path):
    """A small answer could otherwise become a huge file."""
    async with receiver(answers(200, b"bomb", (("Content-Encoding", "gzip"),))) as there:
        with pytest.raises(RefusedError, match="compressed"):
            await Outbound(LOOPBACK).download(there.url(), tmp_path / "x", max_bytes=100)
    assert there.received[0].headers["accept-encoding"] == "identity"


async def test_slow_receivers_meet_the_time_limit(tmp_path):
    async def drip(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with receiver(drip) as there:
        with pytest.raises(TimeLimitError):
            await Outbound(LOOPBACK).post(there.url(), b"", {}, timeout_s=0.2)
        with pytest.raises(TimeLimitError):
            await Outbound(LOOPBACK).download(there.url(), tmp_path / "x", max_bytes=1000, timeout_s=0.2)


async def test_of_a_huge_answer_only_the_beginning_is_read():
    async def endless(request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"y" * 65536)
            await writer.drain()

    async with receiver(endless) as there:
        answer = await Outbound(LOOPBACK).post(there.url(), b"", {}, max_answer=1000)
    assert answer.body == b"y" * 1000


async def test_who_does_not_speak_http_or_tls_is_unreachable(tmp_path):
    async def garbage(request, writer):
        writer.write(b"\x00\xff nonsense \r\n\r\n")

    async with receiver(garbage) as there:
        with pytest.raises(UnreachableError, match="does not answer with HTTP"):
            await Outbound(LOOPBACK).post(there.url(), b"", {})

    async def greet(reader, writer):
        writer.write(b"220 this is not TLS\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await Outbound(LOOPBACK).post(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", b"", {})


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(self_signed):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*self_signed)
    async with receiver(tls=tls) as there:
        with pytest.raises(UnreachableError, match=r"(?i)certificate"):
            await Outbound(LOOPBACK, leads_to("127.0.0.1")).post(f"https://name.example:{there.port}/", b"secret", {})
    assert not there.received


async def test_a_certificate_is_checked_against_the_name_not_the_address(self_signed, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(self_signed[0]))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*self_signed)
    async with receiver(tls=tls) as there:
        outbound = Outbound(LOOPBACK, leads_to("127.0.0.1"))
        assert (await outbound.post(f"https://name.example:{there.port}/", b"", {})).status == 200
        with pytest.raises(UnreachableError, match=r"(?i)mismatch"):
            await outbound.post(f"https://other.example:{there.port}/", b"", {})


async def test_nobody_listening_and_no_such_name_are_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await Outbound(LOOPBACK).post(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"", {})

    async def unknown(host, port):
        raise socket.gaierror

    with pytest.raises(UnreachableError, match="no host of this name"):
        await Outbound(resolve=unknown).post("http://nobody.example/", b"", {})


async def test_environment_proxies_are_not_used(monkeypatch):
    async with receiver() as proxy, receiver() as there:
        monkeypatch.setenv("HTTP_PROXY", proxy.url())
        await Outbound(LOOPBACK).post(there.url(), b"", {})
        assert there.received
        assert not proxy.received


async def test_passwords_in_a_url_are_used_but_never_shown():
    async with receiver(answers(500)) as there:
        url = f"http://me:geheim@127.0.0.1:{there.port}/x?token=geheim"
        await Outbound(LOOPBACK).post(url, b"", {})
        assert there.received[0].headers["authorization"].startswith("Basic ")
    with pytest.raises(UnreachableError) as raised:
        await Outbound(LOOPBACK).post(url, b"", {})
    with pytest.raises(BadInputError) as refused:
        check_url("callback_url", "http://me:geheim@10.0.0.1/x?token=geheim", LOOPBACK)
    assert "geheim" not in f"{raised.value}{refused.value}"


@pytest.fixture
def self_signed(tmp_path):
    """Certificate and key files of name.example."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "name.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("name.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file
