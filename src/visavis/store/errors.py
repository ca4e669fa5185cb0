"""What can go wrong with stored things, in words for people."""

from visavis.errors import VisavisError


class StoreError(VisavisError):
    """Something could not be read or written; nothing was half-written."""


class NotFoundError(StoreError):
    """There is no such thing, or no longer."""

    def __init__(self, kind: str, wanted: str) -> None:
        super().__init__(f"There is no {kind} {wanted[:80]!r}.")
        self.kind = kind
        self.wanted = wanted


class ConflictError(StoreError):
    """The change does not fit what is stored: a second thing of the same id, or a state that does not allow it."""


class StorageFullError(StoreError):
    """No space is left; reading still works, and writing does again once there is space."""


class StoreBusyError(StoreError):
    """The database did not answer in time, or too many writes wait for it."""


class SchemaError(StoreError):
    """The database's schema is not one that this version can use."""


class SecretKeyError(StoreError):
    """The secret key is missing, malformed, or not the one that the data was encrypted with."""
