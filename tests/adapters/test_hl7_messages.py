"""HL7 messages are parted by any delimiters and character set they may have, and nothing else can come of bad ones."""

from __future__ import annotations

from contextlib import suppress

import hl7
import pytest
from hl7_events import VALID_HL7, hl7_bytes, name_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.adapters.hl7_batch import is_batch, messages_in
from gateway.adapters.hl7_message import MAX_PARTS, Hl7Message
from gateway.adapters.hl7_text import Delimiters
from gateway.errors import InvalidDocumentError

HEADER = "MSH|^~\\&|A|B|C|D|20261110||ADT^A08|1|P|2.5||||||UNICODE UTF-8\r"


def parsed(*lines: str, codec: str = "utf-8") -> Hl7Message:
    return Hl7Message.parse((HEADER + "\r".join(lines)).encode(codec))


def refused(content: bytes, **limit: int) -> list[tuple[str, str | None]]:
    with pytest.raises(InvalidDocumentError) as caught:
        Hl7Message.parse(content, **limit)
    return [(finding.code, finding.path) for finding in caught.value.findings]


@pytest.mark.parametrize("path", VALID_HL7, ids=name_of)
def test_a_message_is_parted_as_the_hl7_library_parts_it(path) -> None:  # type: ignore[no-untyped-def]
    content = path.read_bytes()
    ours = Hl7Message.parse(content)
    text = content.decode("latin-1" if "latin-1" in path.stem else "utf-8-sig").replace("\r\n", "\r")
    theirs = hl7.parse(text)

    assert [segment.name for segment in ours.segments] == [str(segment[0]) for segment in theirs]
    for mine, other in zip(ours.segments[1:], list(theirs)[1:], strict=True):
        raw = [str(one) for one in list(other)[1:]]
        assert len(mine.fields) == len(raw)
        assert [bool(field) for field in mine.fields] == [bool(one) for one in raw]


def test_values_stand_in_repetitions_components_and_subcomponents() -> None:
    (pid,) = parsed("PID|1||19^^^A&1.2&ISO~55^^^B|").named("PID")

    assert pid.value(3) == "19"
    assert pid.value(3, 4, 2) == "1.2"
    assert [one[0][0] for one in pid.repetitions(3)] == ["19", "55"]
    assert pid.value(9) is None
    assert pid.value(3, 9) is None


def test_a_null_is_no_value() -> None:
    (pid,) = parsed('PID|""|^""').named("PID")

    assert pid.value(1) is None
    assert pid.repetitions(2) == ()


def test_escapes_are_undone_after_the_message_is_parted() -> None:
    (nte,) = parsed("NTE|\\F\\ \\S\\ \\T\\ \\R\\ \\E\\|a\\.br\\b\\.sp2\\c|\\XC3A5\\ \\H\\fet\\N\\").named("NTE")

    assert nte.value(1) == "| ^ & ~ \\"
    assert nte.value(2) == "a\nb\n\nc"
    assert nte.value(3) == "å fet"


def test_notes_belong_to_the_segment_they_follow() -> None:
    message = parsed("AIG|1", "NTE|1||ett", "NTE|2||två", "AIG|2", "NTE|1||tre")

    assert [[note.value(3) for note in one.notes] for one in message.named("AIG")] == [["ett", "två"], ["tre"]]
    assert [one.place for one in message.named("NTE")] == ["NTE", "NTE[2]", "NTE[3]"]


@pytest.mark.parametrize(("stated", "codec"), [("8859/1", "latin-1"), ("8859/15", "iso8859-15"), ("ASCII", "ascii")])
def test_the_character_set_is_the_one_that_is_stated(stated: str, codec: str) -> None:
    name = "Asa" if stated == "ASCII" else "Åsa Öhman"
    content = (HEADER.replace("UNICODE UTF-8", stated) + f"PID|1||{name}").encode(codec)

    assert Hl7Message.parse(content).named("PID")[0].value(3) == name


