"""The fixtures say in their names what they are: ``<type>_valid_<what>`` or ``<type>_invalid_<code>_<what>``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import FAULTS, Finding, InvalidDocumentError
from gateway.identifiers import PersonId
from gateway.messages import TYPES, parse_json, parse_xml, read_file, render_json, render_xml
from gateway.messages.binding import NAMESPACE
from gateway.messages.explanation import explaining
from gateway.messages.schemas import compiled

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
ALL = sorted(FIXTURES.iterdir())
VALID = [path for path in ALL if path.stem.split("_")[1] == "valid"]
INVALID = [path for path in ALL if path.stem.split("_")[1] == "invalid"]
RULE_CODES = {rule.fault.code for kind in TYPES.values() for rule in kind.rules}
WITHOUT_PLACE = {"document.empty"}
PERSONAL = re.compile(
    rb"<(?:name|extension|giverName|needText|address|phone)>([^<]+)<"
    rb'|"(?:name|extension|giverName|needText|address|phone)": "([^"]+)"'
)

named = {"ids": lambda path: path.name}


def findings_of(path: Path) -> tuple[Finding, ...]:
    with pytest.raises(InvalidDocumentError) as caught:
        read_file(path)
    return caught.value.findings


@pytest.mark.parametrize("path", ALL, **named)
def test_a_fixture_is_named_by_the_rule_for_names(path: Path) -> None:
    kind, verdict, *rest = path.stem.split("_")
    assert kind in TYPES
    assert path.suffix in (".xml", ".json")
    if verdict == "valid":
        assert len(rest) == 1
    else:
        assert verdict == "invalid"
        code, _ = rest
        assert code in FAULTS


@pytest.mark.parametrize("path", VALID, **named)
def test_a_valid_fixture_is_a_message_of_its_type(path: Path) -> None:
    assert read_file(path).type == path.name.split("_")[0]


@pytest.mark.parametrize("path", INVALID, **named)
def test_an_invalid_fixture_is_refused_for_the_reason_in_its_name_and_no_other(path: Path) -> None:
    assert {finding.code for finding in findings_of(path)} == {path.stem.split("_")[2]}


@pytest.mark.parametrize("path", VALID, **named)
def test_a_message_is_the_same_after_xml_and_after_json(path: Path) -> None:
    message = read_file(path)
    assert parse_xml(render_xml(message)) == message
    assert parse_json(render_json(message)) == message
    assert render_xml(parse_json(render_json(message))) == render_xml(message)


@pytest.mark.parametrize("path", [path for path in ALL if path.suffix == ".xml"], **named)
def test_both_validators_give_the_same_verdict(path: Path) -> None:
    try:
        root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return
    kind = etree.QName(root).localname
    if etree.QName(root).namespace == NAMESPACE and kind in TYPES and root.getroottree().docinfo.internalDTD is None:
        assert compiled(kind).validate(root) == explaining(kind).is_valid(root)


@pytest.mark.parametrize("path", INVALID, **named)
def test_a_finding_has_both_languages_and_a_place(path: Path) -> None:
    for finding in findings_of(path):
        assert finding.file == str(path)
        assert finding.sv
        assert finding.en
        if finding.code in WITHOUT_PLACE:
            continue
        if path.suffix == ".xml":
            assert finding.line is not None
            assert 1 <= finding.line <= path.read_bytes().count(b"\n") + 1
        else:
            assert finding.line is not None or (finding.path or "").startswith("/") or finding.code.startswith("json.")


@pytest.mark.parametrize(
    "path", [path for path in INVALID if path.stem.split("_")[2] in RULE_CODES and path.suffix == ".xml"], **named
)
def test_the_path_of_a_broken_rule_leads_to_an_element_on_the_line_it_states(path: Path) -> None:
    root = etree.fromstring(path.read_bytes())
    for finding in findings_of(path):
        assert finding.path is not None
        steps = "/".join(f"m:{step}" for step in finding.path.strip("/").split("/"))
        (node,) = root.xpath(f"/{steps}", namespaces={"m": NAMESPACE})
        assert node.sourceline == finding.line


@pytest.mark.parametrize("path", INVALID, **named)
def test_a_finding_repeats_nothing_personal(path: Path) -> None:
    personal = {(match[1] or match[2]).decode("utf-8", "replace") for match in PERSONAL.finditer(path.read_bytes())}
    said = " ".join(f"{finding.code} {finding.sv} {finding.en} {finding.path}" for finding in findings_of(path))
    assert [text for text in personal if text.strip() and text in said] == []


@pytest.mark.parametrize("path", VALID, **named)
def test_every_person_number_is_one_that_names_nobody(path: Path) -> None:
    person = read_file(path).header.person
    for identifier in person.identifiers if person else ():
        number = PersonId.from_oid(identifier.root, identifier.extension)
        assert number.is_test or identifier.extension == "22790814AA01"  # Inera's published example


@pytest.mark.parametrize("path", ALL, **named)
def test_every_telephone_number_is_one_set_aside_for_fiction(path: Path) -> None:
    for number in re.findall(rb"(?:031-|070)[0-9 ]+", path.read_bytes()):
        assert re.fullmatch(rb"031-390 06 [0-9]{2}|07017406(0[5-9]|[1-9][0-9])", number.strip())


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("plan_invalid_plan.follow-up-before-meeting_pointer.json", "/body/followUp/on"),
        ("plan_invalid_plan.sub-goal-unknown_second-measure.json", "/body/measures/1/subGoal"),
        ("meetingBooking_invalid_schema.missing-element_no-questions.json", "/body"),
        ("consent_invalid_schema.form_party-name.json", "/body/scope/parties/0"),
        ("closure_invalid_schema.unexpected-element_names-the-person.json", "/header/person"),
        ("sipStart_invalid_person-id.check-digit_wrong.json", "/header/person/identifiers/0"),
        ("plan_invalid_json.type_truth-for-number.json", "/body/version"),
        ("sipStart_invalid_json.missing_header.json", "/header"),
        ("acknowledgement_invalid_message.unknown-type_type.json", "/type"),
    ],
)
def test_a_fault_in_json_is_found_at_its_pointer(name: str, pointer: str) -> None:
    assert [finding.path for finding in findings_of(FIXTURES / name)] == [pointer]


def test_a_name_that_no_schema_has_is_not_repeated() -> None:
    good = (FIXTURES / "sipStart_valid_minimal.xml").read_bytes()
    with pytest.raises(InvalidDocumentError) as caught:
        parse_xml(good.replace(b"<body>", b"<body><Mira.Solvind/>", 1))
    assert [finding.path for finding in caught.value.findings] == ["/sipStart/body"]
    assert "Mira" not in str(caught.value.findings)
