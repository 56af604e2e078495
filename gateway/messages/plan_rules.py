"""The rules of a plan: what SFS 2009:981, HSL 16:4 and the regional guideline demand and the schema cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gateway.errors import Fault
from gateway.messages.contract import Rule
from gateway.messages.header_rules import is_protected
from gateway.messages.meeting_rules import meeting_has_length
from gateway.messages.model import Message, NeedNoticedBy, Principal

if TYPE_CHECKING:
    from gateway.messages.plan import Plan


def _other_is_named(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if (NeedNoticedBy.OTHER in plan.need_noticed_by) != (plan.need_noticed_by_other is not None):
        yield "body/needNoticedBy[1]"


def _protected_person_cannot_be_found(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if not is_protected(message):
        return
    if plan.address is not None:
        yield "body/address"
    if plan.phone is not None:
        yield "body/phone"
    for n, guardian in enumerate(plan.guardians, 1):
        if guardian.phone is not None:
            yield f"body/guardian[{n}]/phone"


def _meeting_is_held(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if plan.meeting.start > message.header.happened_at:
        yield "body/meeting/start"


def _sub_goals_differ(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    return (f"body/subGoal[{n}]/id" for n in _repeated(goal.id for goal in plan.sub_goals))


def _measures_differ(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    return (f"body/measure[{n}]/id" for n in _repeated(measure.id for measure in plan.measures))


def _repeated(names: Iterable[str]) -> Iterator[int]:
    """Yield the one-based position of each name that has stood before."""
    seen: set[str] = set()
    for n, name in enumerate(names, 1):
        if name in seen:
            yield n
        seen.add(name)


def _measure_has_goal(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    known = {goal.id for goal in plan.sub_goals}
    for n, measure in enumerate(plan.measures, 1):
        if measure.sub_goal not in known:
            yield f"body/measure[{n}]/subGoal"


def _goal_has_measure(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    served = {measure.sub_goal for measure in plan.measures}
    for n, goal in enumerate(plan.sub_goals, 1):
        if goal.id not in served:
            yield f"body/subGoal[{n}]"


def _responsible_is_named(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    for n, measure in enumerate(plan.measures, 1):
        if not measure.responsible.is_named:
            yield f"body/measure[{n}]/responsible"


def _measure_follow_up_is_ahead(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    for n, measure in enumerate(plan.measures, 1):
        if measure.is_open and measure.follow_up is not None and measure.follow_up < plan.meeting.day:
            yield f"body/measure[{n}]/followUp"


def _follow_up_is_ahead(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if plan.follow_up.on <= plan.meeting.day:
        yield "body/followUp/on"


def _both_principals_came(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if not {attendee.principal for attendee in plan.attendees if attendee.present}.issuperset(Principal):
        yield "body"


def _overall_responsible_was_called(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    responsible = plan.overall_responsible
    if (responsible.principal, responsible.unit) not in {(who.principal, who.unit) for who in plan.attendees}:
        yield "body/overallResponsible"


def _absence_has_reason(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if plan.person_present != (plan.person_absent_reason is None):
        yield "body/personPresent"


def _copy_is_of_this_plan(message: Message) -> Iterable[str]:
    plan: Plan = message.body
    if plan.person_copy.given_on < plan.meeting.day:
        yield "body/personCopy/givenOn"


RULES = (
    Rule(
        Fault(
            "plan.other-not-named",
            "Ange vem som uppmärksammat behovet när ”annan” är valt, och bara då.",
            "Say who noticed the need when 'other' is chosen, and only then.",
        ),
        _other_is_named,
    ),
    Rule(  # the careful practice for protected identity: nothing by which the person could be found
        Fault(
            "plan.protected-contact",
            "Adress och telefonnummer får inte lämnas ut om en person med skyddade personuppgifter.",
            "No address or telephone number may be given for a person with a protected identity.",
        ),
        _protected_person_cannot_be_found,
    ),
    Rule(
        Fault(
            "plan.meeting-end-before-start",
            "Mötet måste sluta efter att det har börjat.",
            "The meeting must end after it has started.",
        ),
        meeting_has_length,
    ),
    Rule(
        Fault(
            "plan.meeting-in-the-future",
            "Planen kan inte skapas före det möte där den görs.",
            "The plan cannot be created before the meeting that makes it.",
        ),
        _meeting_is_held,
    ),
    Rule(
        Fault("plan.sub-goal-twice", "Två delmål har samma id.", "Two sub-goals have the same id."),
        _sub_goals_differ,
    ),
    Rule(
        Fault("plan.measure-twice", "Två insatser har samma id.", "Two measures have the same id."),
        _measures_differ,
    ),
    Rule(
        Fault(
            "plan.sub-goal-unknown",
            "Insatsen hör till ett delmål som inte finns i planen.",
            "The measure belongs to a sub-goal that is not in the plan.",
        ),
        _measure_has_goal,
    ),
    Rule(
        Fault("plan.sub-goal-without-measure", "Delmålet har ingen insats.", "The sub-goal has no measure."),
        _goal_has_measure,
    ),
    Rule(  # SFS 2009:981: the plan says which measures each principal, and others, are responsible for
        Fault(
            "plan.responsible-not-named",
            "Ange huvudman och enhet, eller namn, för den som ansvarar för insatsen.",
            "Name the principal and unit, or the name, of whoever is responsible for the measure.",
        ),
        _responsible_is_named,
    ),
    Rule(
        Fault(
            "plan.measure-follow-up-before-meeting",
            "En insats som inte är avslutad kan inte följas upp före mötet.",
            "A measure that is still open cannot be followed up before the meeting.",
        ),
        _measure_follow_up_is_ahead,
    ),
    Rule(
        Fault(
            "plan.follow-up-before-meeting",
            "Uppföljningen måste ligga efter mötesdagen.",
            "The follow-up must be after the day of the meeting.",
        ),
        _follow_up_is_ahead,
    ),
    Rule(  # SFS 2009:981, HSL 16:4: the plan is made by municipality and region together
        Fault(
            "plan.principal-absent",
            "Minst en närvarande från vardera huvudmannen krävs.",
            "At least one person from each principal must be present.",
        ),
        _both_principals_came,
    ),
    Rule(
        Fault(
            "plan.overall-responsible-not-called",
            "Den som har övergripande ansvar måste finnas bland de kallade, med enhet och huvudman.",
            "The unit with the overall responsibility must be among those called, with its principal.",
        ),
        _overall_responsible_was_called,
    ),
    Rule(  # SFS 2009:981: when possible, the plan is made together with the person
        Fault(
            "plan.absence-reason",
            "Ange skäl när den enskilde inte är med på mötet, och bara då.",
            "Give a reason when the person is not present at the meeting, and only then.",
        ),
        _absence_has_reason,
    ),
    Rule(
        Fault(
            "plan.copy-before-meeting",
            "Den enskilde kan inte få en kopia före mötet.",
            "The person cannot be given a copy before the meeting.",
        ),
        _copy_is_of_this_plan,
    ),
)
