import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import psutil
import pytest

from visavis import models
from visavis.errors import EngineError
from visavis.layers.llm import Message, Tokens, built_in, words_of
from visavis.layers.llm.built_in import BuiltInModel, built_in_settings
from visavis.layers.llm.llama_server import LlamaServer
from visavis.layers.llm.openai_compatible import OpenAICompatible

STORY = [Message("system", "You tell long stories."), Message("user", "Tell me a long story about a ship.")]
LONG_QUESTION = [Message("user", " ".join(["I went to the market and bought some bread."] * 150))]

PARENT = """
import asyncio, sys
from pathlib import Path
from visavis.layers.llm.llama_server import LlamaServer

async def main():
    async with LlamaServer(Path(sys.argv[1]), threads=1) as server:
        await server.ready()
        print(server.pid, flush=True)
        await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def model_file() -> Path:
    try:
        return next(models.path("smollm2-135m").glob("*.gguf"))
    except models.ModelMissingError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with much else to do takes its time to start a program."""
    monkeypatch.setattr(built_in, "_READY_TIMEOUT_S", 60.0)


@pytest.fixture
async def server(model_file: Path) -> AsyncIterator[LlamaServer]:
    async with LlamaServer(model_file, threads=1) as server:
        await asyncio.wait_for(server.ready(), 60)
        yield server


async def until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - other processes send no events
            await asyncio.sleep(0.05)


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def cpu_rests(pid: int) -> bool:
    """Wait until the process uses next to no processor time for 300 ms."""
    process = psutil.Process(pid)
    async with asyncio.timeout(60):
        while True:
            before = sum(process.cpu_times()[:2])
            await asyncio.sleep(0.3)
            if sum(process.cpu_times()[:2]) - before <= 0.02:
                return True


def serving(server: LlamaServer) -> int:
    assert server.pid is not None
    return server.pid


@pytest.mark.models
async def test_a_reply_streams(server: LlamaServer) -> None:
    stream = BuiltInModel(server).stream(STORY)
    *pieces, spent = [piece async for piece in stream]
    assert len(pieces) > 10
    assert len("".join(map(words_of, pieces)).split()) > 10
    assert isinstance(spent, Tokens)
    assert spent.written in range(len(pieces), len(pieces) + 3)
    assert spent.read > 20


@pytest.mark.models
async def test_a_reply_does_not_begin_with_yes(server: LlamaServer) -> None:
    asked = [*[Message("user", "Right?"), Message("assistant", "Yes.")] * 3, Message("user", "Right?")]
    shaped = "".join([words_of(piece) async for piece in BuiltInModel(server).stream(asked)])
    assert shaped
    assert not shaped.lower().startswith("ye")
    assert (await unshaped(server, asked)).startswith("Yes")


@pytest.mark.models
async def test_a_reply_is_one_paragraph_without_symbols(server: LlamaServer) -> None:
    asked = [Message("user", "Write a Markdown list of three fruits. Begin every line with an asterisk.")]
    shaped = "".join([words_of(piece) async for piece in BuiltInModel(server).stream(asked)])
    assert shaped
    assert not set(shaped) & set("\n*#_<>{}|")
    assert set(await unshaped(server, asked)) & set("\n*")


async def unshaped(server: LlamaServer, messages: list[Message]) -> str:
    """What the model says when its words are left to itself."""
    settings = built_in_settings(server, server.base_url).model_copy(update={"extra_body": {}})
    return "".join([words_of(piece) async for piece in OpenAICompatible(settings).stream(messages)])


@pytest.mark.models
async def test_only_this_process_may_use_the_server(server: LlamaServer) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    async with httpx.AsyncClient(base_url=server.base_url, trust_env=False) as stranger:
        answer = await stranger.post("/chat/completions", json=body)
        assert answer.status_code == 401
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.api_key.get_secret_value() not in " ".join(psutil.Process(serving(server)).cmdline())


@pytest.mark.models
async def test_closing_a_reply_stops_decoding(server: LlamaServer) -> None:
    settings = built_in_settings(server, server.base_url)
    endless = settings.model_copy(update={"max_tokens": 3_000, "extra_body": {"ignore_eos": True}})
    stream = OpenAICompatible(endless).stream(STORY)
    await anext(stream)
    await stream.aclose()
    assert await cpu_rests(serving(server))


