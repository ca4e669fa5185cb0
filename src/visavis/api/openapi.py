"""The OpenAPI document: what every operation can answer, which the framework does not know by itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_ABOUT = """\
Live video conversations with a talking replica, on your own machine.

Persona and pal, replica and face are two names for the same things: requests may use either vocabulary
(`/v2/pals` is `/v2/personas`, `face_id` is `replica_id`), answers give both. Fields that are not known are kept.
Every error is `{"error": text, "message": text}`, the same text twice.
"""

_TAGS = {
    "personas": "Who speaks: prompt, greeting, manners, engines. `/v2/pals` is the same.",
    "replicas": "Who is seen. `/v2/faces` is the same.",
    "conversations": "Calls: a link each, and what was said in them.",
    "interactions": "Taking part in a call from a program.",
    "voices": "What replicas can sound like.",
    "pronunciation dictionaries": "How personas say certain words.",
    "videos": "Films of a replica that says a script or a recording.",
    "speech": "Sound files in a replica's voice.",
    "webhooks": "Messages to callbacks: what waits, what was given up, and sending it again.",
    "keys": "API keys, for whoever has the scope `admin`.",
    "usage": "What was used, and what may be.",
}

_ERROR = {"$ref": "#/components/schemas/Error"}
_EVERYWHERE = {
    "413": "The body is larger than this server takes.",
    "503": "The server is busy; Retry-After says when to come back.",
}
_WITH_KEY = {
    "401": "Invalid access token",
    "403": "This API key may not do this; it takes one with the scope 'write'.",
    "429": "Too many requests with this key; Retry-After says when to come back.",
}
_METHODS = ("get", "post", "put", "patch", "delete")


def describe(app: FastAPI) -> None:
    """Give `app` its OpenAPI document."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title,
                version=app.version,
                description=_ABOUT,
                routes=app.routes,
                tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
            )
            _complete(made)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(made: dict[str, Any]) -> None:
    made["components"]["schemas"].setdefault(
        "Error",
        {
            "type": "object",
            "required": ["error", "message"],
            "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
        },
    )
    for operations in made["paths"].values():
        for method in _METHODS:
            if method in operations:
                _complete_operation(operations[method], method)
    for unused in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(unused, None)


def _complete_operation(operation: dict[str, Any], method: str) -> None:
    answers = operation["responses"]
    # The framework would answer 422; here an unusable field is a 400.
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
        answers.setdefault("400", _answer("limit: 'x' is not valid; expected a valid integer"))
    else:
        answers.setdefault("400", _answer("Invalid request."))
    if operation.get("security"):
        for status, text in _WITH_KEY.items():
            answers.setdefault(status, _answer(text))
    for status, text in _EVERYWHERE.items():
        if status != "413" or method in ("post", "put", "patch"):
            answers.setdefault(status, _answer(text))
    operation["responses"] = dict(sorted(answers.items()))


def _answer(text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/json": {"schema": _ERROR, "example": {"error": text, "message": text}}},
    }
