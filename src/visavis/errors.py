"""The one family of errors that people may read: what was wrong, what value, what would be right."""


class VisavisError(Exception):
    """Base of every expected failure; its text is shown to users as it is, so it must make sense alone."""


class BadInputError(VisavisError):
    """A value given by a user is not usable.

    The text names the field, the value and what would be right.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        shown = repr(value)
        super().__init__(
            f"{field}: {shown if len(shown) <= 80 else shown[:77] + '...'} is not valid; expected {expected}"
        )
        self.field = field


class EngineError(VisavisError):
    """A layer (recogniser, language model, voice, ...) failed or did not answer in time."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason
