"""The Händelse: one line in the log of the case, never the content of the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from case_events import EVENTS, MakeMessage, messages_of, sent_at, translate

from gateway.adapters.haendelse import LONGEST_SUMMARY, haendelse
from gateway.adapters.table import VOCABULARIES
from gateway.messages import TYPES, Message, ReserveRoutine, ReserveWay, to_json
from gateway.messages.closure import ClosureReason
from gateway.messages.follow_up import FollowUpOutcome
from gateway.messages.invitation_reply import InvitationAnswer
from gateway.messages.meeting_held import MeetingOutcome


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
        ("svar", "KALLELSE", "2026-11-05"),
        ("ombokning", "KALLELSE", "2026-11-10"),
        ("avbokning", "KALLELSE", "2026-11-16"),
        ("mote", "SIP_MOTE", "2026-11-18"),
        ("uppfoljningskallelse", "UPPFOLJNING", "2027-01-25"),
        ("uppfoljning", "UPPFOLJNING", "2027-02-17"),
        ("plan_reviderad", "SIP_UPPRATTAD", "2027-02-19"),
        ("ansvar", "UPPFOLJNING", "2027-02-22"),
        ("avslut", "AVSLUT", "2027-05-20"),
        ("avslut_nekad", "NEKAD", "2026-11-03"),
        ("avslut_vardplan", "AVSLUT", "2026-12-15"),
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


def test_what_was_registered_after_an_outage_is_of_the_day_it_was_said_and_says_so(make_message: MakeMessage) -> None:
    need = message("behov", make_message)
    routine = ReserveRoutine(at=need.header.created_at - timedelta(days=1), by=ReserveWay.PAPER)
    entry = haendelse(replace(need, header=replace(need.header, reserve_routine=routine)))

    assert entry is not None
    assert (entry["datum"], entry["registreradIEfterhand"]) == ("2026-11-01", "2026-11-02")


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


@pytest.mark.parametrize(
    ("name", "title", "summary"),
    [
        (
            "svar",
            "Svar på kallelse till SIP-möte",
            "Svar på kallelse: enheten kommer. Ersättare: nej. Andra förslag på tid: 0.",
        ),
        (
            "svar_forhindrad",
            "Svar på kallelse till SIP-möte",
            "Svar på kallelse: enheten är förhindrad. Ersättare: ja. Andra förslag på tid: 2.",
        ),
        (
            "ombokning",
            "SIP-möte ombokat",
            "SIP-mötet 2026-11-18 kl. 13:00 är flyttat till 2026-11-20 kl. 09:00.",
        ),
        ("avbokning", "SIP-möte avbokat", "SIP-mötet 2026-11-18 kl. 13:00 är avbokat."),
        (
            "mote",
            "SIP-möte hållet",
            "SIP-möte 2026-11-18 kl. 13:00. Närvarande: 3 av 4. Den enskilde deltog: ja. Mötet ledde till en plan.",
        ),
        (
            "mote_ingen-plan",
            "SIP-möte hållet",
            "SIP-möte 2026-11-18 kl. 13:00. Närvarande: 1 av 1. Den enskilde deltog: nej. Mötet ledde till ingen plan.",
        ),
        (
            "uppfoljningskallelse",
            "Kallelse till uppföljning av SIP",
            "Uppföljning av version 1 2027-02-17 kl. 10:00. Kallade och inbjudna: 4.",
        ),
        (
            "uppfoljning",
            "SIP uppföljd",
            "Uppföljning av version 1. Delmål: 4, klara: 1. Beslut: planen revideras. Nästa uppföljning 2027-05-20.",
        ),
        (
            "uppfoljning_avslut",
            "SIP uppföljd",
            "Uppföljning av version 2. Delmål: 1, klara: 1. Beslut: planen avslutas.",
        ),
        (
            "ansvar",
            "Övergripande ansvar för SIP överlämnas",
            "Från SE2120001355-SOCHISINGEN till SE2321000131-E000000000101, från och med 2027-03-01.",
        ),
        ("avslut_nekad", "Begäran om SIP nekad", "Begäran om SIP är nekad. Skälet står i avslutet."),
        (
            "avslut_vardplan",
            "SIP avslutad",
            "SIP är avslutad: en vårdplan enligt LPT eller LRV gäller i stället.",
        ),
    ],
)
def test_a_step_is_told_in_counts_and_dates(name: str, title: str, summary: str, make_message: MakeMessage) -> None:
    entry = haendelse(message(name, make_message))

    assert entry is not None
    assert (entry["rubrik"], entry["sammanfattning"]) == (title, summary)


def test_a_revised_plan_is_a_later_version(make_message: MakeMessage) -> None:
    entry = haendelse(message("plan_reviderad", make_message))

    assert entry is not None
    assert (entry["rubrik"], entry["versionNo"]) == ("SIP reviderad, version 2", 2)


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


STEPS = {
    "sipStart",
    "consent",
    "meetingBooking",
    "invitationReply",
    "meetingChange",
    "meetingCancellation",
    "meetingHeld",
    "plan",
    "followUpInvitation",
    "followUp",
    "revisedPlan",
    "responsibilityTransfer",
    "closure",
}


def test_only_a_step_of_a_sip_gets_a_line_in_the_file_of_the_person(make_message: MakeMessage) -> None:
    made = [one for kind in VOCABULARIES for one in messages_of(kind, make_message)]

    assert {one.type for one in made} == set(TYPES)
    assert {one.type for one in made if haendelse(one) is not None} == STEPS


@pytest.mark.parametrize("answer", InvitationAnswer)
def test_every_answer_has_its_words(answer: InvitationAnswer, make_message: MakeMessage) -> None:
    reply = message("svar", make_message)

    assert haendelse(replace(reply, body=replace(reply.body, answer=answer))) is not None


@pytest.mark.parametrize("outcome", MeetingOutcome)
def test_every_outcome_of_a_meeting_has_its_words(outcome: MeetingOutcome, make_message: MakeMessage) -> None:
    held = message("mote", make_message)

    assert haendelse(replace(held, body=replace(held.body, outcome=outcome))) is not None


@pytest.mark.parametrize("outcome", FollowUpOutcome)
def test_every_outcome_of_a_follow_up_has_its_words(outcome: FollowUpOutcome, make_message: MakeMessage) -> None:
    follow_up = message("uppfoljning", make_message)

    assert haendelse(replace(follow_up, body=replace(follow_up.body, outcome=outcome))) is not None


@pytest.mark.parametrize("reason", ClosureReason)
def test_every_reason_for_closure_has_its_words(reason: ClosureReason, make_message: MakeMessage) -> None:
    closure = message("avslut", make_message)

    assert haendelse(replace(closure, body=replace(closure.body, reason=reason))) is not None
