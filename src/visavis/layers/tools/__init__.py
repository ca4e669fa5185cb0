"""Tools: what a persona can do besides talking."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from visavis.errors import VisavisError
from visavis.layers.llm import Function

OnCall = Literal["generate_filler", "static_filler", "silent", "passthrough"]
"""What is said while a tool works: a short phrase, the tool's own phrase, nothing, or only the model's own words."""

OnResolve = Literal["generate_response", "response_in_result", "add_to_context", "fire_and_forget"]
"""What its result is for: the reply is made from it, it is spoken as it is, or it is only known from then on; nobody
waits for it in the last case."""

TIMEOUT_S = 10.0


class ToolError(VisavisError):
    """A tool did not do its work; the text is for the language model, which tells the person in its own words."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that the language model may have done."""

    name: str
    description: str
    """When to use it, in words for a language model."""
    parameters: Mapping[str, Any]
    """JSON Schema of an object."""
    run: Callable[[Mapping[str, Any]], Awaitable[str]]
    """Does it, with arguments that fit `parameters`, and tells what came of it. Raises `ToolError`."""
    has_side_effects: bool = True
    """It only runs when the person has certainly finished; others may run for a reply that nobody will hear."""
    on_call: OnCall = "generate_filler"
    on_resolve: OnResolve = "generate_response"
    static_filler: str = ""
    timeout_s: float = TIMEOUT_S

    @property
    def function(self) -> Function:
        """What a language model is told of it."""
        return Function(self.name, self.description, self.parameters)
