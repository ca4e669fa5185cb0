"""`/v2/replicas` (and `/v2/faces`): who is seen."""

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.datastructures import FormData, UploadFile

from visavis.api import pagination, training, vocabulary
from visavis.api.answers import FromSettings, FromStore, errors, moment, shown
from visavis.api.auth import Caller
from visavis.api.background import FromBackground, FromLinks, cancel_work
from visavis.api.bodies import Body
from visavis.api.idempotency import ANSWERS as REPEATED
from visavis.api.idempotency import PerhapsAgain
from visavis.api.shapes import CreatedReplica, Listed, ShownReplica
from visavis.api.system import MODEL_NAME, STOCK_REPLICA_ID, refuse_change_of_replica, stand_in, stock_replica
from visavis.api.training import ReplicaBody
from visavis.errors import BadInputError
from visavis.replica.bundle import PREVIEW, BundleError, Manifest, open_bundle
from visavis.replica.opening import background_is_replaceable, open_replica
from visavis.store import Store, ids
from visavis.store.replicas import StoredReplica
from visavis.training import uploads
from visavis.training.kinds import MODEL_NAMES, bundle_blob, preview_blob
from visavis.videos.links import Links

router = APIRouter(prefix="/v2/replicas", tags=["replicas"])

_UNKNOWN = {400: "Invalid replica_id: there is no replica 'r0123456789ab'"}
_FORBIDDEN = {403: "'rmira' is a replica of the system, which cannot be renamed or deleted."}
_SHOWN = {
    "replica_id": "rmira",
    "replica_name": "Mira",
    "replica_type": "system",
    "status": "completed",
    "training_progress": "100/100",
    "thumbnail_video_url": None,
    "model_name": MODEL_NAME,
    "error_type": None,
    "error_message": None,
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-01T00:00:00Z",
}


class RenameBody(Body):
    """A new name; `face_name` means the same."""

    replica_name: Annotated[str, Field(min_length=1, max_length=200, examples=["Ines"])]


_CREATED = {
    "replica_id": "r0123456789ab",
    "replica_name": "Ines",
    "status": "started",
    "training_progress": "0/100",
    "warnings": [],
}
_FORMS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReplicaBody"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "bundle": {"type": "string", "format": "binary", "description": "A .replica file."},
                        "train_video": {
                            "type": "string",
                            "format": "binary",
                            "description": "Or a video to train from.",
                        },
                        "train_image": {"type": "string", "format": "binary", "description": "Or a photo."},
                        "consent_video": {"type": "string", "format": "binary", "description": "The spoken statement."},
                        "consent_declaration": {"type": "string", "maxLength": 200, "description": "Who agreed."},
                        "background_green_screen": {"type": "boolean"},
                        "voice_name": {"type": "string"},
                        "callback_url": {"type": "string"},
                        "replica_name": {"type": "string", "maxLength": 200},
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    openapi_extra=_FORMS,
    responses=shown(CreatedReplica, _CREATED)
    | errors({400: "Either train_video_url or train_image_url must be provided.", 413: "The body is too large."})
    | REPEATED,
)
async def create_replica(
    request: Request,
    store: FromStore,
    settings: FromSettings,
    caller: Caller,
    once: PerhapsAgain,
    background: FromBackground,
    links: FromLinks,
) -> JSONResponse:
    """Train a replica of a person from a video or a photo of them, or upload a `.replica` file (form field `bundle`).

    Video, photo and statement are addresses in JSON, or files of a form (`train_video`, `train_image`,
    `consent_video`), which are forgotten when the training is over. Training happens in the background:
    `training_progress` and `status` say how far it is, and `callback_url` is told when it is over. Nobody is trained
    without consent: see `consent_video_url` and `properties.consent_declaration`.
    An uploaded file is checked before it counts.
    """

    async def create(body: ReplicaBody, files: Mapping[str, UploadFile]) -> dict[str, Any]:
        training.check(body, settings, files)
        with tempfile.TemporaryDirectory() as folder:
            saved = {name: Path(folder) / name for name in files}
            for name, path in saved.items():
                await asyncio.to_thread(_save, files[name], path)
            made = await training.queue(body, store, caller.key_id, saved)
        if background:
            background.trainings.wake()
        described = _described(made, links)
        return vocabulary.in_both(
            {name: described[name] for name in _CREATED if name in described} | {"warnings": training.warnings(body)}
        )

    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=2, max_fields=20) as form:
            if not uploads.PLACES.keys() & form.keys():
                uploaded = await _uploaded(store, form)
                return JSONResponse(vocabulary.in_both(_described(uploaded, links, verbose=True)))
            body, files = _training_form(form)
            return await once(lambda: create(body, files))
    try:
        given = await request.json()
    except (ValueError, RecursionError):
        raise BadInputError("body", "...", "a JSON object or a form with a .replica file in the field bundle") from None
    if not isinstance(given, dict):
        raise BadInputError("body", given, "a JSON object")
    from_json = ReplicaBody.checked(given)
    return await once(lambda: create(from_json, {}))


