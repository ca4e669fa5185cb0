"""What can go wrong with model files, each in words for the person who has to act on it."""

from visavis.errors import VisavisError


class ModelMissingError(VisavisError):
    """A model has not been pulled, or not completely."""

    def __init__(self, name: str, problem: str = "is not here yet") -> None:
        super().__init__(f"the model {name} {problem}; run: visavis models pull {name}")
        self.name = name


class PullError(VisavisError):
    """A model could not be pulled."""


class NoNetworkError(PullError):
    """The package index or the file server cannot be reached."""


class WrongHashError(PullError):
    """A file is not the one that the manifest or the package index promises."""


class DiskFullError(PullError):
    """There is no room for the files."""
