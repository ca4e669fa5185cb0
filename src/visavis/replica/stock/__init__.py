"""The replicas that come with visavis."""

from functools import cache
from pathlib import Path
from typing import cast

from visavis.errors import BadInputError
from visavis.replica import Renderer, Replica
from visavis.replica.bundle import load
from visavis.replica.render import Face, KeyFrameRenderer


class StockReplica:
    """A `visavis.replica.Replica` read from a bundle; one instance serves all calls of a process."""

    def __init__(self, path: Path) -> None:
        self._face = Face(load(path))
        self.name = self._face.bundle.manifest.name

    def renderer(self, seed: int | None = None) -> Renderer[object]:
        """Start a face for one call; see `KeyFrameRenderer` for `seed`."""
        return cast(Renderer[object], KeyFrameRenderer(self._face, seed))


def names() -> tuple[str, ...]:
    """Names that `stock` knows."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.replica")))


@cache
def stock(name: str = "mira") -> Replica:
    """A stock replica. Raises `BadInputError` for an unknown name and `BundleError` for a damaged file."""
    if name not in names():
        raise BadInputError("replica", name, "one of " + ", ".join(names()))
    return StockReplica(Path(__file__).parent / f"{name}.replica")
