"""Meeting tokens open one conversation, for a while, and nothing else."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from visavis.hosting.meeting_tokens import MeetingTokenError, issue, verify

SECRET = b"0123456789abcdef0123456789abcdef"
SOON = datetime.now(UTC) + timedelta(minutes=5)
PAST = datetime.now(UTC) - timedelta(minutes=5)


def test_token_opens_its_own_conversation():
    verify(SECRET, issue(SECRET, "c1", "n1", SOON), "c1", "n1")


@pytest.mark.parametrize(
    ("secret", "conversation_id", "nonce"),
    [(SECRET, "c2", "n1"), (SECRET, "c1", "n2"), (b"another-secret-of-thirty-two-byte", "c1", "n1")],
)
def test_token_opens_nothing_else(secret, conversation_id, nonce):
    with pytest.raises(MeetingTokenError, match="meeting token"):
        verify(secret, issue(SECRET, "c1", "n1", SOON), conversation_id, nonce)


def test_expired_token_only_lets_people_back_in():
    token = issue(SECRET, "c1", "n1", PAST)
    with pytest.raises(MeetingTokenError, match="expired"):
        verify(SECRET, token, "c1", "n1")
    verify(SECRET, token, "c1", "n1", joined_before=True)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_not_a_token_is_refused(token):
    with pytest.raises(MeetingTokenError):
        verify(SECRET, token, "c1", "n1")


def test_token_without_a_signature_is_refused():
    claims = {"sub": "c1", "jti": "n1", "aud": "visavis:meeting", "exp": SOON}
    with pytest.raises(MeetingTokenError):
        verify(SECRET, jwt.encode(claims, None, "none"), "c1", "n1")
