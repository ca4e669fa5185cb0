"""The `.replica` file: whole or not there, and nothing in it is believed before it is checked."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, Field

from visavis.replica import Attitude
from visavis.replica.bundle import BundleError, BundleWriter, Manifest, add_parts, open_bundle, reader
from visavis.replica.consent import declared
from visavis.replica.opening import open_replica

Parts = dict[str, bytes]


class Lips(BaseModel):
    count: int = Field(gt=0)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A bundle with one part of every kind."""
    picture = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    clip = tmp_path / "clip.bin"
    clip.write_bytes(b"moving pictures")
    with writer(tmp_path / "small.replica") as bundle:
        bundle.json("lips.json", Lips(count=2))
        for name in ("a.png", "a.webp", "thumbnail.jpg"):
            bundle.picture(name, picture)
        bundle.array("deep/down/field.npy", np.arange(12, dtype=np.float16).reshape(3, 4))
        bundle.file("clip.mp4", clip)
    return tmp_path / "small.replica"


def writer(path: Path, **changes: str) -> BundleWriter:
    about = {"name": "Ines", "renderer": "patches", **changes}
    return BundleWriter(path, size=(512, 512), consent=declared("Ines Okafor"), **about)


def parts(path: Path) -> Parts:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: Parts, how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def with_manifest(parts: Parts, change: Callable[[dict], object]) -> Parts:
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    return parts | {"manifest.json": json.dumps(manifest).encode()}


def read_all(path: Path) -> Manifest:
    with open_bundle(path) as bundle:
        bundle.json("lips.json", Lips)
        for name in ("a.png", "a.webp", "thumbnail.jpg"):
            bundle.picture(name, (24, None, 3))
        bundle.array("deep/down/field.npy", (None, 4))
        bundle.part("clip.mp4")
        return bundle.manifest


def test_what_is_written_is_read_back(small: Path) -> None:
    with open_bundle(small) as bundle:
        assert bundle.json("lips.json", Lips).count == 2
        png, webp = bundle.picture("a.png", (24, 32, 3)), bundle.picture("a.webp", (24, 32, 3))
        assert np.array_equal(png, webp)
        field = bundle.array("deep/down/field.npy", (3, None))
        assert field.dtype == np.float32 and field[2, 3] == 11
        assert bundle.part("clip.mp4") == b"moving pictures"
        assert "clip.mp4" in bundle and "preview.mp4" not in bundle
    about = read_all(small)
    assert (about.name, about.renderer, about.size, about.fps) == ("Ines", "patches", (512, 512), 25)
    assert (about.consent.kind, about.consent.by) == ("declaration", "Ines Okafor")


def test_nothing_is_left_of_a_bundle_whose_making_failed(tmp_path: Path) -> None:
    before = tmp_path / "kept.replica"
    before.write_bytes(b"from before")
    with pytest.raises(ZeroDivisionError), writer(before) as bundle:
        bundle.part("a.bin", b"half")
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["kept.replica"]
    assert before.read_bytes() == b"from before"


def test_parts_are_added_to_a_finished_bundle_and_the_rest_stays(small: Path) -> None:
    before = read_all(small)
    add_parts(small, {"preview.mp4": b"film", "clip.mp4": b"another"})
    after = read_all(small)
    assert (after.made_at, after.consent, after.name) == (before.made_at, before.consent, before.name)
    with open_bundle(small) as bundle:
        assert (bundle.part("preview.mp4"), bundle.part("clip.mp4")) == (b"film", b"another")


@pytest.mark.parametrize("name", ["../a.bin", "/etc/a", "a\\b", "", "manifest.json", "a//b", ".hidden", "twice.bin"])
def test_writer_refuses_names_that_no_part_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be added"), writer(tmp_path / "a.replica") as bundle:
        bundle.part("twice.bin", b"")
        bundle.part(name, b"")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(BundleError, match=r"gone\.replica: there is no such file"),
        open_bundle(tmp_path / "gone.replica"),
    ):
        pass


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.98])
def test_half_a_download_is_called_damaged(small: Path, keep: float) -> None:
    data = small.read_bytes()
    small.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(BundleError, match=r"small\.replica: damaged"), open_bundle(small):
        pass


