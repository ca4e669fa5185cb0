import logging
from pathlib import Path

import pytest

from visavis import models
from visavis.config import Settings
from visavis.layers.llm import Message, choice
from visavis.layers.llm.openai_compatible import OpenAICompatible
from visavis.layers.llm.speed import SpeedMemory
from visavis.layers.settings import LanguageModelSettings


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model cache that the process uses; what lies in it is judged by sizes alone."""
    monkeypatch.setenv("VISAVIS_MODEL_CACHE", str(tmp_path))
    return tmp_path


def put(cache: Path, quality: choice.Quality) -> None:
    """Lay an empty file of the model's size, which costs no disk."""
    model = models.manifest().model(choice.LANGUAGE_MODELS[quality])
    (cache / model.name).mkdir()
    for file in model.files:
        with (cache / model.name / file.name).open("wb") as hollow:
            hollow.truncate(file.size)


def large_takes(cache: Path, seconds: float) -> None:
    sha256 = models.manifest().model(choice.LANGUAGE_MODELS["quality"]).files[0].sha256
    SpeedMemory(cache).remember(sha256, seconds)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with memory enough, whatever runs beside the tests."""
    monkeypatch.setattr(choice, "LARGE_MODEL_NEEDS_BYTES", 0)


async def chosen(cache: Path, caplog: pytest.LogCaptureFixture) -> tuple[choice.Quality, str]:
    with caplog.at_level(logging.INFO, "visavis"):
        quality = await choice.suitable(Settings(model_cache=cache))
    return quality, caplog.text


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(("seconds", "expected"), [(0.5, "quality"), (7.25, "fast")])
async def test_a_quick_machine_gets_the_larger_model(
    cache: Path, caplog: pytest.LogCaptureFixture, seconds: float, expected: choice.Quality
) -> None:
    put(cache, "fast")
    put(cache, "quality")
    large_takes(cache, seconds)
    quality, said = await chosen(cache, caplog)
    assert quality == expected
    assert f"{seconds:.2f} s" in said


async def test_without_memory_for_it_the_larger_model_is_not_even_measured(
    cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "LARGE_MODEL_NEEDS_BYTES", 10**18)
    put(cache, "fast")
    put(cache, "quality")
    quality, said = await chosen(cache, caplog)
    assert quality == "fast"
    assert "memory" in said


@pytest.mark.parametrize("only", ["fast", "quality"])
async def test_the_only_model_that_is_here_is_taken(
    cache: Path, caplog: pytest.LogCaptureFixture, only: choice.Quality
) -> None:
    put(cache, only)
    quality, _ = await chosen(cache, caplog)
    assert quality == only


async def test_where_the_larger_model_is_absent_the_log_says_how_to_get_it(
    cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(cache, "fast")
    _, said = await chosen(cache, caplog)
    assert "visavis models pull" in said


async def test_without_any_model_the_error_names_the_command(cache: Path) -> None:
    with pytest.raises(models.ModelMissingError, match="visavis models pull"):
        async with choice.language_model(Settings(model_cache=cache), None):
            pass


async def test_a_named_model_needs_no_files(cache: Path) -> None:
    named = LanguageModelSettings(base_url="http://127.0.0.1:9/v1", model="mine")
    async with choice.language_model(Settings(model_cache=cache), named) as model:
        assert isinstance(model, OpenAICompatible)


@pytest.fixture
def tiny() -> Path:
    try:
        return models.path("smollm2-135m")
    except models.ModelMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def tiny_as_the_larger(tiny: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(choice.LANGUAGE_MODELS, "quality", tiny.name)
    (cache / tiny.name).symlink_to(tiny)
    put(cache, "fast")


@pytest.mark.models
@pytest.mark.usefixtures("memory", "tiny_as_the_larger")
@pytest.mark.parametrize(("limit_s", "expected"), [(600.0, "quality"), (0.0, "fast")])
async def test_a_machine_is_measured_once(
    cache: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    limit_s: float,
    expected: choice.Quality,
) -> None:
    monkeypatch.setattr(choice, "LONGEST_CLAUSE_S", limit_s)
    quality, said = await chosen(cache, caplog)
    assert quality == expected
    assert "measured now" in said
    caplog.clear()
    quality, said = await chosen(cache, caplog)
    assert quality == expected
    assert "measured at an earlier start" in said


@pytest.mark.models
@pytest.mark.usefixtures("tiny")
async def test_what_is_chosen_answers() -> None:
    async with choice.language_model(Settings(quality="tiny"), None) as model:
        assert [piece async for piece in model.stream([Message("user", "Hi")])]