@router.get("", responses=shown(Listed[ShownReplica], {"data": [_SHOWN], "total_count": 1}))
async def list_replicas(
    store: FromStore,
    links: FromLinks,
    page: pagination.FromOne,
    replica_type: Annotated[Literal["user", "system"] | None, Query(description="Only these; `face_type` too.")] = None,
    replica_ids: Annotated[
        str | None, Query(max_length=2_000, description="Only these, separated by commas; `face_ids` too.")
    ] = None,
    model_name: Annotated[str | None, Query(max_length=200)] = None,
    verbose: Annotated[bool, Query(description="With `replica_type`.")] = False,
) -> dict[str, Any]:
    """Replicas: your own, newest first, then those of the system."""
    wanted = [one.strip() for one in replica_ids.split(",") if one.strip()] if replica_ids else None
    system = [
        one
        for one in [stock_replica(links)]
        if replica_type != "user"
        and (wanted is None or one["replica_id"] in wanted)
        and model_name in (None, one["model_name"])
    ]
    if replica_type == "system":
        return pagination.listed([_shortened(one, verbose) for one in system[page.offset :][: page.limit]], len(system))
    own = await store.replicas.page(
        limit=page.limit,
        offset=page.offset,
        kind="user",
        replica_ids=None if wanted is None else [one for one in wanted if one.isprintable()],
        model_name=model_name if model_name is None or model_name.isprintable() else "",
    )
    _, rest = pagination.behind(page, own.total)
    found = [_described(one, links, verbose) for one in own.items]
    found += [_shortened(one, verbose) for one in system[rest.offset :][: rest.limit]]
    return pagination.listed(found, own.total + len(system))


@router.get("/{replica_id}", responses=shown(ShownReplica, _SHOWN) | errors(_UNKNOWN))
async def get_replica(store: FromStore, links: FromLinks, replica_id: str, verbose: bool = False) -> dict[str, Any]:
    """One replica."""
    if stand_in(replica_id) == STOCK_REPLICA_ID:
        return vocabulary.in_both(stock_replica(links))
    return vocabulary.in_both(_described(await store.replicas.get(replica_id), links, verbose=True))


@router.patch("/{replica_id}/name", responses=shown(ShownReplica, _SHOWN) | errors(_UNKNOWN | _FORBIDDEN))
async def rename_replica(store: FromStore, links: FromLinks, replica_id: str, body: RenameBody) -> dict[str, Any]:
    """Give a replica another name."""
    refuse_change_of_replica(replica_id)
    changed = await store.replicas.update(replica_id, name=body.replica_name)
    return vocabulary.in_both(_described(changed, links, verbose=True))


@router.delete("/{replica_id}", response_class=Response, responses=errors(_UNKNOWN | _FORBIDDEN))
async def delete_replica(
    store: FromStore,
    background: FromBackground,
    replica_id: str,
    hard: Annotated[bool, Query(description="Also remove its file, which is kept otherwise.")] = False,
) -> Response:
    """Delete a replica; one that is being trained is given up. Conversations that are running go on."""
    refuse_change_of_replica(replica_id)
    gone = await store.replicas.delete(replica_id, hard=hard)
    await cancel_work(store, background, "replicas", replica_id)
    await uploads.delete(store.blobs, replica_id)
    if hard and gone.bundle:
        await store.blobs.delete(gone.bundle)
    if hard and gone.document.get("preview"):
        await store.blobs.delete(preview_blob(replica_id))
    return Response()


