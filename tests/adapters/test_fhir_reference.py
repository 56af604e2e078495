"""The page about FHIR: what it says an extension carries is an element of a message."""

from __future__ import annotations

import pytest

from gateway.adapters.fhir_extensions import BASE, OF_RESOURCE, url, written
from gateway.adapters.fhir_reference import ELEMENTS, element_of, page
from gateway.resources import schema_folder

SCHEMAS = "".join(path.read_text(encoding="utf-8") for path in sorted(schema_folder().glob("*.xsd")))
NAMES = sorted({name for extensions in OF_RESOURCE.values() for name in extensions})


@pytest.mark.parametrize("name", NAMES)
def test_an_extension_carries_an_element_of_a_schema_and_stands_on_the_page(name: str) -> None:
    element = element_of(name)
    if " " not in element:
        assert f'name="{element.rpartition("/")[2]}"' in SCHEMAS
    assert f"| `{name}` |" in page()


def test_no_element_is_told_of_an_extension_that_does_not_exist() -> None:
    assert set(ELEMENTS) - set(NAMES) == set()


def test_an_extension_is_written_once_or_once_for_each_value() -> None:
    assert written("works-well", None) == []
    assert written("question", ["Vem?", "När?"]) == [
        {"url": f"{BASE}question", "valueString": "Vem?"},
        {"url": f"{BASE}question", "valueString": "När?"},
    ]
    with pytest.raises(KeyError):
        url("works-wel")
