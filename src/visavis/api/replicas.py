"""`/v2/replicas` (and `/v2/faces`): who is seen."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.datastructures import FormData, UploadFile

from visavis.api import pagination, vocabulary
from visavis.api.answers import FromSettings, FromStore, errors, moment, shown
from visavis.api.bodies import Body
from visavis.api.persona_document import Name
from visavis.api.shapes import Listed, ShownReplica
from visavis.api.system import MODEL_NAME, STOCK_REPLICA_ID, refuse_change_of_replica, stand_in, stock_replica
from visavis.config import Settings
from visavis.errors import BadInputError
from visavis.outbound import PrivateAddresses, check_url
from visavis.replica.bundle import BundleError, Manifest, open_bundle
from visavis.replica.opening import open_replica
from visavis.store import Store, ids
from visavis.store.replicas import StoredReplica

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
    "error_message": None,
    "created_at": "2026-11-01T00:00:00Z",
    "updated_at": "2026-11-01T00:00:00Z",
}

_Url = Annotated[str, Field(max_length=2_000)]


class ReplicaBody(Body):
    """What a replica is to be trained from: exactly one of the two addresses."""

    train_video_url: _Url | None = None
    train_image_url: _Url | None = None
    consent_video_url: _Url | None = None
    voice_name: Name | None = None
    auto_fix_training_image: bool | None = None
    callback_url: _Url | None = None
    replica_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    model_name: Name | None = None
    properties: dict[str, Any] | None = None


class RenameBody(Body):
    """A new name; `face_name` means the same."""

    replica_name: Annotated[str, Field(min_length=1, max_length=200, examples=["Ines"])]


_FORMS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ReplicaBody"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["bundle"],
                    "properties": {
                        "bundle": {"type": "string", "format": "binary", "description": "A .replica file."},
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
    responses=shown(ShownReplica, _SHOWN)
    | errors({400: "Either train_video_url or train_image_url must be provided.", 413: "The body is too large."}),
)
async def create_replica(request: Request, store: FromStore, settings: FromSettings) -> JSONResponse:
    """Upload a `.replica` file (form field `bundle`), which is checked before it counts.

    Training from a video or a picture is not possible in this version: such requests are checked and refused.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=20) as form:
            made = await _uploaded(store, form)
        return JSONResponse(vocabulary.in_both(_described(made, verbose=True)))
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise BadInputError("body", "...", "a JSON object or a form with a .replica file in the field bundle") from None
    if not isinstance(body, dict):
        raise BadInputError("body", body, "a JSON object")
    raise _cannot_train(ReplicaBody.checked(body), settings)


@router.get("", responses=shown(Listed[ShownReplica], {"data": [_SHOWN], "total_count": 1}))
async def list_replicas(
    store: FromStore,
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
        for one in [stock_replica()]
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
    found = [_described(one, verbose) for one in own.items]
    found += [_shortened(one, verbose) for one in system[rest.offset :][: rest.limit]]
    return pagination.listed(found, own.total + len(system))


@router.get("/{replica_id}", responses=shown(ShownReplica, _SHOWN) | errors(_UNKNOWN))
async def get_replica(store: FromStore, replica_id: str, verbose: bool = False) -> dict[str, Any]:
    """One replica."""
    if stand_in(replica_id) == STOCK_REPLICA_ID:
        return vocabulary.in_both(stock_replica())
    return vocabulary.in_both(_described(await store.replicas.get(replica_id), verbose=True))


@router.patch("/{replica_id}/name", responses=shown(ShownReplica, _SHOWN) | errors(_UNKNOWN | _FORBIDDEN))
async def rename_replica(store: FromStore, replica_id: str, body: RenameBody) -> dict[str, Any]:
    """Give a replica another name."""
    refuse_change_of_replica(replica_id)
    changed = await store.replicas.update(replica_id, name=body.replica_name)
    return vocabulary.in_both(_described(changed, verbose=True))


@router.delete("/{replica_id}", response_class=Response, responses=errors(_UNKNOWN | _FORBIDDEN))
async def delete_replica(
    store: FromStore,
    replica_id: str,
    hard: Annotated[bool, Query(description="Also remove its file, which is kept otherwise.")] = False,
) -> Response:
    """Delete a replica. Conversations that are running go on."""
    refuse_change_of_replica(replica_id)
    gone = await store.replicas.delete(replica_id, hard=hard)
    if hard and gone.bundle:
        await store.blobs.delete(gone.bundle)
    return Response()


async def check_usable(store: Store, field: str, replica_id: str) -> None:
    """Raise `BadInputError` or `NotFoundError` for a replica that no conversation can have."""
    if replica_id == STOCK_REPLICA_ID:
        return
    found = await store.replicas.get(replica_id)
    if found.status != "completed":
        raise BadInputError(field, replica_id, f"a replica whose status is 'completed' (it is {found.status!r})")


async def _uploaded(store: Store, form: FormData) -> StoredReplica:
    file = form.get("bundle")
    if not isinstance(file, UploadFile):
        raise BadInputError("bundle", file, "a .replica file in the form field bundle")
    name = form.get("replica_name") or form.get("face_name")
    given = RenameBody.checked({"replica_name": name}).replica_name if name is not None else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.replica"
        manifest = await asyncio.to_thread(_saved, file, path)
        replica_id = ids.replica_id()
        blob = f"replicas/{replica_id}.replica"
        await store.blobs.write(blob, path)
    return await store.replicas.put(
        replica_id=replica_id,
        name=given or manifest.name,
        model_name=MODEL_NAME,
        status="completed",
        progress=100,
        bundle=blob,
        document={"licence": manifest.licence, "maker": manifest.maker, "version": manifest.version},
    )


def _saved(file: UploadFile, path: Path) -> Manifest:
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)
    try:
        open_replica(path)
        with open_bundle(path) as bundle:
            return bundle.manifest
    except BundleError as error:
        raise BadInputError("bundle", file.filename, f"a .replica file that can be used ({error})") from None


def _cannot_train(body: ReplicaBody, settings: Settings) -> BadInputError:
    given = body.given()
    sources = [name for name in ("train_video_url", "train_image_url") if given.get(name)]
    if len(sources) != 1:
        return BadInputError(
            "train_video_url", given.get("train_video_url"), "an address, in either train_video_url or train_image_url"
        )
    private = PrivateAddresses.parse(settings.allow_private_urls)
    for name in (*sources, "consent_video_url", "callback_url"):
        if given.get(name):
            check_url(name, given[name], private)
    return BadInputError(
        sources[0],
        given[sources[0]],
        "no address: this version cannot train replicas yet. Upload a finished .replica file instead, "
        "as multipart form data in the field 'bundle'",
    )


def _described(stored: StoredReplica, verbose: bool = False) -> dict[str, Any]:
    described = {
        "replica_id": stored.replica_id,
        "replica_name": stored.name,
        "replica_type": stored.kind,
        "status": stored.status,
        "training_progress": f"{stored.progress}/100",
        "thumbnail_video_url": None,
        "model_name": stored.model_name,
        "error_message": stored.error_message,
        "created_at": moment(stored.created_at),
        "updated_at": moment(stored.updated_at),
    }
    return _shortened(described | {"properties": stored.document} if verbose else described, verbose)


def _shortened(described: dict[str, Any], verbose: bool) -> dict[str, Any]:
    return described if verbose else {name: value for name, value in described.items() if name != "replica_type"}