def test_signs_of_another_character_set_are_refused_with_their_line() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        Hl7Message.parse((HEADER + "EVN|A08\rPID|1||Åsa").encode("latin-1"))

    assert [(one.code, one.path, one.line) for one in caught.value.findings] == [("hl7.encoding", "MSH-18", 3)]


def test_delimiters_may_be_left_out_from_the_end() -> None:
    message = Hl7Message.parse(b"MSH|^~|A|B|C|D|20261110||ADT^A08|1|P|2.5\rPID|1||a\\b&c")

    assert message.named("PID")[0].value(3) == "a\\b&c"


def test_every_fault_is_told_at_once_with_its_place() -> None:
    content = (HEADER + "PID|1||a\\Q\\b|\x01\rinte ett segment\rPV1|\\x").encode()

    assert refused(content) == [
        ("hl7.escape", "PID-3"),
        ("hl7.control-character", "PID-4"),
        ("hl7.segment-name", None),
        ("hl7.escape", "PV1-1"),
    ]


def test_a_message_is_bounded_in_size_and_parts() -> None:
    assert refused(HEADER.encode(), limit=20) == [("hl7.too-large", None)]
    assert refused(HEADER.encode() + b"PID" + b"|" * MAX_PARTS) == [("hl7.too-many-parts", None)]


SIGNS = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]


@given(st.lists(st.sampled_from(SIGNS), min_size=5, max_size=5, unique=True), st.text(max_size=20))
@settings(max_examples=100)
def test_any_five_signs_may_part_a_message_and_any_text_survives_them(signs: list[str], text: str) -> None:
    delimiters = Delimiters(*signs)
    text = "".join(sign for sign in text if sign.isprintable()).strip()
    header = f"MSH{delimiters.field}{delimiters.encoding}".ljust(9, delimiters.field)
    header = delimiters.field.join(
        [header.rstrip(delimiters.field), *[""] * 15, "UNICODE UTF-8".replace("-", delimiters.escaped("-"))]
    )
    content = f"{header}\rNTE{delimiters.field}1{delimiters.field}{delimiters.escaped(text)}\r".encode()

    value = Hl7Message.parse(content).named("NTE")[0].value(2)

    assert value == (text if text not in ("", '""') else None)


@given(st.binary(max_size=300))
@example(b"")
@example(b"MSH")
@example(b"MSH|")
@example(b"\xef\xbb\xbfMSH|^~\\&")
@settings(max_examples=100)
def test_arbitrary_bytes_are_parted_or_refused(content: bytes) -> None:
    for content_or_after_header in (content, HEADER.encode() + content, b"MSH" + content):
        with suppress(InvalidDocumentError):
            Hl7Message.parse(content_or_after_header)


# --- batches --------------------------------------------------------------------------------------------------------


def test_a_batch_is_parted_into_its_messages() -> None:
    one, two = hl7_bytes("valid_a01"), hl7_bytes("valid_a08")
    content = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + one + two + b"BTS|2\rFTS|1\r"

    assert is_batch(content)
    assert messages_in(content) == [one, two]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"BHS|^~\\&|A\rBTS|0\r", "hl7.batch"),
        (b"BHS|^~\\&|A\rMSH|^~\\&|A\r", "hl7.batch"),
        (b"BHS|^~\\&|A\rMSH|^~\\&|A\rBTS|2\r", "hl7.batch-count"),
        (b"BHS|^~\\&|A\rPID|1\rMSH|^~\\&|A\rBTS|1\r", "hl7.segment-name"),
        (b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|A\rBTS|1\r", "hl7.batch"),
    ],
)
def test_a_batch_that_is_not_whole_is_refused_as_one(content: bytes, code: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        messages_in(content)

    assert caught.value.codes == (code,)


@given(st.lists(st.sampled_from([b"FHS|^~\\&", b"BHS|^~\\&", b"MSH|^~\\&", b"PID|1", b"BTS|1", b"FTS", b"\xff", b""])))
def test_no_arrangement_of_segments_breaks_the_parting_of_batches(lines: list[bytes]) -> None:
    try:
        messages = messages_in(b"\r".join(lines))
    except InvalidDocumentError:
        return
    assert all(message.startswith(b"MSH") for message in messages)
