"""Whole conversations on simulated time."""

import asyncio
from itertools import pairwise

from tests.conversation.simulation import WORD_S, silence, simulate, speech, world
from visavis.conversation.reply import APOLOGY


def test_ten_turns_are_answered_in_order_and_remembered():
    said = [f"question number {n}" for n in range(10)]
    replies = [f"Answer number {n}." for n in range(10)]

    async def work():
        here = world(said, replies)
        for _ in said:
            here.call.speak(speech(0.9), silence(3))
        await here.run_for(45)
        return here

    here = simulate(work)
    spoken = [(e["properties"]["role"], e["properties"]["speech"]) for e in here.call.said("conversation.utterance")]
    assert spoken == [
        turn for pair in zip(said, replies, strict=True) for turn in (("user", pair[0]), ("replica", pair[1]))
    ]
    last = here.model.asked[-1]
    assert [m.role for m in last] == ["system"] + ["user", "assistant"] * 9 + ["user"]
    assert last[-1].content == said[-1]


def test_greeting_is_spoken_once_even_after_a_reconnect():
    async def work():
        here = world([], [], greeting="Hello there.")
        await here.run_for(2)
        here.call.closed = False
        await here.run_for(2)
        return here

    here = simulate(work)
    assert [e["properties"]["speech"] for e in here.call.said("conversation.utterance")] == ["Hello there."]


def test_reply_is_prepared_during_the_pause_and_sounds_right_after_the_decision():
    async def work():
        here = world(["how are you"], ["Fine, thank you."])
        here.call.speak(silence(0.5), speech(1.0), silence(5))
        await here.run_for(5)
        return here

    here = simulate(work)
    (latency,) = here.call.said("conversation.latency")
    stages = latency["properties"]["stages"]
    order = ["last_voice", "vad_end", "final_text", "first_token", "first_clause", "first_sound", "sent"]
    assert [stages[stage] for stage in order] == sorted(stages[stage] for stage in order)
    # Only the sound waits for the decision: pause 96 ms, text 150, first token 250, a word, voice 50, segment 40.
    assert latency["properties"]["utterance_to_utterance_ms"] < 700
    assert here.call.sounding()[0] > 0.5 + 1.0 + 0.224


def test_thinking_pause_is_not_answered_and_leaves_no_trace():
    async def work():
        here = world(["I would like to have a dog"], ["A dog, nice."])
        here.end_of_turn.scripted = [0.1, 0.9]
        here.call.speak(speech(1.0), silence(0.9), speech(1.0), silence(4))
        await here.run_for(7)
        return here

    here = simulate(work)
    assert len(here.call.said("conversation.utterance")) == 2
    assert here.call.sounding()[0] > 2.9
    assert [m.role for m in here.model.asked[-1]] == ["system", "user"]
    assert here.model.closed == len(here.model.asked)


def test_barge_in_stops_sound_and_mouth_and_remembers_only_heard_words():
    long_reply = "One two three four five six seven eight nine ten eleven twelve."

    async def work():
        here = world(["count please", "stop it now"], [long_reply, "All right, sorry."])
        here.call.speak(speech(0.9), silence(2.2), speech(0.9), silence(4))
        await here.run_for(9)
        return here

    here = simulate(work)
    cut = next(e for e in here.call.said("conversation.utterance") if e["properties"].get("interrupted"))
    heard = cut["properties"]["speech"]
    assert heard and long_reply.startswith(heard) and heard != long_reply
    (stopped, _) = here.call.said("conversation.replica.stopped_speaking")
    assert stopped["properties"]["interrupted"]
    barged_in_at = 0.9 + 2.2
    # Voice of 96 ms in frames of 32, a fade of 30 ms in packets of 20.
    silent_at = barged_in_at + 0.18
    assert not [at for at in here.call.sounding() if silent_at < at < silent_at + 0.5]
    assert not [at for at, _, mouth in here.call.frames if mouth and silent_at < at < silent_at + 0.5]
    assert barged_in_at < stopped["_at"] <= barged_in_at + 0.4
    assert here.model.asked[-1][2].content == heard


def test_cough_makes_the_replica_go_on_with_the_word_that_was_cut():
    reply = "One two three four five six seven eight nine ten."

    async def work():
        here = world(["count please"], [reply])
        here.call.speak(speech(0.9), silence(2.2), speech(0.16), silence(8))
        await here.run_for(11)
        return here

    here = simulate(work)
    parts = [
        e["properties"]["speech"]
        for e in here.call.said("conversation.utterance")
        if e["properties"]["role"] == "replica"
    ]
    assert parts == [reply]
    assert [e["properties"]["outcome"] for e in here.call.said("conversation.overlap")] == ["began", "noise"]
    # Silence while it listened, then the cut word once more from its beginning.
    sounding = here.call.sounding()
    assert max(after - before for before, after in pairwise(sounding)) > 0.1
    assert len(sounding) * 0.02 > len(reply.split()) * WORD_S


