"""Faces of filmed people: calm moments of their video, and mouths of their own laid over them as they speak."""

from typing import cast

from visavis.errors import BadInputError
from visavis.replica import Background, Renderer
from visavis.replica.bundle import Bundle
from visavis.replica.patches.contents import read
from visavis.replica.patches.renderer import PatchRenderer, Person


class PatchReplica:
    """A `visavis.replica.Replica` whose bundle names the renderer `patches`."""

    def __init__(self, bundle: Bundle) -> None:
        """Load all of it. Raises `BundleError`."""
        self.name = bundle.manifest.name
        self._person = Person(read(bundle), bundle.manifest.size)

    def renderer(self, background: Background | None = None, *, seed: int | None = None) -> Renderer[object]:
        """Start a face for one call; see `PatchRenderer` for `seed`.

        Raises `BadInputError` for another background: a filmed person keeps their own.
        """
        if background is not None:
            raise BadInputError("background", "another background", "none: this replica shows the video's own")
        return cast(Renderer[object], PatchRenderer(self._person, seed))
