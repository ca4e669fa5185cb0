"""The workers of this server, for resources that give them something to do."""

from typing import Annotated

from fastapi import Depends, Request

from visavis.background import Background
from visavis.store import Store
from visavis.videos.links import Kind, Links, blob


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


async def delete_media(store: Store, background: Background | None, kind: Kind, media_id: str, hard: bool) -> None:
    """Delete a video or a speech, and give up what is being made of it; `hard` also removes its files.

    Raises `NotFoundError`.
    """
    gone = await (store.videos if kind == "videos" else store.speeches).delete(media_id, hard=hard)
    await cancel_work(store, background, kind, media_id)
    if hard:
        for name in gone.document.get("files", {}).values():
            await store.blobs.delete(blob(kind, media_id, name))


async def cancel_work(store: Store, background: Background | None, kind: Kind, subject_id: str) -> None:
    """Give up what is being made of something that was deleted, in this process or in the one that makes it."""
    if background:
        runners = {"videos": background.videos, "speeches": background.speeches, "replicas": background.trainings}
        await runners[kind].cancel(subject_id, "It was deleted.")
    else:
        await store.jobs.cancel(subject_id, "It was deleted.")
