"""The files that came with a request to train a replica, from then until the training is over."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from visavis.errors import BadInputError
from visavis.store.blobs import Blobs
from visavis.store.errors import NotFoundError

SOURCE, CONSENT = "source", "consent"
"""Names of files in the folder of a training: what it is made from, and the recorded statement."""

PLACES: Mapping[str, str] = MappingProxyType({"train_video": SOURCE, "train_image": SOURCE, "consent_video": CONSENT})
"""What can be uploaded, and where the training expects it."""


async def keep(blobs: Blobs, replica_id: str, files: Mapping[str, Path]) -> None:
    """Store the files of a request, by the names in `PLACES`."""
    for name, path in files.items():
        await blobs.write(_blob(replica_id, name), path)


async def fetch(blobs: Blobs, replica_id: str, names: Iterable[str], folder: Path) -> None:
    """Put the files into the folder of a training, unless they are there. Raises `BadInputError`."""
    for name in names:
        target = folder / PLACES[name]
        partial = target.with_suffix(".partial")
        if target.exists():
            continue
        try:
            await blobs.fetch(_blob(replica_id, name), partial)
        except NotFoundError:
            raise BadInputError(name, None, "the uploaded file, which is gone; upload it again") from None
        partial.replace(target)


async def delete(blobs: Blobs, replica_id: str) -> None:
    """Forget them."""
    for name in PLACES:
        await blobs.delete(_blob(replica_id, name))


def _blob(replica_id: str, name: str) -> str:
    return f"uploads/{replica_id}/{name}"
