"""Objects to XML and JSON and back: nothing is lost, nothing is guessed, and every fault of a JSON is told at once."""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Finding, InvalidDocumentError
from gateway.messages import TYPES, Message, parse_json, parse_xml, read_file, render_xml, to_json
from gateway.messages.binding import NAMESPACE, from_json, from_xml, xml_of
from gateway.messages.binding import to_json as body_to_json

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
START = (FIXTURES / "sipStart_valid_minimal.xml").read_bytes()

ONE_LINE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
SAYS_SOMETHING = re.compile("[^ \t\r\n]")
HSA_IDS = ["SE2120001355-SOCHISINGEN", "SE2321000131-E000000000101"]


def text(alphabet: st.SearchStrategy[str], longest: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=longest).filter(lambda value: bool(SAYS_SOMETHING.search(value)))


SHORT = text(ONE_LINE, 20) | st.just("å" * 200)
LONG = text(ONE_LINE | st.sampled_from("\n\r\t"), 30) | st.just("🙂" * 4000)
LONG_FIELDS = {
    "need_text",
    "purpose",
    "questions",
    "long_term_goal",
    "works_not",
    "informed_how",
    "where_to_turn",
    "sv",
}
IN_FORM: dict[str, st.SearchStrategy[str]] = {
    "unit": st.sampled_from(HSA_IDS),
    "units": st.sampled_from(HSA_IDS),
    "hsa_id": st.sampled_from(HSA_IDS),
    "parties": st.from_regex("[a-z][a-z0-9-]{0,30}", fullmatch=True),
    "phone": st.from_regex(r"\+?[0-9][0-9 \-]{4,24}", fullmatch=True, alphabet="+-0123456789 "),
    "online_link": st.from_regex(r"https://[!-~]+", fullmatch=True).filter(lambda link: len(link) <= 500),
    "id": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,15}", fullmatch=True),
    "sub_goal": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,15}", fullmatch=True),
    "superseded_by": st.from_regex("SIP[0-9]{6}", fullmatch=True, alphabet="SIP0123456789"),
    "message_id": st.uuids().map(str),
    "message_type": st.sampled_from(list(TYPES)),
    "target_type": st.sampled_from(list(TYPES)),
    "party": st.sampled_from(["kommun", "region"]),
    "code": st.from_regex(r"[a-z0-9.\-]{1,100}", fullmatch=True),
    "path": st.from_regex("/[A-Za-z0-9/]{0,100}", fullmatch=True),
    "municipality": st.from_regex("[0-9]{4}", fullmatch=True, alphabet="0123456789"),
}
IN_FORM |= dict.fromkeys(
    ("redirect_unit", "from_unit", "to_unit", "suggested_unit", "responsible_unit"), IN_FORM["unit"]
)
IN_FORM |= dict.fromkeys(("target_message_id", "ready_message_id"), IN_FORM["message_id"])
IN_FORM |= dict.fromkeys(("measure", "items_due"), IN_FORM["id"])
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(1, 2**31 - 1),
    date: st.dates(date(1900, 1, 1), date(2199, 12, 31)),
    datetime: st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=ZONES),  # noqa: DTZ001
}


def values(kind: Any, field: str, *, least: int = 0) -> st.SearchStrategy[Any]:
    """Anything the schema allows in ``field``, which holds a ``kind``."""
    if typing.get_origin(kind) is tuple:
        return st.lists(values(typing.get_args(kind)[0], field), min_size=least, max_size=2).map(tuple)
    if isinstance(kind, types.UnionType):
        return st.none() | values(typing.get_args(kind)[0], field)
    if dataclasses.is_dataclass(kind):
        return objects(kind)
    if issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if kind is str:
        return IN_FORM.get(field, LONG if field in LONG_FIELDS else SHORT)
    return SCALARS[kind]


def objects(cls: Any) -> st.SearchStrategy[Any]:
    """Any object of the dataclass ``cls`` that its schema allows; its rules may not."""
    hints = typing.get_type_hints(cls)
    return st.builds(
        cls,
        **{
            field.name: values(hints[field.name], field.name, least=int(field.default is dataclasses.MISSING))
            for field in dataclasses.fields(cls)
        },
    )


