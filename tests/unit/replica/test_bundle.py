import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from visavis.errors import BadInputError
from visavis.replica.bundle import BundleError, load
from visavis.replica.stock import names, stock


def rewritten(source: Path, target: Path, **changes: bytes | None) -> Path:
    """A copy of a bundle with parts replaced, or left out where the change is None."""
    wanted = {name.replace("__", "/"): data for name, data in changes.items()}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = wanted.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def manifest_with(source: Path, **changes: object) -> bytes:
    with zipfile.ZipFile(source) as archive:
        return json.dumps(json.loads(archive.read("manifest.json")) | changes).encode()


def test_stock_replica_says_who_made_it_and_under_which_licence(mira_path: Path) -> None:
    manifest = load(mira_path).manifest
    assert (manifest.name, manifest.licence, manifest.fps, manifest.size) == ("Mira", "CC0-1.0", 25, (512, 512))
    assert manifest.maker and manifest.version
    assert mira_path.stat().st_size < 6_000_000


def test_unknown_stock_name_says_which_exist() -> None:
    assert names() == ("mira",)
    with pytest.raises(BadInputError, match=r"'nobody'.*mira"):
        stock("nobody")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"gone\.replica: there is no such file"):
        load(tmp_path / "gone.replica")


def test_half_a_download_is_called_damaged(mira_path: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.replica"
    half.write_bytes(mira_path.read_bytes()[:100_000])
    with pytest.raises(BundleError, match=r"half\.replica: damaged"):
        load(half)


def test_flipped_byte_in_a_picture_is_found(mira_path: Path, tmp_path: Path) -> None:
    data = bytearray(mira_path.read_bytes())
    with zipfile.ZipFile(mira_path) as archive:
        start = archive.getinfo("person.png").header_offset
    data[start + 5000] ^= 0xFF
    broken = tmp_path / "broken.replica"
    broken.write_bytes(bytes(data))
    with pytest.raises(BundleError, match=r"person\.png"):
        load(broken)


@pytest.mark.parametrize("part", ["manifest.json", "room.png", "mouth/aa.png", "mouth/fields.npy", "head/depth.npy"])
def test_missing_part_is_named(mira_path: Path, tmp_path: Path, part: str) -> None:
    broken = rewritten(mira_path, tmp_path / "x.replica", **{part.replace("/", "__"): None})
    with pytest.raises(BundleError, match=f"{part} is missing"):
        load(broken)


def test_picture_of_the_wrong_size_is_named_with_both_sizes(mira_path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(mira_path) as archive:
        eyes = archive.read("eyes/0.png")
    broken = rewritten(mira_path, tmp_path / "x.replica", **{"mouth__aa.png": eyes})
    with pytest.raises(BundleError, match=r"mouth/aa\.png has shape .* expected"):
        load(broken)


def test_field_that_is_not_finite_is_refused(mira_path: Path, tmp_path: Path) -> None:
    fields = load(mira_path).mouth_fields.astype(np.float16)
    fields[0, 0, 0, 0, 0] = np.nan
    path = tmp_path / "fields.npy"
    np.save(path, fields)
    broken = rewritten(mira_path, tmp_path / "x.replica", **{"mouth__fields.npy": path.read_bytes()})
    with pytest.raises(BundleError, match="not finite"):
        load(broken)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 9}, "format 9 is not known"),
        ({"size": "big"}, "size in manifest.json"),
        ({"supersampling": 0}, "supersampling in manifest.json"),
        ({"eyes": {"box": {"x": 1000, "y": 0, "width": 320, "height": 144}, "levels": [1]}}, "beyond the picture"),
    ],
)
def test_nonsense_in_the_manifest_is_named(
    mira_path: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    broken = rewritten(mira_path, tmp_path / "x.replica", **{"manifest.json": manifest_with(mira_path, **changes)})
    with pytest.raises(BundleError, match=message):
        load(broken)


def test_picture_is_not_decoded_when_its_header_promises_another_size(mira_path: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(mira_path) as archive:
        png = bytearray(archive.read("room.png"))
    png[16:24] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    broken = rewritten(mira_path, tmp_path / "x.replica", **{"room.png": bytes(png)})
    with pytest.raises(BundleError, match=r"room\.png has shape \(60000, 60000\)"):
        load(broken)


def test_array_is_not_allocated_when_its_header_promises_too_much(mira_path: Path, tmp_path: Path) -> None:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 1_000_000)}
    )
    broken = rewritten(mira_path, tmp_path / "x.replica", **{"head__depth.npy": file.getvalue()})
    with pytest.raises(BundleError, match="larger than 512 MiB"):
        load(broken)
