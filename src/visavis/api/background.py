"""The workers of this server, for resources that give them something to do."""

from typing import Annotated

from fastapi import Depends, Request

from visavis.background import Background
from visavis.store import Store
from visavis.videos.links import Links


async def _background(request: Request) -> Background | None:
    found: Background | None = getattr(request.app.state, "background", None)
    return found


FromBackground = Annotated[Background | None, Depends(_background)]
"""None in a process that only answers requests; another one then does the work."""


async def _links(request: Request, background: FromBackground) -> Links:
    if background:
        return background.links
    store: Store = request.app.state.store
    return Links(request.app.state.settings.base_url, await store.signing_secret("files"))


FromLinks = Annotated[Links, Depends(_links)]