def test_cough_while_the_answer_is_prepared_does_not_lose_the_answer():
    async def work():
        here = world(["what is the time"], ["It is noon."])
        here.model.first_token_s = 2.0
        here.call.speak(speech(1.0), silence(1.0), speech(0.16), silence(8))
        await here.run_for(9)
        return here

    here = simulate(work)
    assert [e["properties"]["speech"] for e in here.call.said("conversation.utterance")] == [
        "what is the time",
        "It is noon.",
    ]


def test_noise_without_words_is_not_answered():
    async def work():
        here = world([], ["Never."])
        here.call.speak(*[part for _ in range(20) for part in (speech(0.16), silence(0.84))])
        await here.run_for(22)
        return here

    here = simulate(work)
    assert not here.model.asked
    assert not here.call.said("conversation.utterance")


def test_minutes_of_silence_keep_both_streams_running_in_step():
    async def work():
        here = world([], [])
        await here.run_for(180)
        return here

    here = simulate(work)
    assert abs(len(here.call.sent) - 180 * 50) <= 2
    assert abs(len(here.call.frames) - 180 * 25) <= 2
    assert [position for _, position, _ in here.call.sent] == list(range(0, 960 * len(here.call.sent), 960))
    assert all(position % 1920 == 0 for _, position, _ in here.call.frames)


def test_sound_and_mouth_begin_and_end_together():
    async def work():
        here = world(["hello"], ["One two three."])
        here.call.speak(speech(0.9), silence(4))
        await here.run_for(4)
        return here

    here = simulate(work)
    loud = [position for _, position, sounding in here.call.sent if sounding]
    moving = [position for _, position, mouth in here.call.frames if mouth]
    assert moving[0] == loud[0]
    assert moving[-1] <= loud[-1] < moving[-1] + 1920
    assert abs(len(loud) * 0.02 - 3 * WORD_S) < 0.05


def test_killed_language_model_is_told_in_words_and_the_call_survives():
    async def work():
        here = world(["tell me", "again"], ["This is the beginning, and here it ends.", "Now it works."])
        here.model.fails_after = 4
        here.call.speak(speech(0.9), silence(10), speech(0.9), silence(6))

        async def mend():
            await asyncio.sleep(8)
            here.model.fails_after = None

        mending = asyncio.create_task(mend())
        await here.run_for(17)
        await mending
        return here

    here = simulate(work)
    replica = [
        e["properties"]["speech"]
        for e in here.call.said("conversation.utterance")
        if e["properties"]["role"] == "replica"
    ]
    assert replica[0].endswith(APOLOGY)
    assert replica[1] == "Now it works."
    assert here.call.said("conversation.error")


def test_broken_recogniser_is_told_and_the_call_survives():
    async def work():
        here = world(["hello"], ["Hi there."])
        here.recogniser.fails = True
        here.call.speak(speech(0.9), silence(2), speech(0.9), silence(4))

        async def mend():
            await asyncio.sleep(2.5)
            here.recogniser.fails = False

        mending = asyncio.create_task(mend())
        await here.run_for(7)
        await mending
        return here

    here = simulate(work)
    assert len(here.call.said("conversation.error")) == 1
    assert here.call.said("conversation.utterance")[-1]["properties"]["speech"] == "Hi there."


def test_typed_message_is_answered_and_echo_is_spoken_as_it_is():
    async def work():
        here = world([], ["I read you."])
        here.call.type("conversation.respond", text="can you read this")

        async def later():
            await asyncio.sleep(4)
            here.call.type("conversation.echo", text="Exactly this.")

        echoing = asyncio.create_task(later())
        await here.run_for(7)
        await echoing
        return here

    here = simulate(work)
    assert [e["properties"]["speech"] for e in here.call.said("conversation.utterance")] == [
        "can you read this",
        "I read you.",
        "Exactly this.",
    ]
    assert len(here.model.asked) == 1


def test_unusable_messages_are_answered_with_the_field_and_change_nothing():
    async def work():
        here = world([], [])
        here.call.type("conversation.respond", text="")
        here.call.type("conversation.unheard_of")
        here.call.type("conversation.respond", text=["not", "text"])
        await here.run_for(1)
        return here

    here = simulate(work)
    texts = [e["properties"]["message"] for e in here.call.said("conversation.error")]
    assert len(texts) == 3
    assert "text" in texts[0]
    assert "unheard_of" in texts[1]
    assert not here.model.asked


def test_page_closed_in_the_middle_of_a_sentence_leaves_no_task_behind():
    async def work():
        here = world(["tell me a story"], ["Once upon a time there was a very long sentence without any end."])
        here.call.speak(speech(0.9), silence(6))
        await here.run_for(2.5)
        await asyncio.sleep(0)
        return here, asyncio.all_tasks() - {asyncio.current_task()}

    here, left = simulate(work)
    assert not left
    last = here.call.said("conversation.utterance")[-1]["properties"]
    assert last["interrupted"] and last["role"] == "replica"
