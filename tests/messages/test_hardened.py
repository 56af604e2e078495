"""Documents written to harm: each is refused once, cleanly, soon and cheaply, without network and without files."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import InvalidDocumentError
from gateway.messages import TYPES, parse_json, parse_xml
from gateway.messages.acknowledgement import LONGEST_PATH, Reason
from gateway.messages.hardened import MAX_BYTES, MAX_JSON_DEPTH

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
BOOKING = (FIXTURES / "meetingBooking_valid_minimal.xml").read_bytes()
PLAN_JSON = (FIXTURES / "plan_valid_full.json").read_bytes()
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

SECONDS = 1.0
MEGABYTES = 50
MEASURE = """
import json, os, resource, sys, time, traceback
from pathlib import Path
from gateway.errors import InvalidDocumentError
from gateway.messages import parse_json, parse_xml

PARSE = {"json": parse_json, "xml": parse_xml}

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])

def measure(form, place):
    data = Path(place).read_bytes()
    limit = 512 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before, start = peak(), time.process_time()
    try:
        PARSE[form](data)
        codes = ()
    except InvalidDocumentError as error:
        codes = error.codes
    print(json.dumps([time.process_time() - start, (peak() - before) / 1024, codes]), flush=True)

for line in sys.stdin:
    form, place = json.loads(line)
    if place.endswith("warm-up"):
        try:
            PARSE[form](Path(place).read_bytes())
        except InvalidDocumentError:
            pass
        continue
    if (child := os.fork()) == 0:
        try:
            measure(form, place)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        print("null", flush=True)
"""


class Measurer:
    """A process that has read a document of each form before, and forks for each that is measured."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", MEASURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask("xml", "warm-up", BOOKING.replace(b"<kind>", b"<kin>"))
        self._ask("json", "warm-up", PLAN_JSON)

    def measure(self, form: str, data: bytes) -> tuple[float, float, list[str]]:
        """Parse ``data`` in a process of its own, warm; return its seconds, growth in megabytes and codes."""
        self._ask(form, "document", data)
        assert self._process.stdout is not None
        seconds, megabytes, codes = json.loads(self._process.stdout.readline())
        return seconds, megabytes, codes

    def end(self) -> None:
        self._process.communicate()

    def _ask(self, form: str, name: str, data: bytes) -> None:
        place = self._folder / f"{form}-{name}"
        place.write_bytes(data)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([form, str(place)]) + "\n")
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def measurer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measurer]:
    one = Measurer(tmp_path_factory.mktemp("measured"))
    yield one
    one.end()


def before_chair(text: bytes) -> bytes:
    """The booking with ``text`` put where the element of the chair begins."""
    return BOOKING.replace(b"<chair>", text + b"<chair>")


def questions(text: bytes, times: int) -> bytes:
    return re.sub(rb" *<question>.*</question>\n", text * times, BOOKING)


