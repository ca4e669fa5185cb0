"""A request for every answer of every operation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.compat.shapes import BOTH
from visavis.replica.stock import bundle_path

UNKNOWN = "0123456789ab"
_PERSONA = {
    "persona_name": "Ines",
    "system_prompt": "You are Ines, a guide at the Harbour Museum.",
    "pipeline_mode": "full",
    "default_replica_id": "rmira",
    "document_ids": ["d0123456789ab"],
    "document_tags": ["boats"],
    "tool_ids": ["end_call"],
    "layers": {
        "perception": {"perception_model": "raven-1", "visual_awareness_queries": ["Is there a map in the picture?"]},
        "stt": {"stt_engine": "tavus-auto", "hotwords": "Porto Alto"},
        "conversational_flow": {
            "turn_detection_model": "sparrow-1",
            "turn_taking_patience": "high",
            "replica_interruptibility": "low",
            "voice_isolation": "near",
            "idle_engagement": "patient",
        },
        "llm": {
            "model": "any",
            "base_url": "https://llm.example.com/v1",
            "api_key": "sk-secret",
            "speculative_inference": True,
            "tools": [{"type": "function", "function": {"name": "opening_hours", "parameters": {"type": "object"}}}],
            "headers": {"x-team": "museum"},
            "extra_body": {"temperature": 0.2},
        },
        "tts": {
            "tts_engine": "cartesia",
            "api_key": "tts-secret",
            "external_voice_id": "v1",
            "voice_settings": {"speed": "normal"},
            "tts_emotion_control": True,
            "tts_model_name": "sonic-3",
        },
    },
}
_DICTIONARY = {
    "name": "Boats",
    "rules": [
        {"text": "boatswain", "pronunciation": "bosun", "type": "alias", "case_sensitive": False},
        {"text": "quay", "pronunciation": "kiː", "type": "ipa", "word_boundaries": True},
    ],
}
_RENAME = [{"op": "replace", "path": "/name", "value": "Ships"}]
_CONVERSATION = {
    "replica_id": "rmira",
    "persona_id": "pguide",
    "conversation_name": "Tour",
    "callback_url": "https://example.com/hook",
    "conversational_context": "The visitor is a child.",
    "custom_greeting": "Welcome back.",
    "audio_only": False,
    "document_retrieval_strategy": "balanced",
    "require_auth": True,
    "max_participants": 2,
    "properties": {
        "max_call_duration": 600,
        "participant_left_timeout": 0,
        "participant_absent_timeout": 300,
        "enable_closed_captions": False,
        "apply_greenscreen": True,
        "language": "english",
    },
}


@dataclass(frozen=True)
class Ask:
    """What a request holds besides its method and path; `ids` are what `{…_id}` in the path stands for."""

    json: Any = None
    query: Mapping[str, Any] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    upload: bool = False
    """A .replica file as a form."""


_NO_PERSONA = Ask(ids={"persona_id": UNKNOWN})
_NO_REPLICA = Ask(ids={"replica_id": UNKNOWN})
_NO_CONVERSATION = Ask(ids={"conversation_id": UNKNOWN})
_NO_VIDEO = Ask(ids={"video_id": UNKNOWN})
_NO_DICTIONARY = Ask(ids={"dictionary_id": UNKNOWN})
_NO_TOOL = Ask(ids={"tool_id": UNKNOWN})
_NO_PAGE = Ask(query={"limit": 0})
_TOOL = {
    "name": "opening_hours",
    "description": "When the museum is open.",
    "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
    "delivery": {"app_message": True},
    "tags": ["museum"],
}
_CHANGE = [{"op": "replace", "path": "/persona_name", "value": "Ana"}]

ASKS: Mapping[str, Mapping[int, Ask]] = {
    "POST /v2/personas": {200: Ask(_PERSONA), 400: Ask(_PERSONA | {"default_replica_id": UNKNOWN})},
    "GET /v2/personas": {200: Ask(query={"limit": 3, "page": 1, "persona_type": "user"}), 400: _NO_PAGE},
    "GET /v2/personas/{persona_id}": {200: Ask(), 400: _NO_PERSONA},
    "PATCH /v2/personas/{persona_id}": {
        200: Ask(_CHANGE),
        304: Ask([{"op": "replace", "path": "/persona_name", "value": _PERSONA["persona_name"]}]),
        400: Ask(_CHANGE, ids={"persona_id": UNKNOWN}),
        403: Ask(_CHANGE, ids={"persona_id": "pguide"}),
        422: Ask({"persona_name": "Ana"}),
    },
    "DELETE /v2/personas/{persona_id}": {204: Ask(), 400: _NO_PERSONA, 403: Ask(ids={"persona_id": "pguide"})},
    "POST /v2/personas/{persona_id}/tools": {
        200: Ask({"tool_ids": ["current_time"]}),
        404: Ask({"tool_ids": [UNKNOWN]}),
    },
    "GET /v2/personas/{persona_id}/tools": {200: Ask(), 400: _NO_PERSONA},
    "DELETE /v2/personas/{persona_id}/tools/{tool_id}": {204: Ask(ids={"tool_id": "end_call"}), 404: _NO_TOOL},
    "POST /v2/tools": {200: Ask(_TOOL), 400: Ask(_TOOL | {"delivery": {}})},
    "GET /v2/tools": {200: Ask(query={"limit": 3, "page": 1, "type": "all"}), 400: _NO_PAGE},
    "GET /v2/tools/{tool_id}": {200: Ask(), 404: _NO_TOOL},
    "PATCH /v2/tools/{tool_id}": {
        200: Ask({"description": "When one can visit."}),
        400: Ask({"delivery": {}}),
        404: Ask({"description": "When one can visit."}, ids=_NO_TOOL.ids),
    },
    "DELETE /v2/tools/{tool_id}": {204: Ask(), 404: _NO_TOOL},
    "POST /v2/pronunciation-dictionaries": {201: Ask(_DICTIONARY), 400: Ask({"rules": []})},
    "GET /v2/pronunciation-dictionaries": {200: Ask(query={"limit": 3, "page": 0, "sort": "desc"}), 400: _NO_PAGE},
    "GET /v2/pronunciation-dictionaries/{dictionary_id}": {200: Ask(), 404: _NO_DICTIONARY},
    "PATCH /v2/pronunciation-dictionaries/{dictionary_id}": {
        200: Ask(_RENAME),
        304: Ask([{"op": "replace", "path": "/name", "value": _DICTIONARY["name"]}]),
        400: Ask([{"op": "copy", "from": "/rules/0", "path": "/rules/1"}]),
        404: Ask(_RENAME, ids=_NO_DICTIONARY.ids),
        422: Ask([{"op": "rename"}]),
    },
    "DELETE /v2/pronunciation-dictionaries/{dictionary_id}": {204: Ask(), 404: _NO_DICTIONARY},
    "POST /v2/replicas": {200: Ask(upload=True), 400: Ask({"replica_name": "Ana"})},
    "GET /v2/replicas": {200: Ask(query={"limit": 3, "page": 1, "verbose": True}), 400: _NO_PAGE},
    "GET /v2/replicas/{replica_id}": {200: Ask(query={"verbose": True}), 400: _NO_REPLICA},
    "DELETE /v2/replicas/{replica_id}": {
        200: Ask(query={"hard": True}),
        400: _NO_REPLICA,
        403: Ask(ids={"replica_id": "rmira"}),
    },
    "PATCH /v2/replicas/{replica_id}/name": {
        200: Ask({"replica_name": "Ana"}),
        400: Ask({"replica_name": "Ana"}, ids={"replica_id": UNKNOWN}),
        403: Ask({"replica_name": "Ana"}, ids={"replica_id": "rmira"}),
    },
    "GET /v2/voices": {200: Ask(query={"limit": 5, "page": 1, "sort": "asc", "search": "heart"}), 400: _NO_PAGE},
    "POST /v2/conversations": {200: Ask(_CONVERSATION), 400: Ask(_CONVERSATION | {"max_participants": 1})},
    "GET /v2/conversations": {200: Ask(query={"limit": 3, "page": 1, "status": "active"}), 400: _NO_PAGE},
    "GET /v2/conversations/{conversation_id}": {200: Ask(query={"verbose": True}), 400: _NO_CONVERSATION},
    "DELETE /v2/conversations/{conversation_id}": {204: Ask(query={"hard": True}), 400: _NO_CONVERSATION},
    "POST /v2/conversations/{conversation_id}/end": {200: Ask(), 400: _NO_CONVERSATION},
    "POST /v2/videos": {
        200: Ask({"replica_id": "rmira", "script": "Hello, I am Mira.", "video_name": "Hello", "fast": True}),
        400: Ask({"replica_id": UNKNOWN, "script": "Hello, I am Mira."}),
    },
    "GET /v2/videos": {200: Ask(query={"limit": 3, "page": 0}), 400: _NO_PAGE},
    "GET /v2/videos/{video_id}": {200: Ask(query={"verbose": True}), 400: _NO_VIDEO},
    "DELETE /v2/videos/{video_id}": {200: Ask(query={"hard": True}), 400: _NO_VIDEO},
    "PATCH /v2/videos/{video_id}/name": {
        200: Ask({"video_name": "Welcome"}),
        400: Ask({"video_name": "Welcome"}, ids={"video_id": UNKNOWN}),
    },
    "POST /v2/speech": {
        200: Ask({"replica_id": "rmira", "script": "Hello, I am Mira.", "speech_name": "Hello"}),
        400: Ask({"replica_id": UNKNOWN, "script": "Hello, I am Mira."}),
    },
}

_CALLED = {"dictionary_id": "pronunciation_dictionary_id"}
"""What answers call an id that a path calls otherwise."""

_MADE_BY = {
    "persona_id": "POST /v2/personas",
    "replica_id": "POST /v2/replicas",
    "conversation_id": "POST /v2/conversations",
    "video_id": "POST /v2/videos",
    "tool_id": "POST /v2/tools",
    "dictionary_id": "POST /v2/pronunciation-dictionaries",
}


def send(client: httpx.Client, operation: str, ask: Ask, second: bool = False) -> httpx.Response:
    """Send `ask`; things that its path names and that it has no id for are made first.

    With `second`, it speaks the vocabulary of pals and faces.
    """
    method, path = operation.split(" ")
    for name, made_by in _MADE_BY.items():
        if f"{{{name}}}" in path:
            found = ask.ids.get(name) or _made(client, made_by, name)
            path = path.replace(f"{{{name}}}", found)
    body, query = ask.json, dict(ask.query)
    if second:
        path = path.replace("/v2/personas", "/v2/pals").replace("/v2/replicas", "/v2/faces")
        body, query = _second(body), _second(query)
    if ask.upload:
        with bundle_path("mira").open("rb") as file:
            return client.request(method, path, files={"bundle": ("ana.replica", file)}, data={"replica_name": "Ana"})
    return client.request(method, path, json=body, params=query)


def _made(client: httpx.Client, made_by: str, name: str) -> str:
    wanted = ASKS[made_by]
    made = send(client, made_by, wanted.get(200) or wanted[201]).json()
    return str(made[_CALLED.get(name, name)])


def _second(body: Any) -> Any:
    if isinstance(body, dict):
        return {BOTH.get(name, name): _second(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_second(one) for one in body]
    return _POINTERS.get(body, body) if isinstance(body, str) else body


_POINTERS = {f"/{first}": f"/{second}" for first, second in BOTH.items()}
"""Of JSON patches."""
