"""Calls that several people are in."""

import asyncio

import pytest

from tests.conversation.simulation import SimulatedCall, speech
from tests.unit.hosting.house import OFFER, House, house, until
from visavis.errors import BadInputError
from visavis.hosting import shutdown
from visavis.hosting.errors import ConversationFullError, ConversationTakenError
from visavis.hosting.plan import Limits


async def joins(here: House, conversation_id: str) -> SimulatedCall:
    """One more person."""
    await here.hosting.connect(conversation_id, OFFER)
    call = here.calls[-1]
    await until(lambda: call.said("system.pal_present"))
    return call


async def test_second_person_sees_and_hears_the_same_replica(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2, greeting="Hello there, both of you.")
        second = await joins(here, conversation_id)
        await until(lambda: second.said("conversation.utterance") and len(second.frames) > 5)
        assert [first.said("conversation.utterance")[0]["seq"]] == [
            event["seq"] for event in second.said("conversation.utterance")
        ]
        assert {position for _, position, _ in second.frames} <= {position for _, position, _ in first.frames}
        assert second.sounding()
        assert second.said("system.replica_joined") and second.said("conversation.joined")


async def test_who_comes_and_goes_is_told(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=3)
        second = await joins(here, conversation_id)
        await until(lambda: len(first.said("conversation.participant_joined")) == 2)
        counts = [event["properties"]["participant_count"] for event in first.said("conversation.participant_joined")]
        assert counts == [1, 2]
        second.type("conversation.leave")
        await until(lambda: first.said("conversation.participant_left"))
        (left,) = first.said("conversation.participant_left")
        joined = first.said("conversation.participant_joined")[1]
        assert left["properties"] == {**joined["properties"], "participant_count": 1}
        assert second.closed and not first.closed


async def test_both_are_heard_and_hear_each_other(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2)
        second = await joins(here, conversation_id)
        second.speak(speech(1.0))
        await until(lambda: first.said("conversation.user.started_speaking"))
        assert first.sounding() and not second.sounding()


async def test_everybody_is_told_whose_words_they_were_and_who_they_are_themselves(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2)
        second = await joins(here, conversation_id)
        second.type("conversation.respond", text="Good morning.")
        for call in (first, second):
            await until(lambda call=call: call.said("conversation.utterance"))
        mine = [
            event["properties"]["participant_id"]
            for event in second.said("conversation.participant_joined")
            if event["properties"].get("own")
        ]
        theirs = [event["properties"].get("own") for event in first.said("conversation.participant_joined")]
        said = first.said("conversation.utterance")[0]["properties"]
        assert said == {"role": "user", "speech": "Good morning.", "participant_id": mine[0]}
        assert len(mine) == 1 and theirs == [True, None]


async def test_full_call_takes_nobody_until_somebody_leaves(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2)
        second = await joins(here, conversation_id)
        with pytest.raises(ConversationFullError, match="2 people"):
            await here.hosting.connect(conversation_id, OFFER)
        assert issubclass(ConversationFullError, ConversationTakenError)
        second.type("conversation.leave")
        await until(lambda: first.said("conversation.participant_left"))
        await joins(here, conversation_id)
        assert len(here.hosting.running().in_call) == 1


async def test_conversation_ends_when_the_last_has_left(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2, limits=Limits(participant_left_timeout=0))
        second = await joins(here, conversation_id)
        first.type("conversation.leave")
        await until(lambda: second.said("conversation.participant_left"))
        assert await here.reason(conversation_id) is None
        second.type("conversation.leave")
        assert await here.ended(conversation_id) == shutdown.PARTICIPANT_LEFT


async def test_empty_call_is_joined_again_within_its_timeout(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2, limits=Limits(participant_left_timeout=20))
        first.type("conversation.leave")
        await until(lambda: not here.hosting.in_call(conversation_id))
        again = await joins(here, conversation_id)
        assert not again.closed and here.hosting.in_call(conversation_id)


async def test_unusable_offer_hurts_nobody(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create(people=2)
        with pytest.raises(BadInputError):
            await here.hosting.connect(conversation_id, "hello")
        assert not here.hosting.in_call(conversation_id)
        first = await joins(here, conversation_id)
        with pytest.raises(BadInputError):
            await here.hosting.connect(conversation_id, "hello")
        assert here.hosting.in_call(conversation_id) and not first.closed


async def test_end_hangs_up_for_everybody(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, first = await here.joined(people=2)
        second = await joins(here, conversation_id)
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        for call in (first, second):
            assert call.closed and call.said("conversation.ended")


async def test_of_two_who_join_at_once_both_get_in(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create(people=2)
        answers = await asyncio.gather(*(here.hosting.connect(conversation_id, OFFER) for _ in range(2)))
        assert answers == ["v=0 answer"] * 2
        await until(lambda: all(call.said("system.pal_present") for call in here.calls))
