"""From a `.replica` file to a face that calls can use, whoever draws it."""

from pathlib import Path

from visavis.errors import BadInputError
from visavis.replica import GREEN_SCREEN, Replica
from visavis.replica.bundle import Bundle, BundleError, open_bundle


def open_replica(path: Path) -> Replica:
    """Load the replica of a bundle. Raises `BundleError`."""
    with open_bundle(path) as bundle:
        return _drawn(bundle)


def background_is_replaceable(replica: Replica) -> bool:
    """Whether this face can be parted from what is behind it."""
    try:
        replica.renderer(GREEN_SCREEN)
    except BadInputError:
        return False
    return True


def _drawn(bundle: Bundle) -> Replica:
    """Renderers are imported when they are wanted: each brings libraries and networks of its own."""
    match bundle.manifest.renderer:
        case "key_frames":
            from visavis.replica.key_frames import KeyFrameReplica

            return KeyFrameReplica(bundle)
        case "patches":
            from visavis.replica.patches import PatchReplica

            return PatchReplica(bundle)
        case "photo":
            from visavis.replica.photo import PhotoReplica

            return PhotoReplica(bundle)
        case unknown:
            raise BundleError(bundle.path, f"it is drawn by {unknown!r}, which this version does not have")
