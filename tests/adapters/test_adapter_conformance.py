"""What every adapter promises, whatever system it speaks to."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from case_events import (
    DIRECTORY,
    EVENTS,
    MakeAdapter,
    MakeMessage,
    json_events,
    message_to,
    messages_of,
    sent_at,
    translate,
    translator,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.behaviour import Behaviour
from gateway.adapters.simulated import SimulatedCaseSystem
from gateway.adapters.table import ADAPTERS, VOCABULARIES, WORDS
from gateway.adapters.vocabulary import Vocabulary
from gateway.adapters.ways import WAYS
from gateway.adapters.written_form import as_any
from gateway.clock import ManualClock
from gateway.directory import Directory, UnitType
from gateway.errors import DependencyDownError, InvalidDocumentError, RefusedError
from gateway.messages import TYPES, Message, parse_xml, render_xml
from gateway.ports import Event, Translation

VALID = [
    pytest.param(path.parent.name, path, id=f"{path.parent.name}/{path.stem}")
    for kind in sorted(VOCABULARIES)
    for path in sorted((EVENTS / kind).glob("valid_*"))
]
INVALID = [
    pytest.param(path.parent.name, path, id=f"{path.parent.name}/{path.stem}")
    for kind in sorted(VOCABULARIES)
    for path in sorted((EVENTS / kind).glob("invalid_*"))
]
NOW = datetime(2026, 11, 4, 10, 0, tzinfo=UTC)


# --- translate ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "path"), VALID)
def test_a_valid_event_becomes_valid_messages(kind: str, path: Path, make_message: MakeMessage) -> None:
    translation = translate(kind, path)

    assert translation.event_id
    for draft in translation.drafts:
        message = make_message(draft, sent_at(kind, path))
        assert parse_xml(render_xml(message)) == message


@pytest.mark.parametrize(("kind", "path"), VALID)
def test_translating_is_pure(kind: str, path: Path) -> None:
    assert translate(kind, path) == translate(kind, path)


@pytest.mark.parametrize(("kind", "path"), INVALID)
def test_an_invalid_event_is_refused_with_the_fault_in_its_name(kind: str, path: Path) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        translate(kind, path)

    assert set(caught.value.codes) == {path.name.split("_")[1]}
    for finding in caught.value.findings:
        assert finding.sv
        assert finding.en
        assert finding.sv != finding.en


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_every_type_of_event_has_a_valid_fixture(kind: str) -> None:
    shown = {translate(kind, path).kind for path in (EVENTS / kind).glob("valid_*")}

    assert shown == set(VOCABULARIES[kind].events)


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_every_type_of_message_can_be_written_by_whoever_may_send_it(kind: str) -> None:
    of_wards = {name for name, type_ in TYPES.items() if type_.contract.sender_units == {UnitType.WARD}}
    assert of_wards

    written = {form.message_type for form in VOCABULARIES[kind].events.values()}
    assert written == set(TYPES) - (of_wards if kind == "treserva" else set())  # a municipality has no ward


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_an_event_names_the_person_when_its_message_does(kind: str) -> None:
    for form in VOCABULARIES[kind].events.values():
        assert form.names_person is TYPES[form.message_type].contract.carries_person, form.message_type


def test_the_table_of_adapters_names_each_by_its_own_name(tmp_path: Path, directory: Directory) -> None:
    assert {name: make(tmp_path, directory).name for name, make in ADAPTERS.items()} == {
        name: name for name in ADAPTERS
    }


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=100)
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_arbitrary_bytes_are_refused_and_nothing_else(kind: str, content: bytes) -> None:
    with pytest.raises(InvalidDocumentError):
        translator(kind).translate(Event(source=kind, content=content))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-10, 10_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, item in inner for place in places(item, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = replaced(changed[path[0]], path[1:], new)
    return changed


@given(data=st.data())
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_an_event_with_one_value_replaced_is_refused_or_understood(
    kind: str, data: st.DataObject, make_message: MakeMessage
) -> None:
    path = data.draw(st.sampled_from(json_events(kind)))
    event = json.loads(path.read_text(encoding="utf-8-sig"))
    changed = replaced(event, data.draw(st.sampled_from(places(event))), data.draw(JSON))
    content = json.dumps(changed).encode()

    try:
        translation = translator(kind).translate(Event(source=kind, content=content))
        for draft in translation.drafts:
            render_xml(make_message(draft, sent_at(kind, path)))
    except InvalidDocumentError as error:
        for finding in error.findings:
            json.dumps(finding.as_json(), ensure_ascii=False).encode()


@given(data=st.data())
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_a_finding_never_repeats_a_value(kind: str, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(json_events(kind)))
    event = json.loads(path.read_text(encoding="utf-8-sig"))
    person = "Mira Solvind 19850912-9808"
    place = data.draw(st.sampled_from(places(event)))
    changed = replaced(event, place, data.draw(st.sampled_from([person, [person], {person: person}, person + "\x00"])))

    try:
        translator(kind).translate(Event(source=kind, content=json.dumps(changed).encode()))
    except InvalidDocumentError as error:
        told = str([finding.as_json() for finding in error.findings])
        assert "Mira" not in told
        assert "9808" not in told


def is_delivered(message: Message) -> bool:
    """Tell whether a message is for a case system: an acknowledgement is for the gateway, a note stays at home."""
    return message.type != "acknowledgement" and bool(message.header.recipients)


# --- deliver --------------------------------------------------------------------------------------------------------


async def test_every_message_is_delivered_once_however_often_it_is_tried(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    partner = "journal" if kind == "treserva" else "treserva"
    messages = [message for message in messages_of(partner, make_message) if is_delivered(message)]
    adapter = make_adapter(kind)
    async with SimulatedCaseSystem(tmp_path / kind, kind, ManualClock(NOW), interval=0.01) as system:
        first = [await adapter.deliver(message, message.header.recipients[0].unit) for message in messages]
        again = [await adapter.deliver(message, message.header.recipients[0].unit) for message in messages]

        assert again == first
        assert len(set(first)) == len(messages)
        assert [record["recordId"] for record in await system.records()] == [one.record_id for one in first]


async def test_each_unit_gets_a_record_of_its_own(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = next(m for m in messages_of("treserva", make_message) if len(m.header.recipients) == 2)
    adapter = make_adapter(kind)
    async with SimulatedCaseSystem(tmp_path / kind, kind, ManualClock(NOW), interval=0.01):
        records = {
            (await adapter.deliver(message, recipient.unit)).record_id for recipient in message.header.recipients
        }

    assert len(records) == 2


async def test_a_silent_system_is_down_and_delivers_later_under_the_same_call(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = message_to(kind, make_message)
    unit = message.header.recipients[0].unit
    async with SimulatedCaseSystem(
        tmp_path / kind, kind, ManualClock(NOW), interval=0.01, behaviour=Behaviour(down=True)
    ) as system:
        with pytest.raises(DependencyDownError) as caught:
            await make_adapter(kind, timeout=0.05).deliver(message, unit)
        assert caught.value.codes == ("system.no-receipt",)
        assert await system.records() == []

        system.behaviour = Behaviour()
        registration = await make_adapter(kind).deliver(message, unit)
        assert [record["recordId"] for record in await system.records()] == [registration.record_id]


async def test_a_system_that_refuses_says_so_for_good(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = message_to(kind, make_message)
    unit = message.header.recipients[0].unit
    async with SimulatedCaseSystem(
        tmp_path / kind, kind, ManualClock(NOW), interval=0.01, behaviour=Behaviour(refuse=True)
    ) as system:
        with pytest.raises(RefusedError) as caught:
            await make_adapter(kind).deliver(message, unit)
        assert caught.value.codes == ("system.refused",)
        assert "simulated.refuses" in caught.value.findings[0].en

        system.behaviour = Behaviour()
        with pytest.raises(RefusedError):
            await make_adapter(kind).deliver(message, unit)


async def test_a_note_is_written_once_however_often_it_is_tried(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    adapter = make_adapter(kind)
    messages = messages_of(kind, make_message)
    async with SimulatedCaseSystem(tmp_path / kind, kind, ManualClock(NOW), interval=0.01) as system:
        for message in (*messages, *messages):
            await adapter.note(message)
        notes = await system.haendelser()

    assert len(notes) == len([m for m in messages if VOCABULARIES[kind].note(m) is not None])


async def test_the_system_takes_charge_in_an_event_that_answers_the_message(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    message = message_to(kind, make_message)
    unit = message.header.recipients[0].unit
    adapter = make_adapter(kind)
    async with SimulatedCaseSystem(tmp_path / kind, kind, ManualClock(NOW), interval=0.01):
        await adapter.deliver(message, unit)
        (arrival,) = await asyncio.wait_for(anext(adapter.arrivals()), 5)

    (draft,) = adapter.translate(arrival.event).drafts
    assert (draft.type, draft.unit, draft.in_reply_to) == ("acknowledgement", unit, message.header.message_id)
    answer = draft.body
    assert (answer.message_id, answer.message_type, answer.unit) == (message.header.message_id, message.type, unit)
    assert answer.at == NOW


async def test_a_folder_that_is_not_there_is_down(kind: str, tmp_path: Path, directory: Directory) -> None:
    adapter = ADAPTERS[kind](tmp_path / "not-mounted", directory)

    with pytest.raises(DependencyDownError) as caught:
        await adapter.ping()
    assert caught.value.codes == ("folder.unavailable",)


async def test_no_file_is_named_after_a_person(
    kind: str, tmp_path: Path, make_adapter: MakeAdapter, make_message: MakeMessage
) -> None:
    adapter = make_adapter(kind)
    async with SimulatedCaseSystem(tmp_path / kind, kind, ManualClock(NOW), interval=0.01):
        for message in messages_of("treserva", make_message):
            if is_delivered(message):
                await adapter.deliver(message, message.header.recipients[0].unit)
            await adapter.note(message)

    names = " ".join(path.name for path in (tmp_path / kind).rglob("*"))
    for number in ("9811", "9808", "9803", "9804", "9819", "Testlund", "Solvind"):
        assert number not in names


# --- everything that is spoken ---------------------------------------------------------------------------------------

SPOKEN = [
    pytest.param(name, path, id=f"{name}/{path.stem}")
    for name in sorted(WORDS)
    for path in sorted((EVENTS / name).glob("*valid_*"))
]


@pytest.mark.parametrize(("name", "path"), SPOKEN)
def test_what_is_understood_is_so_each_time_and_what_is_not_is_refused_with_a_code(name: str, path: Path) -> None:
    words = WORDS[name]({}, {})
    if isinstance(words, Vocabulary):
        words = words.in_form(as_any)
    event = Event(source=name, content=path.read_bytes())
    said: list[object] = []
    for _ in range(2):
        try:
            said.append(words.translate(event, DIRECTORY))
        except InvalidDocumentError as error:
            said.append(error.findings)
    first, again = said
    assert first == again
    if path.name.startswith("valid_"):
        assert isinstance(first, Translation)
        assert first.event_id
        assert {draft.type for draft in first.drafts} <= set(TYPES)
    else:
        assert path.name.split("_")[1] in {finding.code for finding in first}  # type: ignore[attr-defined]


def test_everything_that_is_spoken_has_a_way_and_examples_good_and_bad() -> None:
    assert {name for way in WAYS.values() for name in way.words} == set(WORDS)
    for name in WORDS:
        assert list((EVENTS / name).glob("valid_*"))
        assert list((EVENTS / name).glob("invalid_*"))
