"""*Fel*: what waits for a person, grouped by cause, what is known about each cause, and what can be done about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from gateway.access import Right
from gateway.errors import CaseRuleError
from gateway.failure_notes import write_note
from gateway.items import ItemKind
from gateway.store import operations
from gateway.store.failed import Cause, FailedItem
from gateway.web.conversation import title_of
from gateway.web.failure_reading import GroupsAsked, group_id, group_in, group_shown, groups_of
from gateway.web.failure_words import KIND_WORDS, cause_words, code_shown
from gateway.web.forms import Paged
from gateway.web.operation_words import ACTION_WORDS, OPERATION_WORDS
from gateway.web.page import page, to
from gateway.web.route import Route, Scope
from gateway.web.state_words import word_of
from gateway.web.visit import Visit

LATEST: Final = 5
"""How many operations stand below the failures."""
NOT_TRIED: Final = frozenset({ItemKind.PARKED, ItemKind.UNEXPECTED})
"""Kinds that nothing can be tried again with: whoever sent them has been told, and has to send anew."""


async def failures(visit: Visit) -> web.Response:
    """Answer with a page of the groups."""
    asked: GroupsAsked = visit.query
    found = await groups_of(visit, asked)
    async with visit.window.context.store.reading() as tx:
        latest = await operations.page(tx, LATEST, units=visit.units)
    return page(
        visit,
        "failures.html",
        groups=found.groups,
        latest=latest.operations,
        action_of=ACTION_WORDS.__getitem__,
        state_of=OPERATION_WORDS.__getitem__,
        asked=asked,
        next=f"/failures?{urlencode({'cursor': found.next, 'limit': asked.limit})}" if found.next else None,
        **words(visit),
    )


async def failure(visit: Visit) -> web.Response:
    """Answer with one group."""
    return await _group(visit, visit.query)


async def _group(visit: Visit, asked: Paged, status: HTTPStatus = HTTPStatus.OK, **shown: Any) -> web.Response:
    found = await group_shown(visit, asked)
    here = f"/failures/{group_id(found.group.cause)}"
    return page(
        visit,
        "failure.html",
        status,
        **{"findings": (), "written": None} | shown,
        shown=found,
        group=found.group,
        can_be_tried=found.group.cause.kind not in NOT_TRIED,
        can_be_discarded=found.group.cause.kind is not ItemKind.NOTE,
        asked=asked,
        address=here,
        next=f"{here}?{urlencode({'cursor': found.next, 'limit': asked.limit})}" if found.next else None,
        title_of_type=title_of,
        link_of=link_of,
        word_of=_word,
        **words(visit),
    )


async def note(visit: Visit) -> web.Response:
    """Keep what somebody writes about a group."""
    async with visit.window.context.store.reading() as tx:
        group = await group_in(tx, visit)
    text = visit.form.one("text")
    try:
        await write_note(visit.window.context, group.cause, text, by=visit.who)
    except CaseRuleError as error:
        return await _group(visit, Paged(), HTTPStatus.UNPROCESSABLE_ENTITY, findings=error.findings, written=text)
    return to(f"/failures/{group_id(group.cause)}#note")


def words(visit: Visit) -> dict[str, Any]:
    """Return what templates say failures with."""
    directory = visit.window.context.directory

    def party(cause: Cause) -> str:
        known = directory.parties.get(cause.party)
        return known.title if known is not None else code_shown(cause.party) or "–"

    return {
        "kind_words": KIND_WORDS,
        "cause_words": cause_words,
        "code_shown": code_shown,
        "group_id": group_id,
        "party": party,
    }


def _word(one: FailedItem) -> object:
    if one.state is None or one.item.kind not in (ItemKind.SENT, ItemKind.RECEIVED):
        return None
    return word_of(one.state, came=one.item.kind is ItemKind.RECEIVED)


def link_of(kind: ItemKind, message_id: str | None) -> str | None:
    """Return where the message that an item is may be looked at; ``None`` where it is none."""
    is_message = kind in (ItemKind.SENT, ItemKind.RECEIVED) and message_id is not None
    return f"/messages/{message_id}" if is_message else None


ROUTES = (
    Route.page(
        "GET",
        "/failures",
        failures,
        "Fel: vad som behöver en människa, per orsak.",
        "Failures: what needs a person, by cause.",
        query=GroupsAsked,
    ),
    Route.page(
        "GET",
        "/failures/{group}",
        failure,
        "Felen av en orsak, vad som är känt om dem, och vad som kan göras.",
        "The failures of one cause, what is known about them, and what can be done.",
        query=Paged,
    ),
    Route.page(
        "POST",
        "/failures/{group}/note",
        note,
        "Antecknar vad som är känt om en orsak.",
        "Notes what is known about a cause.",
        right=Right.DISCARD,
        scope=Scope.PARTY,
    ),
)
