"""A person who has got another number: the case goes on, and what is sent of it names both.

Whoever was admitted under a reserve number and is identified since is known by the new number to the own system, and by
the old one to those who were told of the case before.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.messages import Identifier, Person
from gateway.process.case import SipCase


def renumber(case: SipCase, new: Identifier) -> SipCase:
    """Return ``case`` with ``new`` as a number of its person as well."""
    if new in (case.person, *case.other_numbers):
        return case
    return replace(case, other_numbers=(*case.other_numbers, new))


def as_known(case: SipCase | None, person: Person | None) -> Person | None:
    """Return ``person`` with the number that ``case`` began with as history, where the two are known to be one."""
    if case is None or person is None or case.person in person.identifiers:
        return person
    if not set(case.other_numbers) & set(person.identifiers):
        return person
    return replace(person, identifiers=(*person.identifiers, case.person))
