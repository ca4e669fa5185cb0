"""What can be wrong with a `.replica` file."""

from pathlib import Path

from visavis.errors import VisavisError


class BundleError(VisavisError):
    """A `.replica` file cannot be used; the text names the file and what is wrong with it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"replica file {path.name}: {reason}")
