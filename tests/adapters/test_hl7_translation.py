"""What HL7 messages become, and that what is wrong with one is told by its place and never repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from case_events import MUNICIPAL_HEALTH, PSYCHIATRY, SOCIAL, WARD, MakeMessage
from hl7_events import INVALID_HL7, VALID_HL7, changed, hl7_bytes, name_of, understood
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import DIRECTORY

from gateway.adapters.hl7_mapping import TRIGGERS
from gateway.adapters.hl7_own_words import own_mapping
from gateway.adapters.hl7_translation import translate
from gateway.errors import FAULTS, ConfigurationError, InvalidDocumentError
from gateway.messages import ProtectedLevel, parse_xml, render_xml
from gateway.ports import Draft

LATER = datetime(2026, 11, 18, 13, 0, tzinfo=UTC)


def draft_in(name: str) -> Draft:
    (draft,) = understood(hl7_bytes(name)).drafts
    return draft


def findings_in(content: bytes, **mapping: object) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        understood(content, **mapping)
    return [(finding.code, finding.path) for finding in caught.value.findings]


@pytest.mark.parametrize("path", VALID_HL7, ids=name_of)
def test_a_valid_message_becomes_valid_messages(path: Path, make_message: MakeMessage) -> None:
    translation = understood(path.read_bytes())

    assert translation == understood(path.read_bytes())
    for draft in translation.drafts:
        if draft.from_case:
            continue  # what is in force is known in the case alone
        of_meeting = draft.type.startswith("meeting")
        at = datetime(2026, 9, 18, 14, 0, tzinfo=UTC) if of_meeting else LATER
        at = datetime(2026, 11, 13, 9, 0, tzinfo=UTC) if draft.type == "admissionUpdate" else at
        message = make_message(draft, at)
        assert parse_xml(render_xml(message)) == message


@pytest.mark.parametrize("path", INVALID_HL7, ids=name_of)
def test_an_invalid_message_is_refused_with_the_fault_in_its_name(path: Path) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        understood(path.read_bytes())

    assert set(caught.value.codes) == {path.name.split("_")[1]}
    assert all(finding.sv != finding.en for finding in caught.value.findings)


def test_every_trigger_has_a_valid_fixture_and_every_fault_an_invalid_one() -> None:
    shown = {understood(path.read_bytes()).kind for path in VALID_HL7}
    assert shown == set(TRIGGERS)

    elsewhere = {"hl7.too-large", "hl7.too-many-parts", "hl7.nothing-to-send"}  # too large to keep, and no fault
    shown = {path.name.split("_")[1] for path in INVALID_HL7} | elsewhere
    assert {code for code in FAULTS if code.startswith("hl7.")} <= shown


def test_an_admission_is_told_with_everything_the_law_asks_for() -> None:
    translation = understood(hl7_bytes("valid_a01"))
    (draft,) = translation.drafts

    assert translation.kind == "ADT^A01"
    assert translation.case_reference == "ENC-2026-60417"
    assert (draft.type, draft.unit, draft.recipients) == ("admissionNotice", WARD, (SOCIAL, MUNICIPAL_HEALTH))
    assert draft.body.registered_address == "Övningsgatan 1, 417 00 Göteborg"
    assert draft.body.expected_discharge.isoformat() == "2026-11-16"
    assert [need.value for need in draft.body.expected_needs] == ["social", "municipal-health"]
    assert draft.body.contact.phone == "031-390 06 77"
    assert draft.person is not None
    assert [(one.root, one.extension) for one in draft.person.identifiers] == [("1.2.752.129.2.1.3.1", "197811309819")]
    assert draft.person.name == "Henrik Vallgård"


def test_the_form_of_a_message_changes_nothing_in_what_it_says() -> None:
    said = {
        understood(hl7_bytes(f"valid_a01{form}")).drafts[0].body.registered_address
        for form in ("", "_latin-1", "_other-delimiters", "_line-feeds")
    }

    assert said == {"Övningsgatan 1, 417 00 Göteborg"}


def test_an_admission_after_which_nothing_is_needed_is_told_to_nobody() -> None:
    assert understood(hl7_bytes("valid_a01_no-needs")).drafts == ()


def test_a_protected_identity_is_told_by_its_grade_or_at_least_as_marked() -> None:
    assert draft_in("valid_a01_protected").person.protected_level is ProtectedLevel.PROTECTED_REGISTRATION  # type: ignore[union-attr]

    marked = changed("valid_a08", "PV1|", "PD1||||||||||||Y\rPV1|")
    (draft,) = understood(marked).drafts
    assert draft.person is not None
    assert draft.person.protected_level is ProtectedLevel.CONFIDENTIALITY_MARKED


def test_the_address_of_a_protected_person_is_not_read() -> None:
    (draft,) = understood(changed("valid_a01", "\rROL|", "\rPD1||||||||||||Y\rROL|")).drafts
    assert draft.body.registered_address is None

    (draft,) = understood(changed("valid_a01", "\rROL|", "\rPD1||||||||||||N\rROL|")).drafts
    assert draft.body.registered_address is not None


def test_a_location_is_a_unit_by_its_hsa_id_or_by_the_code_an_integrator_maps() -> None:
    by_code = changed("valid_a08", WARD, "AVD303")
    assert findings_in(by_code) == [("hl7.unit-unknown", "PV1-3")]
    assert understood(by_code, units={"AVD303": WARD}).drafts[0].unit == WARD

    by_identifier = changed("valid_a08", f"{WARD}^12^1^SU", f"AVD303^^^SU^^^^^^{WARD}&&1.2.752.129.2.1.4.1&ISO")
    assert understood(by_identifier).drafts[0].unit == WARD


def test_a_number_of_a_person_is_known_by_its_oid_or_by_the_name_an_integrator_maps() -> None:
    by_name = changed("valid_a08", "&1.2.752.129.2.1.3.1&ISO", "SKV")
    assert findings_in(by_name) == [("hl7.missing", "PID-3")]

    (draft,) = understood(by_name, authorities={"SKV": "1.2.752.129.2.1.3.1"}).drafts
    assert draft.person is not None
    assert draft.person.identifiers[0].root == "1.2.752.129.2.1.3.1"


def test_a_time_without_a_zone_is_swedish_time() -> None:
    said = understood(changed("valid_a16", "20261116103000+0100", "20261116103000")).drafts[0].body
    assert said == draft_in("valid_a16").body


def test_a_discharge_is_told_with_the_information_where_the_message_has_it() -> None:
    message, information = understood(hl7_bytes("valid_a03_information")).drafts

    assert (message.type, information.type) == ("dischargeMessage", "dischargeInformation")
    assert information.body.care_given == "Läkemedel insatt\nSamtal varje dag"
    assert information.body.medications == "Olanzapin 10 mg till natten.\nOxazepam 5 mg vid behov."
    assert information.body.planned_sip - message.body.planned_at == timedelta(days=3, hours=2)


def test_a_death_interrupts_the_process_and_names_nobody() -> None:
    for name in ("valid_a03_died", "valid_a08_died"):
        draft = draft_in(name)
        assert (draft.type, draft.body.reason.value, draft.person) == ("processInterruption", "died", None)


def test_a_call_to_a_meeting_says_who_is_called_by_whom_and_why() -> None:
    translation = understood(hl7_bytes("valid_s12"))
    (draft,) = translation.drafts

    assert (translation.case_reference, draft.unit, draft.recipients) == ("CASE-77310", PSYCHIATRY, (SOCIAL,))
    assert draft.body.purpose == "Jag vill ha någonstans att bo\noch slippa läggas in igen."
    assert draft.body.questions == ("Var bor Henrik när han skrivs ut?", "Vem ger läkemedlen?")
    assert draft.body.meeting.place == "Avdelning 303&304, samtalsrum 2"
    assert draft.body.chair.name == "Noor Asklund"
    assert [(one.kind.value, one.unit, one.name) for one in draft.body.invitees] == [
        ("summons", PSYCHIATRY, None),
        ("summons", SOCIAL, None),
        ("invite", None, "Elsa Mårdby"),
    ]
    assert draft.body.invitees[1].reason == "Boende och stöd efter utskrivning.\nEkonomi."


def test_all_that_is_missing_is_told_at_once() -> None:
    content = b"\r".join(line for line in hl7_bytes("valid_a01").split(b"\r") if not line.startswith((b"PV2", b"ROL")))

    assert findings_in(content) == [("hl7.missing", "PV2-9"), ("hl7.missing", "ROL(CONTACT)-4")]


def test_a_message_is_known_by_its_sender_its_type_and_its_id() -> None:
    first = understood(hl7_bytes("valid_a08")).event_id

    assert understood(changed("valid_a08", "PV2|", "NTE|1||annat\rPV2|")).event_id == first
    assert understood(changed("valid_a08", "ADT^A08", "ADT^A31")).event_id != first
    assert understood(changed("valid_a08", "|SU|", "|SÄS|")).event_id != first
    assert understood(changed("valid_a08", "MSG-2026-0014", "MSG-2026-9999")).event_id != first
    assert len(understood(changed("valid_a08", "MSG-2026-0014", "M" * 199)).event_id) <= 200


PERSONAL = ("Vallgård", "Henrik", "197811309819", "Övningsgatan", "Fjellander", "Mårdby", "Olanzapin")


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_message_with_any_part_replaced_is_understood_or_refused_and_never_repeated(data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(VALID_HL7)).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = min(len(content), start + data.draw(st.integers(0, 30)))
    put = data.draw(st.binary(max_size=12) | st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b'""', b"\x1c"]))

    try:
        for draft in understood(content[:start] + put + content[end:]).drafts:
            assert draft.type
    except InvalidDocumentError as error:
        told = " ".join(str(finding) for finding in error.findings)
        assert not [word for word in PERSONAL if word in told]


# --- a sender's own words -------------------------------------------------------------------------------------------


def test_a_sender_may_have_codes_of_its_own_and_no_others_are_taken_there() -> None:
    own = own_mapping({"PV1-36": {"H": "01", "S": "home"}, "OBX(CARE-NEED)-5": {"K": "social"}}, {})
    told = changed("valid_a03", "|01|", "|H|")
    assert translate(told, DIRECTORY, own).drafts == understood(hl7_bytes("valid_a03")).drafts
    with pytest.raises(InvalidDocumentError) as caught:
        translate(hl7_bytes("valid_a03"), DIRECTORY, own)
    assert [(one.code, one.path) for one in caught.value.findings] == [("json.value", "PV1-36")]
    assert "H, S" in caught.value.findings[0].en


def test_a_step_depends_on_what_a_senders_code_means() -> None:
    own = own_mapping({"PID-30": {"J": "Y", "0": "N"}}, {})
    died, lives = (changed("valid_a08_died", "|Y\r", f"|{code}\r") for code in ("J", "0"))
    assert [draft.type for draft in translate(died, DIRECTORY, own).drafts] == ["processInterruption"]
    assert translate(lives, DIRECTORY, own).drafts == ()


def test_a_sender_may_have_a_member_elsewhere_and_what_depends_on_it_follows() -> None:
    content = hl7_bytes("valid_a08")
    day = understood(content).drafts[0].body.expected_discharge
    written = day.strftime("%Y%m%d")
    moved = changed("valid_a08", f"|{written}\r", f"\rZPV|{written}\r")
    assert understood(moved).drafts == ()
    own = own_mapping({}, {"admission.expectedDischarge": "ZPV-1"})
    assert translate(moved, DIRECTORY, own).drafts == understood(content).drafts


def test_codes_are_named_by_the_place_in_the_tables_also_where_they_stand_elsewhere() -> None:
    own = own_mapping({"PV1-36": {"H": "01"}}, {"discharge.destination": "ZPV-1"})
    moved = changed("valid_a03", "|01|", "||") + b"ZPV|H\r"
    assert translate(moved, DIRECTORY, own).drafts == understood(hl7_bytes("valid_a03")).drafts


@pytest.mark.parametrize(
    ("codes", "fields", "code"),
    [
        ({"PV1-63": {"H": "home"}}, {}, "config.adapter-mapping-name-near"),
        ({"hemgång": {"H": "home"}}, {}, "config.adapter-mapping-name"),
        ({"PV1-36": {"H": "hem"}}, {}, "config.adapter-mapping-meaning"),
        ({"units": {"A30": "AVD30"}}, {}, "config.adapter-mapping-meaning"),
        ({"authorities": {"SKV": "1.2.3"}}, {}, "config.adapter-mapping-meaning"),
        ({}, {"discharge.transprt": "ZPV-1"}, "config.adapter-mapping-name-near"),
        ({}, {"discharge.transport": "here"}, "config.adapter-mapping-place"),
    ],
)
def test_own_words_that_do_not_fit_the_tables_are_told(
    codes: dict[str, dict[str, str]], fields: dict[str, str], code: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        own_mapping(codes, fields)
    assert caught.value.codes == (code,)


def test_a_message_after_a_merge_tells_both_numbers_and_is_about_the_same_person() -> None:
    reserve = "22790814AA01^^^&1.2.752.74.9.1&ISO"
    content = changed("valid_a16", "|197811309819^^^&", f"|{reserve}~197811309819^^^&")
    (draft,) = understood(content).drafts
    assert draft.person is not None
    assert [one.extension for one in draft.person.identifiers] == ["22790814AA01", "197811309819"]


def test_a_merge_tells_which_numbers_are_one_persons_and_leaves_a_hospitals_own_alone() -> None:
    (told,) = understood(changed("valid_a40", "MRG|", "MRG|55128^^^SU^MR~")).renumberings
    assert (told.old.extension, told.new.extension) == ("19810829M070", "197811309819")
    of_hospital = changed("valid_a40", "19810829M070^^^&1.2.752.113.11.0.2.1.1.1&ISO", "9^^^SU^MR")
    assert understood(of_hospital).renumberings == ()


def test_a_merge_of_a_number_that_is_none_is_told_by_its_place() -> None:
    assert findings_in(hl7_bytes("invalid_person-id.check-digit_merged")) == [("person-id.check-digit", "MRG-1.1")]