async def check_usable(store: Store, field: str, replica_id: str) -> StoredReplica | None:
    """The replica, None for the system's.

    Raises `BadInputError` or `NotFoundError` for one that no conversation can have.
    """
    if replica_id == STOCK_REPLICA_ID:
        return None
    found = await store.replicas.get(replica_id)
    if found.status != "completed":
        raise BadInputError(field, replica_id, f"a replica whose status is 'completed' (it is {found.status!r})")
    return found


async def _uploaded(store: Store, form: FormData) -> StoredReplica:
    file = form.get("bundle")
    if not isinstance(file, UploadFile):
        raise BadInputError("bundle", file, "a .replica file in the form field bundle")
    name = form.get("replica_name") or form.get("face_name")
    given = RenameBody.checked({"replica_name": name}).replica_name if name is not None else None
    replica_id = ids.replica_id()
    with tempfile.TemporaryDirectory() as folder:
        path, film = Path(folder) / "upload.replica", Path(folder) / PREVIEW
        manifest, replaceable = await asyncio.to_thread(_saved, file, path, film)
        await store.blobs.write(bundle_blob(replica_id), path)
        if film.exists():
            await store.blobs.write(preview_blob(replica_id), film)
        has_film = film.exists()
    return await store.replicas.put(
        replica_id=replica_id,
        name=given or manifest.name,
        model_name=MODEL_NAMES.get(manifest.renderer, manifest.renderer),
        status="completed",
        progress=100,
        bundle=bundle_blob(replica_id),
        document={
            "manifest": manifest.model_dump(mode="json", exclude={"checksums"}),
            "background_is_replaceable": replaceable,
            "preview": has_film,
        },
    )


def _training_form(form: FormData) -> tuple[ReplicaBody, dict[str, UploadFile]]:
    """What a form asks to be trained, and its files by their fields."""
    files = {}
    for name in uploads.PLACES.keys() & form.keys():
        file = form[name]
        if not isinstance(file, UploadFile) or not file.size:
            raise BadInputError(name, None if isinstance(file, UploadFile) else file, "a file that is not empty")
        files[name] = file
    return training.from_form({name: value for name, value in form.items() if name not in files}), files


def _save(file: UploadFile, path: Path) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)


def _saved(file: UploadFile, path: Path, film: Path) -> tuple[Manifest, bool]:
    """What the uploaded bundle says of itself, and whether its background can be replaced."""
    _save(file, path)
    try:
        replaceable = background_is_replaceable(open_replica(path))
        with open_bundle(path) as bundle:
            if PREVIEW in bundle:
                film.write_bytes(bundle.part(PREVIEW))
            return bundle.manifest, replaceable
    except BundleError as error:
        raise BadInputError("bundle", file.filename, f"a .replica file that can be used ({error})") from None


def _described(stored: StoredReplica, links: Links, verbose: bool = False) -> dict[str, Any]:
    described = {
        "replica_id": stored.replica_id,
        "replica_name": stored.name,
        "replica_type": stored.kind,
        "status": stored.status,
        "training_progress": f"{stored.progress}/100",
        "thumbnail_video_url": links.preview(stored.replica_id) if stored.document.get("preview") else None,
        "model_name": stored.model_name,
        "error_type": stored.document.get("error_type"),
        "error_message": stored.error_message,
        "created_at": moment(stored.created_at),
        "updated_at": moment(stored.updated_at),
    }
    own = training.shown_document(stored.document)
    return _shortened(described | {"properties": own} if verbose else described, verbose)


def _shortened(described: dict[str, Any], verbose: bool) -> dict[str, Any]:
    return described if verbose else {name: value for name, value in described.items() if name != "replica_type"}
