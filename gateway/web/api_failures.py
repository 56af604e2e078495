"""Failures over the API: groups by cause, the items of each, and what is noted about them. No person is shown."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from gateway.access import Right
from gateway.failure_notes import write_note
from gateway.store.failed import FailedItem, Group, GroupNote
from gateway.web.failure_reading import GroupsAsked, group_id, group_in, group_shown, groups_of
from gateway.web.failure_words import cause_words
from gateway.web.forms import Asked, Moment, Paged, Told
from gateway.web.route import Route, Scope
from gateway.web.visit import Visit


class NoteKept(Told):
    """That somebody has written about a cause; what they wrote is not repeated, since this answer is kept."""

    at: Moment
    by: str


class NoteTold(NoteKept):
    """What somebody has written about a cause."""

    text: str

    @classmethod
    def of(cls, note: GroupNote) -> NoteTold:
        """Return a note, to be told."""
        return cls(text=note.text, at=note.at, by=note.by)


class GroupTold(Told):
    """The failures of one cause."""

    id: Annotated[str, Field(description="What the group is known by; its parts are in the other members.")]
    kind: Annotated[str, Field(description="What has failed, such as `sent` or `event`.")]
    code: str
    party: Annotated[str, Field(description="The partner, or the adapter of an event; may be empty.")]
    sv: Annotated[str, Field(description="What the code means.")]
    en: str
    count: int
    more: Annotated[bool, Field(description="Whether there are more than were counted.")]
    first_at: Moment
    last_at: Moment
    note: Annotated[NoteTold | None, Field(description="The last note; for those who see all units.")]

    @classmethod
    def of(cls, group: Group) -> GroupTold:
        """Return a group, to be told."""
        sv, en = cause_words(group.cause)
        return cls(
            id=group_id(group.cause),
            kind=group.cause.kind.value,
            code=group.cause.code,
            party=group.cause.party,
            sv=sv,
            en=en,
            count=group.count,
            more=group.more,
            first_at=group.first_at,
            last_at=group.last_at,
            note=NoteTold.of(group.note) if group.note is not None else None,
        )


class GroupsTold(Told):
    """A page of groups, the one with the newest failure first."""

    groups: list[GroupTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class FailedTold(Told):
    """One failure; what it has not got is null."""

    item: Annotated[str, Field(description="Its kind and number, as operations take it.")]
    at: Moment
    message_id: str | None
    type: str | None
    case_number: str | None
    own_unit: str | None
    unit: str | None
    state: str | None

    @classmethod
    def of(cls, one: FailedItem) -> FailedTold:
        """Return a failure, to be told."""
        return cls(
            item=str(one.item),
            at=one.at,
            message_id=one.message_id,
            type=one.type,
            case_number=one.case_number,
            own_unit=one.own_unit,
            unit=one.unit,
            state=one.state,
        )


class GroupInFull(Told):
    """One group, and a page of its items, the newest first."""

    group: GroupTold
    items: list[FailedTold]
    next: Annotated[str | None, Field(description="The `cursor` of the next page; null where there is no more.")]


class NoteAsked(Asked):
    """What is known or done about a cause."""

    text: Annotated[str, Field(min_length=1, max_length=500, description="No names and no person numbers.")]


async def failures(visit: Visit) -> GroupsTold:
    """Answer with a page of the groups."""
    asked: GroupsAsked = visit.query
    found = await groups_of(visit, asked)
    return GroupsTold(groups=[GroupTold.of(one) for one in found.groups], next=found.next)


async def failure(visit: Visit) -> GroupInFull:
    """Answer with one group."""
    found = await group_shown(visit, visit.query)
    items = [FailedTold.of(one) for one in found.items]
    return GroupInFull(group=GroupTold.of(found.group), items=items, next=found.next)


async def note(visit: Visit) -> NoteKept:
    """Keep what somebody writes about a group."""
    asked: NoteAsked = visit.body
    async with visit.window.context.store.reading() as tx:
        group = await group_in(tx, visit)
    kept = await write_note(visit.window.context, group.cause, asked.text, by=visit.who)
    return NoteKept(at=kept.at, by=kept.by)


ROUTES = (
    Route.api(
        "GET",
        "/api/v1/failures",
        failures,
        "Vad som har gått fel, per orsak.",
        "What has failed, by cause.",
        query=GroupsAsked,
        returns=GroupsTold,
    ),
    Route.api(
        "GET",
        "/api/v1/failures/{group}",
        failure,
        "Felen av en orsak, de nyaste först.",
        "The failures of one cause, the newest first.",
        query=Paged,
        returns=GroupInFull,
    ),
    Route.api(
        "POST",
        "/api/v1/failures/{group}/note",
        note,
        "Antecknar vad som är känt om en orsak.",
        "Notes what is known about a cause.",
        right=Right.DISCARD,
        scope=Scope.PARTY,
        body=NoteAsked,
        returns=NoteKept,
        refuses=(HTTPStatus.UNPROCESSABLE_ENTITY,),
    ),
)
