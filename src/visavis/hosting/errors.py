"""Why somebody cannot join a conversation, or have another one."""

from visavis.errors import VisavisError

RETRY_AFTER_S = 30
"""When a server that is full suggests to ask again."""


class UnknownConversationError(VisavisError):
    """No conversation has this id."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"There is no conversation {conversation_id!r}.")


class ConversationEndedError(VisavisError):
    """The conversation is over; `reason` is its shutdown reason, if that is known."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__("This conversation has ended.")
        self.reason = reason


class ConversationTakenError(VisavisError):
    """Somebody is in this call already."""

    def __init__(self, text: str = "Somebody is in this call already, perhaps you in another tab.") -> None:
        super().__init__(text)


class ConversationFullError(ConversationTakenError):
    """As many people are in this call as it takes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"This call is full: {most} people are in it, and it takes no more.")


class ConversationElsewhereError(ConversationTakenError):
    """Another server that shares the database runs this conversation."""

    def __init__(self) -> None:
        super().__init__("This call runs on another server; open its link there.")


class BusyError(VisavisError):
    """As many calls as the server takes are running, or it takes none at the moment. HTTP 503 with Retry-After."""

    def __init__(
        self,
        text: str = "All lines are taken at the moment. Please try again in a minute.",
        retry_after_s: int = RETRY_AFTER_S,
    ) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class TooManyConversationsError(VisavisError):
    """One key has as many conversations as it may. HTTP 400, in the words that clients of the hosted service know."""

    def __init__(self) -> None:
        super().__init__("User has reached maximum concurrent conversations")
