"""One live conversation: pure asyncio, no web framework, no database."""