def doctype(text: bytes) -> bytes:
    return BOOKING.replace(DECLARATION, DECLARATION + text).replace(b"medicinen", b"&x;")


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
BOMBS = {
    "billion laughs": (
        doctype(b'<!DOCTYPE m [<!ENTITY l0 "ha">' + LAUGHS + b'<!ENTITY x "&l9;">]>'),
        "xml.dtd-forbidden",
    ),
    "quadratic blow-up": (
        doctype(b'<!DOCTYPE m [<!ENTITY x "' + b"a" * 100_000 + b'">]>').replace(b"&x;", b"&x;" * 10_000),
        "xml.dtd-forbidden",
    ),
    "bomb behind comments": (doctype(b"<!-- a --><?b c?>\n<!DOCTYPE m [" + LAUGHS + b"]>"), "xml.dtd-forbidden"),
    "bomb in UTF-16 without mark": (
        doctype(b'<!DOCTYPE m [<!ENTITY x "ha">]>').decode().replace("UTF-8", "UTF-16").encode("utf-16-be"),
        "document.encoding",
    ),
    "a million unknown elements": (before_chair(b"<x/>" * 1_000_000), "document.too-many-parts"),
    "a million known elements": (questions(b"<question>x</question>", 1_000_000), "document.too-many-parts"),
    "four thousand empty elements": (questions(b"<question/>", 4_000), "schema.form"),
    "two million comments": (before_chair(b"<!--x-->" * 2_000_000), "document.too-many-parts"),
    "a hundred thousand attributes": (
        BOOKING.replace(b"<chair>", b"<chair " + b" ".join(b'a%d="x"' % n for n in range(100_000)) + b">"),
        "document.too-many-parts",
    ),
    "fifty thousand namespaces": (
        BOOKING.replace(b"<chair>", b"<chair " + b" ".join(b'xmlns:a%d="x"' % n for n in range(50_000)) + b">"),
        None,
    ),
    "a hundred thousand levels": (before_chair(b"<a>" * 100_000), "document.too-many-parts"),
    "three hundred levels": (before_chair(b"<a>" * 300 + b"</a>" * 300), "document.too-deep"),
    "a megabyte of blanks": (BOOKING.replace(b"<purpose>", b"<purpose>" + b" " * 1_000_000), "schema.too-long"),
    "an unclosed comment": (BOOKING.replace(DECLARATION, DECLARATION + b"<!-- " * 9_000), "xml.malformed"),
    "a megabyte of name": (before_chair(b"<" + b"a" * 1_000_000 + b"/>"), "xml.malformed"),
}
JSON_BOMBS = {
    "a hundred thousand levels": (b"[" * 100_000, "document.too-many-parts"),
    "four thousand levels": (b"[" * 4_000 + b"]" * 4_000, "document.too-deep"),
    "a million objects": (b"[" + b"{}," * 1_000_000 + b"{}]", "document.too-many-parts"),
    "ten million numbers": (b"[" + b"1," * 10_000_000 + b"1]", "document.too-many-parts"),
    "ninety thousand unknown members": (
        b'{"type": "plan", "header": {' + b",".join(b'"a%d": 1' % n for n in range(90_000)) + b'}, "body": {}}',
        "schema.more",
    ),
    "a number of a million digits": (b'{"type": ' + b"9" * 1_000_000 + b"}", "json.malformed"),
    "a fraction of a million digits": (b'{"type": 0.' + b"9" * 1_000_000 + b"}", "message.unknown-type"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_an_xml_bomb_is_refused_soon_and_cheaply(bomb: str, measurer: Measurer) -> None:
    data, code = BOMBS[bomb]
    seconds, megabytes, codes = measurer.measure("xml", data)
    assert code is None or code in codes
    assert len(codes) <= 101
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


@pytest.mark.parametrize("bomb", JSON_BOMBS)
def test_a_json_bomb_is_refused_soon_and_cheaply(bomb: str, measurer: Measurer) -> None:
    data, code = JSON_BOMBS[bomb]
    seconds, megabytes, codes = measurer.measure("json", data)
    assert codes[-1] == code
    assert len(codes) <= 101
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def test_the_measure_sees_time_and_memory(measurer: Measurer) -> None:
    """Were the measure blind, the bombs above would pass whatever they did."""
    _, megabytes, _ = measurer.measure("xml", BOOKING.replace(b"medicinen", b"x" * 9_000_000))
    assert megabytes > 5


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE m [<!ENTITY x SYSTEM "file://%s">]>',
        b'<!DOCTYPE m [<!ENTITY %% p SYSTEM "file://%s"> %%p; <!ENTITY x "">]>',
        b'<!DOCTYPE m SYSTEM "file://%s" [<!ENTITY x "">]>',
    ],
)
def test_no_file_is_read_for_a_document(text: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hemligheten")
    with pytest.raises(InvalidDocumentError) as caught:
        parse_xml(doctype(text % str(secret).encode()))
    assert caught.value.codes == ("xml.dtd-forbidden",)
    assert "hemligheten" not in str(caught.value)


def test_no_network_is_touched_for_a_schema_location_or_an_external_dtd(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = b"http://127.0.0.1:%d/x" % server.getsockname()[1]
        located = BOOKING.replace(
            b"<meetingBooking ",
            b'<meetingBooking xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            b'xsi:schemaLocation="urn:sip-gateway:messages:1 ' + address + b'" ',
        )
        for data in (located, doctype(b'<!DOCTYPE m SYSTEM "' + address + b'">')):
            with pytest.raises(InvalidDocumentError):
                parse_xml(data)
        with pytest.raises(TimeoutError):  # libxml2 has its own sockets: nobody knocked here either
            server.accept()


@pytest.mark.parametrize("parse", [parse_xml, parse_json])
def test_a_document_above_the_limit_is_refused_unread(parse) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        parse(b" " * MAX_BYTES + b"<")
    assert caught.value.codes == ("document.too-large",)


def test_json_may_nest_as_deep_as_the_limit_and_no_deeper() -> None:
    def codes(depth: int) -> tuple[str, ...]:
        with pytest.raises(InvalidDocumentError) as caught:
            parse_json(b"[" * depth + b"]" * depth)
        return caught.value.codes

    assert codes(MAX_JSON_DEPTH) == ("json.not-an-object",)
    assert codes(MAX_JSON_DEPTH + 1) == ("document.too-deep",)


def test_an_answer_can_always_be_written_about_a_document_however_odd_its_names() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        parse_xml(before_chair(b"<" + b"a" * 40_000 + b"/>"))
    (reason,) = [Reason.of(finding) for finding in caught.value.findings]
    assert reason.path is None or len(reason.path) <= LONGEST_PATH


PIECES = (
    rb"<?xml |encoding=|'utf-16'|?>|<!DOCTYPE a|[|]>|<!ENTITY x '|&x;|<a|>|</a>|<!--|-->|<![CDATA[|]]>| xmlns='urn:x'|"
    rb'{|}|"type"|:|"plan"|,|1e999|\ud800|"|null|-0|[1]'
)
pieces = st.sampled_from([*PIECES.split(b"|"), b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xc3"])


@settings(deadline=None)  # the first of a process compiles the schemas
@given(st.binary() | st.lists(pieces, max_size=30).map(b"".join))
@example(b'{"type": "plan", "header": {"\\ud800": 1}, "body": []}')
@example(b'{"type": ["plan"]}')
@example(b'<a xmlns="urn:sip-gateway:messages:1"/>')
def test_whatever_bytes_come_nothing_but_an_invalid_document_is_reported(data: bytes) -> None:
    for parse in (parse_xml, parse_json):
        with pytest.raises(InvalidDocumentError) as caught:
            parse(data)
        assert caught.value.findings
        "".join(map(str, caught.value.findings)).encode()  # a finding can be written down


@settings(deadline=None)
@given(st.data())
def test_a_message_with_bytes_changed_is_read_or_reported_and_nothing_else(data: st.DataObject) -> None:
    form, parse = data.draw(st.sampled_from([(BOOKING, parse_xml), (PLAN_JSON, parse_json)]))
    start = data.draw(st.integers(0, len(form)))
    end = data.draw(st.integers(start, min(len(form), start + 20)))
    damaged = form[:start] + data.draw(st.binary(max_size=8) | pieces) + form[end:]
    with contextlib.suppress(InvalidDocumentError):
        assert parse(damaged).type in TYPES
