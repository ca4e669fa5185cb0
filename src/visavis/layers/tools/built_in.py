"""Tools that come with visavis; a persona names those that it wants."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from visavis.layers.tools import Tool

END_CALL: Final = "end_call"
CURRENT_TIME: Final = "current_time"
LOOK: Final = "look"

SystemTool: TypeAlias = Literal["end_call", "current_time", "look"]

SYSTEM_TOOLS: Final[Mapping[SystemTool, str]] = {
    END_CALL: "Hang up. Use it when the caller says goodbye or asks to end the call.",
    CURRENT_TIME: "Tell today's date and the time of day.",
    LOOK: "Look at the caller's camera or shared screen, for questions about what can be seen there.",
}
"""Their names and what they are for."""

NOTHING: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
"""Parameters of a tool that takes none."""

LOOK_AT: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"question": {"type": "string", "description": "What the caller wants to know of it."}},
}
"""Parameters of `look`."""


def current_time() -> Tool:
    """Tells date and time of this machine, in words that can be spoken."""

    async def tell(arguments: Mapping[str, Any]) -> str:
        now = datetime.now().astimezone()
        return f"It is {now:%H:%M} on {now:%A}, {now.day} {now:%B %Y} ({now:%Z})."

    return Tool(
        CURRENT_TIME, SYSTEM_TOOLS[CURRENT_TIME], NOTHING, tell, has_side_effects=False, on_call="silent", timeout_s=1.0
    )
