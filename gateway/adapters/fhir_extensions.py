"""The extensions that carry what a SIP message needs and no element of FHIR has: names, types and meanings, as data.

An extension's ``url`` is :data:`BASE` and its name. One with parts is a complex extension, whose parts are extensions
with the bare name as ``url``. Values that are codes are those of the gateway's own schemas (``schemas/*.xsd``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BASE: Final = "urn:sip-gateway:fhir:extension:"
"""What the ``url`` of each of the gateway's extensions begins with."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension: ``value`` is the type after ``value`` in FHIR's ``value[x]``; a complex one has ``parts`` instead.

    One that ``repeats`` is a list.
    """

    value: str = ""
    repeats: bool = False
    parts: Mapping[str, Extension] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """The member of the extension that holds its value."""
        return f"value{self.value}"


_TEXT, _CODE, _DAY, _TIME = Extension("String"), Extension("Code"), Extension("Date"), Extension("DateTime")
_YES, _COUNT, _TO = Extension("Boolean"), Extension("PositiveInt"), Extension("Reference")
_TEXTS, _CODES, _ALL = Extension("String", repeats=True), Extension("Code", repeats=True), Extension(
    "Reference", repeats=True
)


def _complex(*, repeats: bool = False, **parts: Extension) -> Extension:
    return Extension(repeats=repeats, parts=parts)


_MEETING = {"start": _TIME, "end": _TIME, "place": _TEXT, "link": Extension("Url"), "phone": _TEXT}

_NAMED: Final[dict[str, Extension]] = {
    # any resource that becomes a message
    "case-reference": _TEXT,  # what the journal, or the gateway, calls the case
    "acting-unit": _TO,  # Organization that acts
    "performer": _TO,  # Practitioner or PractitionerRole that acts
    "patient": _TO,  # where the resource has no element for whom it is about
    "recipient": _ALL,  # Organization, where the message is not for all who take part
    "in-reply-to": _TEXT,  # id of the message that is answered, where the resource has no element for it
    "downtime": _complex(occurred=_TIME, channel=_CODE),  # registered after an outage
    # Encounter
    "step": _CODE,  # which message the encounter is about, where its status does not tell
    "judged-at": _TIME,
    "expected-discharge": _DAY,
    "expected-need": _CODES,
    "compulsory-care": _CODE,
    "contact": _TO,
    "change-reason": _TEXT,
    "ready-at": _TIME,
    "physician": _TO,
    "sip-needed": _YES,
    "open-care": _CODE,
    "home-wish": _TEXT,
    "ready-message": _TEXT,
    "recalled-at": _TIME,
    "recall-reason": _CODE,
    "recall-text": _TEXT,
    "planned-at": _TIME,
    "destination-text": _TEXT,
    "transport": _TEXT,
    "first-visit": _complex(repeats=True, what=_TEXT, at=_TIME, unit=_TO),
    "admission-reason": _TEXT,
    "care-given": _TEXT,
    "current-state": _TEXT,
    "risks": _TEXT,
    "medications": _TEXT,
    "discharge-follow-up": _TEXT,
    "fixed-contact": _TO,
    "planned-sip": _TIME,
    "plan-in-place": _TEXTS,
    "patient-copy": _YES,
    # Appointment and AppointmentResponse
    "question": _TEXTS,  # of a CarePlan too
    "agenda": _TEXTS,
    "place": _TEXT,
    "link": Extension("Url"),
    "phone": _TEXT,
    "chair": _complex(name=_TEXT, role=_TEXT, unit=_TO, independent=_YES),
    "absence-reason": _TEXT,  # of a CarePlan too
    "adaptation": _TEXT,
    "reply-by": _TIME,  # of a Communication too
    "previous-period": Extension("Period"),
    "reason": _CODE,
    "role": _TEXT,
    "profession": _TEXT,
    "invited-because": _TEXT,
    "attendee": _complex(name=_TEXT, profession=_TEXT, mandate=_YES),
    "substitute": _complex(name=_TEXT, role=_TEXT, unit=_TO),
    "redirect-unit": _TO,
    # Consent
    "decision": _CODE,  # given, partial, declined or withdrawn, where status and provision do not tell
    "form": _CODE,
    "given-by": _CODE,
    "giver-name": _TEXT,
    "relation": _TEXT,
    "exclusions": _TEXT,
    "informed-how": _TEXT,
    "child-attitude": _TEXT,
    "guardian-consent": _complex(repeats=True, name=_TEXT, consents=_YES, waiver=_CODE),
    "document-reference": _TEXT,
    "consent-reason": _TEXT,
    # CarePlan, Goal, CareTeam
    "plan-version": _COUNT,
    "variant": _CODE,
    "need-noticed-by": _CODES,
    "need-noticed-by-other": _TEXT,
    "guardian": _complex(repeats=True, kind=_CODE, name=_TEXT, phone=_TEXT),
    "meeting": _complex(**_MEETING),
    "works-well": _TEXT,
    "works-not": _TEXT,
    "kin-needs": _TEXT,
    "own-effort": _TEXT,
    "overall-responsible": _complex(unit=_TO, user=_TO),
    "lead-professional": _TO,
    "follow-up": _complex(day=_DAY, place=_TEXT),
    "crisis-plan": _complex(
        sign=_TEXTS,
        action=_complex(repeats=True, sign=_TEXT, who=_TEXT, what=_TEXT, contact=_TEXT),
        known=_TEXTS,
    ),
    "placement-care": _TEXT,
    "patient-present": _YES,
    "plan-copy": _complex(day=_DAY, how=_TEXT),
    "change-summary": _TEXT,
    "item-id": _TEXT,  # of a Goal or an activity in the plan
    "item-priority": _COUNT,
    "legal-basis": _CODE,
    "evidence-based": _YES,
    "item-follow-up": _DAY,
    "performer-kind": _CODE,
    "present": _YES,
    # Task and Communication
    "message-type": _CODE,
    "not-concerned": _YES,
    "previous-responsible": _complex(unit=_TO, user=_TO),
    "next-responsible": _complex(unit=_TO, user=_TO),
    "effective-on": _DAY,
    "reply-wanted": _YES,
    "duty": _CODE,  # written only: what the unit owes for a message
}

EXTENSIONS: Final[Mapping[str, Extension]] = {f"{BASE}{name}": found for name, found in _NAMED.items()}
"""Every extension by its ``url``."""


def url(name: str) -> str:
    """Return the ``url`` of the extension ``name``, which must be in the table."""
    found = f"{BASE}{name}"
    if found not in EXTENSIONS:
        raise KeyError(name)
    return found


def is_known(found: Any) -> bool:
    """Tell whether an extension's ``url`` is one of the table, or none of the gateway's at all."""
    return not isinstance(found, str) or not found.startswith(BASE) or found in EXTENSIONS


def written(name: str, value: Any) -> list[dict[str, Any]]:
    """Return extension ``name`` with ``value``: one, several where it repeats, none where there is no value.

    The value of a complex one is a mapping from the names of its parts to their values.
    """
    return _written(url(name), EXTENSIONS[url(name)], value)


def _written(found: str, kind: Extension, value: Any) -> list[dict[str, Any]]:
    values = (value if kind.repeats else (value,)) if value is not None else ()
    if not kind.parts:
        return [{"url": found, kind.member: one} for one in values]
    return [
        {
            "url": found,
            "extension": [
                part
                for name, inner in kind.parts.items()
                for part in _written(name, inner, one.get(name))
            ],
        }
        for one in values
    ]
