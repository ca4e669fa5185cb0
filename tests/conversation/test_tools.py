"""Tools in a conversation on simulated time: when they run, what is said meanwhile, and what is remembered."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.conversation.simulation import silence, simulate, speech, world
from visavis.layers.llm import Message
from visavis.layers.tools import Tool, ToolError

HOUR = {"type": "object", "properties": {"hour": {"type": "integer", "maximum": 17}}, "required": ["hour"]}


class Diary:
    """A tool that writes down what it was asked."""

    def __init__(self, takes_s: float = 0.0, fails: str = "", **how: Any) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.begun = asyncio.Event()
        self._takes_s, self._fails = takes_s, fails
        self.tool = Tool("book", "Book a visit.", HOUR, self._run, **how)

    async def _run(self, arguments: Mapping[str, Any]) -> str:
        self.asked.append(arguments)
        self.begun.set()
        await asyncio.sleep(self._takes_s)
        if self._fails:
            raise ToolError(self._fails)
        return f"Booked at {arguments['hour']}."


BOOK = [("book", '{"hour": 10}')]


def spoken(found: Any) -> str:
    return " ".join(e["properties"]["speech"] for e in found.call.said("conversation.utterance"))


def test_a_tools_result_becomes_the_reply_and_stays_in_the_context() -> None:
    diary = Diary()

    async def work() -> None:
        found = world(["book ten please"], [BOOK, "You are booked at ten.", "Bye."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        running = asyncio.create_task(found.run_for(8))
        await asyncio.sleep(4)
        found.call.type("conversation.respond", text="Thanks.")
        await running
        assert diary.asked == [{"hour": 10}]
        assert "You are booked at ten." in spoken(found)
        told = found.model.asked[1][-1]
        assert told == Message("tool", "Booked at 10.", call_id=told.call_id)
        roles = [message.role for message in found.model.asked[2]]
        assert roles == ["system", "user", "assistant", "tool", "assistant", "user"]
        assert found.call.said("conversation.tool_outcome")[0]["properties"]["status"] == "success"

    simulate(work)


def test_side_effects_wait_until_the_person_has_finished() -> None:
    diary, clock = Diary(has_side_effects=True), Diary(has_side_effects=False)

    async def run(one: Diary) -> tuple[float, float]:
        found = world(["book ten for me"], [BOOK, "Done."], tools=[one.tool])
        found.end_of_turn.scripted = [0.3, 0.3]  # it is long undecided whether the person goes on
        found.call.speak(speech(1.2), silence(4))
        running = asyncio.create_task(found.run_for(7))
        await asyncio.wait_for(one.begun.wait(), 10)
        ran_at = asyncio.get_running_loop().time()
        await running
        return ran_at, found.call.said("conversation.utterance")[0]["_at"]

    ran_at, decided_at = simulate(lambda: run(diary))
    assert ran_at >= decided_at
    ran_at, decided_at = simulate(lambda: run(clock))
    assert ran_at < decided_at


def test_a_speculation_that_was_wrong_runs_nothing() -> None:
    diary = Diary()

    async def work() -> None:
        found = world(["book ten|no wait I mean nothing"], [BOOK, "All right."], tools=[diary.tool])
        found.end_of_turn.scripted = [0.3, 0.9]
        found.call.speak(speech(1.0), silence(0.5), speech(1.5), silence(3))
        await found.run_for(7)
        assert diary.asked == []
        assert "All right." in spoken(found)

    simulate(work)


def test_a_slow_tool_is_bridged_by_a_phrase() -> None:
    diary = Diary(takes_s=3.0)

    async def work() -> None:
        found = world([], [BOOK, "It is done."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(8)
        said = spoken(found)
        assert said.index("Let me see.") < said.index("It is done.")

    simulate(work)


def test_a_silent_tool_is_not_bridged() -> None:
    diary = Diary(takes_s=3.0, on_call="silent")

    async def work() -> None:
        found = world([], [BOOK, "It is done."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(8)
        assert spoken(found) == "Book ten. It is done."

    simulate(work)


def test_a_tool_that_fails_hangs_or_gets_wrong_arguments_is_explained_to_the_model() -> None:
    async def told(diary: Diary, wanted: list[tuple[str, str]] = BOOK) -> str:
        found = world([], [wanted, "Sorry, that did not work."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(8)
        assert "Sorry, that did not work." in spoken(found)
        assert found.call.said("conversation.tool_outcome")[0]["properties"]["status"] == "error"
        return found.model.asked[1][-1].content

    assert "the diary is full" in simulate(lambda: told(Diary(fails="the diary is full")))
    assert "too long" in simulate(lambda: told(Diary(takes_s=60, timeout_s=2)))
    late = Diary()
    assert "greater than the maximum" in simulate(lambda: told(late, [("book", '{"hour": 20}')]))
    assert "no JSON" in simulate(lambda: told(late, [("book", '{"hour": ')]))
    assert "no tool 'cook'" in simulate(lambda: told(late, [("cook", "{}")]))
    assert late.asked == []


def test_a_result_may_be_spoken_as_it_is() -> None:
    diary = Diary(on_resolve="response_in_result")

    async def work() -> None:
        found = world([], [BOOK], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(6)
        assert "Booked at 10." in spoken(found)
        assert len(found.model.asked) == 1

    simulate(work)


def test_nobody_waits_for_a_tool_that_is_fired_and_forgotten() -> None:
    diary = Diary(takes_s=5.0, on_resolve="fire_and_forget")

    async def work() -> None:
        found = world([], [BOOK, "It is on its way."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(4)
        assert spoken(found) == "Book ten. It is on its way."

    simulate(work)


def test_an_interrupted_reply_lets_its_tool_finish_and_remembers_the_result() -> None:
    diary = Diary(takes_s=2.0)

    async def work() -> None:
        found = world([], [BOOK, "Hello again.", "Fine."], tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        running = asyncio.create_task(found.run_for(10))
        await asyncio.sleep(1.0)
        found.call.type("conversation.respond", text="Are you there?")
        await asyncio.sleep(5.0)
        found.call.type("conversation.respond", text="Good.")
        await running
        assert len(diary.asked) == 1
        assert "Booked at 10." in [message.content for message in found.model.asked[2]]

    simulate(work)


WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"place": {"type": "string"}}}}


def test_a_client_is_asked_and_its_answer_is_used() -> None:
    async def work() -> None:
        described = {"type": "function", "function": WEATHER}
        replies = [[("weather", '{"place": "Rome"}')], "It is sunny."]
        found = world([], replies, persona_tools=[described])
        found.call.type("conversation.respond", text="What is the weather in Rome?")
        running = asyncio.create_task(found.run_for(6))
        await asyncio.sleep(1)
        (call,) = found.call.said("conversation.tool_call")
        assert json.loads(call["properties"]["arguments"]) == {"place": "Rome"}
        call_id = call["properties"]["tool_call_id"]
        found.call.type("conversation.tool_result", tool_call_id=call_id, output={"sky": "clear"}, status="success")
        await running
        assert found.model.asked[1][-1].content == '{"sky": "clear"}'
        assert "It is sunny." in spoken(found)

    simulate(work)


def test_a_result_that_comes_late_is_told_when_it_comes() -> None:
    async def work() -> None:
        replies = [[("weather", '{"place": "Rome"}')], "I have asked.", "It is sunny."]
        found = world([], replies, persona_tools=[WEATHER])
        found.call.type("conversation.respond", text="What is the weather in Rome?")
        running = asyncio.create_task(found.run_for(12))
        await asyncio.sleep(6)
        (call,) = found.call.said("conversation.tool_call")
        found.call.type("conversation.tool_result", tool_call_id=call["properties"]["tool_call_id"], output="clear")
        found.call.type("conversation.tool_result", tool_call_id="call_unknown", output="clear")
        await running
        assert "I have asked." in spoken(found)
        assert "It is sunny." in spoken(found)
        assert found.call.said("conversation.error")[0]["properties"]["field"] == "properties.tool_call_id"

    simulate(work)


def test_the_call_ends_after_the_goodbye() -> None:
    async def work() -> None:
        found = world([], [[("end_call", "{}")], "Goodbye and take care."], system_tools=["end_call"])
        found.call.type("conversation.respond", text="Bye!")
        await found.conversation.run(found.call)
        assert "Goodbye and take care." in spoken(found)
        goodbye, wish = found.call.said("conversation.utterance")[-1], found.call.said("conversation.end_requested")[0]
        assert goodbye["_at"] <= wish["_at"]
        assert found.conversation.left

    simulate(work)


def test_a_model_that_asks_for_tools_for_ever_is_stopped() -> None:
    diary = Diary()

    async def work() -> None:
        found = world([], [BOOK] * 20, tools=[diary.tool])
        found.call.type("conversation.respond", text="Book ten.")
        await found.run_for(10)
        assert len(diary.asked) == 4
        assert found.model.offered[-1] == []
        assert "could not get that done" in spoken(found)

    simulate(work)
