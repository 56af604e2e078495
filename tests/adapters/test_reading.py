"""Reading an event: typed values, and every fault at once with its place."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from case_events import DIRECTORY, EVENTS, translator

from gateway.adapters import kinds
from gateway.adapters.reading import Reader
from gateway.adapters.shape import Shape, always, every, optional, required
from gateway.errors import InvalidDocumentError
from gateway.messages import Person
from gateway.ports import Event


def reader(**members: Any) -> Reader:
    return Reader.of(members, DIRECTORY)


def found(at: Reader) -> list[tuple[str, str | None]]:
    try:
        at.finish()
    except InvalidDocumentError as error:
        return [(finding.code, finding.path) for finding in error.findings]
    return []


def test_every_fault_of_an_event_is_told_at_once() -> None:
    event = json.loads((EVENTS / "treserva" / "valid_plan.json").read_bytes())
    event["person"]["personnummer"] = "19650523-9810"
    event["delmal"][1]["livsomrade"] = "Trafik"
    event["insatser"][0]["ansvarig"]["enhet"] = "SE5560360793-KLINIK"
    event["insatser"][2]["uppfoljning"] = "snart"
    event["mote"]["slut"] = None
    event["extra"] = 1
    del event["kopia"]

    with pytest.raises(InvalidDocumentError) as caught:
        translator("treserva").translate(Event(source="treserva", content=json.dumps(event).encode()))

    assert {(finding.code, finding.path) for finding in caught.value.findings} == {
        ("person-id.check-digit", "/person/personnummer"),
        ("json.value", "/delmal/1/livsomrade"),
        ("unit.unknown", "/insatser/0/ansvarig/enhet"),
        ("json.form", "/insatser/2/uppfoljning"),
        ("json.missing", "/mote/slut"),
        ("json.missing", "/kopia"),
        ("json.unknown", "/extra"),
    }


def test_an_unknown_code_is_answered_with_the_codes_there_are() -> None:
    at = reader(beslut="KANSKE")
    kinds.one_of({"JA": 1, "NEJ": 2})(at, "beslut")

    with pytest.raises(InvalidDocumentError) as caught:
        at.finish()
    assert "JA, NEJ" in caught.value.findings[0].sv


def test_what_is_missing_is_told_once_for_all_that_was_in_it() -> None:
    at = reader()
    inner = at.inside("person")
    kinds.line(inner, "namn")
    kinds.day(inner, "fodd")

    assert found(at) == [("json.missing", "/person")]


def test_a_member_read_twice_is_wrong_once() -> None:
    at = reader(enhet="SE5560360793-KLINIK")
    kinds.unit(at, "enhet")
    kinds.unit(at, "enhet")

    assert found(at) == [("unit.unknown", "/enhet")]


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"prioritet": 1}, "/prioritet"),
        ({"Mira Solvind": 1}, "/"),
        ({"19850912-9808": 1}, "/"),
        ({"a/b": 1}, "/"),
        ({"\ud800": 1}, "/"),
    ],
    ids=["name", "person", "number", "slash", "surrogate"],
)
def test_an_unknown_member_is_named_only_when_it_looks_like_a_name(members: dict[str, Any], place: str) -> None:
    assert found(reader(**members)) == [("json.unknown", place)]


@pytest.mark.parametrize(
    ("hsa_id", "day", "code"),
    [
        ("SE2321000131-E000000000505", date(2025, 12, 31), None),
        ("SE2321000131-E000000000505", date(2026, 1, 1), "unit.not-valid"),
        ("SE2321000131-E000000000606", date(2025, 12, 31), "unit.no-inbox"),
    ],
    ids=["last day", "closed down", "external"],
)
def test_a_unit_must_be_one_to_send_to_on_the_day_of_the_event(hsa_id: str, day: date, code: str | None) -> None:
    at = reader(enhet=hsa_id)
    at.happened_on(day)
    assert required("enhet", kinds.unit)(at) == hsa_id

    assert found(at) == ([(code, "/enhet")] if code else [])
    by_letter = reader(enhet=hsa_id)
    by_letter.happened_on(day)
    assert required("enhet", kinds.addressee)(by_letter) == hsa_id
    assert found(by_letter) == ([(code, "/enhet")] if code == "unit.not-valid" else [])


def test_unknown_members_are_found_at_every_depth() -> None:
    at = reader(a=[{"b": {"c": 1}}])
    array, (index,) = at.array("a", least=1)
    array.inside(index).inside("b")

    assert found(at) == [("json.unknown", "/a/0/b/c")]


@pytest.mark.parametrize("value", [1, True, None, [], {}, 1.5], ids=repr)
def test_a_text_must_be_a_text(value: Any) -> None:
    at = reader(a=value)
    kinds.prose(at, "a")

    assert found(at) == [("json.missing" if value is None else "json.type", "/a")]


@pytest.mark.parametrize("value", [1, "true", 0], ids=repr)
def test_a_flag_is_true_or_false_and_nothing_like_it(value: Any) -> None:
    at = reader(a=value)
    kinds.flag(at, "a")

    assert found(at) == [("json.type", "/a")]


@pytest.mark.parametrize(
    ("value", "code"), [(True, "json.type"), (0, "json.form"), (10_000, "json.form"), ("1", "json.type")]
)
def test_a_count_is_a_whole_number_from_one(value: Any, code: str) -> None:
    at = reader(a=value)
    kinds.count(at, "a")

    assert found(at) == [(code, "/a")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-02T09:12:00", datetime(2026, 11, 2, 8, 12, tzinfo=UTC)),
        ("2026-07-02T09:12:00", datetime(2026, 7, 2, 7, 12, tzinfo=UTC)),
        ("2026-07-02T09:12", datetime(2026, 7, 2, 7, 12, tzinfo=UTC)),
        ("2026-07-02T09:12:00Z", datetime(2026, 7, 2, 9, 12, tzinfo=UTC)),
        ("2026-07-02T09:12:00.250+03:00", datetime(2026, 7, 2, 6, 12, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_swedish(text: str, moment: datetime) -> None:
    at = reader(a=text)

    assert kinds.moment(at, "a") == moment
    assert found(at) == []


def test_a_time_keeps_the_offset_of_its_day() -> None:
    assert kinds.moment(reader(a="2026-07-02T09:12:00"), "a").tzinfo == timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-02",
        "2026-W45-1T10:00:00",
        "20261102T091200",
        "2026-13-02T09:12:00",
        "0026-11-02T09:12:00",
        "2026-11-02T25:00:00",
        "2026-11-02T09:12:00+15:00",
        "igår",
    ],
)
def test_what_is_no_point_in_time_is_refused(text: str) -> None:
    at = reader(a=text)
    kinds.moment(at, "a")

    assert found(at) == [("json.form", "/a")]


@pytest.mark.parametrize("text", ["2026-02-29", "20260228", "2026-W09-6", "28/2 2026", "2026-02-28T10:00:00"])
def test_what_is_no_day_is_refused(text: str) -> None:
    at = reader(a=text)
    kinds.day(at, "a")

    assert found(at) == [("json.form", "/a")]


def test_the_century_of_a_short_person_number_follows_the_day_of_the_event() -> None:
    event = json.loads((EVENTS / "treserva" / "valid_behov.json").read_bytes())

    def read_in(year: int) -> str:
        changed = copy.deepcopy(event)
        changed["person"]["personnummer"] = "100304-9804"
        changed["tidpunkt"] = f"{year}-11-02T09:12:00"
        content = json.dumps(changed).encode()
        (draft,) = translator("treserva").translate(Event(source="treserva", content=content)).drafts
        assert isinstance(draft.person, Person)
        return draft.person.identifiers[0].extension

    assert read_in(2026) == "201003049804"
    assert read_in(2009) == "191003049804"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    days: tuple[date, ...] = ()
    note: str = "–"


def test_a_shape_reads_what_its_table_says() -> None:
    shape = Shape(
        Thing, name=required("namn", kinds.line), days=every("dagar", kinds.day), note=optional("not", kinds.line, "–")
    )
    at = reader(sak={"namn": "a", "dagar": ["2026-11-02"]}, annan={"namn": "b", "dagar": [], "not": "c"})

    assert shape(at, "sak") == Thing(name="a", days=(date(2026, 11, 2),))
    assert shape(at, "annan") == Thing(name="b", note="c")
    assert found(at) == []


@pytest.mark.parametrize("fields", [{}, {"name": always("a"), "nmae": always("a")}], ids=["forgotten", "misspelt"])
def test_a_shape_with_a_wrong_table_cannot_be_made(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Shape(Thing, **fields)


def test_an_event_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidDocumentError):
        Reader.of([], DIRECTORY)


ODD = [
    *(
        None,
        True,
        False,
        0,
        1,
        10_000,
        1.5,
        [],
        ["a"],
        {},
        "",
        " ",
        "\u00a0",
        "\u2003 ",
        "a",
        " a ",
        "a\nb",
        "a\x85b",
        "a\x00",
    ),
    *(
        "\ud800",
        "\ufffe",
        "🙂",
        "å" * 200,
        "å" * 201,
        "x" * 4001,
        "x\n" * 2001,
        "JA",
        "ja",
        "031-390 06 12",
        "2026-11-02",
    ),
    *("SE2120001355-SOCHISINGEN", "SE5560360793-KLINIK", "2026-11-02T09:12:00", "D1", "SIP100001"),
    *("SE2321000131-E000000000505", "SE2321000131-E000000000606", "region"),
]
KINDS = {
    "line": kinds.line,
    "prose": kinds.prose,
    "phone": kinds.phone,
    "plan item": kinds.plan_item,
    "case number": kinds.case_number,
    "flag": kinds.flag,
    "code": kinds.one_of({"JA": 1, "NEJ": 2}),
    "unit": kinds.unit,
    "addressee": kinds.addressee,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("item", ODD, ids=lambda item: ascii(item)[:30])
def test_what_is_read_at_a_glance_is_what_a_close_look_finds(kind: str, item: Any) -> None:
    close = KINDS[kind]
    assert kinds.glance_of(close) is not None
    looked, glanced = reader(a=item), reader(a=item)
    assert required("a", close)(glanced) == close(looked, "a")
    assert found(glanced) == found(looked)

    looked, glanced = reader(a=[item, item]), reader(a=[item, item])
    array, indices = looked.array("a", least=1)
    assert every("a", close, least=1)(glanced) == tuple(close(array, index) for index in indices)
    assert found(glanced) == found(looked)
