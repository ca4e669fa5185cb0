"""The faces that a server has in memory."""

import shutil
from pathlib import Path

import pytest

from visavis.conversation.persona import DEMO
from visavis.hosting import faces as faces_module
from visavis.hosting.faces import Faces
from visavis.hosting.plan import Plan
from visavis.replica import Attitude
from visavis.replica.bundle import BundleError
from visavis.replica.stock import bundle_path


def plan(bundle: Path | None = None, *, green_screen: bool = False) -> Plan:
    replica_id = "r0123456789ab" if bundle else "rmira"
    return Plan(persona=DEMO, replica_id=replica_id, bundle=bundle, green_screen=green_screen)


async def test_a_face_is_loaded_once_also_before_green() -> None:
    faces = Faces()
    own = await faces.face(plan())
    assert await faces.face(plan()) is own
    green = await faces.face(plan(green_screen=True))
    assert green.name == own.name
    assert (green.renderer().render(None, Attitude.IDLE)[:40, :40] == (155, 255, 0)).all()
    assert not (own.renderer().render(None, Attitude.IDLE)[:40, :40] == (155, 255, 0)).any(axis=2).all()
    assert len(faces._loaded) == 1


async def test_face_that_was_not_used_for_long_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces_module, "LOADED", 1)
    faces = Faces()
    other = tmp_path / "other.replica"
    shutil.copyfile(bundle_path("mira"), other)
    first = await faces.face(plan(other))
    await faces.face(plan())
    assert await faces.face(plan(other)) is not first


async def test_damaged_file_of_a_replica_is_named(tmp_path: Path) -> None:
    (tmp_path / "ines.replica").write_bytes(b"half")
    with pytest.raises(BundleError, match=r"ines\.replica: damaged"):
        await Faces().face(plan(tmp_path / "ines.replica"))
