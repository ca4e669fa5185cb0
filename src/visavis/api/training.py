"""The request to train a replica: from a video or a photo of a person who agreed."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from visavis.api.bodies import Body
from visavis.api.persona_document import Name
from visavis.config import Settings
from visavis.errors import BadInputError
from visavis.layers.tts.stock_voices import VOICE_NAMES
from visavis.outbound import PrivateAddresses, check_url
from visavis.replica.consent import STATEMENT
from visavis.store import Store, ids
from visavis.store.replicas import StoredReplica
from visavis.training import uploads
from visavis.training.kinds import MODEL_NAMES

_Url = Annotated[str, Field(max_length=2_000)]


class TrainingProperties(Body):
    """How the replica is made, and who agreed."""

    background_green_screen: bool | None = None
    consent_declaration: Annotated[str, Field(min_length=1, max_length=200, examples=["Ines Okafor"])] | None = None
    """Name of the person shown, who agreed; declared by whoever sends this."""


class ReplicaBody(Body):
    """What a replica is to be trained from: exactly one of `train_video_url` and `train_image_url`.

    A training video may begin with the person agreeing aloud. Otherwise `consent_video_url` leads to a recording of
    that, or `properties.consent_declaration` names the person who agreed.
    """

    train_video_url: _Url | None = None
    train_image_url: _Url | None = None
    consent_video_url: _Url | None = None
    voice_name: Name | None = None
    """A stock voice instead of the person's own; see `GET /v2/voices`."""
    auto_fix_training_image: bool | None = None
    callback_url: _Url | None = None
    replica_name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    model_name: Name | None = None
    properties: TrainingProperties | None = None


def check(body: ReplicaBody, settings: Settings, uploaded: Collection[str] = ()) -> None:
    """Raise `BadInputError` for what cannot be trained, as far as can be told before anything is downloaded.

    `uploaded` names the files that came with the request (`visavis.training.uploads.PLACES`).
    """
    sources = [name for name in ("train_video_url", "train_image_url") if getattr(body, name)]
    if len(sources) + len({"train_video", "train_image"} & set(uploaded)) != 1:
        raise BadInputError(
            "train_video_url", body.train_video_url, "an address, in either train_video_url or train_image_url"
        )
    private = PrivateAddresses.parse(settings.allow_private_urls)
    for name in (*sources, "consent_video_url", "callback_url"):
        if url := getattr(body, name):
            check_url(name, url, private)
    if body.voice_name and body.voice_name not in VOICE_NAMES:
        raise BadInputError("voice_name", body.voice_name, "one of " + ", ".join(VOICE_NAMES))
    declared = body.properties.consent_declaration if body.properties else None
    of_photo = body.train_image_url or "train_image" in uploaded
    if of_photo and not (body.consent_video_url or "consent_video" in uploaded or declared):
        raise BadInputError(
            "consent_video_url",
            None,
            "the consent of the person in the picture: a recording in which they say it, for example "
            f"'{STATEMENT}', or their name in properties.consent_declaration if they agreed otherwise",
        )


async def queue(body: ReplicaBody, store: Store, key_id: str | None, files: Mapping[str, Path]) -> StoredReplica:
    """Store the replica with its uploaded files, and queue its training."""
    given = body.given()
    properties = body.properties or TrainingProperties()
    replica_id = ids.replica_id()
    await uploads.keep(store.blobs, replica_id, files)
    made = await store.replicas.put(
        replica_id=replica_id,
        name=body.replica_name or "Replica",
        model_name=MODEL_NAMES["patches" if body.train_video_url or "train_video" in files else "photo"],
        document={"callback_url": body.callback_url, "key_id": key_id, "request": given, "warnings": warnings(body)},
    )
    await store.jobs.add(
        "replica",
        made.replica_id,
        {
            "name": made.name,
            "video_url": body.train_video_url,
            "photo_url": body.train_image_url,
            "consent_url": body.consent_video_url,
            "declared_by": properties.consent_declaration,
            "green_screen": bool(properties.background_green_screen),
            "voice_name": body.voice_name,
            "uploads": sorted(files),
        },
    )
    return made


def from_form(fields: Mapping[str, Any]) -> ReplicaBody:
    """The body that the text fields of a form stand for. Raises `BadInputError`."""
    inner = {name: value for name, value in fields.items() if name in TrainingProperties.model_fields}
    outer = {name: value for name, value in fields.items() if name not in inner}
    return ReplicaBody.checked(outer | ({"properties": inner} if inner else {}))


def warnings(body: ReplicaBody) -> list[str]:
    """Fields of a request that change nothing here."""
    found = []
    if body.model_name:
        found.append("model_name: there is one way of training for videos and one for photos; this changes nothing")
    if body.auto_fix_training_image:
        found.append("auto_fix_training_image: photos are used as they are; this changes nothing")
    return found


def shown_document(document: dict[str, Any]) -> dict[str, Any]:
    """What of a replica's document its owner is shown."""
    hidden = ("key_id", "preview")
    return {name: value for name, value in document.items() if name not in hidden and value is not None}
