"""Generated functions are ordinary Python: they can be read where they fail, and find only what they are given."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

import pytest
from lxml import etree

from gateway.messages import User
from gateway.messages.binding import NAMESPACE, from_xml, to_json, xml_of
from gateway.messages.description import element
from gateway.messages.generation import function


def test_a_function_is_made_of_its_lines_and_finds_the_names_it_is_given() -> None:
    double = function("double", "number", ["twice = number * factor", "return twice"], {"factor": 2})
    assert double(21) == 42


def test_a_traceback_shows_the_line_that_failed() -> None:
    half = function("half", "number", ["return number / nothing"], {"nothing": 0})
    with pytest.raises(ZeroDivisionError) as caught:
        half(1)
    told = "".join(traceback.format_exception(caught.value))
    assert 'File "<generated half>", line 2, in half' in told
    assert "return number / nothing" in told


@dataclass(frozen=True, slots=True, kw_only=True)
class Braced:
    """Its names are as strange as those of fields and elements can be."""

    held: str
    whole: tuple[str, ...] = element("text_0")
    number: str | None = None


def test_the_names_of_fields_do_not_get_in_the_way_of_a_generated_function() -> None:
    braced = Braced(held="{held}", whole=("{0}", "%s", "\\n'\""), number=None)
    inside = xml_of(braced)
    assert inside == "<held>{held}</held><text_0>{0}</text_0><text_0>%s</text_0><text_0>\\n'\"</text_0>"
    assert from_xml(Braced, etree.fromstring(f'<a xmlns="{NAMESPACE}">{inside}</a>')) == braced
    assert to_json(braced) == {"held": "{held}", "whole": ["{0}", "%s", "\\n'\""]}


def test_an_object_that_lacks_what_its_class_requires_is_written_without_it() -> None:
    assert xml_of(User(name=None)) == ""  # type: ignore[arg-type]  # its schema is to say so
