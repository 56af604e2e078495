"""Acknowledgements say what became of a message, in the mode its sender asks for, and nothing that stood in it."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest
from hl7_events import INVALID_HL7, changed, hl7_bytes, name_of, understood
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.hl7_acknowledgement import NOTHING_TO_SEND, answers
from gateway.adapters.hl7_message import CONTROL
from gateway.adapters.hl7_translation import ABSENT, TYPE
from gateway.errors import Finding, InvalidDocumentError

NOW = datetime(2026, 11, 10, 8, 0, tzinfo=UTC)
MISSING = ABSENT.at("OBX[3]-5.2", place="OBX[3]-5.2")
UNSUPPORTED = TYPE.at("MSH-9", known="ADT^A01")


def told(content: bytes, *findings: Finding, codec: str = "utf-8", **more: bool) -> list[hl7.Message]:
    return [hl7.parse(one.decode(codec)) for one in answers(content, findings, now=NOW, **more)]


def codes(content: bytes, *findings: Finding) -> list[str]:
    return [str(one["MSA.F1"]) for one in told(content, *findings)]


def asking(accept: str, application: str) -> bytes:
    return changed("valid_a01_enhanced", "|AL|AL|", f"|{accept}|{application}|")


def test_the_original_mode_has_one_answer() -> None:
    assert codes(hl7_bytes("valid_a01")) == ["AA"]
    assert codes(hl7_bytes("valid_a01"), MISSING) == ["AE"]
    assert codes(hl7_bytes("valid_a01"), UNSUPPORTED) == ["AR"]


@pytest.mark.parametrize(
    ("accept", "application", "accepted", "refused", "rejected"),
    [
        ("AL", "AL", ["CA", "AA"], ["CA", "AE"], ["CR"]),
        ("AL", "NE", ["CA"], ["CA"], ["CR"]),
        ("NE", "AL", ["AA"], ["AE"], ["AR"]),
        ("NE", "NE", [], [], []),
        ("ER", "ER", [], ["AE"], ["CR"]),
        ("SU", "SU", ["CA", "AA"], ["CA"], []),
        ("AL", "", ["CA"], ["CA"], ["CR"]),
        ("", "AL", ["AA"], ["AE"], ["AR"]),
        ("XX", "NE", ["CA"], ["CA"], ["CR"]),
    ],
)
def test_the_enhanced_mode_has_the_answers_that_are_asked_for(
    accept: str, application: str, accepted: list[str], refused: list[str], rejected: list[str]
) -> None:
    content = asking(accept, application)

    assert codes(content) == accepted
    assert codes(content, MISSING) == refused
    assert codes(content, UNSUPPORTED) == rejected


def test_an_answer_goes_back_to_where_the_message_came_from() -> None:
    (answer,) = told(hl7_bytes("valid_a01"))
    header = answer.segment("MSH")

    assert [str(header[number]) for number in (3, 4, 5, 6)] == [
        "SIP-GATEWAY",
        "VGR",
        "JOURNAL^1.2.752.129.2.1.4.1^ISO",
        "SU",
    ]
    assert str(header[9]) == "ACK^A01^ACK"
    assert str(header[7]) == "20261110090000+0100"
    assert (str(header[11]), str(header[12])) == ("P", "2.5")
    assert str(answer["MSA.F2"]) == "MSG-2026-0001"


def test_each_reason_is_told_with_its_place_in_both_languages() -> None:
    (answer,) = told(hl7_bytes("valid_a01"), MISSING, CONTROL.at("PID-5"))
    first, second = answer.segments("ERR")

    assert str(first[2]) == "OBX^3^5^1^2"
    assert str(first[3]) == "101^Required field missing^HL70357"
    assert str(first[4]) == "E"
    assert str(first[5]) == "hl7.missing^^99SIP"
    assert str(first[7]) == f"OBX[3]-5.2: {MISSING.en}"
    assert str(first[8]) == MISSING.sv
    assert str(second[2]) == "PID^1^5^1"
    assert str(answer["MSA.F3"]) == "hl7.missing, hl7.control-character"


def test_what_becomes_no_message_is_said_to_become_none() -> None:
    (answer,) = told(hl7_bytes("valid_a40"), nothing_to_send=True)
    (said,) = answer.segments("ERR")

    assert str(answer["MSA.F1"]) == "AA"
    assert (str(said[4]), str(said[8])) == ("I", NOTHING_TO_SEND.sv)


def test_an_answer_has_the_character_set_and_the_delimiters_of_its_message() -> None:
    (answer,) = told(hl7_bytes("valid_a01_latin-1"), MISSING, codec="latin-1")
    assert str(answer["MSH.F18"]) == "8859/1"
    assert str(answer.segment("ERR")[8]) == MISSING.sv

    (raw,) = answers(hl7_bytes("valid_a01_other-delimiters"), [MISSING], now=NOW)
    assert raw.startswith(b"MSH*$%/!*")
    assert b"\rERR**OBX$3$5$1$2*101$" in raw


def test_delimiters_in_an_answer_are_escaped() -> None:
    (answer,) = told(hl7_bytes("valid_a01"), UNSUPPORTED)

    assert "ADT\\S\\A01" in str(answer.segment("ERR")[8])


@pytest.mark.parametrize("content", [b"", b"Patienten", b"MSH", b"MSH|AAAA|", b"\x0b\x1c", b"BHS|^~\\&|A\r"])
def test_what_is_no_message_is_answered_too(content: bytes) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        understood(content)

    (answer,) = told(content, *caught.value.findings)
    assert str(answer["MSA.F1"]) in ("AR", "AE")
    assert str(answer["MSA.F2"]) == ""


@pytest.mark.parametrize("path", INVALID_HL7, ids=name_of)
def test_nothing_personal_comes_back(path) -> None:  # type: ignore[no-untyped-def]
    content = path.read_bytes()
    with pytest.raises(InvalidDocumentError) as caught:
        understood(content)

    for answer in answers(content, caught.value.findings, now=NOW):
        said = answer.decode("utf-8", "replace")
        assert not [word for word in ("Vallgård", "Henrik", "19781130", "Övningsgatan", "Isak") if word in said]


@given(st.binary(max_size=200))
def test_any_bytes_can_be_answered(content: bytes) -> None:
    for start in (b"", b"MSH", b"MSH|^~\\&|A|B|C|D|"):
        for answer in answers(start + content, [MISSING], now=NOW):
            assert answer.startswith(b"MSH")
            assert b"\rMSA" in answer
            assert b"\x0b" not in answer
            assert b"\x1c" not in answer
