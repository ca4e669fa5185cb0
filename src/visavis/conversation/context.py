"""What the language model sees: the prompt, what the person said, and only those words of ours that were played."""

from collections.abc import Sequence
from typing import Protocol

from visavis.layers.llm import Message

DEFAULT_BUDGET_CHARS = 9_000
"""About 2,500 tokens of English, which leaves room in a 4,096-token window for the prompt's framing and the reply."""


class Notes(Protocol):
    """What was noticed of the person besides their words."""

    def seen(self, text: str) -> str:
        """What was seen, to put behind the words `text`; empty when there is nothing worth telling."""
        ...

    def heard(self, text: str) -> str:
        """The same of how they were said."""
        ...

    def told(self) -> None:
        """It was put there for good."""
        ...


class Context:
    """The message list of one conversation. Owner of what has been said.

    When it outgrows its budget the older half of the turns is dropped at once rather than turn by turn:
    every drop costs the engine its cached prefix.
    """

    def __init__(self, system_prompt: str, budget_chars: int = DEFAULT_BUDGET_CHARS) -> None:
        self.notes: Notes | None = None
        """What was seen and heard of the person. Set by the conversation."""
        self._system = system_prompt
        self._turns: list[Message] = []
        self._budget = budget_chars

    def messages(self) -> list[Message]:
        """The messages so far."""
        return [Message("system", self._system), *self._turns]

    def with_person(self, text: str) -> list[Message]:
        """The messages as they would be if the person had just said `text`. Changes nothing."""
        return [Message("system", self._system), *_appended(self._turns, self._of_person(text))]

    def last_of_replica(self) -> str:
        """What the person heard of us last; empty if they have spoken since, or if we have not said anything."""
        return self._turns[-1].content if self._turns and self._turns[-1].role == "assistant" else ""

    def add_person(self, text: str) -> None:
        """The person said `text`."""
        self._add(self._of_person(text))
        if self.notes:
            self.notes.told()

    def add_replica(self, heard: str) -> None:
        """The person heard us say `heard`; nothing is recorded when nothing was heard."""
        if heard:
            self._add(Message("assistant", heard))

    def add_tool_round(self, round_: Sequence[Message]) -> None:
        """Tools were used: the assistant's requests, then their results."""
        for message in round_:
            self._add(message)

    def add_note(self, text: str) -> None:
        """Something became known that nobody said; it stands before the person's next words."""
        self._add(Message("user", f"[{text}]"))

    def append_system(self, text: str) -> None:
        """Add a fact to the prompt."""
        self._system = f"{self._system}\n\n{text}"

    def overwrite_system(self, text: str) -> None:
        """Replace the prompt."""
        self._system = text

    def _of_person(self, text: str) -> Message:
        return Message("user", " ".join(filter(None, (text, self.seen(text), self.heard(text)))))

    def seen(self, text: str) -> str:
        """What is noted of the person's picture with their words `text`."""
        return self.notes.seen(text) if self.notes else ""

    def heard(self, text: str) -> str:
        """What is noted of their voice."""
        return self.notes.heard(text) if self.notes else ""

    def _add(self, message: Message) -> None:
        self._turns = _appended(self._turns, message)
        while (
            len(self._turns) > 2 and sum(len(turn.content) for turn in self._turns) + len(self._system) > self._budget
        ):
            half = len(self._turns) // 2
            # A context starts with the person: models are trained on that order.
            while half < len(self._turns) - 1 and self._turns[half].role != "user":
                half += 1
            self._turns = self._turns[half:]


def _appended(turns: list[Message], message: Message) -> list[Message]:
    """`turns` plus `message`; two in a row by the same speaker become one, since chat templates alternate."""
    if (
        turns
        and turns[-1].role == message.role in ("user", "assistant")
        and not (turns[-1].tool_requests or message.tool_requests)
    ):
        return [*turns[:-1], Message(message.role, f"{turns[-1].content} {message.content}")]
    return [*turns, message]
