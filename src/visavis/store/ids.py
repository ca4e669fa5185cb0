"""Identifiers: one letter that says what it is, then random hexadecimal digits."""

import secrets

_DIGITS = 12
_CONVERSATION_DIGITS = 20
"""80 random bits: whoever has the link of a conversation may join it, so its id must not be guessable."""


def conversation_id() -> str:
    """`c` and 20 digits."""
    return "c" + _digits(_CONVERSATION_DIGITS)


def persona_id() -> str:
    """`p` and 12 digits."""
    return "p" + _digits(_DIGITS)


def replica_id() -> str:
    """`r` and 12 digits."""
    return "r" + _digits(_DIGITS)


def tool_id() -> str:
    """`t` and 12 digits."""
    return "t" + _digits(_DIGITS)


def dictionary_id() -> str:
    """`pd_` and 12 digits."""
    return "pd_" + _digits(_DIGITS)


def key_id() -> str:
    """`k` and 12 digits."""
    return "k" + _digits(_DIGITS)


def job_id() -> str:
    """`j` and 12 digits."""
    return "j" + _digits(_DIGITS)


def server_id() -> str:
    """`s` and 12 digits: one life of one server."""
    return "s" + _digits(_DIGITS)


def delivery_id() -> str:
    """`w` and 12 digits: one message to one webhook."""
    return "w" + _digits(_DIGITS)


def video_id() -> str:
    """12 digits without a letter, as clients expect of videos and speeches."""
    return _digits(_DIGITS)


def _digits(count: int) -> str:
    return secrets.token_hex(count // 2)
