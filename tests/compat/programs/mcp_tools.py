"""Calls tools of `tavus-mcp`, tavus-cli's server for assistants, over its standard input and output.

`… FILE`: a JSON list of [tool, arguments]; `$NAME` in an argument is the field NAME of the answer before that had one.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def main(calls: list[tuple[str, dict[str, Any]]]) -> None:
    transport = StdioTransport("tavus-mcp", [], env=dict(os.environ))
    remembered: dict[str, Any] = {}
    answers = []
    async with Client(transport) as client:
        for tool, arguments in calls:
            given = {
                name: remembered.get(value[1:], value) if isinstance(value, str) and value.startswith("$") else value
                for name, value in arguments.items()
            }
            result = await client.call_tool(tool, given, raise_on_error=False)
            text = "".join(part.text for part in result.content)
            answer = json.loads(text) if text.startswith(("{", "[")) else text
            if isinstance(answer, dict):
                remembered |= answer
            answers.append({"tool": tool, "failed": result.is_error, "answer": answer})
        print(json.dumps({"tools": len(await client.list_tools()), "answers": answers}))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
