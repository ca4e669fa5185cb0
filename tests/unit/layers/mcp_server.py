"""A server of the Model Context Protocol, made with the official package; as a program it uses stdin and stdout."""

import asyncio
import os

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations


def server() -> MCPServer:
    """A weather station."""
    made = MCPServer("weather")

    @made.tool(annotations=ToolAnnotations(read_only_hint=True))
    def forecast(place: str, days: int = 1) -> str:
        """Tell the weather at a place."""
        return f"Sunny in {place} for {days} days."

    @made.tool(name="set.alarm")
    def set_alarm(wind: float) -> str:
        """Ring when the wind is stronger."""
        if wind < 0:
            raise ToolError("wind is never negative")
        return "Done it."

    @made.tool()
    async def doze() -> str:
        """Take very long."""
        await asyncio.sleep(30)
        return "Never."

    @made.tool()
    def die() -> str:
        """End the server in the middle of its work."""
        os._exit(1)

    return made


if __name__ == "__main__":
    server().run("stdio")
