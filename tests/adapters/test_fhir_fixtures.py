"""The FHIR fixtures: the good ones become messages that obey their rules, the bad ones are refused by name."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from case_events import EVENTS, MakeMessage
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir_documents import DIRECTORY

from gateway.adapters.fhir_event import translate
from gateway.adapters.fhir_outcome import outcome
from gateway.envelope import ACKNOWLEDGEMENT
from gateway.errors import FAULTS, InvalidDocumentError
from gateway.messages import TYPES, parse_xml, render_xml
from gateway.ports import Event

FOLDER = EVENTS / "fhir"
VALID = sorted(FOLDER.glob("valid_*.json"))
INVALID = sorted(FOLDER.glob("invalid_*.json"))
SAID_LATER = datetime.fromisoformat("2026-11-10T09:00:00+01:00")
SAID_OVER_HTTP = {"fhir.not-authorised", "fhir.media-type", "fhir.not-kept"}


def event(path: Path) -> Event:
    return Event(source="fhir", content=path.read_bytes())


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_good_event_becomes_messages_that_obey_their_schema_and_rules(path: Path, make_message: MakeMessage) -> None:
    understood = translate(event(path), DIRECTORY)
    assert (understood.drafts == ()) is ("kept" in path.stem)
    for draft in understood.drafts:
        if draft.type != ACKNOWLEDGEMENT:  # which the gateway never sends as the event has it
            made = make_message(draft, SAID_LATER)
            assert parse_xml(render_xml(made)) == made


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_good_event_is_what_fhir_resources_would_have_written(path: Path) -> None:
    resource = json.loads(path.read_bytes())
    made: Any = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    again = Event(source="fhir", content=made.model_dump_json().encode())
    assert translate(again, DIRECTORY) == translate(event(path), DIRECTORY)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_a_bad_event_is_refused_by_the_code_in_its_name_and_nothing_of_it_is_repeated(path: Path) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        translate(event(path), DIRECTORY)
    assert path.stem.split("_")[1] in caught.value.codes
    told = outcome(caught.value.findings)
    OperationOutcome.model_validate(told)
    text = json.dumps(told, ensure_ascii=False)
    for personal in ("Vallgård", "Henrik", "Fjellander", "19781130", "Övningsgatan", "031-390"):
        assert personal not in text
    for issue in told["issue"]:
        assert issue["details"]["text"] != issue["diagnostics"]


def test_there_is_a_bad_event_for_every_fault_of_a_document() -> None:
    shown = {path.stem.split("_")[1] for path in INVALID}
    assert {code for code in FAULTS if code.startswith("fhir.")} - SAID_OVER_HTTP - shown == set()


def test_every_type_of_message_can_come_as_fhir_and_is_refused_as_fhir_where_it_is_wrong() -> None:
    come = {draft.type for path in VALID for draft in translate(event(path), DIRECTORY).drafts}
    assert come == set(TYPES)  # a region may send every type: of ward and of everyone else
    refused = {path.stem.split("_")[2] for path in INVALID}
    assert {re.sub("(?=[A-Z])", "-", name).lower() for name in TYPES} - refused == set()


def test_every_event_has_an_id_of_its_own() -> None:
    ids = [translate(event(path), DIRECTORY).event_id for path in VALID]
    assert len(set(ids)) == len(ids)
