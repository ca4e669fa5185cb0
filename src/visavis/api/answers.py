"""What resources share: the store of a request, moments as text, and the answers that the OpenAPI document names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request

from visavis.api import vocabulary
from visavis.api.errors import Error
from visavis.config import Settings
from visavis.store import Store

Responses = dict[int | str, dict[str, Any]]


# Dependencies are coroutines: plain functions would be run in another thread, which costs more than they do.


async def _store(request: Request) -> Store:
    found: Store = request.app.state.store
    return found


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


FromStore = Annotated[Store, Depends(_store)]
FromSettings = Annotated[Settings, Depends(_settings)]


def moment(at: datetime | None) -> str | None:
    """`at` as ISO 8601 in UTC, or None."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def errors(found: Mapping[int, str]) -> Responses:
    """Error answers for the OpenAPI document: an example text by status."""
    return {
        status: {
            "model": Error,
            "description": text,
            "content": {"application/json": {"example": {"error": text, "message": text}}},
        }
        for status, text in found.items()
    }


def shown(shape: Any, body: Any, text: str = "Done.", more: dict[str, Any] | None = None) -> Responses:
    """The answer 200: the shape of its body, an example, and other types of content that it may have."""
    content = {"application/json": {"example": _in_both(body)}} | (more or {})
    return {200: {"model": shape, "description": text, "content": content}}


def _in_both(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("data"), list):
        return body | {"data": [vocabulary.in_both(one) for one in body["data"]]}
    return vocabulary.in_both(body)
