"""Events in JSON, XML and CSV: the same meaning, faults at their place in what was written, and no words repeated."""

from __future__ import annotations

import csv
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from case_events import DIRECTORY, EVENTS, json_events, translator
from hypothesis import given, settings
from hypothesis import strategies as st
from written_events import cells_of, csv_of, xml_of

from gateway.adapters import kinds
from gateway.adapters.http_intake import HttpIntake
from gateway.adapters.reading import Reader
from gateway.adapters.table import VOCABULARIES
from gateway.adapters.written_csv import MAX_LINES, taken_apart
from gateway.adapters.written_form import as_any
from gateway.errors import Finding, InvalidDocumentError
from gateway.ports import Draft, Event

PERSON = "Mira Solvind 19850912-9808"
NEED: dict[str, Any] = json.loads((EVENTS / "treserva" / "valid_behov.json").read_bytes())
CALL: dict[str, Any] = json.loads((EVENTS / "treserva" / "valid_kallelse.json").read_bytes())


def drafts(content: bytes, kind: str = "treserva") -> tuple[Draft, ...]:
    return translator(kind).translate(Event(source=kind, content=content)).drafts


def findings(content: bytes, kind: str = "treserva") -> tuple[Finding, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        drafts(content, kind)
    return caught.value.findings


def places(content: bytes) -> list[tuple[str, str | None, int | None]]:
    return [(finding.code, finding.path, finding.line) for finding in findings(content)]


def meant(kind: str, path: Path) -> tuple[dict[str, Any], tuple[Draft, ...]]:
    return json.loads(path.read_text(encoding="utf-8-sig")), drafts(path.read_bytes(), kind)


# --- one meaning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"], ids=["CRLF", "LF", "CR"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_an_event_means_the_same_as_a_line_of_csv(kind: str, encoding: str, end: str) -> None:
    for path in json_events(kind):
        event, same = meant(kind, path)
        text = csv_of([event], end)
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:  # dashes are not in ISO-8859-1
            continue
        assert drafts(content, kind) == same, path.name
        assert drafts(content.rstrip(b"\r\n"), kind) == same, "the last line needs no end"
        assert drafts(b"sep=;\r\n" + text.encode(), kind) == same


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_an_event_means_the_same_in_xml(kind: str) -> None:
    for path in json_events(kind):
        event, same = meant(kind, path)
        text = xml_of(event)
        declared = f'<?xml version="1.0" encoding="windows-1252"?>\n{text}'.encode("windows-1252", "xmlcharrefreplace")
        in_namespace = text.replace("<handelse>", '<?xml version="1.0"?><h:handelse xmlns:h="urn:x">', 1)
        in_namespace = re.sub(r"<(/?)(?=[a-zA-Z])(?!h:)", r"<\1h:", in_namespace)
        for content in (text.encode(), b"\xef\xbb\xbf" + text.encode(), declared, in_namespace.encode()):
            assert drafts(content, kind) == same, path.name


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=30).filter(
    lambda text: not text.isspace()
)


