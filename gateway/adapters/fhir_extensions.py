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
_TEXTS, _CODES, _ALL = (
    Extension("String", repeats=True),
    Extension("Code", repeats=True),
    Extension("Reference", repeats=True),
)


def _complex(*, repeats: bool = False, **parts: Extension) -> Extension:
    return Extension(repeats=repeats, parts=parts)


_OF_ANY: Final = {
    "case-reference": _TEXT,  # what the journal, or the gateway, calls the case
    "acting-unit": _TO,  # Organization that acts
    "performer": _TO,  # Practitioner or PractitionerRole that acts
    "patient": _TO,  # where the resource has no element for whom it is about
    "recipient": _ALL,  # Organization, where the message is not for all who take part
    "in-reply-to": _TEXT,  # id of the message that is answered, where the resource has no element for it
    "downtime": _complex(occurred=_TIME, channel=_CODE),  # registered after an outage
}
_OF_ENCOUNTER: Final = {
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
}
_OF_APPOINTMENT: Final = {
    "question": _TEXTS,
    "agenda": _TEXTS,
    "place": _TEXT,
    "link": Extension("Url"),
    "phone": _TEXT,
    "chair": _complex(name=_TEXT, role=_TEXT, unit=_TO, independent=_YES),
    "absence-reason": _TEXT,
    "adaptation": _TEXT,
    "reply-by": _TIME,
    "plan-version": _COUNT,  # which version a call to a follow-up is about
    "item-due": _TEXTS,  # sub-goals and measures that a call to a follow-up is about
    "previous-period": Extension("Period"),
    "reason": _CODE,
    "role": _TEXT,
    "profession": _TEXT,
    "invited-because": _TEXT,
    "meeting-mode": _CODE,
    "meeting-outcome": _CODE,
    "no-plan-reason": _TEXT,
    "present": _YES,  # of a participant
}
_OF_RESPONSE: Final = {
    "attendee": _complex(name=_TEXT, profession=_TEXT, mandate=_YES),
    "substitute": _complex(name=_TEXT, role=_TEXT, unit=_TO),
    "redirect-unit": _TO,
    "forward-to": _TO,
    "forward-step": _complex(repeats=True, **{"from": _TO, "to": _TO, "at": _TIME}),
}
_OF_CONSENT: Final = {
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
}
_OF_PLAN: Final = {
    "question": _TEXTS,
    "absence-reason": _TEXT,
    "plan-version": _COUNT,
    "variant": _CODE,
    "need-noticed-by": _CODES,
    "need-noticed-by-other": _TEXT,
    "guardian": _complex(repeats=True, kind=_CODE, name=_TEXT, phone=_TEXT),
    "meeting": _complex(start=_TIME, end=_TIME, place=_TEXT, link=Extension("Url"), phone=_TEXT),
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
    "held-on": _DAY,
    "follow-up-outcome": _CODE,
    "new-information": _TEXT,
    "commitment": _complex(repeats=True, unit=_TO, done=_YES, comment=_TEXT),
    "new-measure-needed": _TEXT,
    "new-actor-needed": _TEXT,
    "next-follow-up": _complex(day=_DAY, place=_TEXT),
    "crisis-plan-checked": _YES,
}
_OF_PLAN_ITEM: Final = {
    "item-id": _TEXT,  # of a Goal or an activity in the plan
    "item-priority": _COUNT,
    "legal-basis": _CODE,
    "evidence-based": _YES,
    "item-follow-up": _DAY,
    "performer-kind": _CODE,
}
_OF_TEAM: Final = {"present": _YES}
_OF_TASK: Final = {
    "initiated-by": _CODE,
    "initiated-by-other": _TEXT,
    "variant": _CODE,
    "setting": _CODE,
    "requested-by-person": _YES,
    "pre-meeting-date": _DAY,
    "linked-admission": _TEXT,
    "parallel-reason": _TEXT,
    "placement": _complex(municipality=_TEXT, kind=_CODE, since=_DAY),
    "closure-reason": _CODE,
    "closure-text": _TEXT,
    "closed-on": _DAY,
    "person-informed-how": _TEXT,
    "where-to-turn": _TEXT,
    "superseded-by": _TEXT,
    "documented": _complex(repeats=True, principal=_CODE, documented=_YES, on=_DAY),
    "message-type": _CODE,
    "not-concerned": _YES,
    "previous-responsible": _complex(unit=_TO, user=_TO),
    "next-responsible": _complex(unit=_TO, user=_TO),
    "effective-on": _DAY,
    "duty": _CODE,  # written only: what the unit owes for a message
    "plan-version": _COUNT,
    "measure": _TEXT,  # its id in the plan
    "reached-on": _DAY,
    "participant": _TO,  # Organization that joins, or no longer takes part
    "role": _TEXT,
    "removal-reason": _CODE,
    "retraction-reason": _CODE,
    "misdirected-reason": _CODE,
    "suggested-unit": _TO,
    "contact-kind": _CODE,
    "practitioner": _TO,
    "contact-unit": _TO,
    "interruption-reason": _CODE,
    "interruption-text": _TEXT,
    "interrupted-at": _TIME,
}
_OF_COMMUNICATION: Final = {
    "reply-wanted": _YES,
    "reply-by": _TIME,
    "assessment": _TEXT,
    "proposal": _TEXT,
    "planning-item": _complex(repeats=True, kind=_CODE, text=_TEXT, unit=_TO, by=_DAY),
}
OF_RESOURCE: Final[Mapping[str, Mapping[str, Extension]]] = {
    "Encounter": _OF_ANY | _OF_ENCOUNTER,
    "Appointment": _OF_ANY | _OF_APPOINTMENT,
    "AppointmentResponse": _OF_ANY | _OF_RESPONSE,
    "Consent": _OF_ANY | _OF_CONSENT,
    "CarePlan": _OF_ANY | _OF_PLAN | _OF_PLAN_ITEM,
    "Goal": _OF_PLAN_ITEM,
    "CareTeam": _OF_TEAM,
    "Task": _OF_ANY | _OF_TASK,
    "Communication": _OF_ANY | _OF_COMMUNICATION,
}
"""The extensions that each kind of resource may have, in it or in its parts."""

EXTENSIONS: Final[Mapping[str, Extension]] = {
    f"{BASE}{name}": found for named in OF_RESOURCE.values() for name, found in named.items()
}
"""Every extension by its ``url``."""


def url(name: str) -> str:
    """Return the ``url`` of the extension ``name``, which must be in the table."""
    found = f"{BASE}{name}"
    if found not in EXTENSIONS:
        raise KeyError(name)
    return found


def is_allowed(found: Any, kind: str) -> bool:
    """Tell whether an extension may stand in a resource of a ``kind``: its ``url`` is in the table, or not of ours."""
    if not isinstance(found, str) or not found.startswith(BASE):
        return True
    return found.removeprefix(BASE) in OF_RESOURCE.get(kind, {})


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
            "extension": [part for name, inner in kind.parts.items() for part in _written(name, inner, one.get(name))],
        }
        for one in values
    ]