every_type = pytest.mark.parametrize("name", TYPES)
thorough = settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@every_type
@thorough
@given(data=st.data())
def test_any_body_is_the_same_after_xml(name: str, data: st.DataObject) -> None:
    body = data.draw(objects(TYPES[name].body))
    written = f'<body xmlns="{NAMESPACE}">{xml_of(body)}</body>'
    assert from_xml(type(body), etree.fromstring(written.encode())) == body


@every_type
@thorough
@given(data=st.data())
def test_any_body_is_the_same_after_json(name: str, data: st.DataObject) -> None:
    body = data.draw(objects(TYPES[name].body))
    findings: list[Finding] = []
    assert from_json(type(body), json.loads(json.dumps(body_to_json(body))), findings) == body
    assert findings == []


@every_type
@thorough
@given(data=st.data())
def test_any_body_its_schema_allows_breaks_rules_only_and_where_it_breaks_none_is_the_same_as_a_document(
    name: str, data: st.DataObject
) -> None:
    header = read_file(next(FIXTURES.glob(f"{name}_valid_*.xml"))).header
    message = Message(name, header, data.draw(objects(TYPES[name].body)))
    try:
        document = render_xml(message)
    except InvalidDocumentError as error:
        broken = {rule.fault.code for rule in TYPES[name].all_rules}
        assert set(error.codes) <= broken, error  # noqa: PT017 -- a body that breaks none is the other case
    else:
        assert parse_xml(document) == message


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*_valid_*.json")), ids=lambda path: path.name)
@given(data=st.data())
@settings(deadline=None)
def test_a_message_with_one_text_replaced_by_any_other_survives_or_is_refused(path: Path, data: st.DataObject) -> None:
    members = json.loads(path.read_bytes())
    objects_inside = [value for value in walk(members["body"]) if isinstance(value, dict)]
    chosen = data.draw(st.sampled_from(objects_inside))
    chosen[data.draw(st.sampled_from(sorted(chosen)))] = data.draw(st.text() | st.integers() | st.none() | st.floats())
    try:
        message = parse_json(json.dumps(members).encode())
    except InvalidDocumentError as error:
        assert all(finding.path for finding in error.findings if finding.code != "json.malformed")  # noqa: PT017
    else:
        assert parse_xml(render_xml(message)) == message


def walk(value: Any) -> typing.Iterator[Any]:
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def test_all_faults_of_a_json_are_told_at_once_each_with_its_pointer() -> None:
    members = to_json(read_file(FIXTURES / "plan_valid_full.json"))
    members["signature"] = "x"
    del members["header"]["caseNumber"]
    members["header"]["createdAt"] = "2026-11-05"
    members["header"]["recipients"][1]["duty"] = "kvittera"
    members["body"]["version"] = "2"
    members["body"]["measures"][2]["evidenceBased"] = "ja"
    members["body"]["measures"][3]["responsible"] = "Rune"
    members["body"]["subGoals"] = None
    members["body"]["attendees"][0]["e/post~adress"] = "x"
    members["body"]["followUp"]["dag"] = "2027-02-04"
    with pytest.raises(InvalidDocumentError) as caught:
        parse_json(json.dumps(members).encode())
    assert sorted((finding.path, finding.code) for finding in caught.value.findings) == [
        ("/body/attendees/0", "json.unknown"),
        ("/body/followUp/dag", "json.unknown"),
        ("/body/measures/2/evidenceBased", "json.type"),
        ("/body/measures/3/responsible", "json.type"),
        ("/body/subGoals", "json.missing"),
        ("/body/version", "json.type"),
        ("/header/caseNumber", "json.missing"),
        ("/header/createdAt", "json.form"),
        ("/header/recipients/1/duty", "json.value"),
        ("/signature", "json.unknown"),
    ]


