"""`/v2/replicas` over HTTP on a real store, with real replica files."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.receiver import answers, receiver
from tests.unit.api.server import Server, server
from visavis.background import background_work
from visavis.jobs import Failure
from visavis.replica.bundle import add_parts
from visavis.replica.stock import bundle_path
from visavis.training.kinds import ReplicaJobs

BUNDLE = bundle_path("mira").read_bytes()


async def upload(here: Server, content: bytes = BUNDLE, **fields: str):
    return await here.client.post("/v2/faces", files={"bundle": ("ines.replica", content)}, data=fields)


async def test_stock_replica_is_listed_in_both_vocabularies(here: Server):
    listed = await here.get("faces?limit=1&face_type=system")
    assert listed["total_count"] == 1
    assert listed["data"][0]["face_id"] == listed["data"][0]["replica_id"] == "rmira"
    found = await here.get("replicas/rmira?verbose=true")
    assert (found["status"], found["training_progress"], found["replica_type"]) == ("completed", "100/100", "system")
    film = found["thumbnail_video_url"].removeprefix(here.settings.base_url)
    seen = await here.client.get(film, headers={"Range": "bytes=4-7"})
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (206, b"ftyp", "video/mp4")


async def test_uploaded_bundle_is_checked_and_can_be_used(here: Server):
    response = await upload(here, replica_name="Ines")
    made = response.json()
    assert response.status_code == 200, response.text
    assert (made["replica_name"], made["status"]) == ("Ines", "completed")
    stored = await here.store.replicas.get(made["replica_id"])
    assert stored.bundle and await here.store.blobs.read(stored.bundle) == BUNDLE
    assert (await here.create(replica_id=made["replica_id"]))["face_id"] == made["replica_id"]


async def test_upload_without_a_name_takes_the_name_in_the_bundle(here: Server):
    assert (await upload(here)).json()["replica_name"] == "Mira"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("content", [b"", b"not a bundle", BUNDLE[: len(BUNDLE) // 2]])
async def test_unusable_bundle_is_refused_and_not_kept(refusing: Server, content):
    response = await upload(refusing, content)
    assert response.status_code == 400 and "bundle" in response.json()["error"]
    assert (await refusing.get("replicas?replica_type=user"))["total_count"] == 0
    assert not list((refusing.settings.data / "files").rglob("*.replica"))


async def test_bundle_without_a_part_is_refused_by_name(here: Server, tmp_path: Path):
    path = tmp_path / "broken.replica"
    with zipfile.ZipFile(bundle_path("mira")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != "eyes/aperture.png":
                new.writestr(name, old.read(name))
    response = await upload(here, path.read_bytes())
    assert response.status_code == 400 and "eyes/aperture.png is missing" in response.json()["error"]


async def test_upload_that_is_too_large_is_refused(tmp_path: Path):
    async with server(tmp_path, max_upload_mb=1) as here:
        response = await upload(here)
        assert response.status_code == 413 and "1 MiB" in response.json()["error"]


async def test_film_in_an_uploaded_bundle_can_be_seen_by_whoever_has_its_link(here: Server, tmp_path: Path):
    path = tmp_path / "ines.replica"
    path.write_bytes(BUNDLE)
    add_parts(path, {"preview.mp4": b"0123456789" * 10})
    made = (await upload(here, path.read_bytes())).json()
    link = made["thumbnail_video_url"].removeprefix(here.settings.base_url)
    assert link.startswith(f"/replicas/{made['face_id']}/")
    seen = await here.client.get(link, headers={"Range": "bytes=5-14"})
    assert (seen.status_code, seen.content, seen.headers["content-type"]) == (206, b"5678901234", "video/mp4")
    token = link.split("/")[3]
    assert (await here.client.get(link.replace(token, "0" * 32))).status_code == 404
    await here.client.delete(f"/v2/replicas/{made['replica_id']}?hard=true")
    assert (await here.client.get(link)).status_code in (400, 404)
    assert not list((here.settings.data / "files").rglob("*.mp4"))


async def test_upload_shows_who_agreed_to_the_replica(here: Server):
    made = (await upload(here)).json()
    assert made["properties"]["manifest"]["consent"]["kind"] == "synthetic"


VIDEO = "https://a.example/v.mp4"
PHOTO = "https://a.example/i.png"
DECLARED = {"properties": {"consent_declaration": "Ines Okafor"}}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["train_video_url", "train_image_url"]),
        ({"train_video_url": VIDEO, "train_image_url": PHOTO}, ["train_image_url"]),
        ({"train_image_url": PHOTO}, ["consent_video_url", "properties.consent_declaration", "I, NAME, agree"]),
        ({"train_image_url": PHOTO, "voice_name": "nobody", **DECLARED}, ["voice_name", "'nobody'", "heart"]),
        ({"train_video_url": "http://10.0.0.1/v.mp4"}, ["train_video_url", "private"]),
        ({"train_video_url": VIDEO, "consent_video_url": "http://localhost/c.mp4"}, ["consent_video_url", "private"]),
        ({"train_video_url": 7}, ["train_video_url"]),
        ({"train_video_url": VIDEO, "callback_url": "ftp://x"}, ["callback_url"]),
        ({"train_video_url": VIDEO, "replica_name": ""}, ["replica_name"]),
        ({"train_video_url": VIDEO, "properties": {"background_green_screen": "perhaps"}}, ["background_green_screen"]),
        ({"train_video_url": VIDEO, "properties": {"consent_declaration": ""}}, ["consent_declaration"]),
    ],
)
async def test_what_cannot_be_trained_is_refused_at_once(refusing: Server, body, words):
    response = await refusing.client.post("/v2/replicas", json=body)
    assert response.status_code == 400
    for word in words:
        assert word in response.json()["error"]
    assert (await refusing.get("replicas?replica_type=user"))["total_count"] == 0


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"train_video_url": VIDEO, "face_name": "Ines"}, {"name": "Ines", "video_url": VIDEO, "declared_by": None}),
        ({"train_image_url": PHOTO, **DECLARED}, {"photo_url": PHOTO, "declared_by": "Ines Okafor"}),
        (
            {"train_video_url": VIDEO, "properties": {"background_green_screen": True}, "consent_video_url": VIDEO},
            {"green_screen": True, "consent_url": VIDEO},
        ),
    ],
)
async def test_training_is_queued_as_it_was_asked_for(here: Server, body, wanted):
    made = await here.create("faces", **body, model_name="phoenix-4")
    assert made["face_id"] == made["replica_id"] and made["status"] == "started"
    assert [line.partition(":")[0] for line in made["warnings"]] == ["model_name"]
    [job] = await here.store.jobs.of(made["replica_id"])
    assert job.kind == "replica" and wanted.items() <= job.input.items()
    found = await here.get(f"replicas/{made['replica_id']}")
    assert (found["status"], found["training_progress"], found["error_message"]) == ("started", "0/100", None)
    assert "key_id" not in found["properties"]


async def test_replica_in_training_cannot_be_used_yet(here: Server):
    made = await here.create("replicas", train_video_url=VIDEO)
    for resource in ("conversations", "videos", "speech"):
        response = await here.client.post(f"/v2/{resource}", json={"replica_id": made["replica_id"], "script": "Hi."})
        assert response.status_code == 400 and "'started'" in response.json()["error"]


async def test_repeated_request_trains_once(here: Server):
    given = {"train_video_url": VIDEO}
    first, second = [
        await here.client.post("/v2/replicas", json=given, headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert first.json() == second.json()
    assert (await here.get("replicas?replica_type=user"))["total_count"] == 1


async def test_deleted_replica_is_not_trained_any_more(here: Server):
    made = await here.create("replicas", train_video_url=VIDEO)
    assert (await here.client.delete(f"/v2/replicas/{made['replica_id']}")).status_code == 200
    [job] = await here.store.jobs.of(made["replica_id"])
    assert (job.status, job.error_message) == ("error", "It was deleted.")


async def test_replica_trained_for_a_green_screen_stands_before_one(here: Server):
    made = (await upload(here)).json()
    stored = await here.store.replicas.get(made["replica_id"])
    await here.store.replicas.update(stored.replica_id, document=stored.document | {"green_screen": True})
    conversation = await here.create(replica_id=made["replica_id"])
    snapshot = await here.store.conversations.snapshot(conversation["conversation_id"])
    assert snapshot["green_screen"] is True


async def test_green_screen_is_refused_for_a_replica_that_cannot_leave_its_background(here: Server):
    made = (await upload(here)).json()
    assert made["properties"]["background_is_replaceable"] is True
    stored = await here.store.replicas.get(made["replica_id"])
    bound = stored.document | {"background_is_replaceable": False}
    await here.store.replicas.update(stored.replica_id, document=bound)
    asked = {"replica_id": made["replica_id"], "properties": {"apply_greenscreen": True}}
    response = await here.client.post("/v2/conversations", json=asked)
    assert response.status_code == 400 and "properties.apply_greenscreen" in response.json()["error"]


@pytest.mark.slow
async def test_training_that_cannot_get_its_video_tells_the_callback(tmp_path, monkeypatch):
    monkeypatch.setenv("VISAVIS_ALLOW_PRIVATE_URLS", "127.0.0.1/32")
    async with (
        receiver(answers(404)) as files,
        receiver() as told,
        server(tmp_path, allow_private_urls="127.0.0.1/32") as here,
        background_work(here.settings, here.store) as background,
    ):
        here.app.state.background = background
        made = await here.create("replicas", train_video_url=files.url("/v.mp4"), callback_url=told.url("/told"))
        [call] = await told.wait_for(1, within_s=120)
        found = await here.get(f"replicas/{made['replica_id']}")
        here.app.state.background = None
    event = json.loads(call.body)
    assert (event["replica_id"], event["status"], event["error_type"]) == (
        made["replica_id"],
        "error",
        "download_link",
    )
    assert "answered 404" in event["error_message"] and "train_video_url" in event["error_message"]
    assert (found["status"], found["error_type"], found["error_message"]) == (
        "error",
        "download_link",
        event["error_message"],
    )


async def test_lists_are_filtered(here: Server):
    first, second = [(await upload(here, replica_name=name)).json()["replica_id"] for name in ("A", "B")]

    async def ids(query: str) -> list[str]:
        found = await here.get(f"replicas?{query}")
        assert found["total_count"] == len(found["data"])
        return [one["replica_id"] for one in found["data"]]

    assert await ids("") == [second, first, "rmira"]
    assert await ids("replica_type=user") == [second, first]
    assert await ids(f"replica_ids={first},rmira") == [first, "rmira"]
    assert await ids(f"face_ids={first}&face_type=system") == []
    assert await ids("model_name=other") == []
    assert "replica_type" not in (await here.get("replicas"))["data"][0]
    assert (await here.get("replicas?verbose=true"))["data"][0]["face_type"] == "user"


async def test_replica_can_be_renamed(here: Server):
    replica_id = (await upload(here)).json()["replica_id"]
    renamed = await here.client.patch(f"/v2/faces/{replica_id}/name", json={"face_name": "Ana"})
    assert renamed.status_code == 200
    assert (await here.get(f"replicas/{replica_id}"))["replica_name"] == "Ana"
    assert (await here.client.patch(f"/v2/replicas/{replica_id}/name", json={})).status_code == 400
    assert (await here.client.patch("/v2/replicas/r404/name", json={"replica_name": "A"})).status_code == 400


async def test_deleted_replica_is_gone_and_hard_deletion_takes_its_file(here: Server):
    for hard in ("false", "true"):
        replica_id = (await upload(here)).json()["replica_id"]
        bundle = (await here.store.replicas.get(replica_id)).bundle
        response = await here.client.delete(f"/v2/replicas/{replica_id}?hard={hard}")
        assert (response.status_code, response.content) == (200, b"")
        assert (await here.client.get(f"/v2/replicas/{replica_id}")).status_code == 400
        assert await here.store.blobs.exists(bundle) == (hard == "false")


async def test_stock_replica_cannot_be_changed(here: Server):
    assert (await here.client.delete("/v2/replicas/rmira")).status_code == 403
    assert (await here.client.patch("/v2/replicas/rmira/name", json={"replica_name": "A"})).status_code == 403


async def test_voices_are_those_that_the_server_has(here: Server):
    found = await here.get("voices")
    assert found["total_count"] == len(found["data"]) == 4
    assert (found["page"], found["limit"], found["data"][0]["replica_id"]) == (1, 10, "rmira")
    assert {tag["tag_name"] for one in found["data"] for tag in one["tags"]} >= {"female", "male"}
    for one in found["data"]:
        sample = await here.client.get(one["audio_url"].partition("8770")[2] or one["audio_url"])
        assert sample.status_code == 200 and sample.headers["content-type"] == "audio/mpeg"
    assert (await here.client.get("/voices/nobody.mp3")).status_code == 400
    assert (await here.get("voices?search=nobody"))["data"] == []
    assert (await here.get("voices?tag=male"))["total_count"] == 2


async def test_body_that_is_no_json_is_refused(here: Server):
    for content in (b"", b"{", b"[" * 100_000, json.dumps([1]).encode()):
        response = await here.client.post("/v2/replicas", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 400


async def train(here: Server, files: dict[str, bytes], **fields: str):
    return await here.client.post(
        "/v2/replicas", files={name: (name, data) for name, data in files.items()}, data=fields
    )


async def test_uploaded_video_is_queued_and_reaches_the_training(here: Server, tmp_path: Path):
    response = await train(
        here, {"train_video": b"film", "consent_video": b"said"}, face_name="Ines", background_green_screen="true"
    )
    assert response.status_code == 200, response.text
    made = response.json()
    assert (made["status"], made["replica_name"], made["warnings"]) == ("started", "Ines", [])
    [job] = await here.store.jobs.of(made["replica_id"])
    assert job.input["green_screen"] and job.input["uploads"] == ["consent_video", "train_video"]
    kind = ReplicaJobs(here.store, lambda: None)
    for _ in range(2):  # begun again after a crash
        assert await kind.begin(job, tmp_path) == job.input
    assert ((tmp_path / "source").read_bytes(), (tmp_path / "consent").read_bytes()) == (b"film", b"said")
    await kind.failed(job, Failure("poor_lighting", "It is dark."))
    assert not list((here.settings.data / "files" / "uploads").rglob("*video"))


async def test_uploaded_photo_needs_consent_and_one_source(here: Server):
    for files, fields, words in (
        ({"train_image": b"face"}, {}, ["consent_video_url", "I, NAME, agree"]),
        ({"train_image": b"face", "train_video": b"film"}, {"consent_declaration": "Ines"}, ["train_image_url"]),
        ({"train_image": b"face"}, {"consent_declaration": ""}, ["consent_declaration"]),
        ({"train_image": b""}, {"consent_declaration": "Ines"}, ["train_image"]),
        ({"consent_video": b"said"}, {}, ["train_video_url"]),
    ):
        response = await train(here, files, **fields)
        assert response.status_code == 400
        for word in words:
            assert word in response.json()["error"]
    assert (await here.get("replicas?replica_type=user"))["total_count"] == 0
    made = (await train(here, {"train_image": b"face"}, consent_declaration="Ines Okafor")).json()
    [job] = await here.store.jobs.of(made["replica_id"])
    assert job.input["declared_by"] == "Ines Okafor"
    await here.client.delete(f"/v2/replicas/{made['replica_id']}")
    assert not list((here.settings.data / "files" / "uploads").rglob("*image"))
