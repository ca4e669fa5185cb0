"""Signatures of webhook messages, in the scheme that Stripe made common.

The header is `visavis-signature: t=UNIX_SECONDS,v1=HEX[,v1=HEX]`, where HEX is HMAC-SHA256 of `UNIX_SECONDS.BODY` under
a secret. While secrets change there is one v1 for each, so that receivers can change theirs at leisure. The time is
under the signature too, so that a message that somebody recorded is worth nothing later.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from visavis.errors import VisavisError

HEADER = "visavis-signature"

TOLERANCE_S = 300
"""How old a message may be that `verify` accepts; also how far in the future, for clocks that differ."""

_PREFIX = "whsec_"


class SignatureError(VisavisError):
    """A message does not come from who it says, or is too old."""


def new_secret() -> str:
    """A random secret, `whsec_…`. All of the text is the key of the HMAC."""
    return _PREFIX + secrets.token_urlsafe(32)


def sign(body: bytes, secrets: Sequence[str], at: datetime) -> str:
    """The header's value for a body that is sent at this time."""
    seconds = int(at.timestamp())
    return ",".join([f"t={seconds}", *(f"v1={_mac(secret, seconds, body)}" for secret in secrets)])


def verify(body: bytes, header: str, secret: str, now: datetime, tolerance_s: float = TOLERANCE_S) -> None:
    """Return if one of the header's signatures is that of `secret` and the time fits.

    Raises `SignatureError`.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not times[0].isdecimal() or not given:
        raise SignatureError(f"The {HEADER} header is not of the form t=...,v1=...")
    seconds = int(times[0])
    right = _mac(secret, seconds, body)
    if not any(hmac.compare_digest(right.encode(), value.encode()) for value in given):
        raise SignatureError(f"No signature in the {HEADER} header fits the message and the secret.")
    if abs(now.timestamp() - seconds) > tolerance_s:
        raise SignatureError(f"The message was signed more than {tolerance_s:g} s before or after now.")


def _mac(secret: str, seconds: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, "sha256").hexdigest()
