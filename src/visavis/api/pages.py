"""What browsers open: Studio, the call page and its files, the standing link, the figures for Prometheus."""

from importlib import resources

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from visavis.api.answers import FromSettings
from visavis.api.auth import requires, requires_beyond_loopback
from visavis.api.conversations import standing_conversation
from visavis.api.security import STUDIO_POLICY, page_policy

router = APIRouter(include_in_schema=False)

_WEB = resources.files("visavis") / "web"


@router.get("/")
async def home(settings: FromSettings) -> RedirectResponse:
    """In development mode the standing link, which everybody may open then; otherwise Studio."""
    return RedirectResponse("/demo" if settings.dev else "/studio")


@router.get("/demo", dependencies=[Depends(requires_beyond_loopback)])
async def demo(request: Request) -> RedirectResponse:
    """The standing link of this server's persona: every visit finds a conversation that waits for somebody."""
    found = await standing_conversation(request)
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/c/{found}{query}", headers={"Cache-Control": "no-store"})


@router.get("/c/{conversation_id}")
async def call_page(conversation_id: str, settings: FromSettings) -> FileResponse:
    """The page of a call."""
    return FileResponse(
        str(_WEB / "index.html"),
        headers={"Content-Security-Policy": page_policy(settings), "Cache-Control": "no-cache"},
    )


@router.get("/studio")
async def studio() -> FileResponse:
    """Studio; which of its screens is shown stands after the # of the address."""
    return FileResponse(
        str(_WEB / "studio" / "index.html"),
        headers={"Content-Security-Policy": STUDIO_POLICY, "Cache-Control": "no-cache"},
    )


@router.get("/studio/")
async def studio_with_a_slash() -> RedirectResponse:
    """The page names its files as seen from the place without one."""
    return RedirectResponse("../studio")


@router.get("/metrics", dependencies=[Depends(requires("read"))])
async def metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    text, content_type = request.app.state.hosting.telemetry.metrics()
    return Response(text, media_type=content_type)


def mount_files(app: FastAPI) -> None:
    """Serve the files that pages consist of."""
    app.mount("/static", StaticFiles(directory=str(_WEB)), name="static")
