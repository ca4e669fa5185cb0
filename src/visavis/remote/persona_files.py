"""Personas as YAML files: what `visavis persona pull` writes and `push` reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from visavis.api import vocabulary
from visavis.errors import BadInputError

_OF_THE_SERVER = ("persona_type", "created_at", "updated_at", "data", "warnings", "is_template")
_FIRST = ("persona_id", "persona_name", "description", "system_prompt", "context", "greeting", "default_replica_id")


class _Dumper(yaml.SafeDumper):
    """Long texts as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.rstrip() else ">" if len(text) > 90 else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def own_fields(persona: Mapping[str, Any]) -> dict[str, Any]:
    """What of an answer of the API is the user's: one vocabulary, nothing that the server sets but `persona_id`."""
    found = vocabulary.in_first(persona)
    return {name: value for name, value in found.items() if name not in _OF_THE_SERVER}


def to_yaml(persona: Mapping[str, Any]) -> str:
    """A persona as YAML, fields that say nothing left out."""
    own = own_fields(persona)
    ordered = {name: own[name] for name in _FIRST if name in own} | own
    return yaml.dump(_pruned(ordered), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read(path: Path) -> dict[str, Any]:
    """A persona from a YAML file, in the first vocabulary. Raises `BadInputError`."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError("persona file", path, f"a readable YAML file ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInputError("persona file", path, f"valid YAML ({error})") from error
    if not isinstance(found, dict):
        raise BadInputError("persona file", path, "fields such as persona_name and system_prompt")
    return own_fields(found)


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        inner = {name: _pruned(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one not in (None, "", [], {})}
    return value


def filled_up(wanted: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`wanted` with the fields that `to_yaml` would have left out of `stored`, so that a difference is a real one."""
    found = dict(wanted)
    for name, value in stored.items():
        if name not in found and _pruned(value) in (None, "", [], {}):
            found[name] = value
        elif isinstance(value, dict) and isinstance(found.get(name), dict):
            found[name] = filled_up(found[name], value)
    return found
