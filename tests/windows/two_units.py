"""Two units of one party that have nothing to do with each other: what each has sent, and what has come to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from build import CLINIC, HOME_CARE, KOMMUN, OFFICE, OTHER_PERSON, PERSON, REGION, message, need
from windows.site import BY, Site

from gateway import operations
from gateway.access import Actor, Role
from gateway.envelope import Envelope
from gateway.errors import Finding
from gateway.inbox import Inbox
from gateway.items import ItemKind
from gateway.messages import Person, render_xml
from gateway.operation import OperationAction
from gateway.operations import Wanted
from gateway.outbox import Outbox
from gateway.ports import Event
from gateway.replay.scenario import Scenario
from gateway.store import browse, incoming
from gateway.store.browse import Sought
from gateway.store.failed import Cause
from gateway.web.failure_reading import group_id


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A delivery that no exchange has made."""

    envelope: Envelope
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is of one unit alone: its messages, sent and received, and the cases that no other unit takes part in."""

    unit: str
    messages: Sequence[str]
    cases: Sequence[str]
    failures: Sequence[str]
    """Groups of failures, by their ids."""
    operations: Sequence[str]

    @property
    def ids(self) -> list[str]:
        """Return every id that tells of it."""
        return [*self.messages, *self.cases, *self.failures, *self.operations]


async def two_units(site: Site) -> tuple[Belongings, Belongings]:
    """Let something come to both units, and the second send something too, as the first has done in the journey."""
    inbox = Inbox(site.context)
    letters = (_letter(OFFICE, "SIP200070", PERSON), _letter(HOME_CARE, "SIP200071", OTHER_PERSON))
    await inbox.take([HandedOver(envelope) for envelope in letters])
    await Outbox(site.context, site.window.adapter).submit(Event(source="treserva", content=_need_of(HOME_CARE)))
    one, other = await _belongings(site, OFFICE), await _belongings(site, HOME_CARE)
    assert not {*one.ids} & {*other.ids}
    return one, other


def _letter(unit: str, case: str, person: Person) -> Envelope:
    made = message(need(), unit, sender=CLINIC, number=case, person=person)
    return Envelope(
        message_id=made.header.message_id,
        type=made.type,
        sender=REGION,
        recipient=KOMMUN,
        unit=unit,
        sender_unit=CLINIC,
        case_ref=case,
        created_at=made.header.created_at,
        body=render_xml(made),
        sequence=1,
    )


def _need_of(unit: str) -> bytes:
    """Return a need as the journey has it, of another unit and about another person."""
    told: dict[str, Any] = json.loads(Scenario.load("journey").steps[0].content)
    person = told["person"] | {"personnummer": "20100304-9804", "namn": "Elsa Testberg"}
    return json.dumps(told | {"handelseId": "p-1", "arendeId": "p-1", "enhet": unit, "person": person}).encode()


async def _belongings(site: Site, unit: str) -> Belongings:
    sought = Sought(units=frozenset({unit}))
    async with site.store.reading() as tx:
        rows = [*(await browse.sent(tx, sought, 200)).rows, *(await browse.received(tx, sought, 200)).rows]
    messages, cases = ({row[name] for row in rows} for name in ("message_id", "case_number"))
    assert messages
    cause = await _failed(site, unit)
    begun = await operations.begin(
        site.context,
        OperationAction.DISCARD,
        Wanted(cause=cause),
        by=Actor(name=BY, role=Role.OPERATOR, units=frozenset({unit})),
        reason="prov",
    )
    return Belongings(unit, sorted(messages), sorted(cases), [group_id(cause)], [begun.id])


async def _failed(site: Site, unit: str) -> Cause:
    """Let what came to a unit fail for a reason that nothing else has failed for, and return that."""
    code = f"two-units.{unit.lower()}"
    async with site.store.writing() as tx:
        envelope = _letter(unit, "SIP200072", PERSON)
        await incoming.park(tx, envelope, [Finding(code, "Något är fel.", "Something is wrong.")], site.clock.now())
    return Cause(kind=ItemKind.PARKED, code=code, party=REGION)
