"""A party named as a recipient: whoever does not know the unit reaches its vårdcentral, or hears why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from case_events import DIRECTORY, EVENTS, MakeMessage, json_events, sent_at, translator

from gateway.adapters.journal_coding import organization_or_party
from gateway.adapters.kinds import addressee, addressee_or_party, line
from gateway.adapters.reading import Reader
from gateway.adapters.recipients import named
from gateway.adapters.shape import optional, required
from gateway.directory import Directory
from gateway.errors import InvalidDocumentError
from gateway.messages import render_xml
from gateway.ports import Event

OFFICE, CENTRE = "SE2120001355-SOCHISINGEN", "SE2321000131-E000000000101"
OTHER_CENTRE, CLOSED_CENTRE = "SE2321000131-E000000000404", "SE2321000131-E000000000505"
PSYCHIATRY = "SE2321000131-E000000000202"
SAYS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "treserva": ("behov_okand-vardcentral", "person", "folkbokforing", {"skydd": "Sekretessmarkering"}),
    "journal": (
        "need_unknown-centre",
        "patient",
        "residence",
        {"protection": {"system": "urn:journal:codes:protection", "code": "SKF"}},
    ),
}
"""The event of each system that names a region, where it says who it is about and where they live, and a protection."""
HSA, PARTIES = "urn:oid:1.2.752.129.2.1.4.1", "urn:journal:parties"


def coded(system: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": value}}


def with_intake(**intake: str) -> Directory:
    """Return the demo's directory with another table of intake units in the region."""
    region = DIRECTORY.parties["region"].model_copy(update={"intake": intake})
    return replace(DIRECTORY, parties={**DIRECTORY.parties, "region": region})


def read(
    recipients: list[Any],
    directory: Directory = DIRECTORY,
    kind: Callable[[Reader, str], str] = addressee_or_party,
    residence: str | None = None,
) -> tuple[str, ...]:
    """Return the units that an event of the municipality's office goes to, about someone who lives in ``residence``."""
    at = Reader.of({"enhet": OFFICE, "mottagare": recipients, "folkbokforing": residence}, directory)
    at.happened_on(date(2026, 11, 2))
    units = named("mottagare", kind, own=required("enhet", addressee), residence=optional("folkbokforing", line))(at)
    at.finish()
    return units


def refused(*arguments: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        read(*arguments)
    return [(finding.code, finding.path) for finding in caught.value.findings]


def test_a_region_stands_for_its_vardcentral_beside_units_and_once() -> None:
    assert read(["SE2321000131-E000000000202", "region", CENTRE, "region"]) == ("SE2321000131-E000000000202", CENTRE)


@pytest.mark.parametrize(
    ("residence", "centre"),
    [
        ("1401", OTHER_CENTRE),
        ("härryda", OTHER_CENTRE),
        ("1480", CENTRE),
        ("1402", OTHER_CENTRE),  # the one there has closed down, and this one took over
        ("0581", CENTRE),  # nobody serves it: the one that takes everybody
        (None, CENTRE),
    ],
)
def test_person_unknown_regionally(residence: str | None, centre: str) -> None:
    assert read(["region"], residence=residence) == (centre,)


def test_person_unknown_regionally_whose_vardcentral_is_known_after_all() -> None:
    assert read([OTHER_CENTRE], residence="1480") == (OTHER_CENTRE,)
    assert read([PSYCHIATRY], residence="1401") == (PSYCHIATRY,)


@pytest.mark.parametrize("kind", SAYS)
@pytest.mark.parametrize("protected", [False, True])
def test_person_unknown_regionally_is_routed_by_where_they_live_which_is_told_to_nobody(
    kind: str, protected: bool, make_message: MakeMessage
) -> None:
    name, whose, member, mark = SAYS[kind]
    event = json.loads((EVENTS / kind / f"valid_{name}.json").read_text(encoding="utf-8"))
    event[whose] |= {member: "Härryda"} | (mark if protected else {})
    (draft,) = translator(kind).translate(Event(source=kind, content=json.dumps(event).encode())).drafts

    # The vårdcentral itself would tell where someone lives who must not be found.
    assert draft.recipients == ((CENTRE,) if protected else (OTHER_CENTRE,))
    xml = render_xml(make_message(draft, sent_at(kind, EVENTS / kind / f"valid_{name}.json"))).decode()
    assert draft.recipients[0] in xml
    assert "rryda" not in xml
    assert "rryda" not in repr(draft)


@pytest.mark.parametrize("kind", SAYS)
def test_every_event_about_a_person_may_say_where_they_live(kind: str, make_message: MakeMessage) -> None:
    _, whose, member, _ = SAYS[kind]
    for path in json_events(kind):
        event = json.loads(path.read_text(encoding="utf-8-sig"))
        if whose in event:
            event[whose][member] = "Härryda"
            (draft,) = translator(kind).translate(Event(source=kind, content=json.dumps(event).encode())).drafts
            assert "rryda" not in repr(draft)


def test_a_residence_is_a_line_of_text_and_is_not_repeated_when_it_is_none() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        read(["region"], residence="1401\n1402")
    assert [(one.code, one.path) for one in caught.value.findings] == [("event.line-break", "/folkbokforing")]
    assert "1401" not in str(caught.value)


def test_a_vardcentral_that_is_closed_down_is_replaced_by_the_one_that_took_over() -> None:
    assert read(["region"], with_intake(**{"primary-care": CLOSED_CENTRE})) == (OTHER_CENTRE,)


def test_a_region_without_a_vardcentral_for_everybody_is_refused_as_a_recipient() -> None:
    assert refused([CENTRE, "region"], with_intake()) == [("event.recipient-no-primary-care", "/mottagare/1")]


def test_the_own_party_is_no_recipient() -> None:
    assert refused(["kommun"]) == [("event.recipient-at-home", "/mottagare/0")]


@pytest.mark.parametrize("name", ["Region", "skola", ""])
def test_a_name_of_nobody_is_refused_as_a_unit_would_be(name: str) -> None:
    assert refused([name]) == [("unit.unknown" if name else "event.empty-text", "/mottagare/0")]


def test_the_journal_names_a_party_by_a_system_of_its_own() -> None:
    assert read([coded(PARTIES, "region")], DIRECTORY, organization_or_party) == (CENTRE,)
    assert read([coded(HSA, OTHER_CENTRE)], DIRECTORY, organization_or_party) == (OTHER_CENTRE,)


@pytest.mark.parametrize(
    ("recipient", "code", "place"),
    [
        (coded(HSA, "region"), "unit.unknown", "/mottagare/0/identifier/value"),
        (coded(PARTIES, CENTRE), "json.value", "/mottagare/0/identifier/value"),
        (coded("urn:journal:units", CENTRE), "json.value", "/mottagare/0/identifier/system"),
    ],
    ids=["party as unit", "unit as party", "unknown system"],
)
def test_in_the_journal_the_system_tells_what_the_value_is(recipient: dict[str, Any], code: str, place: str) -> None:
    assert refused([recipient], DIRECTORY, organization_or_party) == [(code, place)]