def test_a_member_named_by_what_may_be_content_is_not_repeated() -> None:
    members = to_json(read_file(FIXTURES / "sipStart_valid_minimal.json"))
    members["body"]["198509129808"] = members["Alva Testberg"] = 1
    with pytest.raises(InvalidDocumentError) as caught:
        parse_json(json.dumps(members).encode())
    assert [finding.path for finding in caught.value.findings] == ["/", "/body"]


@pytest.mark.parametrize(
    "day", ["20270204", "2027-W05-4", "2027-2-4", "2027-02-04T00:00:00", "1027-02-04", "２027-02-04"]
)
def test_a_day_in_json_has_one_form(day: str) -> None:
    members = to_json(read_file(FIXTURES / "closure_valid_duplicate.json"))
    members["body"]["closedOn"] = day
    with pytest.raises(InvalidDocumentError) as caught:
        parse_json(json.dumps(members).encode())
    assert caught.value.codes == ("json.form",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-07-01T12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2027-01-15T12:00:00", datetime(2027, 1, 15, 11, tzinfo=UTC)),
        ("2026-10-25T01:59:59", datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC)),
        ("2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of the two
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-10-25T03:00:00", datetime(2026, 10, 25, 2, tzinfo=UTC)),
        ("2027-03-28T01:59:59", datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)),
        ("2027-03-28T02:30:00", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # an hour that is not: as if not yet moved
        ("2027-03-28T03:00:00", datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("2028-02-29T23:30:00", datetime(2028, 2, 29, 22, 30, tzinfo=UTC)),
        ("2028-02-29T23:30:00.5-11:00", datetime(2028, 3, 1, 10, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-12-31T23:59:59.999999Z", datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_swedish_and_one_with_an_offset_is_what_it_says(written: str, meant: datetime) -> None:
    document = START.replace(b"2026-10-05T09:12:00+02:00", written.encode())
    message = parse_xml(document)
    assert message.header.created_at == meant
    assert message.header.created_at.utcoffset() is not None
    assert parse_xml(render_xml(message)).header.created_at == meant
    members = {**to_json(message), "header": {**to_json(message)["header"], "createdAt": written}}
    assert parse_json(json.dumps(members).encode()) == message


@pytest.mark.parametrize(
    "written",
    [
        "2027-02-29T12:00:00+01:00",
        "2026-10-05T24:00:00+02:00",
        "2026-10-05T09:60:00+02:00",
        "2026-10-05T09:12:60+02:00",
        "2026-10-05T09:12:00+25:00",
        "2026-10-05T09:12",
        "2026-10-05 09:12:00",
        "2026-10-05",
        "2026-10-05T09:12:00.1234567Z",
    ],
)
def test_a_time_that_is_none_is_refused_in_xml_and_in_json(written: str) -> None:
    members = to_json(parse_xml(START))
    members["header"]["createdAt"] = written
    for parse, document in (
        (parse_xml, START.replace(b"2026-10-05T09:12:00+02:00", written.encode())),
        (parse_json, json.dumps(members).encode()),
    ):
        with pytest.raises(InvalidDocumentError) as caught:
            parse(document)
        assert {finding.path for finding in caught.value.findings} <= {
            "/sipStart/header/createdAt",
            "/header/createdAt",
        }


def test_the_text_of_an_element_keeps_its_line_breaks_blanks_and_signs() -> None:
    said = " Första raden & <andra>\n\ttredje — ”citat” 🙂\r\nslut "
    start = parse_xml(START)
    message = dataclasses.replace(start, body=dataclasses.replace(start.body, need_text=said))
    assert parse_xml(render_xml(message)).body.need_text == said


def test_a_missing_element_is_named_although_it_is_the_next_one_that_stands_wrong() -> None:
    plan = (FIXTURES / "plan_valid_minimal.xml").read_bytes()
    without = re.sub(rb" *<version>1</version>\n", b"", plan)
    with pytest.raises(InvalidDocumentError) as caught:
        parse_xml(without)
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("schema.missing-element", "/plan/body")
    assert "version" in finding.en
    assert without.splitlines()[(finding.line or 0) - 1].strip() == b"<mode>new</mode>"
