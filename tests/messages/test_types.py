"""Every message type is complete: schema, documentation, contract, rules and fixtures. A new type needs no new test."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from lxml import etree

from gateway.messages import TYPES, Duty, MessageType
from gateway.messages.explanation import explaining
from gateway.messages.schemas import compiled
from gateway.resources import schema_folder

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
XS = "{http://www.w3.org/2001/XMLSchema}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SHARED = ("common", "invitation", "planBody")
"""Schemas of what several types share."""
RULES = [rule for kind in TYPES.values() for rule in kind.rules]

every_type = pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)


def schema_tree(name: str) -> etree._Element:
    return etree.parse(str(schema_folder() / f"{name}.xsd")).getroot()


@every_type
def test_a_schema_compiles_in_both_validators_and_declares_the_type_as_its_only_root(kind: MessageType) -> None:
    assert compiled(kind.name) is not None
    assert list(explaining(kind.name).elements) == [kind.name]


@every_type
def test_a_type_has_valid_and_invalid_fixtures_in_xml_and_valid_ones_in_json(kind: MessageType) -> None:
    assert len(list(FIXTURES.glob(f"{kind.name}_valid_*.xml"))) >= 2
    assert list(FIXTURES.glob(f"{kind.name}_valid_*.json"))
    assert list(FIXTURES.glob(f"{kind.name}_invalid_*.xml"))


@pytest.mark.parametrize("name", [*SHARED, *TYPES])
def test_all_global_elements_and_types_of_a_schema_are_documented_in_swedish_and_english(name: str) -> None:
    undocumented = [
        component.get("name")
        for component in schema_tree(name).iterchildren(f"{XS}element", f"{XS}complexType", f"{XS}simpleType")
        if not {"sv", "en"} <= {text.get(XML_LANG) for text in component.iterfind(f"{XS}annotation/{XS}documentation")}
    ]
    assert undocumented == []


@pytest.mark.parametrize("name", [*SHARED, *TYPES])
def test_whatever_is_documented_in_one_language_is_documented_in_the_other(name: str) -> None:
    for annotation in schema_tree(name).iter(f"{XS}annotation"):
        texts = {text.get(XML_LANG): text.text for text in annotation.iterfind(f"{XS}documentation")}
        assert set(texts) == {"sv", "en"}
        assert all(text and text.endswith(".") for text in texts.values()), texts


@every_type
def test_a_schema_uses_all_the_types_it_declares(kind: MessageType) -> None:
    tree = schema_tree(kind.name)
    declared = {node.get("name") for node in tree.iterchildren(f"{XS}complexType", f"{XS}simpleType")}
    used = {node.get("type") for node in tree.iter(f"{XS}element")} | {node.get("base") for node in tree.iter()}
    assert declared - used == set()


@every_type
def test_a_contract_states_a_deadline_if_and_only_if_something_is_owed_and_always_where_that_is_from(
    kind: MessageType,
) -> None:
    contract = kind.contract
    assert (contract.deadline is None) == (contract.duty is Duty.NOTIFY and not contract.reply_on_request)
    assert contract.deadline is None or contract.deadline.count > (contract.deadline.remind or 0)
    assert contract.deadline_source
    assert contract.retention
    assert contract.senders


@every_type
def test_a_type_is_answered_by_known_types_and_an_acknowledgement_and_what_stays_at_home_by_none(
    kind: MessageType,
) -> None:
    assert set(kind.contract.answers) <= set(TYPES)
    assert (kind.contract.answers == ()) == (kind.name == "acknowledgement" or kind.contract.stays_home)


@every_type
def test_the_header_in_the_schema_names_the_person_if_and_only_if_the_contract_says_so(kind: MessageType) -> None:
    (header,) = schema_tree(kind.name).xpath("//*[@name='header']/@type")
    assert (header == "PersonHeader") == kind.contract.carries_person


@every_type
def test_a_type_has_titles_in_both_languages(kind: MessageType) -> None:
    assert kind.title_sv
    assert kind.title_en


@every_type
def test_the_code_of_a_rule_begins_with_the_name_of_its_type(kind: MessageType) -> None:
    prefix = "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in kind.name) + "."
    assert [rule.fault.code for rule in kind.rules if not rule.fault.code.startswith(prefix)] == []


@every_type
def test_what_leaves_without_a_consent_says_why_it_may(kind: MessageType) -> None:
    assert (kind.contract.consent is None) == bool(kind.contract.without_consent)


@pytest.mark.parametrize("name", SHARED)
def test_every_shared_schema_is_used(name: str) -> None:
    assert any(f'schemaLocation="{name}.xsd"' in path.read_text() for path in schema_folder().glob("*.xsd"))


def test_there_is_no_schema_without_a_type() -> None:
    assert {path.stem for path in schema_folder().glob("*.xsd")} == {*TYPES, *SHARED}


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.fault.code for rule in RULES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", [rule.fault.code for rule in RULES])
def test_a_rule_has_a_fixture_that_breaks_it(code: str) -> None:
    assert list(FIXTURES.glob(f"*_invalid_{code}_*.xml"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.fault.code)
def test_the_sentences_of_a_rule_have_no_placeholders_and_so_cannot_repeat_content(rule) -> None:
    assert not {"{", "}"} & set(chain(rule.fault.sv, rule.fault.en))
    assert rule.fault.sv.endswith(".")
    assert rule.fault.en.endswith(".")
