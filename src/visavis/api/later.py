"""What the hosted service has and this server does not have yet, so that a 404 can say so."""

_LATER = {
    "documents": "Documents",
    "memories": "Memories",
    "memory-stores": "Memory stores",
    "objectives": "Objectives",
    "guardrails": "Guardrails",
    "skills": "Skills",
    "capabilities": "Capabilities",
    "deployments": "Deployments",
    "builder": "The persona builder",
    "persona-builder": "The persona builder",
    "lipsync": "Lip sync of other videos",
    "replacements": "Replacements",
    "transcriptions": "Transcriptions of other recordings",
    "canvas": "The canvas",
    "publish": "Drafts of personas",
    "recordings": "Recordings",
}


def what_is_missing(path: str) -> str:
    """The text of a 404 for `path`."""
    parts = path.strip("/").split("/")
    if parts[0] == "v2":
        for part in parts[1:]:
            if part in _LATER:
                return f"{_LATER[part]}: not available in this version of visavis."
    return f"There is nothing at {path[:200]!r}."
