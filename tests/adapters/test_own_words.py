"""A system's own words: its codes, units and members, both ways and in every form, and what is wrong with them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from case_events import DIRECTORY, EVENTS, SCHOOL, SOCIAL, MakeMessage, json_events, messages_of, translate
from command import in_folder
from hl7_events import VALID_HL7
from hypothesis import given, settings
from hypothesis import strategies as st
from service_process import DIRECTORY as DIRECTORY_FILE
from service_process import ROOT
from test_system_notices import MESSAGE, notice
from written_events import csv_of, xml_of

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.adapter_rules import faults_of
from gateway.adapters.table import VOCABULARIES, WORDS
from gateway.adapters.vocabulary import MESSAGE as MESSAGE_FORM
from gateway.adapters.vocabulary import NOTE, NOTICE, Vocabulary
from gateway.adapters.words import Words
from gateway.adapters.written_form import as_any
from gateway.errors import ConfigurationError, Finding, InvalidDocumentError
from gateway.messages import Message
from gateway.notices import NoticeKind
from gateway.ports import Event, Translation

NEED: dict[str, Any] = json.loads((EVENTS / "treserva" / "valid_behov.json").read_bytes())
CLOSED: dict[str, Any] = json.loads(next((EVENTS / "treserva").glob("valid_*avslut*.json")).read_bytes())
JOURNAL_NEED: dict[str, Any] = json.loads((EVENTS / "journal" / "valid_need.json").read_bytes())
TRESERVA, JOURNAL = VOCABULARIES["treserva"], VOCABULARIES["journal"]
CONTENT = {"treserva": "innehall", "journal": "content"}


def said(words: Words, event: Any) -> Translation:
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    return words.translate(Event(source="x", content=content), DIRECTORY)


def findings(words: Words, event: Any) -> list[Finding]:
    with pytest.raises(InvalidDocumentError) as caught:
        said(words, event)
    return list(caught.value.findings)


def places(words: Words, event: Any) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.path) for finding in findings(words, event)]


def faults(kind: str, codes: Mapping[str, Any] | None = None, fields: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what ``gateway config check`` tells of an adapter with these words."""
    named = {"name": "a", "words": kind, "way": "folder", "folder": "x", "codes": codes or {}, "fields": fields or {}}
    return faults_of([AdapterSettings.model_validate(named)], DIRECTORY)


@cache
def strange(kind: str) -> Vocabulary:
    """Return a vocabulary for a system that calls every code, unit and member otherwise."""
    table = VOCABULARIES[kind].table()
    codes = {
        name: {f"{name[:1]}-{number}": ours for number, ours in enumerate(words.values())}
        for name, words in table.codes.items()
    }
    codes["units"] = {f"U{number}": ours for number, ours in enumerate([*DIRECTORY.units, *DIRECTORY.parties])}
    fields = {name: f"Fält_{number}" for number, name in enumerate(table.fields)}
    return VOCABULARIES[kind].in_own_words(codes, fields).in_form(as_any)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(name, name): renamed(one, names) for name, one in value.items()}
    return [renamed(one, names) for one in value] if isinstance(value, list) else value


def handed_over(kind: str, make_message: MakeMessage) -> Iterator[tuple[Message, str]]:
    """Yield what the events of a kind become for others, each with a unit that it is handed over for."""
    for message in messages_of(kind, make_message):
        if message.header.recipients and message.type != "acknowledgement":
            yield message, message.header.recipients[0].unit


