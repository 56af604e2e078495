"""Traces across the exchange: each message a trace in both gateways, each hop it passes a span, told by OpenTelemetry.

The ids follow from the message id (:mod:`gateway.trace_context`), so what two gateways tell joins without either having
told the other. Spans hold ids and codes and no person; answers are told as verdicts in the trace of what they answer.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import ConfigurationError, Fault
from gateway.identifiers import HsaId, InvalidHsaIdError
from gateway.progress import Hop, Passage
from gateway.trace_context import span_id, trace_id

NOT_INSTALLED = Fault(
    "traces.not-installed",
    "traces_url är angiven, men tillägget för OpenTelemetry är inte installerat: pip install 'sip-gateway[otel]'.",
    "traces_url is given, but the extra for OpenTelemetry is not installed: pip install 'sip-gateway[otel]'.",
)

REMEMBERED: Final = 10_000
"""For how many messages it is known when they passed their last hop here."""
SECONDS: Final = 5.0
"""How long whoever collects the spans may take to answer; it never holds up a message."""


class Traces:
    """Tells spans to a collector at ``url`` (OTLP over HTTP); entered, it can be used as an observer.

    What cannot be told is dropped, and never holds up a message. ``nanoseconds`` is the time of the machine: a
    collector puts the spans of several of them in order.

    Raises:
        ConfigurationError: OpenTelemetry is not installed.
    """

    def __init__(self, url: str, party: str, nanoseconds: Callable[[], int] = time.time_ns) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 -- an extra
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        except ImportError:
            raise ConfigurationError(NOT_INSTALLED.at()) from None
        self._trace = trace
        self._now = nanoseconds
        self._party = party
        ids: Any = _Ids()  # of the kind that the library asks for, which is not there where it is not installed
        self._ids = ids
        resource = Resource.create({"service.name": "sip-gateway", "service.instance.id": party})
        self._provider = TracerProvider(resource=resource, id_generator=ids, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=url, timeout=SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=SECONDS * 1000))
        self._tracer = self._provider.get_tracer("gateway")
        self._last: OrderedDict[tuple[str, str | None], int] = OrderedDict()

    def __enter__(self) -> Self:
        """Begin to tell."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what is left, and end."""
        self._provider.shutdown()

    def __call__(self, passage: Passage) -> None:
        """Tell that a message has passed a hop, as a span since the hop before it in this gateway."""
        number = passage.message_id
        if number is None or passage.type == ACKNOWLEDGEMENT or not _is_id(number):
            return
        now = self._now()
        since = self._since(number, passage.unit, now)
        if passage.hop is Hop.SENT:
            self._span(f"message {passage.type}", number, span_id(number), None, since, now, passage)
        else:
            self._span(passage.hop.value, number, None, span_id(number), since, now, passage)

    def _since(self, number: str, unit: str | None, now: int) -> int:
        # An event is stored before it is known to which units its message goes.
        since = self._last.pop((number, unit), None) or self._last.get((number, None), now)
        self._last[number, unit] = now
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return since

    def _span(
        self, name: str, number: str, own: bytes | None, above: bytes | None, since: int, until: int, passage: Passage
    ) -> None:
        self._ids.trace, self._ids.span = trace_id(number), own
        context: Any = None
        if above is not None:
            parent = self._trace.SpanContext(
                trace_id=int.from_bytes(trace_id(number)),
                span_id=int.from_bytes(above),
                is_remote=True,
                trace_flags=self._trace.TraceFlags(self._trace.TraceFlags.SAMPLED),
            )
            context = self._trace.set_span_in_context(self._trace.NonRecordingSpan(parent))
        span = self._tracer.start_span(name, context=context, start_time=since, attributes=self._told(passage))
        span.end(end_time=until)

    def _told(self, passage: Passage) -> dict[str, str]:
        said = {"gateway.party": self._party, "messaging.message.id": passage.message_id, "gateway.type": passage.type}
        if passage.unit is not None and _is_unit(passage.unit):
            said["gateway.unit"] = passage.unit
        if passage.hop is Hop.VERDICT:
            said["gateway.verdict"] = passage.detail
        return {name: value for name, value in said.items() if value is not None}


class _Ids:
    """Gives spans the ids that follow from their message: of the trace always, of the span where it is told."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415 -- an extra

        self._random = RandomIdGenerator()
        self.trace = b""
        self.span: bytes | None = None

    def generate_trace_id(self) -> int:
        return int.from_bytes(self.trace)

    def generate_span_id(self) -> int:
        return int.from_bytes(self.span) if self.span is not None else self._random.generate_span_id()

    def is_trace_id_random(self) -> bool:
        return False


def _is_id(number: str) -> bool:
    try:
        return bool(UUID(number))
    except ValueError:
        return False


def _is_unit(unit: str) -> bool:
    try:
        return bool(HsaId.parse(unit))
    except InvalidHsaIdError:
        return False
