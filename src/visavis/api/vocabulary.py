"""Two vocabularies for the same things: persona and replica, or pal and face.

Stored documents and everything inside visavis use the first; requests may use either, answers give both.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from visavis.errors import BadInputError

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "pal_id": "persona_id",
        "pal_name": "persona_name",
        "pal_type": "persona_type",
        "face_id": "replica_id",
        "face_ids": "replica_ids",
        "face_name": "replica_name",
        "face_type": "replica_type",
        "default_face_id": "default_replica_id",
        "face_interruptibility": "replica_interruptibility",
    }
)
"""The second vocabulary's fields, by what they are called in the first."""

COLLECTIONS: Mapping[str, str] = MappingProxyType({"pals": "personas", "faces": "replicas"})
"""The same for the collections under `/v2`."""

_Change = Callable[[dict[str, Any]], dict[str, Any]]

_SECOND: Mapping[str, str] = MappingProxyType({first: second for second, first in FIELDS.items()})

# Renamed are the fields of the API itself. Further down live other people's names: a tool's parameters, a vendor's
# settings, a caller's metadata.
_INSIDE: tuple[tuple[str, ...], ...] = (
    (),
    ("layers", "conversational_flow"),
    ("overrides",),
    ("overrides", "layers", "conversational_flow"),
)


def in_first(document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` with its fields named as in the first vocabulary.

    Raises `BadInputError` when it uses both names of one field for different values.
    """
    changed = dict(document)
    for place in _INSIDE:
        changed = _at(changed, place, _first)
    return changed


def in_both(document: Mapping[str, Any]) -> dict[str, Any]:
    """`document` with every field that has two names under both of them."""
    changed = dict(document)
    for place in _INSIDE:
        changed = _at(changed, place, _both)
    return changed


def pointer_in_first(pointer: str) -> str:
    """A JSON pointer (RFC 6901) into a document, as it is for the document in the first vocabulary."""
    parts = pointer.split("/")
    if tuple(parts[1:-1]) in _INSIDE:
        parts[-1] = FIELDS.get(parts[-1], parts[-1])
    return "/".join(parts)


def value_in_first(pointer: str, value: Any) -> Any:
    """What is put at `pointer` (in the first vocabulary), in the first vocabulary too."""
    at = tuple(pointer.split("/")[1:])
    for place in _INSIDE:
        if place[: len(at)] == at and isinstance(value, Mapping):
            value = _at(dict(value), place[len(at) :], _first)
    return value


def path_in_first(path: str) -> str:
    """A request's path in the first vocabulary and without a slash at the end: `/v2/pals/` is `/v2/personas`."""
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != "v2":
        return path
    parts[2] = COLLECTIONS.get(parts[2], parts[2])
    return "/".join(parts).rstrip("/")


def query_in_first(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A query's names in the first vocabulary."""
    return [(FIELDS.get(name, name), value) for name, value in pairs]


def _at(document: dict[str, Any], place: tuple[str, ...], change: _Change) -> dict[str, Any]:
    if not place:
        return change(document)
    inner = document.get(place[0])
    if not isinstance(inner, Mapping):
        return document
    return document | {place[0]: _at(dict(inner), place[1:], change)}


def _first(document: dict[str, Any]) -> dict[str, Any]:
    renamed = {name: value for name, value in document.items() if name not in FIELDS}
    for second, first in FIELDS.items():
        if second not in document:
            continue
        value = document[second]
        if renamed.get(first) is None:
            renamed[first] = value
        elif value is not None and value != renamed[first]:
            raise BadInputError(second, value, f"{renamed[first]!r}, as {first} says, or only one of the two")
    return renamed


def _both(document: dict[str, Any]) -> dict[str, Any]:
    return document | {_SECOND[name]: value for name, value in document.items() if name in _SECOND}