@given(need=TEXTS | TEXTS.map(lambda text: f'"{text};\n<{text}'), others=st.lists(TEXTS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_words_mean_the_same_in_every_form(need: str, others: list[str]) -> None:
    for event in (NEED | {"behov": need}, CALL | {"syfte": need, "fragestallningar": others}):
        same = drafts(json.dumps(event).encode())
        assert drafts(xml_of(event).encode()) == same
        assert drafts(csv_of([event]).encode()) == same


def test_json_in_iso_8859_1_is_read_and_a_wrong_guess_is_refused() -> None:
    text = json.dumps(NEED, ensure_ascii=False)
    assert drafts(text.encode("latin-1")) == drafts(text.encode())
    for encoding in ("cp850", "mac-roman"):
        assert [finding.code for finding in findings(text.encode(encoding))] == ["event.encoding"]


@pytest.mark.parametrize("word", ["true", "True", "ja", "JA", "sant", "SANT", "1"])
def test_true_is_written_in_several_ways_where_there_is_only_text(word: str) -> None:
    same = drafts(json.dumps(NEED | {"begartAvDenEnskilde": True}).encode())
    assert drafts(xml_of(NEED | {"begartAvDenEnskilde": word}).encode()) == same
    refused = [("json.type", "begartAvDenEnskilde", 2)]
    assert places(csv_of([NEED | {"begartAvDenEnskilde": word + "!"}]).encode()) == refused


@pytest.mark.parametrize("word", ["01", "1.0", "-1", "²", "1" * 30, "ett"])
def test_a_number_is_written_in_digits(word: str) -> None:
    at = Reader.of({"a": word, "b": "7"}, DIRECTORY, is_text=True)
    assert kinds.count(at, "b") == 7
    kinds.count(at, "a")
    with pytest.raises(InvalidDocumentError) as caught:
        at.finish()
    assert [(finding.code, finding.path) for finding in caught.value.findings] == [("json.type", "/a")]


def test_an_item_alone_needs_no_number_and_items_keep_the_order_of_theirs() -> None:
    line = csv_of([NEED])
    assert drafts(line.replace("mottagare.1", "mottagare").encode()) == drafts(line.encode())
    both = NEED | {"mottagare": ["SE2321000131-E000000000202", *NEED["mottagare"]]}
    turned = csv_of([both]).replace("mottagare.1;mottagare.2", "mottagare.12;mottagare.2")
    assert drafts(turned.encode())[0].recipients == tuple(reversed(both["mottagare"]))


def test_over_http_an_event_is_still_json_in_utf_8() -> None:
    intake = HttpIntake(VOCABULARIES["treserva"], DIRECTORY, name="treserva")
    text = json.dumps(NEED, ensure_ascii=False).encode("latin-1")
    for content, code in (
        (xml_of(NEED).encode(), "json.malformed"),
        (csv_of([NEED]).encode(), "json.malformed"),
        (text, "document.encoding"),
    ):
        with pytest.raises(InvalidDocumentError) as caught:
            intake.translate(Event(source="treserva", content=content))
        assert caught.value.codes == (code,)


# --- where a fault is -----------------------------------------------------------------------------------------------


def wrong(event: dict[str, Any]) -> dict[str, Any]:
    """Return a call with faults in an object, in a list and in a list of objects, and a member too many and too few."""
    changed = json.loads(json.dumps(event))
    changed["person"]["personnummer"] = "19650523-9810"
    changed["dagordning"][1] = "x" * 201
    changed["kallade"][2]["enhet"] = "SE5560360793-KLINIK"
    changed["kallade"][4]["Solvind"] = "1"
    changed["motesledare"]["oberoende"] = "kanske"
    del changed["handlaggare"]["namn"]
    return changed  # type: ignore[no-any-return]


def test_a_fault_in_xml_is_told_by_its_xpath_and_line() -> None:
    text = xml_of(wrong(CALL)).replace("><", ">\n<")
    lines = text.splitlines()

    def line_of(part: str) -> int:
        return next(number for number, line in enumerate(lines, start=1) if part in line)

    assert set(places(text.encode())) == {
        ("person-id.check-digit", "/handelse/person/personnummer", line_of("9810")),
        ("event.text-too-long", "/handelse/dagordning[2]", line_of("xxx")),
        ("unit.unknown", "/handelse/kallade[3]/enhet", line_of("KLINIK")),
        ("json.unknown", "/handelse/kallade[5]", line_of("<Solvind>")),
        ("json.type", "/handelse/motesledare/oberoende", line_of("kanske")),
        ("json.missing", "/handelse/handlaggare/namn", line_of("<handlaggare>")),
    }


def test_a_fault_in_csv_is_told_by_its_column_and_line() -> None:
    event = wrong(CALL)
    number = [name for name, _ in cells_of(event)].index("kallade.5.Solvind") + 1

    assert set(places(csv_of([event]).encode())) == {
        ("person-id.check-digit", "person.personnummer", 2),
        ("event.text-too-long", "dagordning.2", 2),
        ("unit.unknown", "kallade.3.enhet", 2),
        ("json.unknown", f"column {number}", 2),
        ("json.type", "motesledare.oberoende", 2),
        ("json.missing", "handlaggare.namn", 2),
    }


def test_the_name_of_an_unknown_member_is_told_only_where_it_cannot_be_a_persons() -> None:
    for event, pointer, xpath in (
        (NEED | {"MiraSolvind": "1"}, "/", "/handelse"),
        (NEED | {"person": NEED["person"] | {"MiraSolvind": "1"}}, "/person", "/handelse/person"),
        (NEED | {"avdelning": "1"}, "/avdelning", "/handelse/avdelning"),
    ):
        assert places(json.dumps(event).encode()) == [("json.unknown", pointer, None)]
        assert [place[:2] for place in places(xml_of(event).encode())] == [("json.unknown", xpath)]


def test_a_column_that_is_empty_on_a_line_does_not_shift_the_place_of_others() -> None:
    event = NEED | {"mottagare": ["", "", "SE5560360793-KLINIK"]}
    assert places(csv_of([event]).encode()) == [("unit.unknown", "mottagare.3", 2)]


def test_words_of_the_systems_own_are_placed_too() -> None:
    words = VOCABULARIES["treserva"].in_own_words({"uppmarksammatAv": {"10": "Socialtjänst"}}, {}).in_form(as_any)
    own = NEED | {"uppmarksammatAv": "10"}
    for content in (xml_of(own).encode(), csv_of([own]).encode()):
        assert words.translate(Event(source="x", content=content), DIRECTORY).drafts
    for content, place in (
        (xml_of(NEED).encode(), "/handelse/uppmarksammatAv"),
        (csv_of([NEED]).encode(), "uppmarksammatAv"),
    ):
        with pytest.raises(InvalidDocumentError) as caught:
            words.translate(Event(source="x", content=content), DIRECTORY)
        assert [finding.path for finding in caught.value.findings] == [place]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1;2\n3;4\n", [("csv.one-line", None, 3)]),
        ('a;b\n\n"1\n;2\n', [("csv.malformed", None, 3)]),
        ("a;b;A.Æ\n1;2;3\n", [("csv.column-name", "column 3", 1)]),
        ("\n;;\nb;a;b\n1;2;3\n", [("csv.duplicate-column", "column 3", 3)]),
        ("a.1;a.b\n1;2\n", [("csv.column-conflict", "column 1", 1), ("csv.column-conflict", "column 2", 1)]),
        ("a;b\n1\n", [("csv.too-few-cells", None, 2)]),
        ("a;b;\n1;2;;\n;;;\n", [("json.missing", "tidpunkt", 2), ("json.missing", "typ", 2)]),
        ("a;b;\n1;2;;3\n", [("csv.too-many-cells", None, 2)]),
        ("a;b\n", [("csv.no-lines", None, 1)]),
        (";".join(f"a{n}" for n in range(1001)) + "\n1\n", [("csv.too-many-columns", None, 1)]),
        ("a;b\n" + "1;2\n" * (MAX_LINES + 1), [("csv.too-many-lines", None, MAX_LINES + 2)]),
        (";".join(f"a{n}" for n in range(1000)) + "\n1;2" * 251, [("csv.too-many-lines", None, 252)]),
    ],
    ids=lambda value: value[0][0] if isinstance(value, list) else "",
)
def test_a_sheet_that_is_none_is_refused_at_its_place(text: str, expected: list[Any]) -> None:
    told = places(text.encode())
    assert [one for one in told if one[0] != "json.unknown" and one[1] not in ("enhet", "reservrutin")] == expected


