"""A journal's own codes, units and systems of numbers, both ways; and the table of all that is in force."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from build import CLINIC, NOON, PERSON, booking, consent, follow_up_call, message, plan, revised, transfer
from case_events import EVENTS
from fhir.resources.R4B.bundle import Bundle
from fhir_documents import (
    CENTRE,
    DIRECTORY,
    PERSONNUMMER,
    SOCIAL,
    WARD,
    Json,
    bundle,
    call,
    charge,
    encounter,
    event,
    extensions,
    patient,
    people,
    performed,
    practitioner,
    role,
    to,
)
from fhir_journal import Journal, serving
from fhir_steps import planning

from gateway.adapter_settings import AdapterSettings
from gateway.adapters.fhir_event import translate
from gateway.adapters.fhir_extensions import BASE, OF_RESOURCE, Extension
from gateway.adapters.fhir_lists import EXTENSION, LISTS
from gateway.adapters.fhir_mapping import STANDARD, SYSTEMS, UNITS, FhirMapping
from gateway.adapters.fhir_out import message_bundle
from gateway.adapters.ways import Surroundings, routes_of, words_of
from gateway.clock import ManualClock
from gateway.errors import ConfigurationError, InvalidDocumentError
from gateway.messages import MeetingChangeReason, PlanningItemKind, ProtectedLevel
from gateway.notices import Notice, NoticeKind
from gateway.ports import Draft, Event

VALID = sorted((EVENTS / "fhir").glob("valid_*.json"))
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OWN_ORGANIZATIONS = "https://journal.example/org"
EVERYTHING = FhirMapping(
    codes={name: {f"own-{code}": code for _, code in known.meanings} for name, known in LISTS.items()},
    units={
        f"{OWN_ORGANIZATIONS}|4711": CENTRE,
        "Organization/303": WARD,
        f"{OWN_ORGANIZATIONS}|17": SOCIAL,
    },
    systems={"https://journal.example/pnr": "http://electronichealth.se/identifier/personnummer"},
)
"""A journal that has an own code for everything."""


def draft_in(mapping: FhirMapping, *resources: Json) -> Draft:
    (draft,) = translate(event(bundle(*resources)), DIRECTORY, mapping).drafts
    return draft


def findings_in(mapping: FhirMapping, *resources: Json) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        translate(event(bundle(*resources)), DIRECTORY, mapping)
    return [(finding.code, finding.path) for finding in caught.value.findings]


# --- codes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["SV", "urn:oid:1.2.752.113.999.7|SV"])
def test_an_own_code_is_understood_and_other_unknown_ones_are_refused_still(own: str) -> None:
    mapping = FhirMapping.from_codes({"Encounter.class": {own: "IMP"}})
    stay = encounter(**{"class": {"system": "urn:oid:1.2.752.113.999.7", "code": "SV"}})
    assert draft_in(mapping, stay, *people()).type == "admissionNotice"
    assert draft_in(mapping, encounter(), *people()).type == "admissionNotice"
    other = encounter(**{"class": {"system": "urn:oid:1.2.752.113.999.7", "code": "DV"}})
    assert ("json.value", "Bundle.entry[0].resource.class.code") in findings_in(mapping, other, *people())
    assert ("json.value", "Bundle.entry[0].resource.class.code") in findings_in(STANDARD, stay, *people())


def test_an_own_code_with_a_system_is_meant_in_no_other() -> None:
    mapping = FhirMapping.from_codes({"Encounter.class": {"urn:oid:1.2.752.113.999.7|SV": "IMP"}})
    stay = encounter(**{"class": {"system": "urn:oid:1.2.752.113.999.8", "code": "SV"}})
    assert ("json.value", "Bundle.entry[0].resource.class.code") in findings_in(mapping, stay, *people())


def test_an_own_code_does_not_change_what_the_standards_system_says() -> None:
    mapping = FhirMapping.from_codes({"Encounter.class": {"AMB": "IMP"}})
    outpatient = encounter(**{"class": {"system": ACT_CODE, "code": "AMB"}})
    assert translate(event(bundle(outpatient, *people())), DIRECTORY, mapping).drafts == ()
    own = encounter(**{"class": {"system": "urn:oid:1.2.752.113.999.7", "code": "AMB"}})
    assert draft_in(mapping, own, *people()).type == "admissionNotice"


def test_an_own_code_in_an_extension_is_understood() -> None:
    mapping = FhirMapping.from_codes(
        {"extension.reason": {"SJUK": "illness"}, "Appointment.status": {"AV": "cancelled"}}
    )
    off = call(performed(reason="SJUK"), status="AV")
    assert draft_in(mapping, off, *people(CENTRE)).body.reason is MeetingChangeReason.ILLNESS


def test_an_own_code_in_a_part_of_a_complex_extension_is_understood() -> None:
    item = [{"kind": "MED", "text": "Dosrecept."}]
    said = planning(extensions(case_reference="ENC-2026-60417", planning_item=item))
    mapping = FhirMapping.from_codes({"extension.planning-item.kind": {"MED": "medication"}})
    assert [one.kind for one in draft_in(mapping, said, *people(CENTRE)).body.items] == [PlanningItemKind.MEDICATION]


def test_an_own_label_protects() -> None:
    mapping = FhirMapping.from_codes({"meta.security": {"urn:oid:1.2.752.113.999.9|S": "sekretessmarkering"}})
    label = {"security": [{"system": "urn:oid:1.2.752.113.999.9", "code": "S"}]}
    person = draft_in(mapping, encounter(), patient(meta=label), practitioner(), role()).person
    assert person is not None
    assert person.protected_level is ProtectedLevel.CONFIDENTIALITY_MARKED


def at_path(value: Any, path: list[str], own: Mapping[str, str]) -> bool:
    """Replace the codes at ``path`` in ``value`` by the journal's own; tell whether there were any."""
    if isinstance(value, list):
        found = [at_path(one, path, own) for one in value]
        return any(found)
    if path:
        name = path[0]
        if len(path) > 1 or not isinstance(value.get(name), str):
            return name in value and at_path(value[name], path[1:], own)
        value[name] = own[value[name]]
        return True
    for coding in value.get("coding", [value]):
        coding["code"] = own.get(coding["code"], coding["code"])
        coding.pop("system", None)
    return True


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_what_is_said_in_own_codes_means_the_same(path: Path) -> None:
    document = json.loads(path.read_bytes())
    resources = [entry["resource"] for entry in document.get("entry", [{"resource": document}])]
    codes: dict[str, dict[str, str]] = {}
    for name, known in LISTS.items():
        kind, _, member = name.partition(".")
        words = {code: f"own-{code}" for _, code in known.meanings}
        places = [one for one in resources if one["resourceType"] == kind]
        found = [at_path(one, member.split("."), words) for one in places]
        if any(found):
            codes[name] = {own: code for code, own in words.items()}
    said = Event(source="fhir", content=json.dumps(document).encode())
    assert codes or path.stem.startswith("valid_patient")
    assert translate(said, DIRECTORY, FhirMapping.from_codes(codes)) == translate(
        Event(source="fhir", content=path.read_bytes()), DIRECTORY
    )


