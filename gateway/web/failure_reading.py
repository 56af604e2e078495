"""Failures as they are looked at: groups by cause, each under an id that nobody need take apart, and their items."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from gateway.items import ItemKind
from gateway.store import Transaction, failed
from gateway.store.failed import Cause, FailedItem, Group, GroupNote, Place
from gateway.web import cursor
from gateway.web.forms import Paged
from gateway.web.refusals import NOT_FOUND, NotFoundError
from gateway.web.visit import Visit

LONGEST_ID: Final = 500
"""Characters of an id, at most; none of ours is as long."""


class GroupsAsked(Paged):
    """Which page of the groups is asked for."""

    limit: Annotated[int, Field(ge=1, le=200, description="Groups, at most.")] = 50


@dataclass(frozen=True, slots=True)
class GroupsPage:
    """Groups, the one with the newest failure first, and the cursor of the next page; ``None`` where there is none."""

    groups: Sequence[Group]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupShown:
    """One group, a page of its items, and what has been written about it, the newest first.

    ``notes`` are for those who see all units: they may be about anyone.
    """

    group: Group
    items: Sequence[FailedItem]
    notes: Sequence[GroupNote]
    next: str | None


def group_id(cause: Cause) -> str:
    """Return the id of the group of a cause."""
    told = json.dumps([cause.kind.value, cause.code, cause.party], separators=(",", ":"))
    return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def cause_of(group: str) -> Cause:
    """Return the cause whose group has an id. Raises :class:`NotFoundError`."""
    try:
        if len(group) > LONGEST_ID:
            raise ValueError
        kind, code, party = json.loads(urlsafe_b64decode(group + "=" * (-len(group) % 4)))
        cause = Cause(kind=ItemKind(kind), code=code, party=party)
        if group_id(cause) != group or not isinstance(code, str) or not isinstance(party, str) or "\0" in code + party:
            raise ValueError
        (code + party).encode()  # half a character (a lone surrogate) is a UnicodeEncodeError
    except (ValueError, TypeError, RecursionError):
        raise NotFoundError(NOT_FOUND.at()) from None
    return cause


async def groups_of(visit: Visit, asked: GroupsAsked) -> GroupsPage:
    """Return a page of the groups that whoever asks may see. Raises :class:`~gateway.errors.UsageError`."""
    first = cursor.place_of(asked.cursor) or 0
    async with visit.window.context.store.reading() as tx:
        found = await failed.groups(tx, visit.now, units=visit.units)
    last = first + asked.limit
    return GroupsPage(found[first:last], cursor.written(last) if len(found) > last else None)


async def group_in(tx: Transaction, visit: Visit) -> Group:
    """Return the group that the address names, as far as whoever asks may see it. Raises :class:`NotFoundError`."""
    group = await failed.group_of(tx, cause_of(visit.named("group")), visit.now, units=visit.units)
    if group is None:
        raise NotFoundError(NOT_FOUND.at())
    return group


async def group_shown(visit: Visit, asked: Paged) -> GroupShown:
    """Return the group that the address names with a page of its items.

    Raises:
        NotFoundError: there is none that may be seen.
        UsageError: no page begins so.
    """
    before = _place_in(asked.cursor)
    async with visit.window.context.store.reading() as tx:
        group = await group_in(tx, visit)
        found = await failed.of_group(tx, group.cause, visit.now, asked.limit, units=visit.units, before=before)
        notes = await failed.notes_of(tx, group.cause) if visit.units is None else []
    following = (
        cursor.written_of(cursor.number_of(found.next.at), found.next.number) if found.next is not None else None
    )
    return GroupShown(group=group, items=found.items, notes=notes, next=following)


def _written(place: Place | None) -> str | None:
    return cursor.written_of(cursor.number_of(place.at), place.number) if place is not None else None


def _place_in(written: str | None) -> Place | None:
    if written is None:
        return None
    at, number = cursor.places_of(written, 2)
    return Place(cursor.time_of(at), number)
