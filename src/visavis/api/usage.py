"""`/v2/usage` and `/v2/limits`: what was used, and what may be."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from visavis.api.answers import FromSettings, FromStore, errors, moment, shown
from visavis.api.auth import Caller
from visavis.api.shapes import ShownLimits, ShownUsage
from visavis.errors import BadInputError
from visavis.store.usage import Used

router = APIRouter(prefix="/v2", tags=["usage"])

_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LONGEST_BY_DAY = timedelta(days=366)


@router.get(
    "/usage",
    responses=shown(
        ShownUsage,
        {
            "start": "2026-11-01T00:00:00Z",
            "end": "2026-11-22T12:00:00Z",
            "conversation_minutes": 12.5,
            "usage": {
                "conversation_seconds": {"times": 3, "quantity": 750.0},
                "language_model_input_tokens": {"times": 3, "quantity": 41250.0},
            },
        },
    )
    | errors(
        {400: "start: '2026-13-01' is not valid; expected a date like 2026-11-01 or a time like 2026-11-01T10:00:00Z"}
    ),
)
async def get_usage(
    store: FromStore,
    start: Annotated[str | None, Query(max_length=40, description="From when (ISO 8601); default: this month.")] = None,
    end: Annotated[str | None, Query(max_length=40, description="Until before when; default: now.")] = None,
    key_id: Annotated[str | None, Query(max_length=40, pattern="^[a-z0-9]+$", description="Of one key only.")] = None,
    by: Annotated[Literal["day"] | None, Query(description="Also `days`: what was used on each (UTC).")] = None,
) -> dict[str, Any]:
    """Seconds of conversation, video and speech, tokens of language models, and replicas trained, in a span of time."""
    now = datetime.now(UTC)
    since = _read("start", start) if start else now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    until = _read("end", end) if end else now
    if since > until:
        raise BadInputError("start", moment(since), f"a time before end ({moment(until)})")
    if by == "day" and until - since > _LONGEST_BY_DAY:
        raise BadInputError("by", by, "a span of at most a year when it is asked for by day")
    used = await store.usage.total(since, until, key_id=key_id)
    seconds = used["conversation_seconds"].quantity if "conversation_seconds" in used else 0.0
    answer: dict[str, Any] = {
        "start": moment(since),
        "end": moment(until),
        "conversation_minutes": round(seconds / 60, 2),
        "usage": _figures(used),
    }
    if by == "day":
        days = await store.usage.by_day(since, until, key_id=key_id)
        answer["days"] = [{"day": day, "usage": _figures(on_day)} for day, on_day in days.items()]
    return answer


def _figures(used: Mapping[str, Used]) -> dict[str, dict[str, float]]:
    return {kind: {"times": one.times, "quantity": round(one.quantity, 3)} for kind, one in used.items()}


@router.get(
    "/limits",
    responses=shown(
        ShownLimits,
        {
            "requests_per_minute": 600,
            "max_conversations": 5,
            "active_conversations": 1,
            "server": {"max_conversations": 2, "max_request_mb": 4, "max_upload_mb": 200},
        },
    ),
)
async def get_limits(store: FromStore, settings: FromSettings, caller: Caller) -> dict[str, Any]:
    """What this key may do (null: as much as the server can), and what the server can."""
    return {
        "requests_per_minute": caller.requests_per_minute,
        "max_conversations": caller.max_conversations,
        "active_conversations": await store.conversations.active_count(caller.key_id),
        "server": {
            "max_conversations": settings.max_conversations,
            "max_request_mb": settings.max_request_mb,
            "max_upload_mb": settings.max_upload_mb,
        },
    }


def _read(field: str, given: str) -> datetime:
    try:
        found = datetime.fromisoformat(given.replace(" ", "+"))  # a plus sign in a query means a space
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return max(found.astimezone(UTC), _FIRST)
    except (ValueError, OverflowError):
        raise BadInputError(field, given, "a date like 2026-11-01 or a time like 2026-11-01T10:00:00Z") from None
