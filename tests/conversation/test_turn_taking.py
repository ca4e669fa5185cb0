"""Taking turns, on simulated time: who is heard when, and what the replica does with it."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from tests.conversation.simulation import (
    WORD_S,
    ScriptedWordsJudge,
    SimulatedCall,
    World,
    silence,
    simulate,
    speech,
    world,
)

COUNTING = "One two three four five six seven eight nine ten eleven twelve."


def played(said: list[str], replies: list[str], *parts: Any, greeting: str = "", **flow: Any) -> World:
    """A world after the person has made the sounds `parts`, and 10 s more."""

    async def work() -> World:
        here = world(said, replies, greeting, **flow)
        here.call.speak(*parts, silence(10))
        await here.run_for(sum(map(len, parts)) / 16_000 + 10)
        return here

    result: World = simulate(work)
    return result


def utterances(call: SimulatedCall, role: str) -> list[str]:
    found = (event["properties"] for event in call.said("conversation.utterance"))
    return [properties["speech"] for properties in found if properties["role"] == role]


def outcomes(call: SimulatedCall) -> list[str]:
    return [event["properties"]["outcome"] for event in call.said("conversation.overlap")]


# While the replica speaks


@pytest.mark.parametrize("word", ["yeah", "mhm", "right", "okay", "I see"])
def test_backchannel_does_not_stop_the_replica(word):
    here = played(["count please", word], [COUNTING], speech(0.9), silence(2.2), speech(0.32))
    assert outcomes(here.call) == ["began", "backchannel"]
    assert utterances(here.call, "user") == ["count please"]
    assert utterances(here.call, "replica") == [COUNTING]
    assert len(here.model.asked) == 1


@pytest.mark.parametrize("words", ["wait", "stop", "no", "what is that"])
def test_word_that_wants_the_floor_stops_the_replica_and_is_answered(words):
    here = played(["count please", words], [COUNTING, "Sorry."], speech(0.9), silence(2.2), speech(0.45))
    assert outcomes(here.call) == ["began", "interruption"]
    assert utterances(here.call, "user") == ["count please", words]
    assert utterances(here.call, "replica")[1] == "Sorry."


def test_continued_speech_after_a_backchannel_is_an_interruption():
    here = played(
        ["count please", "yeah but what about the others"], [COUNTING, "Sorry."], speech(0.9), silence(2.2), speech(1.8)
    )
    assert outcomes(here.call) == ["began", "interruption"]
    assert utterances(here.call, "user")[1] == "yeah but what about the others"


def test_overlap_is_judged_within_300_ms_of_clear_words():
    here = played(["count please", "stop that now"], [COUNTING, "Sorry."], speech(0.9), silence(2.2), speech(0.9))
    began, judged = here.call.said("conversation.overlap")
    assert judged["_at"] - began["_at"] <= 0.3


def test_replica_goes_on_with_the_cut_word_after_a_cough():
    here = played(["count please"], [COUNTING], speech(0.9), silence(2.2), speech(0.16))
    assert outcomes(here.call) == ["began", "noise"]
    assert utterances(here.call, "replica") == [COUNTING]
    sounding = here.call.sounding()
    gap_s = max(after - before for before, after in pairwise(sounding))
    assert 0.1 < gap_s < 0.6
    # The word that was cut is heard once more from its beginning, and nothing else is.
    assert len(COUNTING.split()) * WORD_S <= len(sounding) * 0.02 <= (len(COUNTING.split()) + 1) * WORD_S + 0.06


def test_replica_that_waits_for_words_talks_on_into_an_overlap():
    parts = speech(0.9), silence(2.2), speech(0.32)
    here = played(["count please", "yeah"], [COUNTING], *parts, replica_interruptibility="low")
    assert outcomes(here.call) == ["began", "backchannel"]
    assert max(after - before for before, after in pairwise(here.call.sounding())) < 0.05


def test_replica_that_waits_for_words_stops_when_they_come():
    parts = speech(0.9), silence(2.2), speech(0.9)
    here = played(["count please", "stop that now"], [COUNTING, "Sorry."], *parts, replica_interruptibility="low")
    assert outcomes(here.call) == ["began", "interruption"]
    assert utterances(here.call, "replica")[0] != COUNTING


def test_uninterruptible_greeting_is_spoken_to_its_end():
    here = played([], [], silence(0.8), speech(0.6), greeting=COUNTING, greeting_interruptible=False)
    assert utterances(here.call, "replica") == [COUNTING]
    assert not here.call.said("conversation.overlap")


def test_greeting_can_be_interrupted_by_default():
    here = played(["hello there you"], ["Yes?"], silence(1.2), speech(0.9), greeting=COUNTING)
    assert outcomes(here.call) == ["began", "interruption"]
    assert utterances(here.call, "replica")[0] != COUNTING


def test_replica_yields_when_both_begin_at_once():
    """The person goes on just when the reply begins: both halves are one question."""

    async def work() -> World:
        here = world(["I would like to know", "when you open"], ["Know what exactly?", "At ten."])
        here.call.speak(speech(1.2))

        def go_on(message: Mapping[str, Any]) -> None:
            if message["event_type"] == "conversation.replica.started_speaking" and message["turn_idx"] == 1:
                here.call.speak(speech(0.9), silence(5))

        with here.conversation.events.heard_by(go_on):
            await here.run_for(8)
        return here

    here = simulate(work)
    assert here.model.asked[-1][-1].content == "I would like to know when you open"
    assert utterances(here.call, "replica")[-1] == "At ten."
    assert not outcomes(here.call)


# While the person speaks


def unfinished_then_finished(said: str, *replies: str, more_s: float = 0.6) -> World:
    async def work() -> World:
        here = world([said], list(replies))
        here.end_of_turn.scripted = [0.05, 0.95]
        here.call.speak(speech(1.2), silence(0.8), speech(more_s), silence(6))
        await here.run_for(9)
        return here

    result: World = simulate(work)
    return result


def answered_after_ms(first: float, *second_thoughts: float) -> float:
    async def work() -> World:
        here = world(["what time is it"], ["Noon."])
        here.end_of_turn.scripted, here.end_of_turn.second_thoughts = [first], list(second_thoughts)
        here.call.speak(speech(1.2), silence(4))
        await here.run_for(5)
        return here

    told = simulate(work).call.said("conversation.latency")
    return float(told[0]["properties"]["utterance_to_utterance_ms"])


def test_second_thoughts_end_a_turn_that_seemed_unfinished():
    assert answered_after_ms(0.1, 0.95) < answered_after_ms(0.1) - 800
    assert answered_after_ms(0.9, 0.1) == answered_after_ms(0.9)  # it was over before they came


def test_speculation_that_turns_out_wrong_leaves_no_trace():
    here = unfinished_then_finished("I want a dog| and a cat", "A dog!", "Both, fine.")
    asked = [messages[-1].content for messages in here.model.asked]
    assert asked == ["I want a dog", "I want a dog and a cat"]
    assert utterances(here.call, "user") == ["I want a dog and a cat"]
    assert utterances(here.call, "replica") == ["Both, fine."]
    assert len(here.call.said("conversation.replica.started_speaking")) == 1
    assert [m.role for m in here.model.asked[-1]] == ["system", "user"]
    assert here.model.closed == len(here.model.asked)


def test_speculative_reply_is_kept_when_only_an_um_was_added():
    here = unfinished_then_finished("what time is it|, um?", "It is noon.", more_s=0.2)
    assert len(here.model.asked) == 1
    assert utterances(here.call, "replica") == ["It is noon."]
    stages = here.call.said("conversation.latency")[0]["properties"]["stages"]
    # It was ready before the last sound of the person, from which the others are counted.
    assert stages["first_token"] < stages["last_voice"] == 0


def test_nothing_is_asked_before_the_turn_is_over_without_speculation():
    here = played(["what time is it"], ["Noon."], speech(1.2), speculation=False)
    stages = here.call.said("conversation.latency")[0]["properties"]["stages"]
    assert stages["first_token"] >= stages["turn_decision"] + 1000 * here.model.first_token_s - 1
    assert not here.model.prefilled[1:]  # the prompt alone is read in advance


def test_speculation_hides_the_language_models_time():
    def waited_ms(*, speculation: bool) -> float:
        # Patient, so that the words are known before the turn is over.
        patient = {"turn_taking_patience": "high", "speculation": speculation}
        here = played(["what time is it"], ["Noon."], speech(1.2), **patient)
        return float(here.call.said("conversation.latency")[0]["properties"]["utterance_to_utterance_ms"])

    assert waited_ms(speculation=True) < waited_ms(speculation=False) - 30


def test_patient_persona_waits_longer():
    def decided_ms(patience: str) -> float:
        here = played(["what time is it"], ["Noon."], speech(1.2), turn_taking_patience=patience)
        return float(here.call.said("conversation.latency")[0]["properties"]["stages"]["turn_decision"])

    assert decided_ms("low") <= decided_ms("medium") < decided_ms("high")


def test_sensitivity_to_pauses_can_be_changed_in_the_call():
    async def work() -> World:
        here = world(["one two", "three four"], ["Yes.", "Yes."])
        here.call.speak(speech(0.9), silence(4), speech(0.9), silence(4))

        async def later() -> None:
            await asyncio.sleep(4)
            here.call.type("conversation.sensitivity", participant_pause_sensitivity="superlow")

        changing = asyncio.create_task(later())
        await here.run_for(10)
        await changing
        return here

    here = simulate(work)
    before, after = (e["properties"]["stages"]["turn_decision"] for e in here.call.said("conversation.latency"))
    assert after > 1.5 * before


def test_replica_nods_at_a_pause_of_somebody_who_speaks_at_length():
    async def work() -> tuple[World, list[str]]:
        here = world(["a b c d e f g h i j k l m n o p q"], ["Yes."])
        here.end_of_turn.scripted = [0.05, 0.95]
        seen: list[str] = []
        face = here.conversation.replica
        render = face.render  # type: ignore[attr-defined]
        face.render = lambda motion, attitude: (seen.append(str(attitude)), render(motion, attitude))[1]  # type: ignore[attr-defined]
        here.call.speak(speech(4), silence(0.6), speech(1), silence(3))
        await here.run_for(8)
        return here, seen

    _, seen = simulate(work)
    first = seen.index("nodding")
    assert "listening" in seen[:first] and "listening" in seen[first:]


def test_words_judge_reads_along_and_decides_whether_the_words_are_an_end():
    judge = ScriptedWordsJudge()
    said = ["I was thinking that | this may be the end"]
    here = played(said, ["Yes."], speech(1.2), silence(0.6), speech(1.5), words_judge=judge)
    assert utterances(here.call, "user") == ["I was thinking that this may be the end"]
    assert judge.asked == [("", "I was thinking that"), ("", "I was thinking that this may be the end")]
    assert judge.read_along
    assert all(judge.asked[-1][1].startswith(text) for _, text in judge.read_along)


def test_words_judge_knows_what_was_asked():
    judge = ScriptedWordsJudge()
    played(["in the end"], ["Yes."], silence(2), speech(0.9), greeting="When?", words_judge=judge)
    assert judge.asked == [("When?", "in the end")]


# Openers


def test_long_wait_is_bridged_by_an_opener_that_the_model_does_not_see():
    async def work() -> World:
        here = world(["what time is it", "and now"], ["It is noon.", "Still noon."], openers=True)
        here.model.first_token_s = 1.2
        here.call.speak(silence(1), speech(1.2), silence(6), speech(0.6), silence(6))
        await here.run_for(14)
        return here

    here = simulate(work)
    first, second = utterances(here.call, "replica")
    assert first.endswith(" It is noon.") and first != "It is noon."
    assert second.split()[0] != first.split()[0]
    assert here.model.asked[-1][2].content == "It is noon."
    stages = here.call.said("conversation.latency")[0]["properties"]["stages"]
    assert stages["sent"] < 500 < stages["own_words"]


def test_quick_model_needs_no_openers():
    async def work() -> World:
        here = world([f"question {n} please" for n in range(6)], ["It is noon."], openers=True)
        here.model.first_token_s = 0.02
        here.call.speak(*[part for _ in range(6) for part in (silence(1), speech(1.2), silence(3))])
        await here.run_for(32)
        return here

    here = simulate(work)
    assert utterances(here.call, "replica")[2:] == ["It is noon."] * 4


# Sleep, silence


def test_sleeping_replica_answers_only_after_its_wake_phrase():
    said = ["nice weather today", "hey Mira", "what time is it", "go to sleep", "anybody there now"]
    here = played(
        said,
        ["Hello.", "Noon."],
        *[part for _ in said for part in (speech(0.9), silence(3))],
        wake_phrase="Hey, Mira!",
        sleep_phrase="go to sleep",
    )
    # It begins awake because there is a phrase to send it to sleep.
    assert utterances(here.call, "user") == said
    assert len(utterances(here.call, "replica")) == 3


def test_with_a_wake_phrase_alone_it_begins_asleep():
    said = ["nice weather today", "hey Mira how are you", "what time is it"]
    here = played(said, ["Fine."], *[p for _ in said for p in (speech(1.5), silence(3))], wake_phrase="hey mira")
    assert len(utterances(here.call, "replica")) == 2
    assert "nice weather" not in " ".join(m.content for m in here.model.asked[0])


@pytest.mark.parametrize(("level", "times"), [("off", 0), ("patient", 1), ("eager", 2)])
def test_replica_speaks_up_after_long_silence_but_not_for_ever(level, times):
    here = played([], ["Are you still there?"], silence(60), greeting="Hello.", idle_engagement=level)
    assert utterances(here.call, "replica") == ["Hello."] + ["Are you still there?"] * times


# What is not a person talking to us


def test_music_does_not_hold_the_floor():
    here = played([], [COUNTING], speech(30), greeting=COUNTING)
    done = here.call.said("conversation.user.stopped_speaking")
    assert done
    assert not here.model.asked
    assert utterances(here.call, "user") == []


def test_question_after_music_is_answered():
    async def work() -> World:
        here = world([], ["It is noon."])
        here.call.speak(speech(12), silence(2), speech(1.2), silence(5))

        async def later() -> None:
            await asyncio.sleep(13)
            here.recogniser.sentences.append("what time is it")

        speaking = asyncio.create_task(later())
        await here.run_for(20)
        await speaking
        return here

    here = simulate(work)
    assert utterances(here.call, "replica") == ["It is noon."]
