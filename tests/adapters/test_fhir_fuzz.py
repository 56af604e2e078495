"""Whatever comes, the parser answers with a translation or with coded findings that repeat nothing of it."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir_documents import (
    CENTRE,
    DIRECTORY,
    Json,
    bundle,
    call,
    charge,
    close,
    communication,
    decision,
    encounter,
    patient,
    people,
    reply,
    start,
    transfer,
)
from fhir_steps import STEPS, whole
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.fhir_event import told, translate
from gateway.adapters.fhir_identifiers import PERSON_SYSTEMS
from gateway.adapters.fhir_lists import LISTS
from gateway.adapters.fhir_mapping import STANDARD, FhirMapping
from gateway.adapters.fhir_outcome import outcome
from gateway.errors import FAULTS, InvalidDocumentError
from gateway.messages.hardened import MAX_JSON_DEPTH
from gateway.ports import Event, Translation

WHOLE: list[Json] = [
    bundle(encounter(), *people()),
    bundle(call(), *people(CENTRE)),
    bundle(reply(), *people(CENTRE)),
    bundle(decision(), *people(CENTRE)),
    bundle(communication(), *people(CENTRE)),
    bundle(charge(), *people(CENTRE)),
    bundle(transfer(), *people(CENTRE)),
    bundle(start(), *people(CENTRE)),
    bundle(close(), *people(CENTRE)),
    *(whole(name) for name in STEPS),
    patient(meta={"versionId": "1"}),
]
PERSONAL = "Hemligt Namn 19811230-9887"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**20), max_value=10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(
        [PERSONAL, "", " ", "\x00", "\ud800", "2026-02-30", "9999-12-31T23:59:59Z", "Patient/p1", "#p1", "arrived"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "reference", "identifier", "extension", "url", "valueString", "coding", PERSONAL]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def understood(content: bytes, mapping: FhirMapping = STANDARD) -> Translation | None:
    """Return the translation, or ``None`` where it is refused as it must be."""
    said = Event(source="fhir", content=content)
    with suppress(InvalidDocumentError):
        told(said, DIRECTORY, mapping)
    try:
        return translate(said, DIRECTORY, mapping)
    except InvalidDocumentError as error:
        findings = error.findings
    assert findings
    for finding in findings:
        assert finding.code in FAULTS
        assert PERSONAL not in str(finding)
        assert "1978" not in str(finding)
    OperationOutcome.model_validate(outcome(findings))
    return None


def places_in(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places_in(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places_in(inner, (*path, index))
    return found


PLACES = [(number, place) for number, document in enumerate(WHOLE) for place in places_in(document)]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PLACES), values)
def test_any_value_in_any_place(where: tuple[int, tuple[str | int, ...]], value: Any) -> None:
    number, place = where
    changed = copy.deepcopy(WHOLE[number])
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    understood(json.dumps(changed).encode())


OWN_WORDS = FhirMapping(
    codes={name: {"arrived": known.shown(next(iter(known.meanings)))} for name, known in LISTS.items()},
    units={"Patient|p1": CENTRE, "Organization/p1": CENTRE},
    systems={PERSONAL: PERSON_SYSTEMS[0]},
)
"""The words of a journal that calls everything alike."""


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(PLACES), values)
def test_any_value_in_any_place_for_a_journal_with_words_of_its_own(
    where: tuple[int, tuple[str | int, ...]], value: Any
) -> None:
    number, place = where
    changed = copy.deepcopy(WHOLE[number])
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    understood(json.dumps(changed).encode(), OWN_WORDS)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES))
def test_anything_left_out(where: tuple[int, tuple[str | int, ...]]) -> None:
    number, place = where
    changed = copy.deepcopy(WHOLE[number])
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    understood(json.dumps(changed).encode())


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(PLACES),
    st.sampled_from(["extension", "modifierExtension", "nonsense", PERSONAL, "_status"]),
    values,
)
def test_any_member_more(where: tuple[int, tuple[str | int, ...]], name: str, value: Any) -> None:
    number, place = where
    changed = copy.deepcopy(WHOLE[number])
    inner: Any = changed
    for step in place:
        inner = inner[step]
    if isinstance(inner, dict):
        inner[name] = value
    understood(json.dumps(changed).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes(content: bytes) -> None:
    assert understood(content) is None


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WHOLE), st.integers(min_value=0, max_value=3000))
def test_a_document_that_was_cut(document: Json, at: int) -> None:
    content = json.dumps(document).encode()
    understood(content[:at])


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 3000,
        b'{"resourceType":"Bundle","type":"collection","entry":' + b"[" * 80 + b"]" * 80 + b"}",
        json.dumps(
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": encounter()}] * 2000}
        ).encode(),
        b'{"resourceType":"Patient","resourceType":"Patient"}',
        b"\xff\xfe{}",
        b"",
    ],
    ids=["brackets", "nested", "many", "twice", "utf-16", "empty"],
)
def test_what_would_exhaust_a_parser(content: bytes) -> None:
    assert understood(content) is None


def test_extensions_in_extensions_end() -> None:
    inner: Json = {"url": "urn:x", "valueString": "x"}
    for _ in range(MAX_JSON_DEPTH // 2 - 6):
        inner = {"url": "urn:x", "extension": [inner]}
    understood(json.dumps(bundle(encounter(extension=[inner]), *people())).encode())


def test_references_in_a_circle_end() -> None:
    understood(
        json.dumps(
            bundle(
                encounter(subject={"reference": "Encounter/enc-60417"}, partOf={"reference": "Encounter/enc-60417"}),
                *people(),
            )
        ).encode()
    )
    round_and_round = people()
    round_and_round[2]["organization"] = {"reference": "PractitionerRole/isak-303"}
    understood(json.dumps(bundle(communication(), *round_and_round)).encode())
