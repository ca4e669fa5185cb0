"""The store that the settings name."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from visavis.store import Store, open_store
from visavis.store.secrets import load_keys

if TYPE_CHECKING:
    from visavis.config import Settings


def configured_store(settings: Settings) -> AbstractAsyncContextManager[Store]:
    """`open_store` with what VISAVIS_DATA, VISAVIS_DATABASE_URL, VISAVIS_BLOBS_URL and VISAVIS_SECRET_KEY say.

    Raises as `open_store` does.
    """
    data = settings.data.expanduser().absolute()
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    database = settings.database_url.get_secret_value() if settings.database_url else f"sqlite:///{data}/visavis.db"
    return open_store(database, settings.blobs_url or str(data / "files"), load_keys(given, data / "secret.key"))
