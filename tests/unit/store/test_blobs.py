"""Blobs in a folder and on an S3 server (moto's, a real HTTP server)."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from visavis.errors import BadInputError
from visavis.store.blobs import Blobs
from visavis.store.errors import NotFoundError, StoreError


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The URL of a bucket; the standard variables say where its server is."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    boto3.client("s3").create_bucket(Bucket="calls")
    yield "s3://calls/visavis"
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "files") if request.param == "folder" else request.getfixturevalue("s3"))


async def test_what_is_written_is_read_back(blobs: Blobs, tmp_path: Path):
    content = os.urandom(3_000_000)
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(content)
    await blobs.write("videos/one.mp4", source)
    assert await blobs.size_bytes("videos/one.mp4") == len(content)
    assert await blobs.read("videos/one.mp4") == content
    await blobs.fetch("videos/one.mp4", target)
    assert target.read_bytes() == content
    assert b"".join([part async for part in blobs.stream("videos/one.mp4")]) == content
    part = b"".join([part async for part in blobs.stream("videos/one.mp4", 1_000_000, 2_500_000)])
    assert part == content[1_000_000:2_500_000]
    assert b"".join([part async for part in blobs.stream("videos/one.mp4", 2_999_999, 9_999_999)]) == content[-1:]


async def test_writing_again_replaces_and_deleting_twice_is_fine(blobs: Blobs):
    await blobs.write("a/b", b"first, and longer")
    await blobs.write("a/b", b"second")
    assert await blobs.read("a/b") == b"second"
    await blobs.write("a/empty", b"")
    assert await blobs.read("a/empty") == b""
    assert await blobs.exists("a/b")
    await blobs.delete("a/b")
    await blobs.delete("a/b")
    assert not await blobs.exists("a/b")


async def test_missing_blob_is_named(blobs: Blobs, tmp_path: Path):
    for work in (blobs.read("none"), blobs.size_bytes("none"), blobs.fetch("none", tmp_path / "x")):
        with pytest.raises(NotFoundError, match="none"):
            await work


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../outside", "a/../../outside", "a\0b", "."])
async def test_names_that_lead_elsewhere_are_refused(blobs: Blobs, name: str):
    with pytest.raises(BadInputError, match="blob name"):
        await blobs.write(name, b"")


async def test_nobody_sees_half_of_a_file(tmp_path: Path):
    blobs = Blobs(str(tmp_path))
    await blobs.write("one", b"a" * 5_000_000)
    stop = threading.Event()
    seen: set[bytes] = set()

    def watch() -> None:
        while not stop.is_set():
            content = (tmp_path / "one").read_bytes()
            seen.add(content[:1] + content[-1:] + str(len(content)).encode())

    watching = asyncio.create_task(asyncio.to_thread(watch))
    for letter in b"bcdefg":
        await blobs.write("one", bytes([letter]) * 5_000_000)
    stop.set()
    await watching
    assert seen <= {bytes([letter, letter]) + b"5000000" for letter in b"abcdefg"}
    assert os.listdir(tmp_path) == ["one"]


async def test_source_that_cannot_be_read_leaves_nothing(tmp_path: Path):
    blobs = Blobs(str(tmp_path / "files"))
    with pytest.raises(StoreError):
        await blobs.write("one", tmp_path)
    assert list((tmp_path / "files").iterdir()) == []


def test_place_that_is_none_is_named():
    with pytest.raises(BadInputError, match="VISAVIS_BLOBS_URL"):
        Blobs("gopher://host/files")
