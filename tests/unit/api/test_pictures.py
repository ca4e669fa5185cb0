"""`/v2/replicas/picture-check`: what a camera shows before a recording."""

import cv2
import numpy as np
import pytest

from tests.unit.api.server import Server
from visavis.replica.bundle import open_bundle
from visavis.replica.stock import bundle_path


async def check(here: Server, picture: np.ndarray) -> tuple[dict, dict[str, bool]]:
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    response = await here.client.post("/v2/replicas/picture-check", content=data)
    assert response.status_code == 200, response.text
    found = response.json()
    return found, {one["about"]: one["must"] for one in found["remarks"]}


@pytest.mark.models
async def test_face_is_found_and_what_is_wrong_with_it_is_said(here: Server):
    with open_bundle(bundle_path("mira")) as bundle:
        face = cv2.imdecode(np.frombuffer(bundle.part("thumbnail.jpg"), np.uint8), cv2.IMREAD_COLOR)
    face = cv2.resize(face, (512, 512))
    found, remarks = await check(here, face)
    assert found["faces"] == 1 and found["box"][0] < 256 < found["box"][2]
    assert not any(remarks.values())
    assert (await check(here, (face * 0.12).astype(np.uint8)))[1]["light"] is True
    wide = np.full((512, 1280, 3), 128, np.uint8)
    wide[:, :512] = face
    assert "place" in (await check(here, wide))[1]
    assert (await check(here, cv2.resize(face, (90, 90))))[1]["size"] is True
    found, remarks = await check(here, np.full((480, 640, 3), 128, np.uint8))
    assert (found["faces"], found["box"], remarks) == (0, None, {"person": True})


@pytest.mark.models
@pytest.mark.parametrize("content", [b"", b"no picture", cv2.imencode(".png", np.zeros((1, 5000, 3)))[1].tobytes()])
async def test_what_is_no_picture_is_refused(here: Server, content: bytes):
    response = await here.client.post("/v2/replicas/picture-check", content=content)
    assert response.status_code == 400 and response.json()["error"].startswith("body: ")
