"""The replicas that come with visavis."""

from functools import cache
from pathlib import Path

from visavis.errors import BadInputError
from visavis.replica import Replica
from visavis.replica.opening import open_replica


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
    return open_replica(bundle_path(name))