def test_the_event_of_a_line_is_the_same_wherever_it_stands_and_however_it_is_encoded() -> None:
    first, second = NEED | {"behov": "å\nä"}, NEED | {"handelseId": "TRV-2"}
    both = csv_of([first, second])
    turned = csv_of([second, first], "\n")
    line, other = (taken_apart(text) for text in (both.encode("latin-1"), turned.encode("utf-8-sig")))
    assert [line.alone(one) for one in line.lines] == [other.alone(one) for one in reversed(other.lines)]
    assert [one.number for one in line.lines] == [2, 4]
    assert drafts(line.alone(line.lines[0])) == drafts(json.dumps(first).encode())


def test_of_as_many_faults_as_there_may_be_a_hundred_are_told_in_little_time() -> None:
    many = {f"a{number}": "x" for number in range(4_900)}
    wide = csv_of([NEED | dict(list(many.items())[:900])]).encode()
    began = time.process_time()
    for content, left in ((xml_of(NEED | many).encode(), 4_800), (wide, 800)):
        told = findings(content)
        assert [one.code for one in told] == ["json.unknown"] * 100 + ["event.more-findings"]
        assert str(left) in told[-1].en
    assert time.process_time() - began < 1


# --- whatever comes -------------------------------------------------------------------------------------------------

