"""Secrets inside stored documents: encrypted at rest, shown as `********`.

Encryption is Fernet (AES-128-CBC with HMAC-SHA256, from `cryptography`). Which fields are secrets is decided by their
names alone, so that every layer of every persona, also of a later version, is covered.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from visavis.store.errors import SecretKeyError

MASK = "********"
SEALED = "fernet:"
"""What sealed text begins with."""
_NAMES = frozenset(("api_key", "apikey", "token", "secret", "password", "authorization", "cookie"))
_ENDINGS = ("_api_key", "_token", "_secret", "_password", "_authorization")
_HOW_TO_MAKE_ONE = "44 characters as `openssl rand -base64 32 | tr +/ -_` makes them"


def is_secret(name: str) -> bool:
    """Whether a field (or HTTP header) of this name holds a secret."""
    plain = name.lower().replace("-", "_")
    return plain in _NAMES or plain.endswith(_ENDINGS)


class Secrets:
    """Seals and opens with a list of keys: the first seals, every one opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `SecretKeyError` for a key that is none."""
        try:
            self._fernets = [Fernet(key) for key in keys]
            self._all = MultiFernet(self._fernets)
        except ValueError:
            raise SecretKeyError(
                f"VISAVIS_SECRET_KEY holds something that is no key; expected {_HOW_TO_MAKE_ONE}."
            ) from None

    def seal(self, plain: bytes) -> bytes:
        """Encrypt."""
        return self._all.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt; raises `SecretKeyError`."""
        try:
            return self._all.decrypt(sealed)
        except InvalidToken:
            raise SecretKeyError(
                "The secret key does not fit the data: it was encrypted with another one. "
                "Put the former key back (the file `secret.key`, or VISAVIS_SECRET_KEY=new,former)."
            ) from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether the first key sealed this."""
        try:
            self._fernets[0].decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def seal_document(self, document: Any) -> Any:
        """The same JSON document with its secrets encrypted."""
        return _with_secrets(document, self._seal_text)

    def open_document(self, document: Any) -> Any:
        """The document as it was sealed; raises `SecretKeyError`."""
        return _with_secrets(document, self._open_text)

    def _seal_text(self, text: str) -> str:
        return SEALED + self.seal(text.encode("utf-8", "surrogatepass")).decode() if text else ""

    def _open_text(self, text: str) -> str:
        if not text.startswith(SEALED):  # stored before fields of this name counted as secrets
            return text
        return self.open(text.removeprefix(SEALED).encode()).decode("utf-8", "surrogatepass")


def masked(document: Any) -> Any:
    """The document with `********` in place of its secrets, as people may see it."""
    return _with_secrets(document, lambda text: MASK if text else text)


def unmasked(new: Any, old: Any) -> Any:
    """`new` with each `********` replaced by what stands at the same place in `old`."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {
            name: old[name]
            if value == MASK and _holds_secret(new, name) and name in old
            else unmasked(value, old.get(name))
            for name, value in new.items()
        }
    if isinstance(new, list) and isinstance(old, list):
        return [unmasked(value, old[at] if at < len(old) else None) for at, value in enumerate(new)]
    return new


def _holds_secret(document: dict[str, Any], name: str) -> bool:
    """Whether a field of `document` is a secret; `value` is one in the key of a tool."""
    return is_secret(name) or (name == "value" and document.get("type") == "api_key")


def _with_secrets(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {
            name: change(inner)
            if isinstance(inner, str) and _holds_secret(value, name)
            else _with_secrets(inner, change)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_secrets(inner, change) for inner in value]
    return value


def load_keys(given: str | None, file: Path) -> list[str]:
    """The keys of VISAVIS_SECRET_KEY (commas between, newest first), else of `file`, which is made at the first start.

    Raises `SecretKeyError`.
    """
    if given:
        return [key.strip() for key in given.split(",") if key.strip()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _make_once(file)
        keys = file.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretKeyError(f"The secret key in {file} cannot be read or made: {error}.") from error
    if not keys:
        raise SecretKeyError(f"The secret key file {file} is empty; expected {_HOW_TO_MAKE_ONE}.")
    return keys


def _make_once(file: Path) -> None:
    """Also when two processes start at once, both then use the same key."""
    if file.exists():
        return
    made = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(Fernet.generate_key() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink(missing_ok=True)
