"""What operators see of the conversations: Prometheus figures, and an OpenTelemetry trace of every answered turn.

Both are made of the events that the page gets too, so they never disagree with it.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Tracer
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from visavis.conversation.latency import STAGES
from visavis.errors import BadInputError

BUCKETS_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0)

_SPANS = (
    # name, and the stages between which it lies
    ("recognise", "vad_end", "final_text"),
    ("decide", "vad_end", "turn_decision"),
    ("first token", "final_text", "first_token"),
    ("first clause", "first_token", "first_clause"),
    ("first sound", "first_clause", "first_sound"),
)


class Telemetry:
    """Listens to conversations. Owner of the figures of one server."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        """`tracer` takes the traces; by default the one that OpenTelemetry is configured with, if it is."""
        self._tracer = tracer or trace.get_tracer("visavis")
        self._registry = CollectorRegistry()
        self._u2u = Histogram(
            "visavis_utterance_to_utterance_seconds",
            "End of the person's last voice to the replica's first sound, as the server sees it.",
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._stages = Histogram(
            "visavis_stage_seconds",
            "End of the person's last voice to the end of a stage of the reply.",
            ["stage"],
            buckets=BUCKETS_S,
            registry=self._registry,
        )
        self._overlaps = Counter(
            "visavis_overlaps", "What persons did while the replica spoke.", ["outcome"], registry=self._registry
        )
        self._tokens = Counter(
            "visavis_language_model_tokens",
            "Tokens read and written by language models; dropped are those of replies that nobody heard.",
            ["kind", "dropped"],
            registry=self._registry,
        )
        self._errors = Counter("visavis_errors", "Failures that persons were told of.", registry=self._registry)
        self.calls = Gauge("visavis_calls", "Calls that are running.", registry=self._registry)
        """Counted by whoever starts and ends them."""

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take an event of a conversation."""
        properties = message.get("properties", {})
        match message["event_type"]:
            case "conversation.latency":
                self._measure(properties["utterance_to_utterance_ms"], properties["stages"])
                self._trace(message["conversation_id"], message["turn_idx"], properties)
            case "conversation.overlap" if properties["outcome"] != "began":
                self._overlaps.labels(properties["outcome"]).inc()
            case "conversation.usage":
                for kind in ("input", "output"):
                    counted = self._tokens.labels(kind, str(properties["dropped"]).lower())
                    counted.inc(properties[f"{kind}_tokens"])
            case "conversation.error":
                self._errors.inc()

    def metrics(self) -> tuple[bytes, str]:
        """All figures in Prometheus' text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _measure(self, u2u_ms: float | None, stages_ms: Mapping[str, float]) -> None:
        if u2u_ms is None:
            return  # a typed turn has no last voice
        self._u2u.observe(u2u_ms / 1000)
        for stage in STAGES[1:]:
            if stage in stages_ms:
                self._stages.labels(stage).observe(max(0.0, stages_ms[stage]) / 1000)

    def _trace(self, conversation_id: str, turn: int, properties: Mapping[str, Any]) -> None:
        stages: Mapping[str, float] = properties["stages"]
        began: float = properties["began_at"]

        def nanoseconds(stage: str) -> int:
            return round((began + stages[stage] / 1000) * 1e9)

        attributes: dict[str, str | int] = {"visavis.conversation_id": conversation_id, "visavis.turn": turn}
        whole = self._tracer.start_span("turn", start_time=round(began * 1e9), attributes=attributes)
        inside = trace.set_span_in_context(whole)
        for name, start, end in _SPANS:
            if start in stages and end in stages:
                span = self._tracer.start_span(name, context=inside, start_time=nanoseconds(start))
                span.end(max(nanoseconds(start), nanoseconds(end)))
        if "sent" in stages:
            whole.add_event("first sound sent", timestamp=nanoseconds("sent"))
        whole.end(max(nanoseconds(stage) for stage in stages))


def export_traces() -> None:
    """Send traces where the standard `OTEL_EXPORTER_OTLP_*` variables say.

    Raises `BadInputError` when the packages for that are not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadInputError(
            "VISAVIS_TRACING", True, "false, or the extra installed: pip install visavis[tracing]"
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "visavis"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