def test_any_other_file_is_refused(tmp_path: Path) -> None:
    packed(tmp_path / "office.replica", {"word/document.xml": b"<w/>"})
    with pytest.raises(BundleError, match=r"manifest\.json is missing"), open_bundle(tmp_path / "office.replica"):
        pass


@pytest.mark.parametrize("name", ["lips.json", "a.png", "a.webp", "thumbnail.jpg", "deep/down/field.npy", "clip.mp4"])
def test_missing_part_is_named(small: Path, name: str) -> None:
    broken = packed(small, {one: data for one, data in parts(small).items() if one != name})
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_all(broken)


@pytest.mark.parametrize("name", ["lips.json", "a.png", "deep/down/field.npy", "clip.mp4"])
def test_changed_part_is_found_by_its_checksum(small: Path, name: str) -> None:
    whole = parts(small)
    broken = packed(small, whole | {name: whole[name][:-1] + bytes([whole[name][-1] ^ 1])})
    with pytest.raises(BundleError, match=f"{name} has another checksum"):
        read_all(broken)


def test_flipped_byte_in_the_archive_is_found(small: Path) -> None:
    with zipfile.ZipFile(small) as archive:
        start = archive.getinfo("a.png").header_offset
    data = bytearray(small.read_bytes())
    data[start + 200] ^= 0xFF
    small.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"a\.png cannot be unpacked"):
        read_all(small)


def test_stranger_among_the_parts_is_refused(small: Path) -> None:
    broken = packed(small, parts(small) | {"more.bin": b"x"})
    with pytest.raises(BundleError, match=r"more\.bin has no checksum"):
        read_all(broken)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:/x", "a\\..\\b", "a/../../b", "~root/x", "a/"])
def test_path_that_leads_out_is_refused(small: Path, name: str) -> None:
    broken = packed(small, parts(small) | {name: b"x"})
    with pytest.raises(BundleError, match="is no name of a part"):
        read_all(broken)


def test_part_that_is_there_twice_is_refused(small: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(small, "a") as archive:
        archive.writestr("lips.json", b"{}")
    with pytest.raises(BundleError, match="twice"):
        read_all(small)


def test_zip_bomb_is_refused_by_what_its_table_says(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 1 << 20)
    with writer(small) as bundle:
        bundle.part("zeros.bin", bytes(3 << 20))
    assert small.stat().st_size < 10_000
    with pytest.raises(BundleError, match="larger than 1 MiB"), open_bundle(small):
        pass


def test_zip_bomb_that_lies_about_its_size_unpacks_to_no_more_than_it_said(small: Path) -> None:
    with writer(small) as bundle:
        bundle.part("zeros.bin", bytes(3 << 20))
    data = small.read_bytes()
    small.write_bytes(data.replace(struct.pack("<L", 3 << 20), struct.pack("<L", 1000)))
    with open_bundle(small) as bundle, pytest.raises(BundleError, match=r"zeros\.bin"):
        bundle.part("zeros.bin")


def test_thousands_of_parts_are_refused(tmp_path: Path) -> None:
    broken = packed(tmp_path / "many.replica", {f"{i}.bin": b"" for i in range(5000)})
    with pytest.raises(BundleError, match="it has 5000 parts"), open_bundle(broken):
        pass


def test_other_compression_is_refused(small: Path) -> None:
    broken = packed(small, parts(small), zipfile.ZIP_LZMA)
    with pytest.raises(BundleError, match="neither stored nor deflated"), open_bundle(broken):
        pass


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format=1), "format 1 is not known; this version reads format 2"),
        (lambda m: m.update(format=3), "format 3 is not known"),
        (lambda m: m.pop("consent"), "consent in manifest.json: Field required"),
        (lambda m: m["consent"].update(kind="rumour"), r"consent\.kind in manifest.json"),
        (lambda m: m.update(size="big"), "size in manifest.json"),
        (lambda m: m.update(size=[512, 100_000]), r"size\.1 in manifest.json"),
        (lambda m: m.update(renderer="os; rm"), "renderer in manifest.json"),
        (lambda m: m["checksums"].update({"a.png": "?"}), r"checksums\.a\.png in manifest.json"),
        (lambda m: m.update(made_at="yesterday"), "made_at in manifest.json"),
    ],
)
def test_nonsense_in_the_manifest_is_named(small: Path, change: Callable[[dict], object], message: str) -> None:
    broken = packed(small, with_manifest(parts(small), change))
    with pytest.raises(BundleError, match=message):
        read_all(broken)


