"""The table of a SIP: sub-goals in areas of life, and the measures that lead to them.

A plan says which measures are needed, which principal does which, and what others do (SFS 2009:981, HSL 16:4). The
table is the one of the regional SIP template: sub-goal, measure, responsible, follow-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.messages.model import Principal


class LifeArea(StrEnum):
    """The ten areas of life (livsområden) of the basic level for SIP in the Gothenburg area, in its order."""

    PHYSICAL_HEALTH = "physical-health"
    HOUSING = "housing"
    EDUCATION = "education"
    WORK = "work"
    INTERESTS = "interests"
    SOCIAL_SKILLS = "social-skills"
    FINANCES = "finances"
    SOCIAL_RELATIONS = "social-relations"
    SUBSTANCE_USE = "substance-use"
    PROBLEM_SOLVING = "problem-solving"


class LegalBasis(StrEnum):
    """The act under which a measure is given."""

    HSL = "HSL"
    """Hälso- och sjukvårdslagen (2017:30)."""
    SOL = "SoL"
    """Socialtjänstlagen (2025:400)."""
    LSS = "LSS"
    """Lagen (1993:387) om stöd och service till vissa funktionshindrade."""
    OTHER = "other"


class MeasureStatus(StrEnum):
    """How far a measure has come."""

    NOT_STARTED = "not-started"
    ONGOING = "ongoing"
    DONE = "done"
    STOPPED = "stopped"


class ResponsibleKind(StrEnum):
    """Who does a measure."""

    PRINCIPAL = "principal"
    PERSON = "person"
    OTHER = "other"
    """A relative, or an authority that is no principal of the SIP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubGoal:
    """A short-term goal (delmål). ``id`` is its name in the plan, such as ``D1``; priority 1 comes first."""

    id: str
    text: str
    priority: int | None = None
    life_area: LifeArea


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """Who does a measure: a unit (HSA-id) of a principal, the person, or someone else by name."""

    kind: ResponsibleKind
    principal: Principal | None = None
    unit: str | None = None
    name: str | None = None

    @property
    def is_named(self) -> bool:
        """Whether one can tell who it is."""
        match self.kind:
            case ResponsibleKind.PRINCIPAL:
                return self.principal is not None and self.unit is not None
            case ResponsibleKind.OTHER:
                return self.name is not None
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What shall be done towards a sub-goal (insats), when, by whom, under which act, and when it is followed up.

    ``when`` is in words ("varje tisdag", "senast 1 december"). ``evidence_based`` says whether the method is among
    those of the national guidelines, where someone has judged that.
    """

    id: str
    sub_goal: str
    what: str
    when: str
    responsible: Responsible
    legal_basis: LegalBasis
    evidence_based: bool | None = None
    status: MeasureStatus = MeasureStatus.NOT_STARTED
    follow_up: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.status in (MeasureStatus.NOT_STARTED, MeasureStatus.ONGOING)
