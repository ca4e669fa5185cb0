from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from visavis.replica.arkit import pose_weights
from visavis.replica.bundle import THUMBNAIL, BundleError, BundleWriter, open_bundle
from visavis.replica.consent import synthetic
from visavis.replica.life import Pose
from visavis.replica.opening import open_replica
from visavis.replica.photo.renderer import PhotoRenderer
from visavis.replica.train import Progress, Trained, TrainingError, train_photo
from visavis.replica.train.photo_checks import checked, opened, refuse
from visavis.replica.train.photo_crop import crop

pytestmark = pytest.mark.models
CONSENT = synthetic("visavis", "Rendered from a CC0 model.")


def refused(picture: NDArray[np.uint8]) -> str:
    """What is said against a picture."""
    with pytest.raises(TrainingError) as error:
        checked(np.ascontiguousarray(picture, np.uint8))
    return str(error.value)


def test_a_photo_becomes_a_replica(trained: Trained, stages: list[Progress]) -> None:
    shares = [stage.share for stage in stages]
    assert shares == sorted(shares) and shares[-1] == 1
    assert open_replica(trained.path).name == "Me"
    with open_bundle(trained.path) as bundle:
        assert bundle.manifest.renderer == "photo"
        assert bundle.manifest.consent == CONSENT.model_copy(
            update={"recorded_at": bundle.manifest.consent.recorded_at}
        )
        assert bundle.picture(THUMBNAIL, (None, None, 3)).shape == (256, 256, 3)


def test_a_photo_on_its_side_is_turned_as_its_exif_data_says(picture: NDArray[np.uint8], tmp_path: Path) -> None:
    lying = cv2.imencode(".jpg", cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE))[1].tobytes()
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    exif = b"Exif\x00\x00" + tiff
    path = tmp_path / "phone.jpg"
    path.write_bytes(lying[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + lying[2:])
    sitter, warnings = checked(opened(path))
    assert sitter.picture.shape == picture.shape
    assert not any("side" in warning for warning in warnings)


def test_a_photo_on_its_side_without_exif_data_is_turned_and_said_so(picture: NDArray[np.uint8]) -> None:
    sitter, warnings = checked(np.asarray(cv2.rotate(picture, cv2.ROTATE_90_CLOCKWISE), np.uint8))
    assert sitter.picture.shape == picture.shape
    assert warnings[0] == "The photo lay on its side; it was turned."


def test_a_picture_without_a_face_is_refused() -> None:
    assert "No face was found" in refused(np.full((400, 400, 3), 120, np.uint8))


def test_two_people_are_refused(picture: NDArray[np.uint8]) -> None:
    assert "2 faces" in refused(np.hstack([picture, picture]))


def test_a_small_face_is_refused_with_its_size(picture: NDArray[np.uint8]) -> None:
    small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
    around = cv2.copyMakeBorder(cv2.resize(small, (160, 160)), 20, 20, 20, 20, cv2.BORDER_REPLICATE)
    assert "too small" in refused(around)


def test_a_dark_photo_is_refused(picture: NDArray[np.uint8]) -> None:
    assert "too dark" in refused(picture // 5)


def test_a_blurred_photo_is_refused(picture: NDArray[np.uint8]) -> None:
    assert "blurred" in refused(np.asarray(cv2.GaussianBlur(picture, (0, 0), 7), np.uint8))


def test_closed_eyes_are_refused(renderer: PhotoRenderer) -> None:
    pose = Pose(lids=1)
    assert "eye is closed" in refused(renderer.draw(pose_weights(pose), pose))


@pytest.mark.parametrize("angle", ["yaw_deg", "pitch_deg"])
def test_a_face_from_the_side_is_refused(picture: NDArray[np.uint8], angle: str) -> None:
    sitter, _ = checked(picture)
    with pytest.raises(TrainingError, match="about 40 degrees") as error:
        refuse(replace(sitter, **{angle: -40.0}))
    assert error.value.error_type == "improper_camera_angle"


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_is_refused_and_nothing_is_written(content: bytes, tmp_path: Path) -> None:
    photo, out = tmp_path / "me.jpg", tmp_path / "me.replica"
    photo.write_bytes(content)
    with pytest.raises(TrainingError, match=r"me\.jpg cannot be read as a picture"):
        train_photo(photo, tmp_path / "work", out, name="Me", consent=CONSENT, report=lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["me.jpg"]


def test_an_enormous_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    photo = tmp_path / "bomb.png"
    header = (60_000).to_bytes(4) + (50_000).to_bytes(4) + b"\x08\x02\x00\x00\x00"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + b"IHDR" + header + b"\x00" * 40)
    with pytest.raises(TrainingError, match="60000 x 50000 pixels; expected at most 10000"):
        opened(photo)


def test_a_photo_cut_closely_still_becomes_a_whole_frame(picture: NDArray[np.uint8]) -> None:
    whole, _ = checked(picture)
    low, high = whole.landmarks.xy.min(0).astype(int), whole.landmarks.xy.max(0).astype(int)
    sitter, warnings = checked(picture[low[1] - 20 : high[1] + 20, low[0] - 20 : high[0] + 20].copy())
    cut = crop(sitter)
    assert cut.frame.shape == (512, 512, 3)
    assert 0.2 * 512 < cut.eyes_px < 0.4 * 512
    assert 0 < np.mean(~cut.in_photo) < 0.5
    assert any("edge of the photo" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("part", "said"),
    [("face/fields.npy", "is missing"), ("photo.json", "is missing"), ("head/depth.npy", "is missing")],
)
def test_a_bundle_without_a_part_is_refused(trained: Trained, part: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "less.replica"
    with open_bundle(trained.path) as bundle:
        writer = BundleWriter(path, name="Less", renderer="photo", size=(512, 512), consent=CONSENT)
        with writer:
            for name in bundle.manifest.checksums:
                if name != part:
                    writer.part(name, bundle.part(name))
    with pytest.raises(BundleError, match=f"{part} {said}"):
        open_replica(path)
