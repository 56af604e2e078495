"""A message is one trace in both gateways: each tells a collector what it passes there, and names no person."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import defaultdict
from pathlib import Path

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway.progress import Hop, Passage, ignore
from gateway.replay.scenario import Scenario
from gateway.replay.stage import Places, set_up
from gateway.trace_context import span_id, trace_id, traceparent
from gateway.traces import Traces

MESSAGE = "6f1c9a52-3d1e-4a6b-9a51-0d2b7c1e4f10"
UNIT = "SE2321000131-E000000000101"


class Collector:
    """Takes spans as OpenTelemetry's collector does, over real HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    async def __aenter__(self) -> Collector:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1/traces"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.Response(content_type="application/x-protobuf")

    def spans(self) -> list[tuple[str, str, bytes, bytes, bytes, int, int]]:
        """Return party, name, trace, span, parent, begin and end of each."""
        found = []
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                party = next(
                    one.value.string_value for one in resource.resource.attributes if one.key == "service.instance.id"
                )
                for scope in resource.scope_spans:
                    found += [
                        (
                            party,
                            one.name,
                            one.trace_id,
                            one.span_id,
                            one.parent_span_id,
                            one.start_time_unix_nano,
                            one.end_time_unix_nano,
                        )
                        for one in scope.spans
                    ]
        return found


async def test_what_two_gateways_tell_joins_into_one_trace_and_names_no_person(tmp_path: Path) -> None:
    scenario = Scenario.load("journey")
    async with Collector() as collector:
        places = Places(traces_url=collector.url)
        async with set_up(scenario, tmp_path, ignore, places) as stage:
            for step in scenario.steps[:2]:
                await stage.play(step)
        spans = collector.spans()
    told = defaultdict(set)
    for party, name, trace, *_ in spans:
        told[trace].add((party, name))
    whole = [
        names
        for names in told.values()
        if {("kommun", "published"), ("kommun", "message sipStart"), ("kommun", "verdict")} <= names
    ]
    assert whole
    for names in whole:
        assert {("region", "taken"), ("region", "received"), ("region", "registered")} <= names
    assert all(begin <= end for *_, begin, end in spans)
    person = json.loads(scenario.steps[0].content)
    words = [word for word in _texts(person["person"]) if len(word) > 3]
    assert words
    said = b"".join(collector.bodies)
    assert not [word for word in words if word.encode() in said]


def _texts(said: object) -> list[str]:
    if isinstance(said, dict):
        return [text for value in said.values() for text in _texts(value)]
    return [said] if isinstance(said, str) else []


async def test_a_hop_is_a_span_beneath_that_of_its_message(tmp_path: Path) -> None:
    ticks = iter(range(1_000, 10_000, 1_000))
    async with Collector() as collector:

        def tell() -> None:
            with Traces(collector.url, "kommun", lambda: next(ticks)) as traces:
                traces(Passage(Hop.EVENT_STORED, "kommun", MESSAGE))
                traces(Passage(Hop.SENT, "kommun", MESSAGE, "plan", UNIT))
                traces(Passage(Hop.VERDICT, "kommun", MESSAGE, "plan", UNIT, None, "received/accepted"))
                traces(Passage(Hop.VERDICT, "kommun", "19121212-1212", "plan", "19121212-1212", "19121212-1212", "x"))

        await asyncio.to_thread(tell)
        spans = {name: rest for _, name, *rest in collector.spans()}
    assert set(spans) == {"event-stored", "message plan", "verdict"}
    trace, span, parent, begin, end = spans["message plan"]
    assert (trace, span, parent) == (trace_id(MESSAGE), span_id(MESSAGE), b"")
    assert (begin, end) == (1_000, 2_000)
    assert spans["verdict"][2] == span_id(MESSAGE)
    assert spans["verdict"][3:] == [2_000, 3_000]
    assert traceparent(MESSAGE, None).split("-")[1:3] == [trace.hex(), span.hex()]
    assert b"19121212" not in b"".join(collector.bodies)


async def test_a_collector_that_is_away_holds_up_nothing(tmp_path: Path) -> None:
    scenario = Scenario.load("journey")
    async with set_up(scenario, tmp_path, ignore, Places(traces_url="http://127.0.0.1:9/v1/traces")) as stage:
        await stage.play(scenario.steps[0])