# --- units and numbers ----------------------------------------------------------------------------------------------


def own_unit(value: str = "4711") -> Json:
    return {"identifier": {"system": OWN_ORGANIZATIONS, "value": value}}


def test_a_unit_is_known_by_the_journals_own_identifier_wherever_it_stands() -> None:
    organization: Json = {"resourceType": "Organization", "id": "303"}
    stay = encounter(serviceProvider=to("Organization/303"))
    assert draft_in(EVERYTHING, stay, *people(), organization).unit == WARD
    named = organization | {"identifier": [own_unit("4711")["identifier"]], "id": "9"}
    assert draft_in(EVERYTHING, charge(owner=to("Organization/9")), *people(), named).unit == CENTRE
    assert draft_in(EVERYTHING, charge(owner=own_unit()), *people()).unit == CENTRE
    meeting = call()
    meeting["participant"][1]["actor"] = own_unit("17")
    assert draft_in(EVERYTHING, meeting, *people(CENTRE)).recipients == (SOCIAL,)


def test_a_unit_that_the_table_does_not_have_is_refused() -> None:
    place = "Bundle.entry[0].resource.owner.identifier.system"
    assert ("json.value", place) in findings_in(EVERYTHING, charge(owner=own_unit("4712")), *people())


def test_a_number_is_known_by_the_journals_own_system() -> None:
    known = patient(identifier=[{"system": "https://journal.example/pnr", "value": PERSONNUMMER}])
    person = draft_in(EVERYTHING, encounter(), known, practitioner(), role()).person
    assert person is not None
    assert [(one.root, one.extension) for one in person.identifiers] == [("1.2.752.129.2.1.3.1", PERSONNUMMER)]
    wrong = patient(identifier=[{"system": "https://journal.example/pnr", "value": "197811309818"}])
    assert [code for code, _ in findings_in(EVERYTHING, encounter(), wrong, practitioner(), role())] == [
        "person-id.check-digit"
    ]


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [plan(), revised(), booking(CLINIC), consent(), follow_up_call(CLINIC)],
    ids=lambda body: type(body).__name__,
)
def test_what_is_written_in_own_words_is_read_as_what_was_said(body: Any) -> None:
    sent = message(body, CLINIC)
    written = message_bundle(sent, CLINIC, EVERYTHING)
    Bundle.model_validate(written)
    text = json.dumps(written)
    assert "own-" in text
    assert CLINIC not in text
    for entry in written["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Patient":
            resource["identifier"] = [one for one in resource["identifier"] if "entry" not in one["system"]] or None
            resource["meta"] = {"lastUpdated": written["timestamp"]}
        entry["resource"] = {name: one for name, one in resource.items() if one is not None}
    written["entry"] = [
        entry for entry in written["entry"] if entry["resource"]["resourceType"] not in ("DocumentReference", "Task")
    ]
    content = json.dumps(written).encode()
    (draft,) = translate(Event(source="fhir", content=content), DIRECTORY, EVERYTHING).drafts
    assert (draft.type, draft.body, draft.person) == (sent.type, body, PERSON)


def test_a_patient_and_a_task_are_written_as_the_journal_writes_them() -> None:
    mapping = replace(
        EVERYTHING,
        codes={"Task.code": {"urn:oid:1.2.3|TA": "take-charge", "T2": "take-charge"}},
        units={"Organization/clinic": CLINIC},
    )
    entries = {
        one["resource"]["resourceType"]: one
        for one in message_bundle(message(transfer(), CLINIC), CLINIC, mapping)["entry"]
    }
    assert entries["Patient"]["resource"]["identifier"][0]["system"] == "https://journal.example/pnr"
    assert entries["Patient"]["request"]["ifNoneExist"].startswith("identifier=https://journal.example/pnr|")
    task = entries["Task"]["resource"]
    assert task["code"]["coding"] == [{"system": "urn:oid:1.2.3", "code": "TA"}]  # the first of two
    assert task["owner"] == {"type": "Organization", "reference": "Organization/clinic"}


async def test_an_adapter_speaks_the_words_that_its_settings_say() -> None:
    codes = {**EVERYTHING.codes, UNITS: EVERYTHING.units, SYSTEMS: EVERYTHING.systems}
    journal = Journal()
    async with serving(journal) as base:
        settings = AdapterSettings(name="journal", words="fhir", way="rest", url=base, codes=codes)
        routes = routes_of([settings], Surroundings(DIRECTORY, ManualClock(NOON)), "region")
        sent = message(transfer(), CLINIC)
        async with routes.targets[0] as target:
            await target.deliver(sent, CLINIC)
            await target.note(sent)
            notice = Notice(kind=NoticeKind.REMINDER, unit=CLINIC, case_number="SIP100001", at=NOON, occasion="1")
            await target.notify(notice)
    units = [task["owner"]["identifier"] for task in journal.of_type("Task")]
    assert units == [own_unit()["identifier"]] * 2
    authors = [document["author"][0] for document in journal.of_type("DocumentReference")]
    assert all("E000000000" not in json.dumps(author) for author in authors)
    assert len(authors) == 2
    (patient_,) = journal.of_type("Patient")  # of the message and of the note, known by the journal's own system
    assert patient_["identifier"][0]["system"] == "https://journal.example/pnr"
    said = event(bundle(charge(owner=own_unit()), *people()))
    (draft,) = words_of(settings).translate(said, DIRECTORY).drafts
    assert draft.unit == CENTRE


def test_a_journal_without_words_of_its_own_is_told_the_standard() -> None:
    sent = message(transfer(), CLINIC)
    assert message_bundle(sent, CLINIC, FhirMapping.from_codes({})) == message_bundle(sent, CLINIC)


def test_what_came_and_what_is_written_is_left_as_it_was() -> None:
    resource = call()
    before = copy.deepcopy(resource)
    EVERYTHING._told.said(resource)
    assert resource == before


# --- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "code", "place", "told"),
    [
        ({"Encounter.klass": {"SV": "IMP"}}, "config.fhir-list-unknown-near", "codes", "Encounter.class"),
        ({"öppettider": {"1": "2"}}, "config.fhir-list-unknown", "codes", "Communication.category, meta.security"),
        ({"Encounter.class": {"SV": "INP"}}, "config.fhir-code-unknown", 'codes."Encounter.class"', "IMP, ACUTE"),
        ({"Task.code": {"X": "urn:x|start"}}, "config.fhir-code-unknown", 'codes."Task.code"', "take-charge"),
        ({UNITS: {"4711": CENTRE}}, "config.fhir-unit-form", "codes.units", "system|value"),
        ({UNITS: {"|4711": CENTRE}}, "config.fhir-unit-form", "codes.units", "system|value"),
        ({UNITS: {"Patient/1": CENTRE}}, "config.fhir-unit-form", "codes.units", "Organization/id"),
        ({UNITS: {"Organization/1": "Björkdalen"}}, "hsa-id.form", "codes.units", "HSA-id"),
        ({SYSTEMS: {"https://j/pnr": "pnr"}}, "config.fhir-system-unknown", "codes.systems", "personnummer"),
    ],
)
def test_a_table_that_names_what_is_not_there_is_refused(
    codes: dict[str, dict[str, str]], code: str, place: str, told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        FhirMapping.from_codes(codes)
    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == (code, place)
    assert told in finding.en


def test_everything_that_is_wrong_in_the_tables_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        FhirMapping.from_codes({"x": {"a": "b"}, "Task.code": {"a": "b"}, UNITS: {"a": CENTRE}, SYSTEMS: {"a": "b"}})
    assert len(caught.value.findings) == 4


def test_the_example_for_users_is_a_mapping() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = [block.partition("```")[0] for block in text.split("```toml") if 'codes."Encounter.class"' in block]
    mapping = FhirMapping.from_codes(tomllib.loads(example)["codes"])
    assert set(mapping.codes) == {"Encounter.class", "Task.code", "extension.closure-reason", "meta.security"}
    assert mapping.units
    assert mapping.systems


def test_all_that_is_in_force_is_a_table_of_texts() -> None:
    mapping = FhirMapping.from_codes(
        {
            "Encounter.class": {"SV": "IMP"},
            UNITS: {f"{OWN_ORGANIZATIONS}|4711": CENTRE},
            SYSTEMS: {"https://journal.example/pnr": "http://electronichealth.se/identifier/personnummer"},
        }
    )
    table = mapping.table()
    own, standard = list(table.codes["Encounter.class"].items())[:2]
    assert own == ("SV", "IMP")
    assert standard[0] == standard[1] == "http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP"
    assert {table.meanings["Encounter.class"][code] for code in (own[0], standard[0])} == {"a stay in hospital"}
    assert table.codes[UNITS] == {f"{OWN_ORGANIZATIONS}|4711": CENTRE}
    assert table.meanings[SYSTEMS]["https://journal.example/pnr"] == "personnummer"
    assert set(table.codes) == {*LISTS, UNITS, SYSTEMS}
    assert all(key and value for inner in table.codes.values() for key, value in inner.items())
    assert "SV" not in STANDARD.table().codes["Encounter.class"]


@pytest.mark.parametrize("name", LISTS)
def test_a_code_alone_means_one_thing_in_its_list(name: str) -> None:
    for (_, code), meaning in LISTS[name].meanings.items():
        found = LISTS[name].find(code)
        assert found is not None
        assert LISTS[name].meanings[found] == meaning


def coded(extensions: Mapping[str, Extension], above: str = "") -> set[str]:
    """Return the names of the extensions whose value is a code, and of the parts of those that are complex."""
    found = {f"{above}{name}" for name, one in extensions.items() if one.value == "Code"}
    return found.union(*(coded(one.parts, f"{above}{name}.") for name, one in extensions.items()))


def test_every_extension_with_a_code_has_a_list() -> None:
    names = set().union(*(coded(extensions) for extensions in OF_RESOURCE.values()))
    assert {name.removeprefix(EXTENSION) for name in LISTS if name.startswith(EXTENSION)} == names


def codes_in_extensions(value: Any, above: str = "") -> list[tuple[str, Json]]:
    """Return each extension of the gateway's that has a code, with the name of its list."""
    found = []
    if isinstance(value, list):
        found = [one for inner in value for one in codes_in_extensions(inner, above)]
    elif isinstance(value, dict):
        url = value.get("url")
        name = above
        if isinstance(url, str) and (url.startswith(BASE) or above):
            name = f"{above}.{url}" if above else url.removeprefix(BASE)
        if "valueCode" in value:
            found.append((name, value))
        found += [one for inner in value.values() for one in codes_in_extensions(inner, name)]
    return found


def test_the_list_of_an_extension_is_the_one_that_its_reader_obeys() -> None:
    seen = set()
    for path in VALID:
        count = len(codes_in_extensions(json.loads(path.read_bytes())))
        for number in range(count):
            document = json.loads(path.read_bytes())
            name, extension = codes_in_extensions(document)[number]
            if name in seen:
                continue
            extension["valueCode"] = "no-such-code"
            with pytest.raises(InvalidDocumentError) as caught:
                translate(Event(source="fhir", content=json.dumps(document).encode()), DIRECTORY)
            allowed = {f" {code}" for _, code in LISTS[f"{EXTENSION}{name}"].meanings}
            told = next(one.en for one in caught.value.findings if one.code == "json.value")
            if name != "step":  # of which a status has its own
                assert all(code in told for code in allowed), name
                assert told.count(",") == len(allowed) - 1, name
            seen.add(name)
    assert len(seen) > 20
