"""JSON Patch (RFC 6902) on stored documents, in either vocabulary."""

import copy
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import jsonpatch
from jsonpointer import JsonPointerException
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from visavis.api import vocabulary
from visavis.api.bodies import check_storable
from visavis.errors import BadInputError, VisavisError


class PatchFormatError(VisavisError):
    """The body is not a list of JSON Patch operations."""

    def __init__(self) -> None:
        super().__init__("Invalid JSON patch format")


class _At(BaseModel):
    model_config = ConfigDict(extra="ignore")

    path: Annotated[str, Field(pattern=r"^(/([^~]|~[01])*)?$")]


class _WithValue(_At):
    op: Literal["add", "replace", "test"]
    value: Any


class _WithSource(_At):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    op: Literal["move", "copy"]
    source: Annotated[str, Field(alias="from", pattern=r"^(/([^~]|~[01])*)?$")]


class _Remove(_At):
    op: Literal["remove"]


Operation = Annotated[_WithValue | _WithSource | _Remove, Field(discriminator="op")]

MOST_OPERATIONS = 200
LARGEST_CHARS = 1_000_000
_OPERATIONS: TypeAdapter[list[Operation]] = TypeAdapter(Annotated[list[Operation], Field(max_length=MOST_OPERATIONS)])

OPERATIONS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "maxItems": MOST_OPERATIONS,
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {
            "op": {"enum": ["add", "remove", "replace", "move", "copy", "test"]},
            "path": {"type": "string", "description": "A JSON pointer (RFC 6901)."},
            "from": {"type": "string", "description": "Of move and copy."},
            "value": {"description": "Of add, replace and test."},
        },
    },
}
"""For the OpenAPI document."""


def patched(document: Mapping[str, Any], operations: Any) -> dict[str, Any] | None:
    """`document` (first vocabulary) after the `operations` of a request's body; None when they change nothing.

    Raises `PatchFormatError` when that is not a patch, and `BadInputError` when it does not fit the document.
    """
    check_storable(operations, "patch")
    try:
        parsed = _OPERATIONS.validate_python(operations)
    except ValidationError:
        raise PatchFormatError from None
    result: Any = copy.deepcopy(dict(document))
    try:
        for one in parsed:
            result = jsonpatch.JsonPatch([_in_first(one)]).apply(result, in_place=True)
            # Copying into itself doubles a document with every operation.
            if one.op == "copy" and len(json.dumps(result)) > LARGEST_CHARS:
                raise BadInputError("patch", _paths(parsed), f"a result of at most {LARGEST_CHARS} characters")
    except jsonpatch.JsonPatchTestFailed:
        raise BadInputError("patch", "test", "a test that holds for the stored document") from None
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, IndexError) as error:
        raise BadInputError("patch", _paths(parsed), f"paths that exist in the stored document ({error})") from None
    if not isinstance(result, dict):
        raise BadInputError("patch", _paths(parsed), "operations that leave an object")
    return None if json.dumps(result) == json.dumps(document) else result


def _in_first(operation: _WithValue | _WithSource | _Remove) -> dict[str, Any]:
    path = vocabulary.pointer_in_first(operation.path)
    match operation:
        case _WithValue(op=op, value=value):
            return {"op": op, "path": path, "value": vocabulary.value_in_first(path, value)}
        case _WithSource(op=op, source=source):
            return {"op": op, "path": path, "from": vocabulary.pointer_in_first(source)}
        case _Remove():
            return {"op": "remove", "path": path}


def _paths(operations: list[Operation]) -> str:
    return ", ".join(f"{one.op} {one.path}" for one in operations)
