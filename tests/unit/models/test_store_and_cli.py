import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from visavis import models
from visavis.models import ModelMissingError, ModelStore, State, manifest
from visavis.models.cli import app
from visavis.models.pulling import pull


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache folder that the settings name."""
    monkeypatch.setenv("VISAVIS_MODEL_CACHE", str(tmp_path / "models"))
    return tmp_path / "models"


def copied(name: str, cache: Path) -> Path:
    """A model out of the user's own cache."""
    try:
        source = ModelStore(manifest(), Path.home() / ".cache" / "visavis" / "models").path(name)
    except ModelMissingError as missing:
        pytest.skip(str(missing))
    shutil.copytree(source, cache / name)
    return cache / name


def test_a_model_that_is_not_here_names_the_command_that_gets_it(own_cache: Path) -> None:
    with pytest.raises(ModelMissingError, match="run: visavis models pull silero-vad"):
        models.path("silero-vad")


@pytest.mark.models
def test_a_damaged_model_is_reported_with_the_command_that_repairs_it(own_cache: Path) -> None:
    file = copied("silero-vad", own_cache) / "silero_vad.onnx"
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0

    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)

    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 1
    assert f"{file} has the right size but a wrong sha256" in result.output
    assert "repair with: visavis models pull silero-vad" in result.output


@pytest.mark.models
def test_a_truncated_model_is_not_handed_out(own_cache: Path) -> None:
    file = copied("silero-vad", own_cache) / "silero_vad.onnx"
    file.write_bytes(file.read_bytes()[:1000])
    assert models.status()["silero-vad"] is State.DAMAGED
    with pytest.raises(ModelMissingError, match="is damaged"):
        models.path("silero-vad")


def test_the_list_shows_every_model_and_its_state(own_cache: Path) -> None:
    result = CliRunner().invoke(app, ["list"])
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.output.splitlines()[1:] if line.strip()}
    assert set(rows) == {model.name for model in manifest().models}
    assert rows["silero-vad"].rstrip().endswith("missing")
    assert "bundled with the package hibari-tts" in rows["hibari-heart"]


def test_an_unknown_model_is_an_error_in_words(own_cache: Path) -> None:
    for command in ("pull", "verify"):
        result = CliRunner().invoke(app, [command, "nonsense"])
        assert result.exit_code == 1
        assert "'nonsense' is not valid; expected one of" in result.output


@pytest.mark.models
def test_a_model_converted_by_an_older_converter_waits_for_conversion(own_cache: Path) -> None:
    record = copied("moonshine-base-en", own_cache) / "onnx" / "conversion.json"
    assert models.status()["moonshine-base-en"] is State.READY
    record.write_text(record.read_text().replace('"version": ', '"version": 9'))
    assert models.status()["moonshine-base-en"] is State.UNCONVERTED
    with pytest.raises(ModelMissingError, match="has not been converted"):
        models.path("moonshine-base-en")


@pytest.mark.models
@pytest.mark.slow
async def test_pull_converts_what_lies_there_unconverted(own_cache: Path) -> None:
    folder = copied("moonshine-base-en", own_cache)
    before = {path.name: path.read_bytes() for path in (folder / "onnx").glob("*.onnx")}
    shutil.rmtree(folder / "onnx")

    await pull(models.store(), ["moonshine-base-en"], lambda _: None)

    assert models.store().verify("moonshine-base-en") == []
    assert {path.name for path in (folder / "onnx").glob("*.onnx")} == set(before)
    encoder = onnxruntime.InferenceSession(str(folder / "onnx" / "encoder.onnx"), providers=["CPUExecutionProvider"])
    encoded = encoder.run(None, {"input_values": np.zeros((1, 16_000), np.float32)})[0]
    assert encoded.shape[2] == 416
