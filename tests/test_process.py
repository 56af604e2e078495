"""The rules of a SIP case: the table against a grid written by hand, every fault, and both sides of the exchange."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import pytest
from build import (
    CLINIC,
    HOME_CARE,
    KOMMUN,
    NOON,
    OFFICE,
    OTHER_PERSON,
    PSYCHIATRY,
    REGION,
    WARD,
    booking,
    closure,
    consent,
    declined,
    message,
    need,
    plan,
    withdrawn,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import local_date
from gateway.errors import CaseRuleError, Fault
from gateway.messages import ClosureReason, InformationType, Message, render_xml
from gateway.process import (
    ALREADY_STARTED,
    CONSENT_ALREADY_GIVEN,
    CONSENT_MISSING,
    IS_CLOSED,
    MEETING_MISSING,
    NOT_CONVENER,
    NOT_PARTICIPANT,
    NOTHING_TO_WITHDRAW,
    OTHER_PERSON as IS_OTHER_PERSON,
    PLAN_VERSION,
    UNKNOWN_CASE,
    CaseEvent,
    CaseState,
    MeetingState,
    Participant,
    SipCase,
    apply,
    event_of,
    receive,
)
