from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from visavis import models
from visavis.layers.llm import Function, Message, ToolRequest
from visavis.layers.llm.built_in import BuiltInModel
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.speed import MEMORY_FILE, SpeedMemory, first_clause_s

LARGE, OTHER = "cc" * 32, "ab" * 32


def test_what_was_measured_is_known_at_the_next_start(tmp_path: Path) -> None:
    SpeedMemory(tmp_path).remember(LARGE, 0.9)
    assert SpeedMemory(tmp_path).recall(LARGE) == 0.9


def test_another_model_must_be_measured_itself(tmp_path: Path) -> None:
    memory = SpeedMemory(tmp_path)
    memory.remember(LARGE, 0.9)
    assert memory.recall(OTHER) is None
    memory.remember(OTHER, 0.3)
    assert (memory.recall(LARGE), memory.recall(OTHER)) == (0.9, 0.3)


@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_damaged_memory_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / MEMORY_FILE).write_text(content)
    memory = SpeedMemory(tmp_path)
    assert memory.recall(LARGE) is None
    memory.remember(LARGE, 0.9)
    assert memory.recall(LARGE) == 0.9


def test_a_figure_that_is_none_is_measured_again(tmp_path: Path) -> None:
    memory = SpeedMemory(tmp_path)
    memory.remember(LARGE, 0.9)
    (tmp_path / MEMORY_FILE).write_text((tmp_path / MEMORY_FILE).read_text().replace("0.9", '"fast"'))
    assert memory.recall(LARGE) is None


def test_a_folder_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    memory = SpeedMemory(tmp_path / "absent")
    memory.remember(LARGE, 0.9)
    assert memory.recall(LARGE) is None


class Asked:
    """Passes everything on to a model and keeps what it was asked."""

    def __init__(self, model: BuiltInModel) -> None:
        self._model = model
        self.read: list[str] = []
        self.questions: list[str] = []

    async def prefill(self, messages: Sequence[Message], tools: Sequence[Function] = ()) -> None:
        self.read.append(messages[-1].content)
        await self._model.prefill(messages)

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Function] = ()
    ) -> AsyncGenerator[str | ToolRequest, None]:
        self.questions.append(messages[-1].content)
        async for piece in self._model.stream(messages):
            yield piece


@pytest.mark.models
async def test_a_measurement_asks_new_questions_as_a_call_does() -> None:
    try:
        file = next(models.path("smollm2-135m").glob("*.gguf"))
    except models.ModelMissingError as error:
        pytest.skip(str(error))
    async with LlamaServer(file, threads=1) as server:
        await server.ready()
        asked, before = Asked(BuiltInModel(server)), server.busy_s()
        seconds = await first_clause_s(asked, server.busy_s)
        assert 0 < seconds < server.busy_s() - before
    assert len(set(asked.questions)) == len(asked.questions) == 2
    for question, read in zip(asked.questions, asked.read, strict=True):
        assert question.startswith(read)
        assert question != read
