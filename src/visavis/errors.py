"""The one family of errors that people may read: what was wrong, what value, what would be right."""

from pathlib import PurePath


class VisavisError(Exception):
    """Base of every expected failure; its text is shown to users as it is, so it must make sense alone."""


class BadInputError(VisavisError):
    """A value given by a user is not usable.

    The text names the field, the value and what would be right.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        if isinstance(value, PurePath):
            shown = repr(str(value))
        else:
            # An enormous text is cut before it is quoted.
            shown = repr(value[:80] if isinstance(value, str | bytes) else value)
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
        self.field = field
        self.value = shown
        """As Python writes it; a path whole, all else at most 80 characters."""
        self.expected = expected
        super().__init__(f"{field}: {self.value} is not valid; expected {expected}")


class EngineError(VisavisError):
    """A layer (recogniser, language model, voice, ...) failed or did not answer in time."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason
