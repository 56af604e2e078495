"""What a unit that joins a case is told of the case, and no case system knows: the gateway's core fills it in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gateway.adapters.recipients import party_behind
from gateway.adapters.shape import Field, Shape, always
from gateway.messages.participant import CaseConvener, SharedCaseState


def case_facts(own: Field[str], happened_at: Field[datetime]) -> dict[str, Field[Any]]:
    """Return the fields of a unit's joining that tell where the case stands, as if the unit ``own`` had just opened it.

    ``happened_at`` reads when the event happened.
    """
    # Stand-ins, neutral enough to be a valid message: the core replaces each by what it knows of the case.
    return {
        "convener": Shape(CaseConvener, party=party_behind(own), unit=own).here,
        "opened_at": happened_at,
        "state": always(SharedCaseState.PREPARING),
        "booking_version": always(0),
        "plan_version": always(0),
    }