@pytest.mark.models
async def test_cancelling_while_the_prompt_is_read_stops_reading(server: LlamaServer) -> None:
    model = BuiltInModel(server)
    reading = asyncio.ensure_future(anext(model.stream(LONG_QUESTION)))
    await asyncio.sleep(0.3)
    assert not reading.done()
    reading.cancel()
    assert await cpu_rests(serving(server))
    progress = await cached_tokens(server)
    assert progress < 1_000


@pytest.mark.models
async def test_a_reply_reuses_what_was_prefilled(server: LlamaServer) -> None:
    said = STORY[-1:]
    await BuiltInModel(server).prefill(said)
    assert await cached_tokens(server, said) > await cached_tokens(server, LONG_QUESTION) + 5


async def cached_tokens(server: LlamaServer, messages: list[Message] = LONG_QUESTION) -> int:
    """How many tokens of the prompt `messages` the server already had; asks for as little as possible."""
    body = {
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "max_tokens": 1,
        "stream": True,
        "return_progress": True,
    }
    headers = {"Authorization": f"Bearer {server.api_key.get_secret_value()}"}
    async with (
        httpx.AsyncClient(base_url=server.base_url, headers=headers, trust_env=False, timeout=60) as client,
        client.stream("POST", "/chat/completions", json=body) as answer,
    ):
        async for line in answer.aiter_lines():
            if "prompt_progress" in line:
                return int(json.loads(line.removeprefix("data: "))["prompt_progress"]["cache"])
    raise AssertionError("the server reported no progress")


@pytest.mark.models
async def test_the_work_of_a_reply_is_counted(server: LlamaServer) -> None:
    before = server.busy_s()
    async for _ in BuiltInModel(server).stream(STORY):
        pass
    after = server.busy_s()
    assert after > before
    assert await cpu_rests(serving(server))
    assert server.busy_s() - after < after - before


def test_a_server_that_was_not_started_has_no_work_to_count(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="still starting"):
        LlamaServer(tmp_path / "model.gguf").busy_s()


@pytest.mark.models
async def test_after_a_crash_it_starts_again_and_answers(server: LlamaServer) -> None:
    model = BuiltInModel(server)
    stream = model.stream(STORY)
    await anext(stream)
    crashed = serving(server)
    os.kill(crashed, signal.SIGKILL)
    with pytest.raises(EngineError, match="stopped unexpectedly and is starting again"):
        async for _ in stream:
            pass
    await until(lambda: server.pid not in (None, crashed))
    await asyncio.wait_for(server.ready(), 60)
    assert [piece async for piece in model.stream(STORY)]
    assert server.pid != crashed


@pytest.mark.models
async def test_a_crash_before_the_first_word_is_not_noticed(server: LlamaServer) -> None:
    os.kill(serving(server), signal.SIGKILL)
    assert [piece async for piece in BuiltInModel(server).stream(STORY)]


@pytest.mark.models
async def test_the_child_ends_with_the_server(model_file: Path) -> None:
    async with LlamaServer(model_file, threads=1) as server:
        await asyncio.wait_for(server.ready(), 60)
        pid = serving(server)
    assert not psutil.pid_exists(pid)
    assert server.pid is None


@pytest.mark.models
async def test_the_child_ends_when_it_was_still_starting(model_file: Path) -> None:
    async with LlamaServer(model_file, threads=1) as server:
        await until(lambda: server.pid is not None)
        pid = serving(server)
    assert not psutil.pid_exists(pid)


@pytest.mark.models
async def test_the_child_dies_with_a_killed_parent(model_file: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(model_file), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 60))
    assert psutil.pid_exists(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: has_ended(pid), 60)


@pytest.mark.models
async def test_a_truncated_model_is_named(model_file: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "model.gguf"
    with model_file.open("rb") as whole:
        damaged.write_bytes(whole.read(10_000_000))
    async with LlamaServer(damaged) as server:
        with pytest.raises(EngineError, match=r"model\.gguf cannot be loaded: it is damaged.*visavis models verify"):
            await asyncio.wait_for(server.ready(), 60)
        with pytest.raises(EngineError, match="damaged"):
            _ = server.base_url


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_text("not a model")
    async with LlamaServer(tmp_path / "model.gguf") as server:
        with pytest.raises(EngineError, match=r"model\.gguf cannot be loaded"):
            await asyncio.wait_for(server.ready(), 60)


async def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no model file .*none\.gguf; run `visavis models pull`"):
        async with LlamaServer(tmp_path / "none.gguf"):
            pass
