"""Parrot mode on simulated time: what a client sends is said, exactly, and nothing else is."""

import asyncio
import base64
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from tests.conversation.simulation import SimulatedCall, World, silence, simulate, speech, world
from visavis.audio import PLAYOUT_RATE_HZ, Pcm
from visavis.conversation.conversation import NobodyInCallError
from visavis.conversation.echoes import MAX_WAITING_BYTES
from visavis.conversation.interactions import MAX_AUDIO_BYTES
from visavis.errors import BadInputError
from visavis.layers.tts.hibari import Hibari
from visavis.replica import Emotion
from visavis.replica.stock import stock


class Listener(SimulatedCall):
    """Keeps the sound itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pcm: list[Pcm] = []
        self.world: World

    def send_audio(self, pcm: Pcm, position: int) -> None:
        super().send_audio(pcm, position)
        self.pcm.append(pcm.copy())

    @property
    def heard(self) -> Pcm:
        """All that was heard, from the first sample that is not silent to the last."""
        whole = np.concatenate(self.pcm)
        loud = np.flatnonzero(whole)
        return whole[loud[0] : loud[-1] + 1] if len(loud) else whole[:0]

    def echo(self, pcm: Pcm, rate_hz: int = 48_000, **properties) -> None:
        """Send a chunk of sound."""
        self.type(
            "conversation.echo",
            modality="audio",
            audio=base64.b64encode(pcm.astype("<i2").tobytes()).decode(),
            sample_rate=rate_hz,
            **properties,
        )


def parrot(*spoken: np.ndarray) -> tuple[World, Listener]:
    """A call with a parrot, in which the person says `spoken`."""
    return listening(world([], [], mode="echo"), *spoken)


def listening(here: World, *spoken: np.ndarray) -> tuple[World, Listener]:
    call = here.call = Listener()
    if spoken:
        call.speak(*spoken)
    return here, call


def tone(seconds: float, rate_hz: int = 48_000, hertz: float = 200) -> Pcm:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8000 * np.cos(2 * np.pi * hertz * time)).astype(np.int16)


def said(call: SimulatedCall, event_type: str) -> list[tuple]:
    return [
        (e.get("inference_id"), e["properties"]["duration"], e["properties"]["interrupted"])
        for e in call.said(event_type)
    ]


def test_streamed_sound_is_heard_sample_by_sample_with_a_mouth():
    whole = tone(2.0)

    async def work():
        here, call = parrot()

        async def client():
            await asyncio.sleep(1)
            for start in range(0, len(whole), 4800):
                call.echo(whole[start : start + 4800], inference_id="u1")
                await asyncio.sleep(0.1)
            call.echo(np.zeros(1920, np.int16), inference_id="u1", done=True)

        sending = asyncio.create_task(client())
        await here.run_for(5)
        await sending
        return call

    call = simulate(work)
    assert np.array_equal(call.heard[: len(whole) - 1], whole[: len(call.heard)][: len(whole) - 1])
    first = call.sounding()[0]
    assert 1.0 < first <= 1.0 + 0.12
    mouth = [at for at, _, open_ in call.frames if open_]
    assert mouth[0] == first
    assert said(call, "conversation.replica.started_speaking") == [("u1", None, False)]
    assert said(call, "conversation.replica.stopped_speaking") == [("u1", 2.04, False)]
    assert not call.said("conversation.utterance")


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 24_000, 44_100])
def test_chunks_of_any_size_and_rate_join_without_a_click(rate_hz):
    whole = tone(1.5, rate_hz)
    rng = np.random.default_rng(rate_hz)

    async def work():
        here, call = parrot()

        async def client():
            start = 0
            while start < len(whole):
                size = int(rng.integers(1, rate_hz // 5))
                call.echo(whole[start : start + size], rate_hz, inference_id="u1")
                start += size
                await asyncio.sleep(size / rate_hz * 0.9)
            call.type("conversation.echo", modality="audio", inference_id="u1", done=True)

        sending = asyncio.create_task(client())
        await here.run_for(4)
        await sending
        return call

    heard = simulate(work).heard.astype(float)
    expected = 8000 * np.cos(2 * np.pi * 200 * np.arange(len(heard)) / PLAYOUT_RATE_HZ)
    fade = PLAYOUT_RATE_HZ * 5 // 1000
    assert abs(len(heard) - 1.5 * PLAYOUT_RATE_HZ) <= fade + 10
    assert np.abs(heard - expected)[960 : -960 - fade].max() < 20


def scripted(
    *steps: tuple[float, Callable[[Listener], None]],
    until: float,
    make: Callable[[], tuple[World, Listener]] = parrot,
) -> Listener:
    """What is heard in a call in which each step is done at its time."""

    async def work():
        here, call = make()
        call.world = here

        async def client():
            for at, step in steps:
                await asyncio.sleep(at - asyncio.get_running_loop().time())
                step(call)

        sending = asyncio.create_task(client())
        await here.run_for(until)
        await sending
        return call

    return simulate(work)


def sound_s(call: Listener) -> float:
    """Seconds of what is heard, without the silences of 5 ms and more."""
    whole = np.concatenate(call.pcm).reshape(-1, 240)
    return float(np.abs(whole).max(1).astype(bool).mean() * whole.size / PLAYOUT_RATE_HZ)


def largest_step(pcm: Pcm) -> int:
    return int(np.abs(np.diff(pcm.astype(int))).max())


def test_gap_is_silent_and_nothing_of_the_sound_is_lost():
    call = scripted(
        (1.0, lambda call: call.echo(tone(0.53), inference_id="u1")),
        (2.5, lambda call: call.echo(tone(0.5, hertz=150), inference_id="u1", done=True)),
        until=5,
    )
    assert 1.03 <= sound_s(call) <= 1.05
    assert largest_step(np.concatenate(call.pcm)[PLAYOUT_RATE_HZ + 2 * 1920 + 10_000 :]) <= 250
    between = [at for at in call.sounding() if 1.8 < at < 2.5]
    assert not between
    assert said(call, "conversation.replica.started_speaking") == [("u1", None, False)]
    ((_, duration, interrupted),) = said(call, "conversation.replica.stopped_speaking")
    assert 1.03 <= duration <= 1.12 and not interrupted


def test_interrupt_silences_at_once_and_the_rest_of_that_utterance_is_not_taken():
    call = scripted(
        (1.0, lambda call: call.echo(tone(8), inference_id="u1")),
        (2.0, lambda call: call.type("conversation.interrupt")),
        (2.1, lambda call: call.echo(tone(1), inference_id="u1")),
        (2.2, lambda call: call.echo(tone(1), inference_id="u1")),
        (3.0, lambda call: call.echo(tone(0.4), inference_id="u2", done=True)),
        until=5,
    )
    assert not [at for at in call.sounding() if 2.06 < at < 3.0]
    assert 1.35 < sound_s(call) < 1.5
    assert largest_step(np.concatenate(call.pcm)[round(1.9 * PLAYOUT_RATE_HZ) : round(2.5 * PLAYOUT_RATE_HZ)]) < 500
    (error,) = call.said("conversation.error")
    assert (error["properties"]["field"], error["properties"]["value"]) == ("properties.inference_id", "'u1'")
    first, second = said(call, "conversation.replica.stopped_speaking")
    assert first[0] == "u1" and first[2] and 0.9 < first[1] < 1.1
    assert second == ("u2", 0.4, False)


def test_interrupt_also_forgets_what_waits():
    call = scripted(
        (1.0, lambda call: call.echo(tone(2), inference_id="u1", done=True)),
        (1.1, lambda call: call.echo(tone(2), inference_id="u2", done=True)),
        (1.1, lambda call: call.type("conversation.echo", text="And this.")),
        (2.0, lambda call: call.type("conversation.interrupt")),
        until=6,
    )
    assert [name for name, *_ in said(call, "conversation.replica.started_speaking")] == ["u1"]
    assert call.sounding()[-1] < 2.07


def test_new_utterance_closes_the_one_before_and_follows_it():
    call = scripted(
        (1.0, lambda call: call.echo(tone(1), inference_id="u1")),
        (1.1, lambda call: call.echo(tone(0.5), inference_id="u2", done=True)),
        (1.2, lambda call: call.type("conversation.echo", text="Two words.", inference_id="u3")),
        until=6,
    )
    stopped = said(call, "conversation.replica.stopped_speaking")
    assert [(name, interrupted) for name, _, interrupted in stopped] == [("u1", False), ("u2", False), ("u3", False)]
    assert [duration for _, duration, _ in stopped] == pytest.approx([1.0, 0.52, 0.6])
    (utterance,) = call.said("conversation.utterance")
    assert (utterance["properties"]["speech"], utterance["inference_id"]) == ("Two words.", "u3")


def test_an_hour_at_once_is_refused_beyond_what_memory_is_kept_for():
    chunk = np.zeros(MAX_AUDIO_BYTES // 2, np.int16)
    hour = 3600 * 16_000 // len(chunk) + 1

    def send(call: Listener) -> None:
        for _ in range(hour):
            call.echo(chunk, 16_000, inference_id="u1")

    call = scripted((1.0, send), until=3)
    refused = call.said("conversation.error")
    assert len(refused) == hour - MAX_WAITING_BYTES // MAX_AUDIO_BYTES
    assert refused[0]["properties"]["field"] == "properties.audio"
    assert len(call.sent) >= 145


def test_stream_whose_end_was_forgotten_ends_by_itself_and_may_begin_again():
    call = scripted(
        (1.0, lambda call: call.echo(tone(1), inference_id="u1")),
        (9.0, lambda call: call.echo(tone(1), inference_id="u1", done=True)),
        until=12,
    )
    assert [name for name, *_ in said(call, "conversation.replica.started_speaking")] == ["u1", "u1"]
    first, second = call.said("conversation.replica.stopped_speaking")
    assert 7 < first["_at"] < 7.2 and 10 < second["_at"] < 10.3


def test_chunks_without_a_name_are_one_utterance_until_it_is_done():
    call = scripted(
        (1.0, lambda call: call.echo(tone(0.2))),
        (1.1, lambda call: call.echo(tone(0.2), done=True)),
        (2.0, lambda call: call.echo(tone(0.2), done=True)),
        until=4,
    )
    names = [name for name, *_ in said(call, "conversation.replica.stopped_speaking")]
    assert len(names) == len(set(names)) == 2 and all(names)


def test_text_may_come_in_pieces():
    call = scripted(
        (1.0, lambda call: call.type("conversation.echo", text="One two ", inference_id="u1", done=False)),
        (2.0, lambda call: call.type("conversation.echo", text="three. Four", inference_id="u1", done=False)),
        (3.0, lambda call: call.type("conversation.echo", text="", inference_id="u1", done=True)),
        until=7,
    )
    (utterance,) = call.said("conversation.utterance")
    assert (utterance["properties"]["speech"], utterance["inference_id"]) == ("One two three. Four", "u1")


def waterfalls(call: Listener) -> list[dict[str, float]]:
    return [told["properties"]["stages"] for told in call.said("conversation.latency")]


def test_waterfall_of_a_parrot_begins_when_text_is_asked_for():
    def ask(call: Listener) -> None:
        call.type("conversation.echo", text="One, two. ", inference_id="a", done=True)
        call.type("conversation.echo", text="Three.", inference_id="b", done=True)

    call = scripted((1.0, ask), until=7)
    order = ["asked", "first_clause", "first_sound", "sent"]
    for stages in waterfalls(call):
        times = [stages[name] for name in order]
        assert times == sorted(times) and times[0] == 0
    first, second = waterfalls(call)  # the second is not charged with the time that it waits for the first
    assert abs(second["sent"] - first["sent"]) < 100
    assert call.said("conversation.latency")[0]["properties"]["utterance_to_utterance_ms"] is None


def test_waterfall_of_a_parrot_shows_how_long_sound_was_kept_to_flow_evenly():
    call = scripted((1.0, lambda call: call.echo(tone(1.0), inference_id="a", done=True)), until=4)
    (stages,) = waterfalls(call)
    assert stages["asked"] == 0 and 0 < stages["sent"] < 200


def test_person_is_noticed_but_neither_transcribed_nor_obeyed():
    call = scripted(
        (1.0, lambda call: call.echo(tone(3), inference_id="u1", done=True)),
        until=6,
        make=lambda: parrot(silence(1.5), speech(1.0), silence(3)),
    )
    here = call.world
    (started,) = call.said("conversation.user.started_speaking")
    (stopped,) = call.said("conversation.user.stopped_speaking")
    assert 1.5 < started["_at"] < 1.65 and 2.5 < stopped["_at"] < 3.5
    (duration,) = [
        e["properties"]["duration"]
        for e in call.said("conversation.stopped_speaking")
        if e["turn_idx"] == 0 and e["properties"]["role"] == "user"
    ]
    assert duration == pytest.approx(1.0, abs=0.1)
    assert said(call, "conversation.replica.stopped_speaking") == [("u1", 3.0, False)]
    assert not here.recogniser.finals and not here.model.asked and not here.model.prefilled
    assert not call.said("conversation.utterance")


def test_what_needs_a_language_model_or_a_tool_call_is_refused_and_the_call_goes_on():
    call = scripted(
        (1.0, lambda call: call.type("conversation.respond", text="hello")),
        (1.0, lambda call: call.type("conversation.append_llm_context", context="it rains")),
        (1.0, lambda call: call.type("conversation.tool_result", tool_call_id="call_1", output="72F")),
        (1.0, lambda call: call.echo(tone(0.1), inference_id="u1")),
        (1.0, lambda call: call.type("conversation.echo", text="no", inference_id="u1")),
        (1.5, lambda call: call.type("conversation.echo", text="Still here.")),
        until=8,
    )
    assert [e["properties"]["field"] for e in call.said("conversation.error")] == [
        "event_type",
        "event_type",
        "properties.tool_call_id",
        "properties.modality",
    ]
    assert call.said("conversation.utterance")[-1]["properties"]["speech"] == "Still here."


def test_emotion_reaches_the_face():
    call = scripted((1.0, lambda call: call.type("conversation.set_emotion", emotion="surprise")), until=2)
    assert call.world.conversation.replica.emotion is Emotion.SURPRISE


def test_person_who_leaves_in_the_middle_leaves_no_task_behind():
    async def work():
        here, call = parrot()
        call.echo(tone(5), inference_id="u1")
        await here.run_for(2)
        await asyncio.sleep(0)
        return call, asyncio.all_tasks() - {asyncio.current_task()}

    call, left = simulate(work)
    assert not left
    assert said(call, "conversation.replica.stopped_speaking")[0][2]
    assert call.said("conversation.left")


def test_in_a_full_conversation_an_echo_follows_what_is_being_said():
    call = scripted(
        (2.0, lambda call: call.echo(tone(0.4), inference_id="u1", done=True)),
        until=8,
        make=lambda: listening(world(["hello"], ["One two three four five six."]), speech(0.9), silence(9)),
    )
    reply, echo = said(call, "conversation.replica.stopped_speaking")
    assert not reply[2] and reply[1] == pytest.approx(1.8)
    assert echo == ("u1", 0.4, False)


def test_in_a_full_conversation_the_person_interrupts_and_what_waits_is_forgotten():
    call = scripted(
        (1.0, lambda call: call.echo(tone(4), inference_id="u1")),
        (1.5, lambda call: call.type("conversation.echo", text="More.", inference_id="u2")),
        until=8,
        make=lambda: listening(world(["stop that"], ["All right."]), silence(2.0), speech(0.9), silence(6)),
    )
    stopped = said(call, "conversation.replica.stopped_speaking")
    assert stopped[0][0] == "u1" and stopped[0][2]
    assert [e["properties"]["speech"] for e in call.said("conversation.utterance")] == ["stop that", "All right."]


def test_who_comes_and_goes_is_told_in_both_vocabularies():
    call = scripted(until=1)
    told = [event["event_type"] for event in call.events]
    assert told[:5] == [
        "conversation.joined",
        "system.replica_joined",
        "system.replica_present",
        "system.pal_joined",
        "system.pal_present",
    ]
    assert told[-1] == "conversation.left"


async def test_without_a_person_only_the_context_can_be_changed():
    here = world([], [])
    await here.conversation.interact(
        {"event_type": "conversation.append_llm_context", "properties": {"context": "It rains.", "job_status": "done"}}
    )
    await here.conversation.prepare()
    assert here.model.asked == [] and here.model.prefilled[-1].endswith("(done) It rains.")
    with pytest.raises(NobodyInCallError, match=r"conversation\.respond"):
        await here.conversation.interact({"event_type": "conversation.respond", "properties": {"text": "hello"}})
    with pytest.raises(BadInputError, match="event_type"):
        await here.conversation.interact({})


class Watcher(Listener):
    """Keeps the lower half of the face."""

    def __init__(self) -> None:
        super().__init__()
        self.mouths: list[np.ndarray] = []

    def send_frame(self, frame: np.ndarray, position: int) -> None:
        self.mouths.append(frame[256:340, 190:320].astype(np.int16))


def test_lips_of_the_stock_face_move_with_the_sound_and_only_then():
    async def work():
        spoken = [piece async for piece in Hibari().stream("Maybe people will follow my lips.")]
        here = world([], [], mode="echo")
        call = here.call = Watcher()
        here.conversation.replica = stock()

        async def client():
            await asyncio.sleep(2)
            pcm = spoken[0].pcm
            for start in range(0, len(pcm), 4800):
                call.echo(pcm[start : start + 4800], inference_id="u1", done=start + 4800 >= len(pcm))
                await asyncio.sleep(0.1)

        sending = asyncio.create_task(client())
        await here.run_for(6)
        await sending
        return call, len(spoken[0].pcm) / PLAYOUT_RATE_HZ

    call, seconds = simulate(work)
    change = np.array([np.abs(after - before).mean() for before, after in pairwise(call.mouths)])
    at = (np.arange(len(change)) + 1) / 25
    speaking = (at > 2.2) & (at < 2.1 + seconds)
    resting = (at > 0.2) & (at < 1.9)
    assert change[speaking].mean() > 2.5 * change[resting].mean()
