"""The command line as a user meets it, in its own process."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from visavis.config import Settings


def visavis(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "visavis", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment, "COLUMNS": "500"},
        check=False,
    )


def assert_failed_clearly(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in result.stderr


def test_help_names_the_commands():
    result = visavis("--help")
    assert result.returncode == 0
    assert all(command in result.stdout for command in ("serve", "talk", "models"))


def test_taken_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_failed_clearly(visavis("serve", "--port", str(port)), "--port", str(port), "--port 0")


def test_development_mode_is_refused_where_others_can_reach_the_server():
    assert_failed_clearly(visavis("serve", "--dev", "--host", "0.0.0.0"), "--dev", "0.0.0.0", "127.0.0.1")
    assert_failed_clearly(visavis("serve", "--host", "::", VISAVIS_DEV="true"), "--dev", "'::'", "127.0.0.1")


@pytest.mark.parametrize(
    ("variable", "value"), [("VISAVIS_PORT", "eighty"), ("VISAVIS_QUALITY", "best"), ("VISAVIS_LLM", '{"model": "x"}')]
)
def test_unusable_setting_is_named(variable: str, value: str):
    assert_failed_clearly(visavis("serve", "--port", "0", **{variable: value}), variable)


@pytest.mark.parametrize(
    ("text", "field"),
    [("system_prompt: You are nobody.", "persona_name"), ("persona_name: [", "YAML"), ("- a\n- b", "the file")],
)
def test_unusable_persona_file_is_named_with_its_field(tmp_path: Path, text: str, field: str):
    path = tmp_path / "persona.yaml"
    path.write_text(text)
    assert_failed_clearly(visavis("serve", "--port", "0", "--persona", str(path)), str(path), field)


def test_missing_models_are_named_with_the_command_that_gets_them(tmp_path: Path):
    result = visavis("serve", "--port", "0", VISAVIS_MODEL_CACHE=str(tmp_path))
    assert_failed_clearly(result, "visavis models pull")


@pytest.mark.models
def test_damaged_model_file_is_named_with_the_command_that_checks(tmp_path: Path):
    cache = tmp_path / "models"
    for model in Settings().model_cache.iterdir():
        if model.is_dir() and "qwen" not in model.name:
            shutil.copytree(model, cache / model.name)
    (file,) = (cache / "smollm2-135m").glob("*.gguf")
    with file.open("r+b") as opened:
        opened.seek(0)
        opened.write(b"\0" * 4096)
    result = visavis("serve", "--port", "0", "--quality", "tiny", VISAVIS_MODEL_CACHE=str(cache))
    assert_failed_clearly(result, "smollm2", "visavis models")
    assert visavis("models", "verify", VISAVIS_MODEL_CACHE=str(cache)).returncode == 1


@pytest.mark.models
def test_talk_answers_a_recorded_question(tmp_path: Path):
    from tests.sentences import sentence
    from visavis.transport.terminal import WavLoudspeaker

    question, answer = tmp_path / "question.wav", tmp_path / "answer.wav"
    writer = WavLoudspeaker(question)
    writer((sentence("tt-weasels") * 32767).astype("int16"))
    writer.close()
    result = visavis("talk", "--quality", "tiny", "--wav", str(question), "--out", str(answer))
    assert result.returncode == 0, result.stderr
    assert "phone system" in result.stdout
    assert "Mira:" in result.stdout.split("phone system")[1]
    assert answer.stat().st_size > 48_000 * 2


def test_unreadable_wav_is_named(tmp_path: Path):
    path = tmp_path / "noise.wav"
    path.write_bytes(b"not sound")
    assert_failed_clearly(visavis("talk", "--wav", str(path)), "--wav", str(path))
