"""The text the gateway writes is the text lxml would write of the same tree, whatever signs it holds."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree
from xmlschema.validators import XsdElement, XsdGroup

from gateway.errors import InvalidDocumentError
from gateway.messages import (
    TYPES,
    Duty,
    Header,
    Message,
    MessageType,
    Recipient,
    SipStart,
    User,
    from_json,
    parse_xml,
    read_file,
    render_xml,
    to_json,
)
from gateway.messages.binding import NAMESPACE, elements, from_xml
from gateway.messages.binding import to_json as body_to_json
from gateway.messages.binding_xml import escaped, xml_of
from gateway.messages.description import builds, fields_of
from gateway.messages.explanation import explaining

FIXTURES = Path(__file__).parents[2] / "fixtures" / "messages"
VALID = sorted(path for path in FIXTURES.glob("*_valid_*") if path.suffix in (".xml", ".json"))
START = read_file(FIXTURES / "sipStart_valid_minimal.xml")

ANYTHING = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=[*(chr(code) for code in range(32) if chr(code) not in "\t\n\r"), "\ufffe", "\uffff"],
)
TRICKY = st.sampled_from(
    ["&", "<", ">", "]]>", "&amp;", "&#13;", "\r", "\r\n", "\t", "\n", "<!--", "<?", "🙂", "\x85", "\u2028"]
)
TEXTS = st.lists(ANYTHING | TRICKY, max_size=30).map("".join)


def tree_of(message: Message) -> bytes:
    """Write a message the plain way: an element for each field, and lxml to make text of them."""
    root = etree.Element(f"{{{NAMESPACE}}}{message.type}", nsmap={None: NAMESPACE})
    for name, part in (("header", message.header), ("body", message.body)):
        append(etree.SubElement(root, f"{{{NAMESPACE}}}{name}"), part)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def append(parent: etree._Element, value: Any) -> None:
    for field in fields_of(type(value)):
        held = getattr(value, field.attribute)
        for item in held if field.repeated else () if held is None else (held,):
            child = etree.SubElement(parent, f"{{{NAMESPACE}}}{field.tag}")
            if field.scalar is None:
                append(child, item)
            else:
                child.text = field.scalar.write(item)


def saying(text: str) -> Message:
    """A message in which ``text`` stands; it may break the schema."""
    assert isinstance(START.body, SipStart)
    return dataclasses.replace(START, body=dataclasses.replace(START.body, need_text=text))


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_message_is_written_byte_for_byte_as_lxml_writes_its_tree(path: Path) -> None:
    message = read_file(path)
    assert render_xml(message) == tree_of(message)


@settings(deadline=None)
@given(TEXTS)
@example("a\rb\r\nc\td&<>]]>\"'&amp;🙂\x7f\x85\u2028\ufffd\U0010ffff")
def test_a_text_is_written_as_lxml_writes_it_and_read_as_it_was(text: str) -> None:
    message = saying(f"x{text}")
    document = render_xml(message)
    assert document == tree_of(message)
    assert parse_xml(document) == message


@given(TEXTS)
def test_a_text_of_any_length_and_signs_stands_in_an_element_as_lxml_writes_it(text: str) -> None:
    node = etree.Element("a")
    node.text = text
    assert f"<a>{escaped(text)}</a>".encode() == etree.tostring(node, encoding="UTF-8").removeprefix(
        b"<?xml version='1.0' encoding='UTF-8'?>\n"
    )


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x01", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800", "a\udfffb"], ids=ascii
)
def test_a_text_that_xml_cannot_hold_is_refused_as_lxml_refuses_it(text: str) -> None:
    message = saying(text)
    with pytest.raises(ValueError, match=r"."):
        tree_of(message)
    with pytest.raises(ValueError, match=r"."):
        render_xml(message)


@pytest.mark.parametrize("text", ["</needText><evil/>", "]]></needText>", "<![CDATA[", "&undefined;", "<!DOCTYPE a>"])
def test_no_text_becomes_markup(text: str) -> None:
    assert parse_xml(render_xml(saying(text))).body.need_text == text


def test_a_code_word_that_is_none_is_escaped_and_refused() -> None:
    recipient = dataclasses.replace(START.header.recipients[0], duty="</duty><duty>notify")  # type: ignore[arg-type]
    with pytest.raises(InvalidDocumentError) as caught:
        render_xml(dataclasses.replace(START, header=dataclasses.replace(START.header, recipients=(recipient,))))
    assert set(caught.value.codes) == {"schema.value-not-in-list"}


@pytest.mark.parametrize("sign", ["&", "<", ">", "\r", "a & b < c > d\r\n"], ids=ascii)
def test_a_sign_is_escaped_wherever_it_stands(sign: str) -> None:
    said = escaped(sign)
    assert sign != said
    assert xml_of(User(name="a", role=sign, phone="b")) == f"<name>a</name><role>{said}</role><phone>b</phone>"
    assert xml_of(Says(words=("a", sign, "b"))) == f"<word>a</word><word>{said}</word><word>b</word>"
    assert xml_of(Says(who=User(name=sign))) == f"<who><name>{said}</name></who>"


@pytest.mark.parametrize("duty", [*Duty, *(str(duty) for duty in Duty)], ids=repr)
def test_a_code_word_is_written_alike_whether_it_is_one_or_only_its_text(duty: Duty) -> None:
    recipient = Recipient(party="a", unit="b", duty=duty)
    assert xml_of(recipient) == f"<party>a</party><unit>b</unit><duty>{duty}</duty>"
    members = body_to_json(recipient)
    assert members == {"party": "a", "unit": "b", "duty": str(duty)}
    assert type(members["duty"]) is str


def test_an_object_in_which_nothing_stands_is_an_empty_element_once_or_repeated() -> None:
    held = Holds(inner=Says(), others=(Says(), Says(words=("a",)), Says()))
    inside = xml_of(held)
    assert inside == "<inner/><other/><other><word>a</word></other><other/>"
    assert from_xml(Holds, etree.fromstring(f'<a xmlns="{NAMESPACE}">{inside}</a>')) == held


def test_an_empty_text_is_read_as_one_and_what_is_absent_as_its_default() -> None:
    document = f'<a xmlns="{NAMESPACE}"><name/><hsaId></hsaId></a>'
    assert from_xml(User, etree.fromstring(document)) == User(name="", role=None, hsa_id="", phone=None)


def test_an_object_without_a_value_is_an_empty_element_and_an_empty_text_is_not() -> None:
    assert xml_of(User(name="", role=None)) == "<name></name>"
    assert render_xml(read_file(FIXTURES / "closure_valid_duplicate.json")).count(b"></") > 0


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_schema_has_the_fields_of_a_class_in_their_order_and_all_that_it_requires(kind: MessageType) -> None:
    root = explaining(kind.name).elements[kind.name]
    for part, cls in zip(inside_of(root), (Header, kind.body), strict=True):
        assert_stands_as_declared(part, cls)


def inside_of(parent: XsdElement) -> list[XsdElement]:
    """The elements in ``parent``, in order; the schemas have sequences of elements and nothing else."""
    content = parent.type.content
    assert isinstance(content, XsdGroup)
    assert {group.model for group in content.iter_model() if isinstance(group, XsdGroup)} | {content.model} == {
        "sequence"
    }
    return [child for child in content.iter_elements() if isinstance(child, XsdElement)]


def assert_stands_as_declared(parent: XsdElement, cls: type[Any]) -> None:
    children = {child.local_name: child for child in inside_of(parent)}
    assert list(children) == [field.tag for field in fields_of(cls) if field.tag in children]
    for field in fields_of(cls):
        child = children.get(field.tag)
        if field.required and not field.repeated:
            assert child is not None
            assert child.occurs == (1, 1)
        if child is not None and field.nested is not None:
            assert_stands_as_declared(child, field.nested)


def test_comments_instructions_and_cdata_leave_only_the_text() -> None:
    document = (
        render_xml(START)
        .replace(b"<needText>", b"<!-- a --><?b c?><needText><!-- d -->x <![CDATA[<y> & ]]><?e f?>z<!--g-->&#33;")
        .replace(b"<header>", b"<header><!-- h --><?i j?>")
        .replace(b"<duty>", b"<duty> <!-- k -->\n", 0)
    )
    assert START.body.need_text is not None
    assert parse_xml(document).body.need_text == f"x <y> & z!{START.body.need_text}"
    assert parse_xml(document).header == START.header


def test_what_a_parser_has_refused_leaves_nothing_for_the_next_document() -> None:
    document = render_xml(START)
    for broken in (document[:-20], document.replace(b"<body>", b"<body>\xff"), b"<a>&x;</a>", b"<a" * 300):
        with pytest.raises(InvalidDocumentError) as first:
            parse_xml(broken)
        assert parse_xml(document) == START
        with pytest.raises(InvalidDocumentError) as second:
            parse_xml(broken)
        assert second.value.findings == first.value.findings


def test_threads_read_and_write_side_by_side() -> None:
    messages = [read_file(path) for path in VALID]
    documents = [render_xml(message) for message in messages]

    def work(number: int) -> bool:
        n = number % len(messages)
        if number % 5 == 0:
            with pytest.raises(InvalidDocumentError):
                parse_xml(documents[n][: number % 300 + 50])
        members = to_json(messages[n])
        return (
            parse_xml(documents[n]) == messages[n]
            and render_xml(messages[n]) == documents[n]
            and from_json(members) == messages[n]
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(400)))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """A class of which nothing need be there."""

    words: tuple[str, ...] = elements("word")
    who: User | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """A class of such objects."""

    inner: Says | None = None
    others: tuple[Says, ...] = elements("other")


@dataclasses.dataclass(frozen=True, slots=True)
class Minded:
    """A class that does more than hold its fields."""

    name: str

    def __post_init__(self) -> None:
        raise AssertionError


def test_a_class_that_does_more_than_hold_its_fields_is_not_built_past_its_init() -> None:
    for make in (lambda: builds(Minded), lambda: from_xml(Minded, etree.Element("a"))):
        with pytest.raises(TypeError):
            make()
