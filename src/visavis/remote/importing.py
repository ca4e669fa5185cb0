"""Copies personas, what is known of replicas, and the records of ended conversations from a hosted API into a store.

Ids stay, so that programs that know them go on working. Faces themselves cannot be downloaded from there, nor secrets.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from visavis.api import vocabulary
from visavis.api.persona_document import PersonaBody, with_defaults
from visavis.api.system import MODEL_NAME, STOCK_REPLICA_ID
from visavis.conversation.persona import Persona
from visavis.errors import BadInputError
from visavis.hosting.plan import Plan
from visavis.remote.client import Remote, RemoteError
from visavis.remote.persona_files import own_fields
from visavis.store import Store
from visavis.store.errors import NotFoundError
from visavis.store.secrets import MASK

Kind = Literal["personas", "replicas", "conversations"]
Outcome = Literal["taken", "replaced", "kept", "not taken"]
Progress = Callable[[Kind, int, int], None]
"""Told how many of how many things of a kind are done."""

KINDS: tuple[Kind, ...] = ("replicas", "personas", "conversations")
_MINE: dict[Kind, dict[str, str]] = {
    "replicas": {"replica_type": "user", "verbose": "true"},
    "personas": {"persona_type": "user"},
    "conversations": {},
}
_ID: dict[Kind, str] = {"personas": "persona_id", "replicas": "replica_id", "conversations": "conversation_id"}
_LONGEST_ID = 100


class _NotTaken(Exception):  # noqa: N818 - an outcome, not a failure of ours
    """Why one thing was left where it is."""


@dataclass
class Report:
    """What became of everything."""

    counts: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    """What could not be taken, or not completely, one line each."""


class Importer:
    """Takes everything from one server. Owner of the report."""

    def __init__(
        self, remote: Remote, store: Store, *, force: bool = False, replica_id: str = STOCK_REPLICA_ID
    ) -> None:
        """With `force` what is there already is replaced; `replica_id` is the face that personas get here."""
        self._remote = remote
        self._store = store
        self._force = force
        self._replica_id = replica_id
        self.report = Report()

    async def run(self, progress: Progress = lambda kind, done, total: None) -> Report:
        """Take all. Raises `RemoteError` when the server cannot be asked at all."""
        for kind in KINDS:
            for done, (found, total) in enumerate(self._remote.pages(kind, **_MINE[kind]), 1):
                await self._one(kind, vocabulary.in_first(found))
                progress(kind, done, max(total, done))
        return self.report

    async def _one(self, kind: Kind, found: dict[str, Any]) -> None:
        has, take = {
            "replicas": (self._has_replica, self._take_replica),
            "personas": (self._has_persona, self._take_persona),
            "conversations": (self._has_conversation, self._take_conversation),
        }[kind]
        thing_id = found.get(_ID[kind])
        if not isinstance(thing_id, str) or not thing_id.isalnum() or len(thing_id) > _LONGEST_ID:
            self._count(kind, "not taken", f"{kind}: one has no usable id")
            return
        try:
            there = await has(thing_id)
            if there and not self._force:
                self._count(kind, "kept")
                return
            await take(thing_id, found)
        except (_NotTaken, RemoteError, BadInputError) as error:
            self._count(kind, "not taken", f"{thing_id}: {error}")
        else:
            self._count(kind, "replaced" if there else "taken")

    def _count(self, kind: Kind, outcome: Outcome, remark: str | None = None) -> None:
        self.report.counts[kind, outcome] += 1
        if remark:
            self.report.remarks.append(remark)

    async def _has_persona(self, persona_id: str) -> bool:
        return await _exists(self._store.personas.get(persona_id))

    async def _take_persona(self, persona_id: str, found: dict[str, Any]) -> None:
        own = own_fields(found)
        own.pop("persona_id", None)
        lost: list[str] = []
        own = _without_masks(own, "", lost)
        wanted = own.pop("default_replica_id", None)
        body = PersonaBody.checked(own).given() | {"default_replica_id": self._replica_id}
        if wanted:
            body["imported_default_replica_id"] = wanted
        if body.get("pipeline_mode") not in ("echo", "speech-to-speech") and not body.get("system_prompt"):
            raise _NotTaken("it has no system_prompt")
        await self._store.personas.put(persona_id, with_defaults(body), kind="user")
        self.report.remarks += [
            f"{persona_id}: {name} is a secret, which is not given out; set it again" for name in lost
        ]

    async def _has_replica(self, replica_id: str) -> bool:
        return await _exists(self._store.replicas.get(replica_id))

    async def _take_replica(self, replica_id: str, found: dict[str, Any]) -> None:
        why = "imported without its face, which cannot be downloaded; upload a .replica file instead"
        await self._store.replicas.put(
            replica_id=replica_id,
            name=str(found.get("replica_name") or replica_id)[:200],
            model_name=str(found.get("model_name") or MODEL_NAME)[:200],
            kind="user",
            status="error",
            document={"imported": found},
        )
        await self._store.replicas.update(replica_id, status="error", error_message=why)
        self.report.remarks.append(f"{replica_id}: {why}")

    async def _has_conversation(self, conversation_id: str) -> bool:
        return await _exists(self._store.conversations.get(conversation_id))

    async def _take_conversation(self, conversation_id: str, found: dict[str, Any]) -> None:
        if found.get("status") != "ended":
            raise _NotTaken(f"its status is {found.get('status')!r}; only ended conversations are taken")
        whole = vocabulary.in_first(self._remote.get(f"conversations/{conversation_id}", verbose="true"))
        data = whole.get("data")
        whole = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else whole
        events = [one for one in whole.get("events") or [] if isinstance(one, dict)]
        replica_id = str(found.get("replica_id") or STOCK_REPLICA_ID)
        persona = Persona(persona_name="Replica", system_prompt="Imported from another server.")
        if await self._has_conversation(conversation_id):
            await self._store.conversations.delete(conversation_id, hard=True)
        await self._store.conversations.create(
            conversation_id=conversation_id,
            snapshot=Plan(persona=persona, replica_id=replica_id).as_json(),
            persona_id=_text(found.get("persona_id")),
            replica_id=replica_id,
            name=str(found.get("conversation_name") or "")[:200],
            status="ended",
            shutdown_reason=_text(whole.get("shutdown_reason")) or "imported",
            metadata={"imported_from": self._remote.host, "created_at": found.get("created_at")},
        )
        numbered = [_event(conversation_id, one, number) for number, one in enumerate(events, 1)]
        await self._store.conversations.add_events(conversation_id, numbered)
        await self._store.conversations.add_utterances(conversation_id, _transcript(events))


async def _exists(looking_up: Any) -> bool:
    try:
        await looking_up
    except NotFoundError:
        return False
    return True


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _without_masks(value: Any, at: str, lost: list[str]) -> Any:
    """`value` without the masks of secrets, whose names are added to `lost`."""
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        here = f"{at}.{name}".lstrip(".")
        if inner == MASK:
            lost.append(here)
        else:
            found[name] = _without_masks(inner, here, lost)
    return found


def _event(conversation_id: str, event: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A webhook's body as the event that it was made of."""
    return {
        "message_type": event.get("message_type") or str(event.get("event_type", "")).partition(".")[0],
        "event_type": str(event.get("event_type", "")),
        "conversation_id": conversation_id,
        "timestamp": _unix(event.get("timestamp")),
        "seq": number,
        "turn_idx": 0,
        "properties": event.get("properties") or {},
    }


def _transcript(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for event in events:
        if event.get("event_type") == "application.transcription_ready":
            said = (event.get("properties") or {}).get("transcript") or []
            return [_utterance(one) for one in said if isinstance(one, dict)]
    return []


def _utterance(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "role": str(said.get("role") or "user"),
        "content": str(said.get("content") or ""),
        "timestamp": _unix(said.get("timestamp")),
        "seconds_from_start": _number(said.get("seconds_from_start")),
        "duration": _number(said.get("duration")),
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and value >= 0 else 0.0


def _unix(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
