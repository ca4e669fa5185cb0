"""Conversations from their stored rows to their ends."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.unit.hosting.house import OFFER, SECRET, House, house, opened, until
from visavis.conversation.conversation import NobodyInCallError
from visavis.errors import BadInputError, EngineError, VisavisError
from visavis.hosting import hosting as hosting_file
from visavis.hosting import meeting_tokens, shutdown
from visavis.hosting.errors import (
    BusyError,
    ConversationElsewhereError,
    ConversationEndedError,
    ConversationTakenError,
    UnknownConversationError,
)
from visavis.hosting.hosting import open_hosting
from visavis.hosting.meeting_tokens import MeetingTokenError
from visavis.hosting.plan import Limits

HOOK = "https://example.org/hook"


async def test_person_joins_a_stored_conversation_and_is_greeted(tmp_path):
    async with house(tmp_path) as here:
        _, call = await here.joined(greeting="Hello there.")
        await until(lambda: call.said("conversation.utterance"))
        assert call.said("conversation.utterance")[0]["properties"]["speech"] == "Hello there."
        assert call.said("system.replica_joined")[0]["properties"] == {"replica_id": "rmira"}


async def test_unknown_and_ended_conversations_cannot_be_joined(tmp_path):
    async with house(tmp_path) as here:
        with pytest.raises(UnknownConversationError, match="c404"):
            await here.hosting.connect("c404", OFFER)
        conversation_id = await here.create()
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        with pytest.raises(ConversationEndedError) as refused:
            await here.hosting.connect(conversation_id, OFFER)
        assert refused.value.reason == shutdown.ENDED_BY_REQUEST


async def test_second_person_finds_the_call_taken(tmp_path):
    async with house(tmp_path, slots=2) as here:
        conversation_id, _ = await here.joined()
        with pytest.raises(ConversationTakenError):
            await here.hosting.connect(conversation_id, OFFER)


async def test_of_two_who_join_at_once_one_gets_in(tmp_path):
    async with house(tmp_path, slots=2) as here:
        conversation_id = await here.create()
        outcomes = await asyncio.gather(
            *(here.hosting.connect(conversation_id, OFFER) for _ in range(2)), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConversationTakenError", "str"]


async def test_full_server_refuses_until_somebody_leaves(tmp_path):
    async with house(tmp_path, slots=1) as here:
        _, call = await here.joined()
        second = await here.create()
        with pytest.raises(BusyError):
            here.hosting.check_room()
        with pytest.raises(BusyError) as refused:
            await here.hosting.connect(second, OFFER)
        assert refused.value.retry_after_s > 0
        call.type("conversation.leave")
        await until(lambda: not here.hosting.running().in_call)
        here.hosting.check_room()
        await here.hosting.connect(second, OFFER)


async def test_unusable_offer_leaves_the_place_free(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create()
        with pytest.raises(BadInputError):
            await here.hosting.connect(conversation_id, "hello")
        assert await here.hosting.connect(conversation_id, OFFER) == "v=0 answer"


async def test_ending_tells_the_page_and_stores_why(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined()
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        assert call.closed
        assert call.said("conversation.ended")[0]["properties"] == {"reason": "end_conversation_endpoint_hit"}
        assert await here.reason(conversation_id) == "end_conversation_endpoint_hit"
        await here.hosting.end(conversation_id, shutdown.MAX_CALL_DURATION)
        assert await here.reason(conversation_id) == "end_conversation_endpoint_hit"


async def test_events_are_stored_in_order_but_not_every_word(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined(greeting="Hello there.")
        await until(lambda: call.said("conversation.utterance"))
        assert call.said("conversation.utterance.streaming")
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        stored = await here.store.conversations.events(conversation_id)
        numbers = [event["seq"] for event in stored]
        assert all(earlier < later for earlier, later in pairwise(numbers))
        types = [event["event_type"] for event in stored]
        assert "conversation.utterance.streaming" not in types
        assert {"system.replica_joined", "system.pal_joined", "conversation.utterance"} < set(types)
        assert types[-4:] == [
            "system.shutdown",
            "application.transcription_ready",
            "application.latency_ready",
            "application.usage_ready",
        ]


async def test_transcript_says_who_said_what_and_when(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined(greeting="Hello there.")
        await until(lambda: len(call.said("conversation.utterance")) == 1)
        await here.hosting.interact(
            conversation_id, {"event_type": "conversation.respond", "properties": {"text": "How are you?"}}
        )
        await until(lambda: len(call.said("conversation.utterance")) == 3)
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        events = await here.store.conversations.events(conversation_id)
        transcript = next(e for e in events if e["event_type"] == "application.transcription_ready")["properties"]
        assert transcript["replica_id"] == "rmira"
        lines = transcript["transcript"]
        assert [(line["role"], line["content"]) for line in lines] == [
            ("system", "You are Ada."),
            ("assistant", "Hello there."),
            ("user", "How are you?"),
            ("assistant", "Fine."),
        ]
        assert lines[1]["duration"] == pytest.approx(0.6, abs=0.1)
        assert lines[1]["inference_id"]
        assert "inference_id" not in lines[2]
        starts = [line["seconds_from_start"] for line in lines]
        assert starts == sorted(starts)
        assert await here.store.conversations.transcript(conversation_id) == lines
        (waterfall,) = await here.store.conversations.latency(conversation_id)
        assert waterfall["turn_idx"] == 1
        assert "first_token" in waterfall["stages"]


async def test_webhooks_tell_of_joining_and_of_the_end(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined(callback_url=HOOK)
        await call.close()
        await until(lambda: not here.hosting.in_call(conversation_id))
        await here.hosting.connect(conversation_id, OFFER)  # the second time nobody is told
        await until(lambda: here.calls[-1].said("system.pal_present"))
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        bodies = await here.webhooks()
        assert [body["event_type"] for body in bodies] == [
            "system.replica_joined",
            "system.pal_joined",
            "system.shutdown",
            "application.transcription_ready",
            "application.latency_ready",
            "application.usage_ready",
        ]
        for body in bodies:
            assert body["conversation_id"] == conversation_id
            assert body["webhook_url"] == HOOK
            assert body["message_type"] == body["event_type"].split(".")[0]
            assert datetime.fromisoformat(body["timestamp"]).tzinfo
            assert body["metadata"] == {"plan": "gold"}
        assert bodies[1]["properties"] == {"face_id": "rmira"}
        assert bodies[2]["properties"] == {"replica_id": "rmira", "shutdown_reason": "end_conversation_endpoint_hit"}


async def test_used_seconds_are_recorded_once(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, _ = await here.joined()
        await asyncio.sleep(0.3)
        for _ in range(2):
            await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        now = datetime.now(UTC)
        used = (await here.store.usage.total(now - timedelta(hours=1), now + timedelta(hours=1)))[
            "conversation_seconds"
        ]
        assert used.times == 1
        assert 0.3 <= used.quantity < 5


async def test_tokens_are_recorded_and_told_at_the_end(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined()
        words = {"event_type": "conversation.respond", "properties": {"text": "Hello."}}
        await here.hosting.interact(conversation_id, words)
        await until(lambda: call.said("conversation.usage"))
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        (spent,) = [event["properties"] for event in call.said("conversation.usage")]
        happened = await here.store.conversations.events(conversation_id)
        told = happened[-1]["properties"]["language_model"]
        assert told["output_tokens"] == spent["output_tokens"] > 0
        now = datetime.now(UTC)
        used = await here.store.usage.total(now - timedelta(hours=1), now + timedelta(hours=1))
        assert used["language_model_output_tokens"].quantity == spent["output_tokens"]
        assert "language_model_dropped_tokens" not in used


async def test_nobody_comes_and_the_conversation_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(hosting_file, "SWEEP_S", 0.05)
    async with house(tmp_path) as here:
        conversation_id = await here.create(limits=Limits(participant_absent_timeout=0.1), callback_url=HOOK)
        assert await here.ended(conversation_id) == "participant_absent_timeout reached"
        assert [body["event_type"] for body in await here.webhooks()] == ["system.shutdown"]


async def test_person_who_has_come_is_not_absent(tmp_path, monkeypatch):
    monkeypatch.setattr(hosting_file, "SWEEP_S", 0.05)
    async with house(tmp_path) as here:
        conversation_id, _ = await here.joined(limits=Limits(participant_absent_timeout=0.3))
        await asyncio.sleep(0.6)
        assert await here.reason(conversation_id) is None


async def test_longest_call_ends_also_when_the_person_is_away(tmp_path):
    async with house(tmp_path, slots=2) as here:
        stays, call = await here.joined(limits=Limits(max_call_duration=0.4))
        goes, other = await here.joined(limits=Limits(max_call_duration=0.4, participant_left_timeout=60))
        await other.close()
        assert await here.ended(stays) == "max_call_duration reached"
        assert call.said("conversation.ended")[0]["properties"] == {"reason": "max_call_duration reached"}
        assert await here.ended(goes) == "max_call_duration reached"


async def test_who_leaves_politely_ends_it_and_who_is_lost_may_come_back(tmp_path):
    async with house(tmp_path, slots=2) as here:
        left, call = await here.joined()
        call.type("conversation.leave")
        assert await here.ended(left) == "participant_left_timeout reached"
        lost, call = await here.joined(greeting="Hello.")
        await call.close()
        await until(lambda: not here.hosting.in_call(lost))
        await here.hosting.connect(lost, OFFER)
        again = here.calls[-1]
        await until(lambda: again.said("system.pal_present"))
        assert not again.said("conversation.replica.started_speaking")
        assert await here.reason(lost) is None


async def test_one_conversation_breaks_and_the_other_goes_on(tmp_path, monkeypatch, caplog):
    async with house(tmp_path, slots=2) as here:
        broken, call = await here.joined(callback_url=HOOK)
        fine, other = await here.joined()

        def fall_over(pcm, position):
            raise RuntimeError("the sound card is on fire")

        monkeypatch.setattr(call, "send_audio", fall_over)
        assert await here.ended(broken) == "internal error occurred at step conversation"
        assert "on fire" in caplog.text
        assert any(body["event_type"] == "system.shutdown" for body in await here.webhooks())
        await here.hosting.interact(fine, {"event_type": "conversation.echo", "properties": {"text": "Still here."}})
        await until(lambda: other.said("conversation.utterance"))
        assert await here.reason(fine) is None


async def test_engines_that_cannot_start_are_told_in_words(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create()
        here.engines.broken = EngineError("language model", "it is not here")
        with pytest.raises(EngineError, match="it is not here"):
            await here.hosting.connect(conversation_id, OFFER)
        here.engines.broken = ZeroDivisionError()
        with pytest.raises(VisavisError, match="log"):
            await here.hosting.connect(conversation_id, OFFER)
        assert await here.ended(conversation_id) == "exception_encountered_during_conversation_startup"


async def test_context_may_be_changed_before_anybody_has_joined_but_nothing_said(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create()
        context = {"event_type": "conversation.append_llm_context", "properties": {"context": "It rains."}}
        await here.hosting.interact(conversation_id, context)
        with pytest.raises(NobodyInCallError):
            await here.hosting.interact(
                conversation_id, {"event_type": "conversation.echo", "properties": {"text": "Hi"}}
            )
        with pytest.raises(BadInputError, match=r"properties\.text"):
            await here.hosting.interact(conversation_id, {"event_type": "conversation.respond", "properties": {}})
        await here.hosting.connect(conversation_id, OFFER)
        await until(lambda: here.calls[-1].said("system.pal_present"))
        question = {"event_type": "conversation.respond", "properties": {"text": "How is the weather?"}}
        await here.hosting.interact(conversation_id, question)
        await until(lambda: here.engines.model.asked)
        assert "It rains." in here.engines.model.asked[0][0].content


async def test_chat_needs_nobody_on_the_line(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create(chat=True)
        question = {"event_type": "conversation.respond", "properties": {"text": "How are you?"}}
        await here.hosting.interact(conversation_id, question)
        said = []
        async with asyncio.timeout(60):
            async for event in here.hosting.events(conversation_id):
                if event["event_type"] == "conversation.utterance":
                    said.append((event["properties"]["role"], event["properties"]["speech"]))
                if len(said) == 2:
                    break
        assert said == [("user", "How are you?"), ("replica", "Fine.")]
        await here.hosting.interact(conversation_id, {"event_type": "conversation.leave"})
        assert await here.ended(conversation_id) == "participant_left_timeout reached"


@pytest.mark.parametrize("kind", ["audio_only", "chat"])
async def test_call_without_pictures_sends_none(tmp_path, kind):
    async with house(tmp_path) as here:
        _, call = await here.joined(**{kind: True})
        await until(lambda: len(call.sent) > 10)
        assert not call.frames


async def test_private_conversation_asks_for_its_token(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create(require_auth=True)
        nonce = (await here.store.conversations.get(conversation_id)).nonce
        good = meeting_tokens.issue(SECRET, conversation_id, nonce, datetime.now(UTC) + timedelta(minutes=1))
        late = meeting_tokens.issue(SECRET, conversation_id, nonce, datetime.now(UTC) - timedelta(minutes=1))
        other = meeting_tokens.issue(SECRET, conversation_id, "other", datetime.now(UTC) + timedelta(minutes=1))
        for token in (None, "", "x", late, other):
            with pytest.raises(MeetingTokenError):
                await here.hosting.connect(conversation_id, OFFER, token)
            with pytest.raises(MeetingTokenError):
                await here.hosting.check_token(conversation_id, token)
        await here.hosting.check_token(conversation_id, good)
        await here.hosting.connect(conversation_id, OFFER, good)


async def test_events_are_followed_from_any_number_on_and_end_with_the_conversation(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined(greeting="Hello there.")
        followed = []

        async def follow():
            async for event in here.hosting.events(conversation_id):
                followed.append(event)

        following = asyncio.create_task(follow())
        await until(lambda: call.said("conversation.utterance"))
        await here.hosting.end(conversation_id, shutdown.ENDED_BY_REQUEST)
        await asyncio.wait_for(following, 60)
        numbers = [event["seq"] for event in followed]
        assert numbers == sorted(set(numbers))
        assert followed[-1]["event_type"] == "application.usage_ready"
        middle = numbers[len(numbers) // 2]
        rest = [event["seq"] async for event in here.hosting.events(conversation_id, middle)]
        stored = [event["seq"] for event in await here.store.conversations.events(conversation_id)]
        assert rest == [number for number in stored if number > middle]


async def test_waiting_conversation_can_be_followed_before_it_begins(tmp_path):
    async with house(tmp_path) as here:
        conversation_id = await here.create()
        first = asyncio.ensure_future(anext(here.hosting.events(conversation_id)))
        await asyncio.sleep(0.05)
        await here.hosting.connect(conversation_id, OFFER)
        assert (await asyncio.wait_for(first, 60))["event_type"] == "conversation.joined"


async def test_after_a_crash_calls_have_ended_and_who_waits_goes_on_waiting(tmp_path):
    async with opened(tmp_path) as store:
        # As a server that is killed leaves its store: nothing is written at the end.
        here = House(store, slots=2)
        writing = asyncio.create_task(here.hosting.run())
        running, call = await here.joined(greeting="Hello there.", callback_url=HOOK)
        waiting, late = await here.create(), await here.create(limits=Limits(participant_absent_timeout=0.01))
        await until(lambda: call.said("conversation.utterance"))
        await asyncio.sleep(1)
        writing.cancel()
        await call.close()
    async with house(tmp_path) as here:
        assert await here.reason(running) == "server restarted"
        lines = await here.store.conversations.transcript(running)
        assert [line["content"] for line in lines] == ["You are Ada.", "Hello there."]
        told = {body["event_type"]: body["properties"] for body in await here.webhooks()}
        assert told["system.shutdown"]["shutdown_reason"] == "server restarted"
        assert told["application.transcription_ready"]["transcript"] == lines
        assert await here.ended(late) == "participant_absent_timeout reached"
        assert await here.reason(waiting) is None
        await here.hosting.connect(waiting, OFFER)


async def test_starting_server_leaves_calls_of_another_one_alone(tmp_path):
    async with house(tmp_path, name="one") as first, opened(tmp_path) as store:
        running, call = await first.joined()
        await until(lambda: first.hosting.in_call(running))
        await asyncio.sleep(0.7)  # until it is stored
        second = House(store, name="two")
        async with open_hosting(second.hosting):
            assert not call.closed and await first.reason(running) is None
            with pytest.raises(ConversationElsewhereError):
                await second.hosting.connect(running, OFFER)
        assert not call.closed and await first.reason(running) is None


async def test_calls_of_a_server_whose_lease_ran_out_are_ended_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(hosting_file, "LEASE_S", 0.0)
    async with house(tmp_path, name="two") as here:
        conversation_id = await here.create()
        await here.store.servers.begin("s1", "one", 1.5)
        await here.store.conversations.started(conversation_id, server_id="s1")
        assert await here.ended(conversation_id) == "server restarted"


async def test_stopped_server_ends_calls_and_leaves_waiting_conversations_alone(tmp_path):
    async with house(tmp_path) as here:
        running, call = await here.joined()
        waiting = await here.create()
    assert call.said("conversation.ended")[0]["properties"] == {"reason": "server_shutdown"}
    async with opened(tmp_path) as store:
        assert (await store.conversations.get(running)).shutdown_reason == "server_shutdown"
        assert (await store.conversations.get(waiting)).status == "active"


async def test_drain_waits_for_calls_and_takes_no_new_ones(tmp_path):
    async with house(tmp_path, slots=2) as here:
        _, call = await here.joined()
        waiting = await here.create()
        draining = asyncio.create_task(here.hosting.drain(30))
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await here.hosting.connect(waiting, OFFER)
        assert not draining.done()
        call.type("conversation.leave")
        await asyncio.wait_for(draining, 60)
        assert not call.said("conversation.started_speaking")


async def test_drain_says_goodbye_when_it_takes_too_long(tmp_path):
    async with house(tmp_path) as here:
        conversation_id, call = await here.joined(language="german")
        await asyncio.wait_for(here.hosting.drain(0.1), 20)
        said = [event["properties"]["speech"] for event in call.said("conversation.utterance")]
        assert said == ["Ich muss jetzt gehen. Danke für das Gespräch. Auf Wiederhören!"]
        assert call.closed
        assert await here.reason(conversation_id) == "server_shutdown"


async def test_idle_server_drains_at_once(tmp_path):
    async with house(tmp_path) as here:
        await here.create()
        await asyncio.wait_for(here.hosting.drain(30), 1)
