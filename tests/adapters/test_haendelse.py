"""The Händelse: one line in the log of the case, never the content of the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from case_events import EVENTS, MakeMessage, messages_of, sent_at, translate

from gateway.adapters.haendelse import LONGEST_SUMMARY, haendelse
from gateway.adapters.table import VOCABULARIES
from gateway.messages import TYPES, Message, to_json
from gateway.messages.closure import ClosureReason


def message(name: str, make_message: MakeMessage) -> Message:
    path = EVENTS / "treserva" / f"valid_{name}.json"
    (draft,) = translate("treserva", path).drafts
    made: Message = make_message(draft, sent_at("treserva", path))
    return made


@pytest.mark.parametrize(
    ("name", "kind", "on"),
    [
        ("behov", "SIP_STARTAD", "2026-11-02"),
        ("samtycke_ja", "SAMTYCKE", "2026-11-03"),
        ("samtycke_delvis", "SAMTYCKE", "2026-10-07"),
        ("samtycke_nej", "NEKAD", "2026-12-08"),
        ("samtycke_aterkallat", "SAMTYCKE", "2026-10-14"),
        ("kallelse", "KALLELSE", "2026-11-04"),
        ("plan", "SIP_UPPRATTAD", "2026-11-19"),
        ("avslut", "AVSLUT", "2027-05-20"),
    ],
)
def test_each_step_has_its_kind_and_its_day(name: str, kind: str, on: str, make_message: MakeMessage) -> None:
    entry = haendelse(message(name, make_message))

    assert entry is not None
    assert (entry["handelsetyp"], entry["datum"]) == (kind, on)


def test_a_consent_is_of_the_day_it_was_taken(make_message: MakeMessage) -> None:
    consent = message("samtycke_ja", make_message)
    later = replace(consent, header=replace(consent.header, created_at=consent.header.created_at + timedelta(days=3)))
    entry = haendelse(later)

    assert entry is not None
    assert entry["datum"] == "2026-11-03"


def test_the_entry_says_whose_case_it_is_and_who_acted(make_message: MakeMessage) -> None:
    start = message("behov", make_message)

    assert haendelse(start) == {
        "externalId": f"sip-gateway:{start.header.message_id}",
        "arendenummer": "SIP100001",
        "handelsetyp": "SIP_STARTAD",
        "datum": "2026-11-02",
        "enhet": "SE2120001355-SOCHISINGEN",
        "rubrik": "SIP startad",
        "sammanfattning": (
            "Behov av samordnad individuell plan har uppmärksammats. Berörda enheter hos andra parter: 1."
        ),
        "kalla": "gateway",
        "versionNo": 1,
        "personId": "196505239811",
        "handlaggareHsaId": "SE2120001355-P000000000117",
    }


def test_a_plan_is_summed_up_by_counts_and_its_version(make_message: MakeMessage) -> None:
    plan = message("plan_krisplan", make_message)
    entry = haendelse(replace(plan, body=replace(plan.body, version=3)))

    assert entry is not None
    assert entry["versionNo"] == 3
    assert entry["sammanfattning"] == (
        "SIP-möte 2026-11-18. Delmål: 4. Insatser: 7. Krisplan: ja. "
        "Övergripande ansvar: SE2120001355-SOCHISINGEN. Uppföljning 2027-02-17."
    )


def free_texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(free_texts(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(free_texts(inner) for inner in value))
    return {value} if isinstance(value, str) and " " in value else set()


def test_no_summary_repeats_a_text_of_the_message(make_message: MakeMessage) -> None:
    for kind in VOCABULARIES:
        for made in messages_of(kind, make_message):
            entry = haendelse(made)
            if entry is not None:
                assert len(entry["sammanfattning"]) <= LONGEST_SUMMARY
                assert not [text for text in free_texts(to_json(made)) if text in entry["sammanfattning"]]


def test_every_type_but_the_acknowledgement_is_a_step_of_the_case(make_message: MakeMessage) -> None:
    steps = {made.type for made in messages_of("treserva", make_message) if haendelse(made) is not None}

    assert steps == set(TYPES) - {"acknowledgement"}


@pytest.mark.parametrize("reason", ClosureReason)
def test_every_reason_for_closure_has_its_words(reason: ClosureReason, make_message: MakeMessage) -> None:
    closure = message("avslut", make_message)

    assert haendelse(replace(closure, body=replace(closure.body, reason=reason))) is not None
