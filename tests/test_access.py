"""Who may do what: each role has its own rights and no others, and units that are not theirs are out of sight."""

from __future__ import annotations

import pytest
from build import CLINIC, OFFICE

from gateway.access import RIGHTS, AccessRefusedError, Actor, Right, Role
from gateway.audit import Action
from gateway.errors import InvalidDocumentError

STAFF = "SE2120001355-P000000000117"
SEPARATE = {Right.ADMINISTER_TOKENS, Right.SEE_CONTENT, Right.READ_AUDIT}
"""Rights that nobody has two of: whoever lets people in does not read about them, and neither looks over the log."""


def test_every_role_sees_the_ledger_and_every_right_is_somebodys() -> None:
    assert set(RIGHTS) == set(Role)
    assert all(Right.SEE_LEDGER in rights for rights in RIGHTS.values())
    assert set().union(*RIGHTS.values()) == set(Right)
    assert [role for role, rights in RIGHTS.items() if len(rights & SEPARATE) > 1] == []
    assert RIGHTS[Role.READER] == {Right.SEE_LEDGER}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_whoever_has_not_the_right_is_refused_by_its_name(role: Role, right: Right) -> None:
    actor = Actor(name="portal", role=role)
    if actor.may(right):
        actor.check(right)
        actor.check_for(right, None)
        return
    with pytest.raises(AccessRefusedError) as caught:
        actor.check(right)
    (finding,) = caught.value.findings
    assert (finding.code, right.value in finding.sv, right.value in finding.en) == ("access.refused", True, True)


def test_a_unit_that_is_not_theirs_is_refused_as_a_right_that_is_missing_is() -> None:
    actor = Actor(name="portal", role=Role.OPERATOR, units=frozenset({OFFICE}))
    assert (actor.sees(OFFICE), actor.sees(CLINIC)) == (True, False)
    actor.check_for(Right.SEE_CONTENT, OFFICE)
    with pytest.raises(AccessRefusedError) as elsewhere:
        actor.check_for(Right.SEE_CONTENT, CLINIC)
    with pytest.raises(AccessRefusedError):
        actor.check_for(Right.PAUSE, None)
    with pytest.raises(AccessRefusedError) as nowhere:
        Actor(name="portal", role=Role.READER).check(Right.SEE_CONTENT)
    assert elsewhere.value.findings == nowhere.value.findings
    assert not Actor(name="portal", role=Role.OPERATOR, units=frozenset()).sees(OFFICE), "no units are not all units"
    assert Actor(name="portal", role=Role.OPERATOR).sees(CLINIC)


@pytest.mark.parametrize("action", Action)
def test_whoever_acts_at_the_machine_has_the_role_that_may_and_an_hsa_id(action: Action) -> None:
    actor = Actor.at_the_machine(f" {STAFF} ", action.right)
    assert actor.name == STAFF
    actor.check_for(action.right, CLINIC)
    with pytest.raises(InvalidDocumentError):
        Actor.at_the_machine("nobody", action.right)
