"""What is remembered of a conversation besides its events: transcript, waterfalls, seconds, tokens. Owner of all."""

import time
from collections.abc import Mapping
from typing import Any

_ROLES = {"user": "user", "replica": "assistant"}

Json = dict[str, Any]


class Record:
    """Listens to one conversation."""

    def __init__(self, prompt: str) -> None:
        self.seq = 0
        """Of the newest event."""
        self.turn_idx = 0
        self.transcript: list[Json] = []
        """As in `application.transcription_ready`: the prompt first, then what was said, in order."""
        self.perception_analysis = ""
        """As in `application.perception_analysis`; empty when nothing was seen."""
        self.waterfalls: list[Json] = []
        """The properties of every `conversation.latency`, with `turn_idx` and `timestamp`."""
        self.tokens = dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens", "dropped_tokens"), 0)
        """Of the language model, in all; the dropped ones are those of replies that nobody heard."""
        self._prompt = prompt
        self._began: float | None = None
        self._connected_since: float | None = None
        self._connected_s = 0.0
        self._speaking_since: dict[str, float] = {}
        self._spoke_s: dict[str, float] = {}

    @property
    def connected_s(self) -> float:
        """Seconds that somebody was in the call."""
        running = time.time() - self._connected_since if self._connected_since is not None else 0.0
        return self._connected_s + max(0.0, running)

    def hear(self, event: Mapping[str, Any]) -> tuple[Json | None, Json | None]:
        """Take an event; returns the entry of the transcript and the waterfall that it completes, if any."""
        self.seq = max(self.seq, event.get("seq", 0))
        self.turn_idx = event.get("turn_idx", self.turn_idx)
        at: float = event["timestamp"]
        properties = event.get("properties", {})
        match event["event_type"]:
            case "conversation.joined":
                self._connected_since = at
                if self._began is None:
                    self._began = at
                    self.transcript.append(self._entry("system", self._prompt, at, 0.0))
                    return self.transcript[-1], None
            case "conversation.left":
                self.call_over(at)
            case "conversation.started_speaking":
                self._speaking_since[properties["role"]] = at
                self._spoke_s.pop(properties["role"], None)
            case "conversation.stopped_speaking":
                self._spoke_s[properties["role"]] = properties.get("duration") or 0.0
            case "conversation.perception_analysis":
                self.perception_analysis = properties["analysis"]
            case "conversation.utterance":
                return self._utter(event, properties), None
            case "conversation.usage":
                self._spend(properties)
            case "conversation.latency":
                waterfall = {"turn_idx": self.turn_idx, "timestamp": at, **properties}
                self.waterfalls.append(waterfall)
                return None, waterfall
        return None, None

    def call_over(self, at: float | None = None) -> None:
        """Nobody is in the call any more."""
        if self._connected_since is not None:
            self._connected_s += max(0.0, (time.time() if at is None else at) - self._connected_since)
            self._connected_since = None

    def _spend(self, usage: Mapping[str, Any]) -> None:
        for name in ("input_tokens", "cached_input_tokens", "output_tokens"):
            self.tokens[name] += usage[name]
        if usage["dropped"]:
            self.tokens["dropped_tokens"] += usage["input_tokens"] + usage["output_tokens"]

    def _utter(self, event: Mapping[str, Any], properties: Mapping[str, Any]) -> Json:
        role = properties["role"]
        # What was typed was never spoken: it began and ended when it arrived.
        began = self._speaking_since.pop(role, event["timestamp"])
        entry = self._entry(_ROLES.get(role, role), properties["speech"], began, self._spoke_s.pop(role, 0.0))
        if role != "user" and "inference_id" in event:
            entry["inference_id"] = event["inference_id"]
        if properties.get("interrupted"):
            entry["interrupted"] = True
        self.transcript.append(entry)
        return entry

    def _entry(self, role: str, content: str, at: float, duration_s: float) -> Json:
        return {
            "role": role,
            "content": content,
            "timestamp": at,
            "seconds_from_start": round(max(0.0, at - (self._began or at)), 3),
            "duration": round(duration_s, 3),
        }
