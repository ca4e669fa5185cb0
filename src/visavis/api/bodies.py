"""What every JSON body of a request must be, before its fields are looked at."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from visavis.api import vocabulary
from visavis.errors import BadInputError

_DEEPEST = 32
_LARGEST_INTEGER = 2**53
"""What every JSON reader and database can hold exactly."""


class Body(BaseModel):
    """A JSON object in either vocabulary; fields that are not known are kept."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _in_first_vocabulary(cls, data: Any) -> Any:
        check_storable(data)
        return vocabulary.in_first(data) if isinstance(data, Mapping) else data

    def given(self) -> dict[str, Any]:
        """The fields that the request has, as JSON; those that are null count as not given."""
        found = self.model_dump(mode="json", exclude_unset=True)
        return {name: value for name, value in found.items() if value is not None}

    @classmethod
    def checked(cls, data: Mapping[str, Any]) -> Self:
        """`data` as this body. Raises `BadInputError`, which names the field."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise first_problem(error.errors(include_url=False)) from None


def first_problem(problems: Sequence[Any], inside: str = "") -> BadInputError:
    """The first of Pydantic's `problems` as one line for people; `inside` begins its field's name."""
    first = problems[0]
    field = inside + ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "body"
    expected = re.sub(r"^Value error, (expected )?", "", first["msg"])
    expected = re.sub(r"^(Input|Value|String|List|Object) should (be|have) ", "", expected)
    expected = expected[:1].lower() + expected[1:]
    if first["type"] == "missing":
        return BadInputError(field, None, "a value")
    secret = any(word in field.lower() for word in ("key", "token", "secret", "headers", "password"))
    secret = secret or (field.endswith("url") and "@" in str(first.get("input")))
    return BadInputError(field, "********" if secret else first.get("input"), expected)


def check_storable(data: Any, at: str = "", depth: int = 0) -> None:
    """Raise `BadInputError` for what Python's JSON reader takes but a database or another reader would not."""
    if depth > _DEEPEST:
        raise BadInputError(at[:80], "...", f"JSON nested at most {_DEEPEST} deep")
    match data:
        case str() if not _is_text(data):
            raise BadInputError(at or "body", data, "text without NUL characters and half surrogate pairs")
        case float() if not math.isfinite(data):
            raise BadInputError(at or "body", data, "a finite number")
        case bool():
            pass
        case int() if abs(data) > _LARGEST_INTEGER:
            raise BadInputError(at or "body", "...", "a number between -2^53 and 2^53")
        case Mapping():
            for name, value in data.items():
                check_storable(name, at, depth + 1)
                check_storable(value, f"{at}.{name}" if at else str(name), depth + 1)
        case list():
            for index, value in enumerate(data):
                check_storable(value, f"{at}.{index}" if at else str(index), depth + 1)


def _is_text(data: str) -> bool:
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in data
