"""The replicas that come with visavis."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np

from visavis.errors import BadInputError
from visavis.replica import Renderer, Replica
from visavis.replica.bundle import load
from visavis.replica.render import Face, KeyFrameRenderer

GREEN_BGR = (155, 255, 0)
"""The green that is put behind a replica for others to replace."""


class StockReplica:
    """A `visavis.replica.Replica` read from a bundle; one instance serves all calls of a process."""

    def __init__(self, path: Path, *, green_screen: bool = False) -> None:
        """`green_screen` replaces the room behind the person by `GREEN_BGR`."""
        bundle = load(path)
        if green_screen:
            bundle = dataclasses.replace(bundle, room=np.full_like(bundle.room, GREEN_BGR))
        self._face = Face(bundle)
        self.name = self._face.bundle.manifest.name

    def renderer(self, seed: int | None = None) -> Renderer[object]:
        """Start a face for one call; see `KeyFrameRenderer` for `seed`."""
        return cast(Renderer[object], KeyFrameRenderer(self._face, seed))


def names() -> tuple[str, ...]:
    """Names that `stock` knows."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.replica")))


def bundle_path(name: str) -> Path:
    """The file of a stock replica. Raises `BadInputError` for an unknown name."""
    if name not in names():
        raise BadInputError("replica", name, "one of " + ", ".join(names()))
    return Path(__file__).parent / f"{name}.replica"


@cache
def stock(name: str = "mira") -> Replica:
    """A stock replica. Raises `BadInputError` for an unknown name and `BundleError` for a damaged file."""
    return StockReplica(bundle_path(name))
