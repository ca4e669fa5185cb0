"""`visavis replica`: what it refuses, and what it shows."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from visavis.errors import BadInputError
from visavis.replica.cli import app
from visavis.replica.train import TrainingError


def run(*arguments: str | Path) -> str:
    """What a command prints. Raises what it raises."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """A file that is there, but neither video nor picture."""
    path = tmp_path / "letter.mp4"
    path.write_text("Dear visavis,")
    return path


@pytest.mark.parametrize("command", ["train", "photo"])
def test_nobody_is_trained_without_consent(letter: Path, command: str) -> None:
    with pytest.raises(BadInputError, match=r"--consent.*I, NAME, agree.*--i-have-consent \"Their Name\""):
        run(command, letter, "--out", letter.with_suffix(".replica"))
    with pytest.raises(BadInputError, match="exactly one proof"):
        run(command, letter, "--consent", letter, "--i-have-consent", "Ines")
    with pytest.raises(BadInputError, match="the name of the person shown"):
        run(command, letter, "--i-have-consent", "  ")
    assert [path.name for path in letter.parent.iterdir()] == ["letter.mp4"]


@pytest.mark.parametrize(("command", "field"), [("train", "VIDEO"), ("photo", "PICTURE")])
def test_source_that_is_not_there_is_named(tmp_path: Path, command: str, field: str) -> None:
    with pytest.raises(BadInputError, match=rf"{field}: .*gone\.mp4.* a file that is there"):
        run(command, tmp_path / "gone.mp4", "--i-have-consent", "Ines")


def test_replica_that_is_there_is_not_replaced_unasked(letter: Path) -> None:
    target = letter.with_name("ines.replica")
    target.write_text("precious")
    with pytest.raises(BadInputError, match="--force"):
        run("train", letter, "--i-have-consent", "Ines", "--out", target)
    with pytest.raises(TrainingError):
        run("train", letter, "--i-have-consent", "Ines", "--out", target, "--force")
    assert target.read_text() == "precious"
    with pytest.raises(BadInputError, match=r"ends in \.replica"):
        run("train", letter, "--i-have-consent", "Ines", "--out", letter.with_suffix(".zip"))


def test_inspection_shows_who_agreed(mira_path: Path) -> None:
    shown = run("inspect", mira_path, "--check")
    for part in ("Mira", "CC0-1.0", "key_frames, 512x512, 25 frames a second", "synthetic", "every part is as it was"):
        assert part in shown


def test_list_has_stock_replicas_and_those_of_a_folder_broken_ones_too(mira_path: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.replica").write_bytes(mira_path.read_bytes())
    (tmp_path / "half.replica").write_bytes(mira_path.read_bytes()[:1000])
    shown = run("list", tmp_path)
    assert [line.split()[0] for line in shown.splitlines()[:2]] == ["replica", "mira"]
    assert "copy.replica" in shown and "half.replica: damaged" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--out", "a.mp4"), "--text"),
        (("--text", "Hello.", "--audio", "a.wav", "--out", "a.mp4"), "--text"),
        (("--text", "Hello."), "--out"),
        (("--text", "Hello.", "--out", "a.gif"), "--out"),
        (("nobody", "--text", "Hello.", "--out", "a.mp4"), "'nobody'.*mira"),
        (("--text", "Hello.", "--out", "a.mp4", "--background", "purple"), "--background.*'purple'.*#204060"),
    ],
)
def test_preview_says_what_it_needs(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        run("preview", *arguments)
