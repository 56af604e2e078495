"""A meeting: when it is, where or how one takes part, who came, and who sees to the next. Shared by several types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.clock import local_date
from gateway.messages.model import Principal, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time a meeting could be held."""

    start: datetime
    end: datetime

    @property
    def ends_after_start(self) -> bool:
        """Whether the slot has a length at all."""
        return self.end > self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting(Slot):
    """A SIP meeting: its time, and the place, the link or the telephone number through which one attends."""

    place: str | None = None
    online_link: str | None = None
    phone: str | None = None

    @property
    def day(self) -> date:
        """The calendar day in Sweden on which the meeting begins."""
        return local_date(self.start)

    @property
    def can_be_attended(self) -> bool:
        """Whether it says where to go, what to open or which number to ring."""
        return not (self.place is self.online_link is self.phone is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallResponsible:
    """The principal with the overall responsibility, its unit (HSA-id), and who there calls the follow-up."""

    principal: Principal
    unit: str
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpDate:
    """The day and the place of the follow-up, which every SIP has ("Göteborgs Stads rutin för SIP")."""

    on: date
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """Someone called to the meeting, for which unit (HSA-id) and principal, and whether they came."""

    name: str
    role: str
    unit: str | None = None
    principal: Principal | None = None
    present: bool
