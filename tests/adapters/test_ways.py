"""Adapters as the settings describe them: what is wrong with them, whom each is for, and the words of their systems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from case_events import EVENTS, MakeMessage, messages_of, sent_at, translate

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.adapter_rules import faults_of
from gateway.adapters.composed import ComposedAdapter
from gateway.adapters.routing import Route, Routes
from gateway.adapters.sample import sample_of
from gateway.adapters.table import VOCABULARIES
from gateway.connections import lanes_of
from gateway.directory import Directory, UnitType
from gateway.errors import DependencyDownError, Fault
from gateway.messages import Message, render_xml
from gateway.notices import Notice
from gateway.ports import Arrival, Event, Registration, Translation

SOCIAL, HEALTH, SCHOOL = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN", "SE2120001355-ELEVHALSAN"
AWAY = Fault("test.away", "Borta.", "Away.")


def adapter(name: str = "a", **options: Any) -> AdapterSettings:
    return AdapterSettings.model_validate(
        {"name": name, "words": "treserva", "way": "folder", "folder": "x", **options}
    )


def http(name: str = "a", **options: Any) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": name, "words": "treserva", "way": "http", **options})


def mllp(name: str = "hl7", **options: Any) -> AdapterSettings:
    named = {"words": "hl7", "way": "mllp", "direction": "in", "listen": "127.0.0.1:2575"}
    return AdapterSettings.model_validate({"name": name, **named, **options})


def rest(name: str = "fhir", **options: Any) -> AdapterSettings:
    return AdapterSettings.model_validate({"name": name, "words": "fhir", "way": "rest", **options})


@pytest.mark.parametrize(
    ("adapters", "code"),
    [
        ([adapter(), adapter()], "config.adapter-twice"),
        ([adapter(direction="in")], "config.adapters-no-way-out"),
        ([adapter(), adapter("b")], "config.adapters-two-for-the-rest"),
        ([adapter(units=[SCHOOL]), adapter("b", units=[SCHOOL])], "config.adapter-unit-twice"),
        ([adapter(unit_types=["school"]), adapter("b", unit_types=["school"])], "config.adapter-unit-twice"),
        ([adapter(words="treserv")], "config.adapter-unknown-near"),
        ([adapter(words="x")], "config.adapter-unknown"),
        ([adapter(way="fax")], "config.adapter-unknown"),
        ([adapter(unit_types=["skola"])], "config.adapter-unknown"),
        ([adapter(units=[SCHOOL[:-1]])], "config.adapter-unknown-near"),
        ([adapter(folder=None)], "config.adapter-option-missing"),
        ([http(url="https://h/")], "config.adapter-option-missing"),
        ([adapter(url="https://h/")], "config.adapter-option-unused"),
        ([adapter(), adapter("b", direction="in", units=[SCHOOL])], "config.adapter-option-unused"),
        ([http(url="http://h/", secret_file=__file__)], "config.adapter-url-in-clear"),
        ([http(url="https://h/", secret_file="nowhere")], "http.secret-unusable"),  # noqa: S106 -- a file
        ([http(url="https://h/", secret_file=__file__, tokens_file="nowhere")], "http.hashes-unusable"),
        ([http(url="https://h/", secret_file=__file__, ca_file="nowhere")], "http.certificate-unusable"),
        ([adapter(words="fhir")], "config.adapter-words"),
        ([http(words="hl7", url="https://h/", secret_file=__file__)], "config.adapter-words"),
        ([mllp()], "config.adapters-no-way-out"),
        ([adapter(), mllp(direction="both", units=[SCHOOL])], "config.adapter-one-way"),
        ([adapter(), mllp(listen=None)], "config.adapter-option-missing"),
        ([adapter(), mllp(url="https://h/")], "config.adapter-option-unused"),
        ([adapter(), mllp(listen="0.0.0.0:2575")], "config.adapter-listens-to-all"),
        ([adapter(), mllp(listen="0.0.0.0:2575", certificate_file=__file__)], "config.adapter-listens-to-all"),
        ([adapter(), mllp(certificate_file="nowhere")], "http.certificate-unusable"),
        ([rest()], "config.adapter-option-missing"),
        ([rest(url="http://journal.example/fhir")], "config.adapter-url-in-clear"),
        ([rest(url="https://h/", secret_file="nowhere")], "http.secret-unusable"),  # noqa: S106 -- a file
        ([rest(url="https://h/", listen="127.0.0.1:1")], "config.adapter-option-unused"),
    ],
)
def test_what_does_not_fit_together_is_told(adapters: list[AdapterSettings], code: str, directory: Directory) -> None:
    assert code in [finding.code for finding in faults_of(adapters, directory)]


def test_what_fits_together_is_not(directory: Directory, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 24, encoding="utf-8")
    adapters = [
        http("in", direction="in"),
        adapter("rest"),
        http("out", direction="out", url="http://127.0.0.1:1/", secret_file=secret, unit_types=["school"]),
        mllp(listen="0.0.0.0:2575", senders=["10.1.0.0/16", "10.2.3.4"]),
        rest(url="https://journal.example/fhir", token_file="not there yet", units=[SOCIAL]),  # noqa: S106 -- a file
    ]
    assert faults_of(adapters, directory) == []


# --- whom each is for -----------------------------------------------------------------------------------------------


class Target:
    """A system that remembers what it was handed, and may be away."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[str] = []
        self.asked = 0
        self.is_away = False

    async def deliver(self, message: Message, unit: str) -> Registration:
        self.got.append(unit)
        return Registration(record_id=self.name)

    async def note(self, message: Message) -> None:
        self.asked += 1
        if self.is_away:
            raise DependencyDownError(AWAY.at())
        self.got.append(message.header.message_id)

    async def notify(self, notice: Notice) -> None:
        self.got.append(notice.notice_id)

    async def ping(self) -> None:
        if self.is_away:
            raise DependencyDownError(AWAY.at())


