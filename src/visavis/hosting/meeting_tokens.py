"""Meeting tokens: who may join a conversation that asks for one (`require_auth`).

A token is a JWT (RFC 7519, HS256) that names one conversation and carries the nonce of its row, so that it is worth
nothing for any other conversation, and nothing at all once the row is gone.
"""

from datetime import UTC, datetime

import jwt

from visavis.errors import VisavisError

SECRET_NAME = "meeting tokens"
"""Of the secret that tokens are signed with: `await store.signing_secret(SECRET_NAME)`."""

_ALGORITHM = "HS256"
_AUDIENCE = "visavis:meeting"


class MeetingTokenError(VisavisError):
    """A conversation cannot be joined with this token, or not without one."""


def issue(secret: bytes, conversation_id: str, nonce: str, expires_at: datetime) -> str:
    """A token for joining `conversation_id` until `expires_at` (aware); `secret` has at least 32 bytes."""
    claims = {
        "sub": conversation_id,
        "jti": nonce,
        "aud": _AUDIENCE,
        "iat": datetime.now(UTC),
        "exp": expires_at,
    }
    return jwt.encode(claims, secret, _ALGORITHM)


def verify(secret: bytes, token: str, conversation_id: str, nonce: str, *, joined_before: bool = False) -> None:
    """Check a token that somebody shows who wants to join.

    With `joined_before` an expired one is good too: a person whose connection broke off may come back. Raises
    `MeetingTokenError`.
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={"require": ["sub", "jti", "exp"], "verify_exp": not joined_before, "verify_iat": False},
        )
    except jwt.ExpiredSignatureError:
        raise MeetingTokenError("This link's meeting token has expired; ask for a new link.") from None
    except jwt.InvalidTokenError:
        raise MeetingTokenError(_REFUSED) from None
    if claims["sub"] != conversation_id or claims["jti"] != nonce:
        raise MeetingTokenError(_REFUSED)


_REFUSED = "This conversation asks for its meeting token: open the link with ?t= and the token that came with it."
