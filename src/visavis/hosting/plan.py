"""All that a call needs to know of its conversation, as its stored row says it; it can be sent to another process."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from visavis.conversation.persona import Persona


class Limits(BaseModel):
    """Time limits of one conversation, seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    max_call_duration: float = Field(3600, gt=0)
    """From when the person joined for the first time."""
    participant_left_timeout: float = Field(0, ge=0)
    participant_absent_timeout: float = Field(300, gt=0)
    """From the conversation's creation until somebody has joined."""


class Plan(BaseModel):
    """What runs. The `snapshot` that a conversation is stored with is `Plan(...).as_json()`, or the same as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conversation_id: str = ""
    persona: Persona
    replica_id: str
    bundle: Path | None = None
    """The replica's file on this machine; found when the conversation begins."""
    limits: Limits = Limits()
    language: str = "english"
    """Full English name, as in `properties.language`."""
    require_auth: bool = False
    """Who joins must show the conversation's meeting token."""
    test_mode: bool = False
    """Nobody can join."""
    audio_only: bool = False
    green_screen: bool = False
    people: int = Field(1, ge=1)
    """How many may be in the call at once, besides the replica."""
    chat: bool = False
    """Text only: it also runs without anybody connected, over REST, server-sent events and WebSocket."""

    @property
    def prompt(self) -> str:
        """What the language model is told, as transcripts show it."""
        return f"{self.persona.system_prompt}\n\n{self.persona.context}".strip()

    @property
    def pictures(self) -> bool:
        """Whether the replica is shown."""
        return not (self.audio_only or self.chat)

    def as_json(self) -> dict[str, Any]:
        """For another process of this server: secrets are readable in it."""
        shown: dict[str, Any] = revealed(self.model_dump())
        return shown


def revealed(value: Any) -> Any:
    """`value`, a model's dump, as JSON in which secrets are readable: only for another process of this server."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case dict():
            return {name: revealed(part) for name, part in value.items()}
        case list() | tuple():
            return [revealed(part) for part in value]
        case _:
            return value