@pytest.mark.parametrize("manifest", [b"", b"{", b"[1]", b"[" * 100_000, b"\xff\xfe", b"null"])
def test_manifest_that_is_no_json_object_is_refused(small: Path, manifest: bytes) -> None:
    broken = packed(small, parts(small) | {"manifest.json": manifest})
    with pytest.raises(BundleError, match=r"manifest\.json"):
        read_all(broken)


def test_renderer_that_is_not_here_is_named(small: Path) -> None:
    with writer(small, renderer="hologram") as bundle:
        bundle.part("a.bin", b"")
    with pytest.raises(BundleError, match="'hologram', which this version does not have"):
        open_replica(small)


def test_json_part_is_checked_field_by_field(small: Path) -> None:
    with writer(small) as bundle:
        bundle.json("lips.json", {"count": -1})
    with open_bundle(small) as bundle, pytest.raises(BundleError, match=r"count in lips\.json"):
        bundle.json("lips.json", Lips)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_picture_of_another_size_is_named_with_both_sizes(tmp_path: Path, kind: str) -> None:
    with writer(tmp_path / "a.replica") as bundle:
        bundle.picture(f"a.{kind}", np.zeros((24, 32, 3), np.uint8))
    with open_bundle(tmp_path / "a.replica") as bundle:
        with pytest.raises(BundleError, match=rf"a\.{kind} has shape \(24, 32\); expected \(32, any\)"):
            bundle.picture(f"a.{kind}", (32, None, 3))
        with pytest.raises(BundleError, match=r"has shape \(24, 32, 3\); expected \(24, 32, 4\)"):
            bundle.picture(f"a.{kind}", (24, 32, 4))


def test_picture_is_not_decoded_when_its_header_promises_too_much(small: Path) -> None:
    png = bytearray(parts(small)["a.png"])
    png[16:24] = struct.pack(">LL", 60_000, 60_000)
    with writer(small) as bundle:
        bundle.part("a.png", bytes(png))
    with open_bundle(small) as bundle, pytest.raises(BundleError, match="larger than 1024 MiB"):
        bundle.picture("a.png", (None, None, 3))


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF1234WEBPVP8 " + bytes(20)]
)
def test_what_is_no_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    with writer(tmp_path / "a.replica") as bundle:
        bundle.part("a.png", data)
    with open_bundle(tmp_path / "a.replica") as bundle, pytest.raises(BundleError, match=r"a\.png"):
        bundle.picture("a.png", (None, None, 3))


def test_array_is_not_allocated_when_its_header_promises_too_much(tmp_path: Path) -> None:
    header = str({"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 1_000_000)}).encode().ljust(117) + b"\n"
    with writer(tmp_path / "a.replica") as bundle:
        bundle.part("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with open_bundle(tmp_path / "a.replica") as bundle, pytest.raises(BundleError, match="larger than 1024 MiB"):
        bundle.array("a.npy", (None, None))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 5), np.float32), r"has shape \(3, 5\); expected \(any, 4\)"),
        (np.full((3, 4), np.nan, np.float16), "not finite"),
        (np.zeros((3, 4), np.float64), "of type float64; expected float32"),
        (np.zeros((3, 4), "U2"), "of type <U2"),
    ],
)
def test_array_of_another_shape_or_kind_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    with writer(tmp_path / "a.replica") as bundle:
        bundle.array("a.npy", array)
    with open_bundle(tmp_path / "a.replica") as bundle, pytest.raises(BundleError, match=message):
        bundle.array("a.npy", (None, 4))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    with writer(tmp_path / "a.replica") as bundle:
        bundle.file("a.npy", path)
    with open_bundle(tmp_path / "a.replica") as bundle, pytest.raises(BundleError, match=r"a\.npy is not an array"):
        bundle.array("a.npy", (None,))


def test_stock_replica_opens_by_what_its_manifest_says(mira_path: Path) -> None:
    with open_bundle(mira_path) as bundle:
        about = bundle.manifest
    assert (about.name, about.licence, about.renderer, about.consent.kind) == (
        "Mira",
        "CC0-1.0",
        "key_frames",
        "synthetic",
    )
    assert mira_path.stat().st_size < 3_000_000
    frame = open_replica(mira_path).renderer().render(None, Attitude.IDLE)
    assert frame.shape == (512, 512, 3)
