"""The work of a training, on files from a real server, up to where a person would have to be seen."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.receiver import Receiver, answers, receiver
from visavis.jobs import WorkError
from visavis.training import work
from visavis.training.work import make_replica
from visavis.videos.files import write_sound


@pytest.fixture(autouse=True)
def loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISAVIS_ALLOW_PRIVATE_URLS", "127.0.0.1/32")


def asked(files: Receiver, **changes: Any) -> dict[str, Any]:
    return {"name": "Ines", "video_url": files.url("/film.mp4"), "declared_by": "Ines Okafor", **changes}


async def failure(work_input: dict[str, Any], folder: Path) -> WorkError:
    with pytest.raises(WorkError) as failed:
        await make_replica(work_input, folder, lambda share: None)
    return failed.value


async def test_file_that_is_no_video_is_fetched_once_and_refused_by_type(tmp_path: Path) -> None:
    async with receiver(answers(200, b"Dear visavis,")) as files:
        for _ in range(2):
            assert (await failure(asked(files), tmp_path)).error_type == "video_format"
        assert len(files.received) == 1


async def test_file_that_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LARGEST_VIDEO", 1000)
    async with receiver(answers(200, bytes(1001))) as files:
        error = await failure(asked(files), tmp_path)
    assert error.error_type == "file_size" and "train_video_url" in str(error)
    assert os.listdir(tmp_path) == []


async def test_recording_of_the_statement_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    async with receiver(answers(200, b"film")) as files, receiver(answers(404)) as statements:
        error = await failure(asked(files, declared_by=None, consent_url=statements.url("/said.wav")), tmp_path)
    assert error.error_type == "download_link" and "consent_video_url" in str(error)


@pytest.mark.models
async def test_video_in_which_nobody_agrees_is_not_trained_from(tmp_path: Path) -> None:
    write_sound(tmp_path / "hum.wav", np.zeros(3 * 48_000, np.int16))
    folder = tmp_path / "work"
    folder.mkdir()
    async with receiver(answers(200, (tmp_path / "hum.wav").read_bytes())) as files:
        error = await failure(asked(files, declared_by=None), folder)
    assert error.error_type == "consent"
    for advice in ("consent_video_url", "properties.consent_declaration"):
        assert advice in str(error)
    assert os.listdir(folder) == ["source"]
