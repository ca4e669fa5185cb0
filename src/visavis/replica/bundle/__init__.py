"""The `.replica` file: a face, packed as one zip of a manifest and parts.

manifest.json        who it is, who agreed, what draws it, and the checksum of every part (`Manifest`)
thumbnail.jpg        the person at rest
preview.mp4          the person saying a few words; optional

What else there is belongs to the renderer that the manifest names; each of `key_frames`, `patches` and `photo` writes
down its own parts.
"""

from visavis.replica.bundle.errors import BundleError
from visavis.replica.bundle.manifest import FORMAT, PREVIEW, THUMBNAIL, Manifest
from visavis.replica.bundle.pictures import Picture
from visavis.replica.bundle.reader import Bundle, open_bundle
from visavis.replica.bundle.writer import BundleWriter, add_parts

__all__ = [
    "FORMAT",
    "PREVIEW",
    "THUMBNAIL",
    "Bundle",
    "BundleError",
    "BundleWriter",
    "Manifest",
    "Picture",
    "add_parts",
    "open_bundle",
]