class Source:
    """A system that tells what it is given, and fails when it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.says: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.begun = 0

    async def arrivals(self) -> AsyncIterator[Sequence[Arrival]]:
        self.begun += 1
        while True:
            said = await self.says.get()
            if not said:
                raise RuntimeError
            yield said

    def translate(self, event: Event) -> Translation:
        return Translation(event_id=self.name, kind="", case_reference=None, drafts=())

    async def ping(self) -> None:
        pass


class Paused(set[str]):
    async def is_paused(self, name: str) -> bool:
        return name in self


def routes(directory: Directory) -> tuple[Routes, Target, Target, Target]:
    by_unit, by_type, rest = Target("unit"), Target("type"), Target("rest")
    made = Routes(
        [
            Route(by_type, types=frozenset({UnitType.SCHOOL, UnitType.SOCIAL_OFFICE})),
            Route(rest),
            Route(by_unit, units=frozenset({SCHOOL})),
        ],
        directory,
        "kommun",
    )
    return made, by_unit, by_type, rest


def test_a_unit_goes_before_a_type_and_a_type_before_the_rest(directory: Directory) -> None:
    made, by_unit, by_type, rest = routes(directory)
    assert [made.to(unit) for unit in (SCHOOL, SOCIAL, HEALTH)] == [by_unit, by_type, rest]


def test_each_system_has_its_lane_and_no_unit_has_two(directory: Directory) -> None:
    made, by_unit, by_type, _ = routes(directory)
    first, *others = lanes_of(made)
    assert (first.name, first.units) == ("rest", None)
    assert first.others == frozenset[str]().union(*(lane.units or frozenset() for lane in others))
    assert {lane.name: SCHOOL in (lane.units or ()) for lane in others} == {by_unit.name: True, by_type.name: False}


def test_one_system_has_no_lane(directory: Directory) -> None:
    assert lanes_of(Routes([Route(Target("only"))], directory, "kommun")) == ()


async def test_a_step_is_written_where_the_own_units_are(directory: Directory, make_message: MakeMessage) -> None:
    made, by_unit, by_type, rest = routes(directory)
    composed = ComposedAdapter([], made, Paused())
    message = next(m for m in messages_of("treserva", make_message) if m.header.sender.unit == SOCIAL)
    await composed.note(message)
    assert (len(by_type.got), rest.got, by_unit.got) == (1, [], [])
    assert (await composed.deliver(message, HEALTH)).record_id == "rest"


async def test_a_silent_system_is_not_asked_for_every_step(directory: Directory, make_message: MakeMessage) -> None:
    made, _, by_type, _ = routes(directory)
    composed = ComposedAdapter([], made, Paused())
    message = next(m for m in messages_of("treserva", make_message) if m.header.sender.unit == SOCIAL)
    by_type.is_away = True
    for _ in range(3):
        with pytest.raises(DependencyDownError):
            await composed.note(message)
    assert by_type.asked == 1
    with pytest.raises(DependencyDownError):
        await composed.ping()


async def test_each_is_heard_though_another_fails_and_understood_by_the_one_it_came_by(directory: Directory) -> None:
    one, two = Source("one"), Source("two")
    composed = ComposedAdapter([one, two], Routes([Route(Target("t"))], directory, "kommun"), Paused())
    arrivals = composed.arrivals()
    one.says.put_nowait([])  # it fails
    two.says.put_nowait(["a"])
    two.says.put_nowait(["b"])
    assert [await anext(arrivals), await anext(arrivals)] == [["a"], ["b"]]
    one.says.put_nowait(["c"])
    assert await anext(arrivals) == ["c"]
    assert one.begun == 2
    assert composed.translate(Event(source="two", content=b"")).event_id == "two"
    await arrivals.aclose()  # type: ignore[attr-defined]


async def test_what_a_paused_source_tells_is_left_with_it(directory: Directory) -> None:
    one, two, paused = Source("one"), Source("two"), Paused({"one"})
    composed = ComposedAdapter([one, two], Routes([Route(Target("t"))], directory, "kommun"), paused)
    arrivals = composed.arrivals()
    one.says.put_nowait(["a"])
    two.says.put_nowait(["b"])
    assert await anext(arrivals) == ["b"]
    paused.clear()
    one.says.put_nowait(["a again"])
    assert await anext(arrivals) == ["a again"]
    await arrivals.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_every_event_can_be_looked_at_as_a_message(kind: str, directory: Directory) -> None:
    for path in sorted((EVENTS / kind).glob("valid_*")):
        for draft in translate(kind, path).drafts:
            if draft.type != "acknowledgement":
                assert render_xml(sample_of(draft, directory, sent_at(kind, path)))
