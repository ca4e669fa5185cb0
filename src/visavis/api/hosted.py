"""What of a running conversation the API's files share: the server's hosting, and who may take part with a link."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from visavis.api.auth import Gatekeeper, NotAllowedError
from visavis.hosting.hosting import Hosting
from visavis.store.keys import Scope


async def _hosting(connection: HTTPConnection) -> Hosting:
    found: Hosting = connection.app.state.hosting
    return found


FromHosting = Annotated[Hosting, Depends(_hosting)]


async def check_may_take_part(
    connection: HTTPConnection, conversation_id: str, token: str | None, scope: Scope
) -> None:
    """Whether a request may follow a conversation, or speak in it: with a key, or else with what its page has.

    That is the conversation's id, which cannot be guessed, and its meeting token where it asks for one. Raises
    `InvalidKeyError`, `NotAllowedError`, `MeetingTokenError`, `UnknownConversationError`.
    """
    shown = connection.headers.get("x-api-key")
    if shown is None:
        await (await _hosting(connection)).check_token(conversation_id, token)
        return
    gatekeeper: Gatekeeper = connection.app.state.gatekeeper
    key = await gatekeeper.admit(shown, connection)
    if not key.scopes & {scope, "admin"}:
        raise NotAllowedError(f"This API key may not do this; it takes one with the scope {scope!r}.")
    await (await _hosting(connection)).check_known(conversation_id)
