"""The web application: guards, resources and pages put together."""

from fastapi import Depends, FastAPI

from visavis import __version__
from visavis.api import (
    conversations,
    interactions,
    keys,
    media_files,
    pages,
    personas,
    pictures,
    pronunciations,
    realtime,
    replicas,
    signalling,
    speech,
    tools,
    usage,
    videos,
    voices,
    webhooks,
)
from visavis.api.auth import Gatekeeper, requires
from visavis.api.errors import answer_errors
from visavis.api.limits import Limits, within_rate
from visavis.api.openapi import describe
from visavis.api.security import guard
from visavis.api.system import SystemPersonas
from visavis.background import Background
from visavis.config import Settings
from visavis.conversation.persona import Persona
from visavis.hosting.hosting import Hosting
from visavis.store import Store


def create_app(
    settings: Settings,
    persona: Persona,
    store: Store,
    gatekeeper: Gatekeeper,
    hosting: Hosting,
    background: Background | None = None,
) -> FastAPI:
    """The application of one server; `persona` is that of its standing link.

    Without `background`, videos, speeches and webhooks wait for another process that works on the same store.
    """
    app = FastAPI(title="visavis", version=__version__, redirect_slashes=False, docs_url=None, redoc_url=None)
    state = app.state
    state.settings, state.persona, state.store, state.gatekeeper = settings, persona, store, gatekeeper
    state.hosting, state.background = hosting, background
    state.system_personas = SystemPersonas(persona)
    state.limits = Limits(store.conversations)
    guard(app, settings)
    answer_errors(app)
    needs_key = [Depends(requires()), Depends(within_rate)]
    usual = (personas, pictures, tools, pronunciations, replicas, voices, videos, speech, webhooks, usage, keys)
    for resource in usual:
        app.include_router(resource.router, dependencies=needs_key)
    app.include_router(tools.of_personas, dependencies=needs_key)
    app.include_router(conversations.router, dependencies=needs_key)
    for open_to_links in (conversations.public, signalling.router, interactions.router, realtime.router):
        app.include_router(open_to_links)
    app.include_router(media_files.router)
    app.include_router(voices.public)
    app.include_router(pages.router)
    pages.mount_files(app)
    describe(app)
    return app
