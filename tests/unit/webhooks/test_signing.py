"""Signatures follow Stripe's scheme, and two secrets may be valid while one is changed for the other."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from visavis.webhooks.signing import SignatureError, new_secret, sign, verify

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BODY = b'{"a":1}'


def test_header_is_time_and_hmac_of_time_and_body():
    expected = hmac.new(b"whsec_x", b"1767323045." + BODY, hashlib.sha256).hexdigest()
    assert sign(BODY, ["whsec_x"], AT) == f"t=1767323045,v1={expected}"


def test_signature_of_either_secret_is_accepted_while_they_change():
    new, old = new_secret(), new_secret()
    header = sign(BODY, [new, old], AT)
    assert header.count("v1=") == 2
    verify(BODY, header, new, AT)
    verify(BODY, header, old, AT)
    with pytest.raises(SignatureError, match="fits"):
        verify(BODY, header, new_secret(), AT)


def test_changed_body_or_time_is_refused():
    header = sign(BODY, ["s"], AT)
    with pytest.raises(SignatureError, match="fits"):
        verify(BODY + b" ", header, "s", AT)
    with pytest.raises(SignatureError, match="fits"):
        verify(BODY, header.replace("t=1767323045", "t=1767323046"), "s", AT)


@pytest.mark.parametrize("away", [timedelta(seconds=301), timedelta(seconds=-301)])
def test_message_of_another_time_is_refused(away):
    with pytest.raises(SignatureError, match="before or after"):
        verify(BODY, sign(BODY, ["s"], AT), "s", AT + away)


@pytest.mark.parametrize("header", ["", "t=1", "v1=ab", "t=x,v1=ab", "t=1,t=2,v1=ab", "nonsense", "t=1,v1=\xff"])
def test_malformed_headers_are_refused(header):
    with pytest.raises(SignatureError):
        verify(BODY, header, "s", AT)


def test_secrets_are_long_and_differ():
    assert new_secret() != new_secret()
    assert len(new_secret()) > 40
