"""Whether a resource is valid FHIR, told in the gateway's own words, and whether it says what is not understood.

``fhir.resources`` (R4B, which for the resources used here is R4) judges the form. Its words may repeat what it was
given, and are replaced by faults of our own; the places are kept, as FHIR expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from gateway.adapters.fhir_extensions import is_allowed
from gateway.errors import Fault, Finding
from gateway.messages.binding import BAD_FORM, MISSING, UNKNOWN, WRONG_TYPE

MODIFIER: Final = Fault(
    "fhir.modifier-not-understood",
    "Elementet ändrar resursens betydelse på ett sätt som inte förstås här.",
    "The element changes the meaning of the resource in a way that is not understood here.",
)

EXTENSION_UNKNOWN: Final = Fault(
    "fhir.extension-unknown",
    "Tillägget (extension) har ett namn i SIP Gateways namnrymd som inte finns för den här resursen.",
    "The extension has a name in the namespace of SIP Gateway that this resource does not have.",
)

EXTENSION_VALUE: Final = Fault(
    "fhir.choice",
    "Elementet ska ha ett värde av en enda typ.",
    "The element must have a value of one single type.",
)

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}")
_ELEMENT = re.compile(r"_?[a-z][A-Za-z0-9]{0,49}")


def is_type(kind: str) -> bool:
    """Tell whether ``kind`` is a type of FHIR."""
    try:
        get_fhir_model_class(kind if _TYPE.fullmatch(kind) else "")
    except (LookupError, ValueError):
        return False
    return True


def invalid(members: Mapping[str, Any], kind: str, expression: str) -> Iterator[Finding]:
    """Yield what ``fhir.resources`` finds wrong with a resource."""
    try:
        try:
            get_fhir_model_class(kind).model_validate(dict(members))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=True)
            yield from [_finding(one["type"], expression, one["loc"], str(one["msg"])) for one in found]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError):
        # Some of its checks, and some of its words, fail on a value they did not expect, before they have said where.
        yield BAD_FORM.at(expression, expected=f"FHIR {kind}")


def _finding(kind: str, expression: str, location: Sequence[int | str], words: str) -> Finding:
    # "root" is where the library says that an object is no object.
    place = expression_at(expression, [part for part in location if part != "root"])
    if kind.endswith("missing"):
        name = str(location[-1])
        return MISSING.at(place, name=name)
    if kind == "extra_forbidden":
        return UNKNOWN.at(place)
    if "got multiple" in words or "Expect any of field value" in words:
        return EXTENSION_VALUE.at(place)
    if kind.endswith("_type") or kind == "model_validation_format":
        return WRONG_TYPE.at(place, expected="av den typ FHIR anger/of the type FHIR gives")
    return BAD_FORM.at(place, expected="på den form FHIR anger/of the form FHIR gives")


def expression_at(expression: str, location: Iterable[int | str]) -> str:
    """Return the FHIR expression of ``location`` inside ``expression``.

    What does not look like the name of an element may be content, and is left out with all that follows.
    """
    for part in location:
        if isinstance(part, int):
            expression += f"[{part}]"
        elif _ELEMENT.fullmatch(part):
            expression += f".{part}"
        else:
            break
    return expression


def forbidden(value: Any, kind: str, expression: str) -> Iterator[Finding]:
    """Yield what changes the meaning of a resource of a ``kind`` and is not understood, and extensions out of place."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from forbidden(item, kind, f"{expression}[{index}]")
    if not isinstance(value, dict):
        return
    kind = str(value.get("resourceType", kind))  # a contained one has extensions of its own
    for name, inner in value.items():
        place = expression_at(expression, [name])
        if name in ("modifierExtension", "implicitRules"):
            yield MODIFIER.at(place)
        elif name == "extension" and isinstance(inner, list):
            for index, extension in enumerate(inner):
                if isinstance(extension, dict) and not is_allowed(extension.get("url"), kind):
                    yield EXTENSION_UNKNOWN.at(f"{place}[{index}]")
        yield from forbidden(inner, kind, place)
