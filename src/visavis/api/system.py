"""What every server has without a row in its database: template personas and the stock replica."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml

from visavis.api.errors import ForbiddenError
from visavis.api.persona_document import PersonaBody, with_defaults
from visavis.conversation.persona import Persona
from visavis.hosting.plan import Plan
from visavis.replica import stock
from visavis.replica.bundle import PREVIEW, open_bundle
from visavis.videos.links import Links

DEMO_PERSONA_ID = "pdemo"
STOCK_REPLICA_ID = "rmira"
MODEL_NAME = "visavis-keyframes-1"
"""What renders today's replicas."""

_SINCE = "2026-11-01T00:00:00Z"

_STAND_INS: Mapping[str, str] = MappingProxyType(
    {
        "pipecat0": "pparrot",  # Pipecat's transport
        "pb87e71797da": "pparrot",  # LiveKit's plugin
        "r4067604db72": STOCK_REPLICA_ID,
    }
)
"""What clients of the hosted service name when their users name nothing, and who is here in their place."""


@cache
def templates() -> Mapping[str, dict[str, Any]]:
    """The personas that come with visavis, complete, by their ids."""
    found = {}
    folder = resources.files("visavis.api") / "templates"
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".yaml"):
            continue
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
        persona_id = written.pop("persona_id")
        texts = {name: value.strip() if isinstance(value, str) else value for name, value in written.items()}
        found[persona_id] = _complete(persona_id, texts | {"is_template": True})
    return MappingProxyType(found)


def stand_in(wanted: str) -> str:
    """The id that a persona or replica has here; for nearly all, their own."""
    return _STAND_INS.get(wanted, wanted)


class SystemPersonas:
    """The templates, and the persona of this server's standing link."""

    def __init__(self, demo: Persona) -> None:
        written: dict[str, Any] = Plan(conversation_id="", persona=demo, replica_id="").as_json()["persona"]
        self._all = {DEMO_PERSONA_ID: _complete(DEMO_PERSONA_ID, written), **templates()}

    def __len__(self) -> int:
        return len(self._all)

    def get(self, persona_id: str) -> dict[str, Any] | None:
        """The document, secrets included, or None."""
        return self._all.get(stand_in(persona_id))

    def list(self) -> list[dict[str, Any]]:
        """All, the standing link's first."""
        return list(self._all.values())

    def refuse_change(self, persona_id: str) -> None:
        """Raise `ForbiddenError` for a persona of the system."""
        if persona_id in self._all:
            raise ForbiddenError(
                f"{persona_id!r} is a persona of the system, which cannot be changed or deleted; "
                "create one of your own with its text (GET it, change what you like, POST it)."
            )


@cache
def stock_preview() -> bytes | None:
    """The film of the replica that comes with visavis, if it has one."""
    with open_bundle(stock.bundle_path(STOCK_REPLICA_ID.removeprefix("r"))) as bundle:
        return bundle.part(PREVIEW) if PREVIEW in bundle else None


def stock_replica(links: Links) -> dict[str, Any]:
    """The replica that comes with visavis, as the API describes one."""
    return {
        "replica_id": STOCK_REPLICA_ID,
        "replica_name": stock.stock().name,
        "replica_type": "system",
        "status": "completed",
        "training_progress": "100/100",
        "thumbnail_video_url": links.preview(STOCK_REPLICA_ID) if stock_preview() else None,
        "model_name": MODEL_NAME,
        "error_type": None,
        "error_message": None,
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }


def refuse_change_of_replica(replica_id: str) -> None:
    """Raise `ForbiddenError` for a replica of the system."""
    if replica_id == STOCK_REPLICA_ID:
        raise ForbiddenError(f"{replica_id!r} is a replica of the system, which cannot be renamed or deleted.")


def _complete(persona_id: str, written: dict[str, Any]) -> dict[str, Any]:
    layers = {name: layer for name, layer in (written.get("layers") or {}).items() if layer}
    body = PersonaBody.checked({"default_replica_id": STOCK_REPLICA_ID} | written | {"layers": layers})
    return {
        "persona_id": persona_id,
        **with_defaults(body.given()),
        "persona_type": "system",
        "created_at": _SINCE,
        "updated_at": _SINCE,
    }
