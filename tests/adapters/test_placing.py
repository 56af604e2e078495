"""What a rule finds wrong in a message is told by the place in the event, in the form and the words of the event."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_events import DIRECTORY, EVENTS, json_events, translate

from gateway.adapters.fhir_words import FhirWords
from gateway.errors import Fault
from gateway.ports import Event

WRONG = Fault("placing-test.wrong", "Fel.", "Wrong.")


def placed(kind: str, name: str, path: str | None) -> str | None:
    (draft,) = translate(kind, EVENTS / kind / name).drafts
    return draft.placed(WRONG.at(path)).path


@pytest.mark.parametrize(
    ("kind", "name", "path", "place"),
    [
        ("treserva", "valid_kallelse.json", "header/person/identifier", "/person"),
        ("treserva", "valid_kallelse.json", "header/sender/unit", "/enhet"),
        ("treserva", "valid_kallelse.json", "header/sender/user", "/handlaggare"),
        ("treserva", "valid_behov.json", "header/recipient[2]/unit", "/mottagare"),
        ("treserva", "valid_svar.json", "header/inReplyTo", "/meddelandeId"),
        ("treserva", "valid_kallelse.json", "body/invitee[2]/unit", "/kallade/1"),
        ("treserva", "valid_kallelse.json", "body/replyBy", "/svaraSenast"),
        ("treserva", "valid_kallelse.json", "body/meeting/start", "/mote"),
        ("treserva", "valid_kallelse.json", None, None),
        ("treserva", "valid_kallelse.json", "body/nothing", "body/nothing"),
        ("treserva", "valid_behov_rad.csv", "header/person", "person"),
    ],
)
def test_a_place_in_the_message_is_one_in_the_event(kind: str, name: str, path: str | None, place: str | None) -> None:
    assert placed(kind, name, path) == place


@pytest.mark.parametrize("kind", ["treserva", "journal"])
def test_every_event_knows_where_its_person_and_its_unit_stand(kind: str) -> None:
    for event in json_events(kind):
        for draft in translate(kind, Path(event)).drafts:
            assert (draft.placed(WRONG.at("header/sender/unit")).path or "").startswith("/"), event
            if draft.person is not None:
                assert (draft.placed(WRONG.at("header/person")).path or "").startswith("/"), event


def test_a_place_in_a_message_from_a_journal_is_the_resource_that_told_it() -> None:
    event = Event(source="fhir", content=(EVENTS / "fhir" / "valid_encounter-admitted.json").read_bytes())
    (draft,) = FhirWords().translate(event, DIRECTORY).drafts
    place = draft.placed(WRONG.at("header/person")).path or ""
    assert place.startswith("Bundle.entry[")
    assert place.endswith("].resource")
