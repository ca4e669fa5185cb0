"""Makes the answers of one call: what each is shown, what it may use, and who is told what it cost."""

from collections.abc import Sequence

from visavis.conversation import events
from visavis.conversation.answer import Answer
from visavis.conversation.showing import Showing
from visavis.conversation.spending import Bill, Spent
from visavis.conversation.toolbox import Toolbox
from visavis.layers.llm import LanguageModel, Message, takes_pictures


class Answers:
    """One for a call."""

    def __init__(
        self, model: LanguageModel, toolbox: Toolbox, stream: events.EventStream, showing: Showing | None = None
    ) -> None:
        """`showing` is what the person shows, for a model that takes pictures."""
        self._model = model
        self._toolbox = toolbox
        self._events = stream
        self._showing = showing

    def to(self, messages: Sequence[Message], *, tools: bool = True) -> Answer:
        """A reply to `messages`; without `tools` in words alone."""
        shows = self._showing.picture if self._showing and takes_pictures(self._model) else None
        return Answer(self._model, messages, self._toolbox if tools else None, Bill(self._spent), shows)

    def _spent(self, spent: Spent) -> None:
        tokens = spent.tokens
        usage = events.LanguageModelUsage(
            input_tokens=tokens.read,
            cached_input_tokens=tokens.cached,
            output_tokens=tokens.written,
            requests=spent.requests,
            dropped=spent.dropped,
            estimated=spent.estimated,
        )
        self._events.emit(usage)