ANY_BYTES = st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass"))
BEGINNINGS = st.sampled_from(
    [
        b"",
        b"<",
        b"<a>",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a>",
        b"a;b\n",
        b'a;"',
        b"{",
        b"sep=;\r",
        b"\xff\xfe",
    ]
)


@given(BEGINNINGS, ANY_BYTES, st.sampled_from([b"", b"</a>", b";\r\n", b'"', b"}"]))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_in_any_form_are_refused_and_nothing_else(beginning: bytes, some: bytes, end: bytes) -> None:
    content = beginning + some + end
    assert findings(content)
    try:
        sheet = taken_apart(content)
    except InvalidDocumentError:
        return
    for line in sheet.lines:
        assert findings(sheet.alone(line))


VALUES = st.one_of(
    st.sampled_from([PERSON, [PERSON], [PERSON, PERSON], {"Mira": "Solvind"}, {}, [], True, 7, "", "\x00", "\ufffe"]),
    st.text(max_size=10),
    st.lists(st.text(max_size=5) | st.dictionaries(st.sampled_from("ab"), st.text(max_size=3)), max_size=3),
)


@given(data=st.data(), value=VALUES)
@settings(max_examples=120, deadline=None)
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_an_event_with_one_value_replaced_is_refused_or_understood_in_every_form(
    kind: str, data: st.DataObject, value: Any
) -> None:
    event = json.loads(data.draw(st.sampled_from(json_events(kind))).read_text(encoding="utf-8-sig"))
    here: Any = event
    while True:
        step = data.draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
        if not isinstance(here[step], dict | list) or not here[step] or data.draw(st.booleans()):
            break
        here = here[step]
    here[step] = value
    for text in (xml_of(event), csv_of([event])):
        try:
            drafts(text.encode("utf-8", "surrogatepass"), kind)
        except InvalidDocumentError as error:
            told = json.dumps([finding.as_json() for finding in error.findings], ensure_ascii=False)
            assert "Solvind" not in told
            assert "9808" not in told


@given(
    st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=4), max_size=5), st.sampled_from(["\n", "\r\n", "\r"])
)
@settings(max_examples=150, deadline=None)
def test_no_cell_of_a_sheet_is_lost(rows: list[list[str]], end: str) -> None:
    rows = [[cell.replace("\x00", "") for cell in row] for row in rows]
    text = end.join(";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in [["a", "b"], *rows])
    said = [row for row in rows if any(cell.strip() for cell in row)]
    content = text.encode("utf-8", "backslashreplace")
    if not said:
        assert findings(content)
        return
    assert [[cell.encode("utf-8", "backslashreplace").decode() for cell in row] for row in said] == [
        line.cells for line in taken_apart(content).lines
    ]
    assert csv.field_size_limit() == 131_072, "what a cell may hold is bounded"
