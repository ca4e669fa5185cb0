"""`/v2/keys`: API keys, for whoever has one with the scope `admin`."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field

from visavis.api import pagination
from visavis.api.answers import FromStore, errors, moment, shown
from visavis.api.auth import Admin, Caller
from visavis.api.bodies import Body
from visavis.api.shapes import Listed, Shape
from visavis.errors import BadInputError
from visavis.store.keys import ApiKey

router = APIRouter(prefix="/v2/keys", tags=["keys"])

_UNKNOWN = {404: "There is no API key 'k0123'."}
_SHOWN = {
    "key_id": "k0123456789ab",
    "name": "website",
    "hint": "vv_a1b2",
    "scopes": ["read", "write"],
    "networks": [],
    "max_conversations": 5,
    "requests_per_minute": None,
    "created_at": "2026-11-01T10:00:00Z",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}


class KeyBody(Body):
    """What a new key may do."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["website"])]
    scopes: list[Literal["read", "write", "admin"]] = Field(["read", "write"], min_length=1)
    networks: list[Annotated[str, Field(max_length=50)]] = Field([], max_length=100)
    max_conversations: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    expires_at: AwareDatetime | None = None


class ShownKey(Shape):
    """A key, but for its text; `hint` is how that begins."""

    key_id: str
    name: str
    hint: str
    scopes: list[str]
    networks: list[str]
    max_conversations: int | None
    requests_per_minute: int | None
    created_at: str | None
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class CreatedKey(ShownKey):
    """A new key with its text, which is not shown again."""

    key: str


@router.get("", responses=shown(Listed[ShownKey], {"data": [_SHOWN], "total_count": 1}))
async def list_keys(store: FromStore, admin: Admin, page: pagination.FromOne) -> dict[str, Any]:
    """All keys, newest first; those that were revoked too."""
    found = (await store.keys.all())[::-1]
    return pagination.listed([_described(one) for one in found[page.offset :][: page.limit]], len(found))


@router.get("/current", responses=shown(ShownKey, _SHOWN))
async def get_current_key(caller: Caller) -> dict[str, Any]:
    """The key that this request is made with."""
    return _described(caller)


@router.post(
    "",
    responses=shown(CreatedKey, _SHOWN | {"key": "vv_a1b2..."})
    | errors({400: "scopes.0: 'all' is not valid; expected 'read', 'write' or 'admin'"}),
)
async def create_key(store: FromStore, admin: Admin, body: KeyBody) -> dict[str, Any]:
    """Make a key. Its text is in this answer and nowhere else."""
    if body.expires_at and body.expires_at <= datetime.now(UTC):
        raise BadInputError("expires_at", moment(body.expires_at), "a moment in the future")
    made = await store.keys.create(
        body.name,
        scopes=body.scopes,
        expires_at=body.expires_at.astimezone(UTC) if body.expires_at else None,
        networks=body.networks,
        max_conversations=body.max_conversations,
        requests_per_minute=body.requests_per_minute,
    )
    assert made
    return _described(made[1]) | {"key": made[0]}


@router.delete("/{key_id}", status_code=204, responses=errors(_UNKNOWN))
async def revoke_key(store: FromStore, admin: Admin, key_id: str) -> Response:
    """Make a key worthless, for ever; it stays in the list."""
    await store.keys.revoke(key_id)
    return Response(status_code=204)


def _described(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "hint": key.hint,
        "scopes": sorted(key.scopes),
        "networks": list(key.networks),
        "max_conversations": key.max_conversations,
        "requests_per_minute": key.requests_per_minute,
        "created_at": moment(key.created_at),
        "expires_at": moment(key.expires_at),
        "last_used_at": moment(key.last_used_at),
        "revoked_at": moment(key.revoked_at),
    }
