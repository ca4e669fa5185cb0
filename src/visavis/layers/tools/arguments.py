"""What a language model gives a tool, checked against the tool's JSON Schema."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.exceptions import best_match
from referencing import Registry

from visavis.layers.tools import ToolError

_NOWHERE: Registry[Any] = Registry()
"""References into other documents are not followed."""


def check_schema(parameters: Mapping[str, Any]) -> None:
    """Raise `ValueError` unless `parameters` is a JSON Schema of an object."""
    if parameters.get("type", "object") != "object":
        raise ValueError('a JSON Schema whose type is "object"')
    try:
        Draft202012Validator.check_schema(dict(parameters))
    except SchemaError as error:
        raise ValueError(f"a valid JSON Schema ({error.message[:200]})") from None


def read_arguments(text: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in the JSON `text`; numbers and truth values that were written as text are read as what they are.

    Raises `ToolError`, which says what is wrong.
    """
    try:
        found = json.loads(text or "{}")
    except ValueError:
        raise ToolError(f"the arguments are no JSON: {text[:200]!r}") from None
    if not isinstance(found, dict):
        raise ToolError(f"the arguments are no JSON object: {text[:200]!r}")
    properties = parameters.get("properties") or {}
    required = parameters.get("required") or ()
    arguments = {
        name: _as_meant(value, properties.get(name))
        for name, value in found.items()
        if value is not None or name in required
    }
    validator = Draft202012Validator(dict(parameters), registry=_NOWHERE)
    try:
        problem = best_match(validator.iter_errors(arguments))
    except Exception as error:  # a reference that leads nowhere, for example
        raise ToolError(f"the tool's parameters cannot be checked: {error}") from None
    if problem is not None:
        where = ".".join(str(part) for part in problem.absolute_path)
        raise ToolError(f"argument {where}: {problem.message[:200]}" if where else problem.message[:200])
    return arguments


def _as_meant(value: Any, schema: Any) -> Any:
    if not isinstance(value, str) or not isinstance(schema, Mapping):
        return value
    match schema.get("type"):
        case "integer" | "number" | "boolean":
            try:
                return json.loads(value.strip().lower())
            except ValueError:
                return value
        case "string" if schema.get("enum") and value not in schema["enum"]:
            return next((one for one in schema["enum"] if str(one).lower() == value.strip().lower()), value)
        case _:
            return value