def members(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every member, items of a list as the list itself."""
    for name, one in value.items() if isinstance(value, dict) else ():
        yield (*path, name)
        yield from members(one, (*path, name))
    for one in value if isinstance(value, list) else ():
        yield from members(one, path)


# --- the tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_everything_that_is_said_and_written_stands_in_the_tables(kind: str, make_message: MakeMessage) -> None:
    words = VOCABULARIES[kind]
    known = {
        form: {path for path, _ in outline.places()}
        for form, outline in {**words.event_outlines(), **words.outlines}.items()
    }
    shown: dict[str, set[tuple[str, ...]]] = {form: set() for form in known}
    for path in json_events(kind):
        event = json.loads(path.read_text(encoding="utf-8-sig"))
        shown[event[words.type_member]].update(members(event))
    for other in VOCABULARIES:
        for message, unit in handed_over(other, make_message):
            row = words.message(message, unit) | {CONTENT[kind]: ""}
            shown[MESSAGE_FORM].update(members(row))
            shown[NOTE].update(members(words.note(message) or {}))
    for reason in NoticeKind:
        told = notice(reason, awaited="reply", other_case="M200001", type="meetingBooking", message_id=MESSAGE)
        shown[NOTICE].update(members(words.notice(told)))
    assert {form: paths - known[form] for form, paths in shown.items() if paths - known[form]} == {}
    assert all(shown[form] for form in known if form and (form != NOTE or kind == "treserva"))


@pytest.mark.parametrize("kind", WORDS)
def test_a_table_given_back_as_settings_changes_nothing(kind: str) -> None:
    plain = WORDS[kind]({}, {})
    again = WORDS[kind](plain.table().codes, plain.table().fields)
    assert again.table() == plain.table()
    for path in VALID_HL7 if kind == "hl7" else sorted((EVENTS / kind).glob("valid_*.json")):
        if not path.stem.endswith("latin-1"):
            assert said(again, path.read_bytes()) == said(plain, path.read_bytes()), path


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_the_table_of_words_of_ones_own_gives_them_back(kind: str) -> None:
    typed = "ARENDE_AVSLUTAT" if kind == "treserva" else "sip.closed"
    first, second = list(VOCABULARIES[kind].table().fields)[2:4]
    fields = {first: "A", f"{typed}.{first}": "B", second: "C"}
    made = [strange(kind), VOCABULARIES[kind].in_own_words({}, fields)]
    for words in made:
        table = words.table()
        again = VOCABULARIES[kind].in_own_words(table.codes, table.fields)
        assert again.table() == table
        for path in json_events(kind):
            event = json.loads(path.read_text(encoding="utf-8-sig"))
            assert words.own is not None
            own = words.own.told(event[words.type_member], event)
            assert said(again, own).drafts == translate(kind, path).drafts


# --- both ways ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_a_system_that_calls_everything_otherwise_is_understood_in_every_form(kind: str) -> None:
    words = strange(kind)
    assert words.own is not None
    names = words.table().fields
    for path in json_events(kind):
        event = json.loads(path.read_text(encoding="utf-8-sig"))
        own = words.own.told(event[words.type_member], event)
        assert set().union(*members(own)) <= set(names.values())
        assert list(members(own)) == list(members(renamed(event, names)))
        for content in (json.dumps(own), xml_of(own), csv_of([own])):
            assert said(words, content.encode()) == translate(kind, path), path


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_a_system_that_calls_everything_otherwise_is_told_so(kind: str, make_message: MakeMessage) -> None:
    words, plain, content = strange(kind), VOCABULARIES[kind], CONTENT[kind]
    names = words.table().fields
    assert words.own is not None
    for message, unit in handed_over("journal", make_message):
        row, same = words.message(message, unit), plain.message(message, unit)
        assert row.pop(names[content]) == same.pop(content)
        assert list(members(row)) == list(members(renamed(same, names)))
        assert words.own.read_back(MESSAGE_FORM, row) == same
        assert unit not in json.dumps(row)
        note = plain.note(message)
        assert words.note(message) == (words.own.told(NOTE, note) if note else None)
        if note:
            assert list(words.note(message) or ()) == [names[name] for name in note]
    told = notice(awaited="reply")
    assert words.own.read_back(NOTICE, words.notice(told)) == plain.notice(told)


def test_a_system_may_have_words_of_its_own() -> None:
    words = TRESERVA.in_own_words({"enhet": {"4711": NEED["enhet"]}}, {"arendeId": "Ärende_nr"})
    event = {**NEED, "enhet": "4711", "Ärende_nr": NEED["arendeId"]}
    del event["arendeId"]
    assert said(words, event) == said(TRESERVA, NEED)


def test_of_two_words_that_mean_the_same_the_first_is_told(make_message: MakeMessage) -> None:
    words = TRESERVA.in_own_words({"enhet": {"4711": SOCIAL, "4712": SOCIAL}}, {})
    message, _ = next(one for one in handed_over("journal", make_message) if one[1] == SOCIAL)
    told, plain = words.message(message, SOCIAL), TRESERVA.message(message, SOCIAL)
    assert told["enhet"] == "4711"
    assert {**told, "enhet": SOCIAL, "avsandare": plain["avsandare"]} == plain


def test_a_coded_value_of_the_journal_has_words_of_its_own_by_its_list_and_its_system() -> None:
    noticed = JOURNAL_NEED["need"]["noticedBy"]
    codes = {"need-noticed-by": {"10": noticed["code"]}, "systems": {"urn:own:1": noticed["system"]}}
    words = JOURNAL.in_own_words(codes, {})
    own = {**JOURNAL_NEED, "need": {**JOURNAL_NEED["need"], "noticedBy": {"system": "urn:own:1", "code": "10"}}}
    assert said(words, own) == said(JOURNAL, JOURNAL_NEED)
    assert places(words, JOURNAL_NEED) == [("json.value", f"/need/noticedBy/{member}") for member in noticed]


def test_a_name_may_be_of_one_type_of_event_or_of_what_is_inside_another() -> None:
    reason = CLOSED["orsak"]
    codes = {"orsak": {"1": "Flyttat"}, "ARENDE_AVSLUTAT.orsak": {"9": reason}}
    words = TRESERVA.in_own_words(codes, {})
    assert said(words, {**CLOSED, "orsak": "9"}) == said(TRESERVA, CLOSED)
    inner = TRESERVA.in_own_words(
        {"handlaggare.hsaId": {"u1": "SE2120001355-P000000000117"}}, {"handlaggare.namn": "N"}
    )
    own = {**NEED, "handlaggare": {"N" if key == "namn" else key: one for key, one in NEED["handlaggare"].items()}}
    if "hsaId" in own["handlaggare"]:
        own["handlaggare"]["hsaId"] = "u1"
    assert said(inner, own).drafts[0].user.name == NEED["handlaggare"]["namn"]
    assert said(inner, own).drafts[0].person == said(TRESERVA, NEED).drafts[0].person


def test_a_type_of_event_may_be_called_otherwise() -> None:
    words = TRESERVA.in_own_words({"typ": {"B": "BEHOV_IDENTIFIERAT"}}, {"BEHOV_IDENTIFIERAT.typ": "Slag"})
    own = {"Slag": "B", **{name: one for name, one in NEED.items() if name != "typ"}}
    assert said(words, own) == said(TRESERVA, NEED)
    assert places(words, {**CLOSED}) == [("json.value", "/typ")]


def test_taking_charge_is_said_in_own_words_too(make_message: MakeMessage) -> None:
    message, unit = next(handed_over("journal", make_message))
    words = strange("treserva")
    event = words.acknowledgement(words.message(message, unit), message.header.created_at)
    plain = TRESERVA.acknowledgement(TRESERVA.message(message, unit), message.header.created_at)
    assert said(words, event) == said(TRESERVA, plain)


# --- what is no word ------------------------------------------------------------------------------------------------


def test_a_word_that_nobody_has_told_is_refused_by_its_place_and_the_words_there_are() -> None:
    (finding,) = findings(TRESERVA.in_own_words({"enhet": {"4711": SCHOOL, "4712": SCHOOL}}, {}), NEED)
    assert finding.path == "/enhet"
    assert "4711, 4712" in finding.en


def test_the_vocabularys_own_name_is_unknown_where_the_system_has_another() -> None:
    words = TRESERVA.in_own_words({}, {"behov": "Behovstext"})
    assert places(words, NEED) == [("json.unknown", "/behov")]


def test_faults_have_their_places_in_the_names_of_the_system() -> None:
    words = TRESERVA.in_own_words({}, {"handlaggare": "Ansvarig", "namn": "Namn"}).in_form(as_any)
    own = {**renamed(NEED, {"handlaggare": "Ansvarig", "namn": "Namn"}), "uppmarksammatAv": "?"}
    own["Ansvarig"] = {name: one for name, one in own["Ansvarig"].items() if name != "Namn"}
    missing, value = sorted(findings(words, own), key=lambda finding: finding.code)
    assert (missing.path, value.path) == ("/Ansvarig/Namn", "/uppmarksammatAv")
    assert "Namn" in missing.en
    assert [path for _, path in sorted(places(words, xml_of(own).encode()))] == [
        "/handelse/Ansvarig/Namn",
        "/handelse/uppmarksammatAv",
    ]
    assert [path for _, path in sorted(places(words, csv_of([own]).encode()))] == ["Ansvarig.Namn", "uppmarksammatAv"]
    old = csv_of([{**NEED}]).encode()
    assert ("json.unknown", f"column {list(NEED).index('handlaggare') + 1}") in places(words, old)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["Fält_0", "t-0", "U1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([f"Fält_{n}" for n in range(9)]) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(event=VALUES, data=st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("kind", VOCABULARIES)
def test_anything_is_understood_in_own_words_or_refused(kind: str, event: Any, data: st.DataObject) -> None:
    words = strange(kind)
    assert words.own is not None
    real = json.loads(data.draw(st.sampled_from(json_events(kind))).read_text(encoding="utf-8-sig"))
    own = words.own.told(real[words.type_member], real)
    own[data.draw(st.sampled_from(list(own)))] = event
    for content in (json.dumps(event), json.dumps(own)):
        with suppress(InvalidDocumentError):  # and nothing else
            said(words, content.encode())


# --- what is wrong with settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "codes", "fields", "code", "told"),
    [
        ("treserva", {"uppmarksamatAv": {"1": "Skola"}}, {}, "config.adapter-mapping-name-near", "uppmarksammatAv"),
        ("treserva", {"zz.yy": {"1": "x"}}, {}, "config.adapter-mapping-name", "zz.yy"),
        ("treserva", {"rubrik": {"1": "x"}}, {}, "config.adapter-mapping-name", "rubrik"),
        ("treserva", {"uppmarksammatAv": {"1": "Skolan"}}, {}, "config.adapter-mapping-meaning", "Skolan"),
        ("treserva", {"orsak": {"1": "Skola"}}, {}, "config.adapter-mapping-meaning", "Skola"),
        ("treserva", {"enhet": {"1": "SE2120001355"}}, {}, "config.adapter-mapping-meaning", "SE2120001355"),
        ("treserva", {}, {"arendenumer": "Nr"}, "config.adapter-mapping-name-near", "arendenummer"),
        ("treserva", {}, {"units": "Enhet"}, "config.adapter-mapping-name", "units"),
        ("treserva", {}, {"behov": "two words"}, "config.adapter-mapping-place", "behov"),
        ("treserva", {}, {"behov": "X", "formote": "X"}, "config.adapter-mapping-twice", "X"),
        ("treserva", {}, {"behov": "enhet"}, "config.adapter-mapping-twice", "enhet"),
        ("journal", {"need-noticedby": {"1": "school"}}, {}, "config.adapter-mapping-name-near", "need-noticed-by"),
        ("journal", {"need-noticed-by": {"1": "skola"}}, {}, "config.adapter-mapping-meaning", "skola"),
        ("journal", {"units": {"1": "4711"}}, {}, "config.adapter-mapping-meaning", "4711"),
    ],
)
def test_what_is_wrong_with_own_words_is_told(
    kind: str, codes: dict[str, Any], fields: dict[str, str], code: str, told: str
) -> None:
    (finding, *_) = faults(kind, codes, fields)
    assert (finding.code, told in finding.en and told in finding.sv) == (code, True)


def test_everything_that_is_wrong_with_own_words_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        TRESERVA.in_own_words({"xx": {"1": "x"}, "svar": {"1": "x"}}, {"yy": "y"})
    assert len(caught.value.findings) == 3


def test_two_members_may_change_names() -> None:
    fields = {"behov": "formote", "formote": "behov"}
    words = TRESERVA.in_own_words({}, fields)
    assert faults("treserva", {}, fields) == []
    assert said(words, {fields.get(name, name): one for name, one in NEED.items()}) == said(TRESERVA, NEED)


@pytest.mark.parametrize("path", json_events("treserva")[:1], ids=lambda path: path.stem)
def test_without_words_of_its_own_a_system_has_the_vocabularys(path: Path) -> None:
    assert TRESERVA.in_own_words({}, {}) is TRESERVA
    assert said(TRESERVA, path.read_bytes()) == translate("treserva", path)


# --- what the commands show -----------------------------------------------------------------------------------------

SETTINGS = f"""
directory = "{DIRECTORY_FILE}"
http_listen = "127.0.0.1:1"
[[adapters]]
name = "treserva"
words = "treserva"
way = "folder"
folder = "x"
fields = {{ "arendenummer" = "Ärendenr" }}
codes."uppmarksammatAv" = {{ "10" = "Skola", "\\"20\\"" = "Annan" }}
[[adapters]]
name = "journal"
words = "journal"
way = "folder"
folder = "y"
unit_types = ["school"]
codes."need-noticed-by" = {{ "10" = "school" }}
[[adapters]]
name = "hl7"
words = "hl7"
way = "mllp"
direction = "in"
listen = "127.0.0.1:1"
fields = {{ "discharge.transport" = "ZPV-4" }}
codes.units = {{ "AVD30" = "{SOCIAL}" }}
[[adapters]]
name = "fhir"
words = "fhir"
way = "rest"
url = "http://127.0.0.1:1/fhir"
unit_types = ["social-office"]
codes."Encounter.class" = {{ "SV" = "IMP" }}
"""


@pytest.mark.parametrize("name", WORDS)
def test_the_whole_table_of_an_adapter_is_shown_in_the_form_the_settings_take(name: str, tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(SETTINGS, encoding="utf-8")
    (own,) = (one for one in tomllib.loads(SETTINGS)["adapters"] if one["name"] == name)
    done = in_folder(tmp_path, "adapters", "mapping", name)
    assert done.returncode == 0, done.stderr
    shown = tomllib.loads(done.stdout)
    first, words = next(iter(shown["codes"].items()))
    assert first in own["codes"]
    assert list(words.items())[: len(own["codes"][first])] == list(own["codes"][first].items())
    assert shown.get("fields", {}).items() >= own.get("fields", {}).items()
    told = json.loads(in_folder(tmp_path, "adapters", "mapping", name, "--json").stdout)
    assert (told["adapter"], told["codes"], told["fields"]) == (name, shown["codes"], shown.get("fields", {}))
    again = WORDS[name](shown["codes"], shown.get("fields", {}))
    assert again.table() == WORDS[name](own["codes"], own.get("fields", {})).table()


def test_a_misspelt_name_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(SETTINGS.replace("uppmarksammatAv", "uppmarksammadAv"), encoding="utf-8")
    done = in_folder(tmp_path, "config", "check")
    assert (done.returncode, "config.adapter-mapping-name-near" in done.stderr) == (3, True)
    assert "uppmarksammatAv" in done.stderr
    assert in_folder(tmp_path, "adapters", "mapping", "nobody").returncode == 3


@pytest.mark.parametrize("kind", WORDS)
def test_the_examples_of_the_readme_are_settings(kind: str) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Own words")[2]
    example = section.partition("```toml\n")[2].partition("```")[0]
    (part,) = (part for part in example.split("\n\n") if part.startswith(f"# {kind}\n"))
    told = tomllib.loads(part)
    assert WORDS[kind](told["codes"], told.get("fields", {})).table() != WORDS[kind]({}, {}).table()
