"""`/v2/replicas` over HTTP on a real store, with real replica files."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.unit.api.server import Server, server
from visavis.replica.stock import bundle_path

BUNDLE = bundle_path("mira").read_bytes()


async def upload(here: Server, content: bytes = BUNDLE, **fields: str):
    return await here.client.post("/v2/faces", files={"bundle": ("ines.replica", content)}, data=fields)


async def test_stock_replica_is_listed_in_both_vocabularies(here: Server):
    listed = await here.get("faces?limit=1&face_type=system")
    assert listed["total_count"] == 1
    assert listed["data"][0]["face_id"] == listed["data"][0]["replica_id"] == "rmira"
    found = await here.get("replicas/rmira?verbose=true")
    assert (found["status"], found["training_progress"], found["replica_type"]) == ("completed", "100/100", "system")


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


@pytest.mark.parametrize("content", [b"", b"not a bundle", BUNDLE[: len(BUNDLE) // 2]])
async def test_unusable_bundle_is_refused_and_not_kept(here: Server, content):
    response = await upload(here, content)
    assert response.status_code == 400 and "bundle" in response.json()["error"]
    assert (await here.get("replicas?replica_type=user"))["total_count"] == 0
    assert not list((here.settings.data / "files").rglob("*.replica"))


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


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["train_video_url", "train_image_url"]),
        (
            {"train_video_url": "https://a.example/v.mp4", "train_image_url": "https://a.example/i.png"},
            ["train_image_url"],
        ),
        ({"train_video_url": "https://a.example/v.mp4"}, ["train_video_url", "cannot train", "bundle"]),
        ({"train_image_url": "https://a.example/i.png", "voice_name": "heart"}, ["train_image_url", "cannot train"]),
        ({"train_video_url": "http://10.0.0.1/v.mp4"}, ["train_video_url", "private"]),
        ({"train_video_url": 7}, ["train_video_url"]),
        ({"train_video_url": "https://a.example/v", "callback_url": "ftp://x"}, ["callback_url"]),
    ],
)
async def test_training_is_honestly_refused(here: Server, body, words):
    response = await here.client.post("/v2/replicas", json=body)
    assert response.status_code == 400
    for word in words:
        assert word in response.json()["error"]


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
    assert found["total_count"] == len(found["data"]) == 1
    assert (found["page"], found["limit"], found["data"][0]["replica_id"]) == (1, 10, "rmira")
    assert (await here.get("voices?search=nobody"))["data"] == []
    assert (await here.get("voices?tag=english"))["total_count"] == 1


async def test_body_that_is_no_json_is_refused(here: Server):
    for content in (b"", b"{", b"[" * 100_000, json.dumps([1]).encode()):
        response = await here.client.post("/v2/replicas", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 400
