"""What operators see, from a whole conversation on simulated time."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from tests.conversation.simulation import World, silence, simulate, speech, world
from visavis.hosting.telemetry import Telemetry


@pytest.fixture
def observed() -> tuple[Telemetry, InMemorySpanExporter, World]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry = Telemetry(provider.get_tracer("test"))

    async def work() -> World:
        here = world(["count please", "yeah"], ["One two three four five six seven eight."])
        here.call.speak(speech(0.9), silence(2.2), speech(0.32), silence(5))
        with here.conversation.events.heard_by(telemetry.hear):
            await here.run_for(9)
        return here

    return telemetry, exporter, simulate(work)


def samples(telemetry: Telemetry) -> dict[str, float]:
    text, _ = telemetry.metrics()
    families = text_string_to_metric_families(text.decode())
    return {
        f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value
        for family in families
        for sample in family.samples
    }


def test_waterfall_is_counted_stage_by_stage(observed):
    telemetry, _, here = observed
    found = samples(telemetry)
    latency = here.call.said("conversation.latency")[0]["properties"]
    assert found["visavis_utterance_to_utterance_seconds_count"] == 1
    assert found["visavis_utterance_to_utterance_seconds_sum"] == pytest.approx(
        latency["utterance_to_utterance_ms"] / 1000
    )
    key = "visavis_stage_seconds_sum[('stage', 'final_text')]"
    assert found[key] == pytest.approx(latency["stages"]["final_text"] / 1000)
    assert found["visavis_overlaps_total[('outcome', 'backchannel')]"] == 1
    spent = here.call.said("conversation.usage")[0]["properties"]
    key = "visavis_language_model_tokens_total[('dropped', 'false'), ('kind', 'output')]"
    assert found[key] == spent["output_tokens"] > 0


def test_turn_is_a_trace_whose_spans_lie_inside_it(observed):
    _, exporter, here = observed
    spans = {span.name: span for span in exporter.get_finished_spans()}
    turn = spans.pop("turn")
    assert {"recognise", "decide", "first token", "first clause", "first sound"} == set(spans)
    for span in spans.values():
        assert span.parent.span_id == turn.context.span_id
        assert turn.start_time <= span.start_time <= span.end_time <= turn.end_time
    stages = here.call.said("conversation.latency")[0]["properties"]["stages"]
    recognised_ms = (spans["recognise"].end_time - spans["recognise"].start_time) / 1e6
    assert recognised_ms == pytest.approx(stages["final_text"] - stages["vad_end"], abs=0.2)
