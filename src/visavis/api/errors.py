"""Where errors become answers: one table of status codes, one shape (`error` and `message` say the same)."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from visavis.api.auth import InvalidKeyError, NotAllowedError
from visavis.api.bodies import first_problem
from visavis.api.json_patch import PatchFormatError
from visavis.api.later import what_is_missing
from visavis.conversation.conversation import NobodyInCallError
from visavis.errors import BadInputError, VisavisError
from visavis.hosting.errors import (
    BusyError,
    ConversationEndedError,
    ConversationTakenError,
    TooManyConversationsError,
    UnknownConversationError,
)
from visavis.hosting.meeting_tokens import MeetingTokenError
from visavis.models.errors import ModelMissingError
from visavis.replica.bundle import BundleError
from visavis.store.errors import ConflictError, NotFoundError, StorageFullError, StoreBusyError, StoreError

RETRY_AFTER_S = 30


class ForbiddenError(VisavisError):
    """The caller may not do this."""


class TooLargeError(VisavisError):
    """A request's body is larger than the server takes."""


class TooManyRequestsError(VisavisError):
    """A key makes more requests than it may."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many requests with this key; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class IdempotencyError(VisavisError):
    """An idempotency key was used before for another request."""


class Error(BaseModel):
    """What went wrong, for people. Both fields hold the same text: clients read one or the other."""

    error: str
    message: str


_STATUS: dict[type[VisavisError], int] = {
    BadInputError: 400,
    BundleError: 400,
    TooManyConversationsError: 400,
    InvalidKeyError: 401,
    ForbiddenError: 403,
    NotAllowedError: 403,
    MeetingTokenError: 403,
    NotFoundError: 404,
    UnknownConversationError: 404,
    ConflictError: 409,
    ConversationTakenError: 409,
    NobodyInCallError: 409,
    ConversationEndedError: 410,
    TooLargeError: 413,
    PatchFormatError: 422,
    IdempotencyError: 422,
    TooManyRequestsError: 429,
    BusyError: 503,
    ModelMissingError: 503,
    StoreBusyError: 503,
    StorageFullError: 507,
    StoreError: 500,
}

_INVALID_ID = {kind: f"{kind}_id" for kind in ("persona", "replica", "conversation", "video", "speech")}
"""Of these the hosted service says 400 and not 404."""

_RETRIED = (429, 503)


def answer_errors(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""
    app.add_exception_handler(VisavisError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def body(text: str) -> dict[str, str]:
    """The body of an answer that says what went wrong."""
    return {"error": text, "message": text}


def answer(error: VisavisError) -> JSONResponse:
    """The answer to an expected failure."""
    if isinstance(error, NotFoundError) and error.kind in _INVALID_ID:
        field = _INVALID_ID[error.kind]
        return JSONResponse(body(f"Invalid {field}: there is no {error.kind} {error.wanted[:80]!r}"), 400)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    retry_after_s: int = getattr(error, "retry_after_s", RETRY_AFTER_S)
    comes_back = status in _RETRIED or isinstance(error, TooManyConversationsError)
    headers = {"Retry-After": str(retry_after_s)} if comes_back else None
    return JSONResponse(body(str(error)), status, headers)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, VisavisError)
    return answer(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems: Any = error.errors()
    if problems[0]["type"] == "json_invalid":
        return JSONResponse(body("The body is not valid JSON."), 400)
    return answer(first_problem(problems))


async def _http(request: Request, error: Exception) -> Response:
    """What the web framework says by itself: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    text = str(error.detail)
    if error.status_code == 404:
        text = what_is_missing(request.url.path)
    elif error.status_code == 405:
        text = f"{request.method} is not possible on {request.url.path}."
    return JSONResponse(body(text), error.status_code, error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    # Nothing of the exception itself: it may quote anything. The log has it.
    return JSONResponse(body("Something went wrong inside the server; its log says what."), 500)
