"""A transcript for people: as plain text and as WebVTT captions (W3C WebVTT)."""

import re
from collections.abc import Sequence
from typing import Any

_SHORTEST_S = 1.0
"""What was typed took no time to say, but somebody has to read it."""


def as_text(transcript: Sequence[dict[str, Any]], replica_name: str) -> str:
    """One line for each utterance: `[00:00:02] Person: Hello.`"""
    return "".join(
        f"[{_clock(said['seconds_from_start'])[:8]}] {_who(said, replica_name)}: {_one_line(said['content'])}\n"
        for said in _spoken(transcript)
    )


def as_webvtt(transcript: Sequence[dict[str, Any]], replica_name: str) -> str:
    """One cue for each utterance, with its speaker as a voice."""
    cues = []
    for said in _spoken(transcript):
        start = said["seconds_from_start"]
        end = start + max(said.get("duration") or 0.0, _SHORTEST_S)
        voice = _escaped(_who(said, replica_name))
        cues.append(f"{_clock(start)} --> {_clock(end)}\n<v {voice}>{_escaped(_one_line(said['content']))}\n")
    return "\n".join(["WEBVTT\n", *cues])


def _spoken(transcript: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [said for said in transcript if said["role"] in ("user", "assistant") and said["content"]]


def _who(said: dict[str, Any], replica_name: str) -> str:
    return "Person" if said["role"] == "user" else _one_line(replica_name)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
