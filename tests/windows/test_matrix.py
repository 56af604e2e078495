"""Every way in, by whoever comes: who is let in follows from right and scope, and no unit sees what is another's.

The routes are those of the table, so that a new one is tried as soon as it is there. What cannot be made up (an object
of a new kind in an address, a field that a form must have) stands in the tables here, and is missed when it does not.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import Any, Final, get_args

import aiohttp
import pytest
from pydantic import BaseModel
from windows.site import Site
from windows.two_units import Belongings, two_units

from gateway.access import RIGHTS, Right, Role
from gateway.web.route import Kind, Route, Scope
from gateway.web.routes import ROUTES

FIELDS: Final[dict[str, str]] = {"reason": "prov av behörighet"}
"""What is sent where a form or a query must have it, by name."""
OF_THE_PARTY: Final[dict[str, Sequence[str]]] = {"adapter": ["treserva"], "party": ["region"], "group": ["x"]}
"""What may stand in the address of what is no single unit's, by name."""
OPEN: Final[dict[str, Sequence[str]]] = {"hash": ["x"], "name": ["x.css"], "value": ["x"]}
"""What may stand in an address that is open, by name."""
LACKING: Final = {"web.forged", "access.form-refused", "http.idempotency-key", "http.media-type"}
"""What is told to whoever may do something, and sends nothing that would let it be done."""


def objects_of(unit: Belongings) -> Mapping[str, Sequence[str]]:
    """Return what may stand in the address of what is a unit's, by name."""
    return {"id": unit.messages, "number": unit.cases, "group": unit.failures, "operation": unit.operations}


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def codes(self) -> set[str]:
        """Return the codes of what was wrong."""
        pairs = re.findall(r'"code":\s*"([a-z.-]+)"|<code>([a-z]+\.[a-z.-]+)</code>', self.text)
        return {in_json or on_page for in_json, on_page in pairs}


@dataclass(slots=True)
class Caller:
    """Somebody who comes: with a session to pages, with a token to the API; or with nothing."""

    client: aiohttp.ClientSession
    role: Role | None
    units: frozenset[str] | None
    bearer: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    fields: dict[str, str] = field(default_factory=lambda: FIELDS)

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} of {', '.join(self.units) if self.units is not None else 'all units'}"

    async def ask(self, route: Route, path: str, **options: Any) -> Answered:
        """Ask for something as it stands."""
        headers = dict(options.pop("headers", {})) | (self.bearer if route.kind is Kind.API else {})
        async with self.client.request(route.method, path, headers=headers, allow_redirects=False, **options) as answer:
            is_endless = answer.content_type == "text/event-stream"
            content = b"" if is_endless else await answer.read()
            return Answered(answer.status, answer.headers, content.decode("utf-8", "replace"))

    async def send(self, route: Route, path: str, **query: str) -> Answered:
        """Ask for something with all that the route must have."""
        if route.kind is Kind.PAGE and route.method == "POST":
            return await self.ask(route, path, data=FIELDS | {"csrf": self.csrf, "back": "/"})
        options = {"json": must_have(route.body, self.fields)} if route.body is not None else {}
        return await self.ask(route, path, params=must_have(route.query, self.fields) | query, **options)


@dataclass(slots=True)
class Cast:
    """Everybody who comes, each made known when they first do, and what is whose."""

    site: Site
    stack: AsyncExitStack
    one: Belongings
    other: Belongings
    known: dict[tuple[Role | None, frozenset[str] | None], Caller] = field(default_factory=dict)

    async def caller(self, role: Role | None, unit: Belongings | None = None) -> Caller:
        """Return somebody in a role, who sees one unit or all."""
        units = frozenset({unit.unit}) if unit is not None else None
        if (role, units) not in self.known:
            jar = aiohttp.CookieJar(unsafe=True)
            client = await self.stack.enter_async_context(aiohttp.ClientSession(self.site.url, cookie_jar=jar))
            made = self.known[role, units] = Caller(client, role, units)
            mine = self.other if units == {self.other.unit} else self.one
            made.fields = FIELDS | {"target": mine.messages[0]}
            if role is not None:
                made.bearer = await self.site.bearer(role, units)
                async with client.post(await self.site.link(role, units), data={}) as answer:
                    shown = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
                assert shown is not None
                made.csrf = shown[1]
        return self.known[role, units]

    async def somebody(self, right: Right | None, unit: Belongings | None = None) -> Caller:
        """Return somebody who has a right, over one unit or over all."""
        roles = (role for role in (Role.OPERATOR, *Role) if right is None or right in RIGHTS[role])
        return await self.caller(next(roles), unit)

    async def everybody(self) -> list[Caller]:
        """Return everybody who tries every way in."""
        return [
            await self.caller(None),
            await self.caller(Role.READER, self.one),
            await self.caller(Role.OPERATOR, self.one),
            await self.caller(Role.OPERATOR, self.other),
            await self.caller(Role.AUDITOR),
            await self.caller(Role.ADMINISTRATOR),
            await self.caller(Role.OPERATOR),
        ]


@pytest.fixture
async def cast(site: Site) -> AsyncIterator[Cast]:
    async with AsyncExitStack() as stack:
        yield Cast(site, stack, *await two_units(site))


def must_have(form: type[BaseModel] | None, known: Mapping[str, str]) -> dict[str, str]:
    """Return what a form must have."""
    fields = form.model_fields.items() if form is not None else ()
    return {one.alias or name: known[one.alias or name] for name, one in fields if one.is_required()}


def parts(route: Route) -> list[str]:
    """Return the names of what stands in the address of a route."""
    return re.findall(r"{(\w+)}", route.path)


def addresses(route: Route, unit: Belongings) -> list[str]:
    """Return the addresses of a route, one for each object of ``unit``, or of nobody in particular."""
    objects = {Scope.OPEN: OPEN, Scope.PARTY: OF_THE_PARTY, Scope.UNITS: objects_of(unit)}[route.scope]
    names = parts(route)
    assert set(names) <= set(objects), f"{route.path}: say in a table of this module what may stand there"
    count = max((len(objects[name]) for name in names), default=1)
    one_each = ({name: objects[name][place % len(objects[name])] for name in names} for place in range(count))
    return [route.path.format(**names) for names in one_each]


def questions(route: Route, unit: Belongings) -> list[dict[str, str]]:
    """Return how a list may be asked for: by each choice that it has, and for another unit."""
    found: list[dict[str, str]] = [{}]
    for name, one in route.query.model_fields.items() if route.query is not None else ():
        kinds = [kind for kind in (one.annotation, *get_args(one.annotation)) if isinstance(kind, type)]
        choices = chain.from_iterable(kind for kind in kinds if issubclass(kind, Enum))
        found += [{one.alias or name: str(choice.value)} for choice in choices]
        found += [{name: unit.unit}] if name == "unit" else []
    return found


def expected(route: Route, caller: Caller) -> str:
    """Return what is to become of whoever comes."""
    if route.right is None:
        return "open"
    if caller.role is None:
        return "not known"
    is_for_others = route.scope is Scope.PARTY and caller.units is not None
    return "refused" if is_for_others or route.right not in RIGHTS[caller.role] else "let in"


async def became(route: Route, caller: Caller, path: str) -> str:
    """Return what becomes of whoever comes. Nothing is done: what is sent lacks what would let it be done."""
    if route.method == "GET":
        answered, let_in = await caller.send(route, path), 200
    elif route.kind is Kind.PAGE:
        answered, let_in = await caller.ask(route, path, data=FIELDS), 403
    else:
        assert route.body is not None or route.repeatable, f"{route.name}: how is it tried without doing it?"
        answered, let_in = await caller.ask(route, path, data=b"-", headers={"Idempotency-Key": "not a key"}), 400
    if answered.status == 401 or answered.headers.get("Location", "").startswith("/login?"):
        return "not known"
    if answered.status == 403 and answered.codes == {"access.refused"}:
        return "refused"
    if route.right is None and answered.status < 500:
        return "open"
    is_let_in = answered.status == let_in and (let_in == 200 or answered.codes <= LACKING)
    return "let in" if is_let_in else f"{answered.status} {answered.codes}"


async def test_who_is_let_in_follows_from_right_and_scope(cast: Cast) -> None:
    wrong = []
    for route in ROUTES:
        for caller in await cast.everybody():
            if route.right is None and route.method != "GET" and caller.role is not None:
                continue  # they would log out, or become somebody else
            unit = cast.other if caller.units == {cast.other.unit} else cast.one
            path = addresses(route, unit)[0]
            should, found = expected(route, caller), await became(route, caller, path)
            if found != should:
                wrong.append((route.method, route.path, str(caller), should, found))
    assert wrong == []


async def test_a_form_that_does_not_repeat_what_its_page_was_given_is_refused(cast: Cast) -> None:
    wrong = []
    for route in ROUTES:
        if route.kind is not Kind.PAGE or route.method == "GET":
            continue
        caller = await cast.somebody(route.right)
        path = addresses(route, cast.one)[0]
        right = {"data": FIELDS | {"csrf": caller.csrf}}
        tries = [await caller.ask(route, path, **right, headers={"Sec-Fetch-Site": "cross-site"})]
        tries.append(await caller.ask(route, path, **right, headers={"Origin": "https://elsewhere.example"}))
        if route.right is not None:
            tries.append(await caller.ask(route, path, data=FIELDS))
            tries.append(await caller.ask(route, path, data=FIELDS | {"csrf": "x"}))
        told = {"web.forged"}, {"access.form-refused"}
        wrong += [(route.path, one.status, one.codes) for one in tries if one.status != 403 or one.codes not in told]
    assert wrong == []


async def test_what_is_of_another_unit_is_as_if_it_were_not_there(cast: Cast) -> None:
    wrong = []
    for route in ROUTES:
        if route.scope is not Scope.UNITS or not parts(route):
            continue
        caller = await cast.somebody(route.right, cast.one)
        owner = await cast.somebody(route.right, cast.other)
        for path in addresses(route, cast.other):
            answered = await caller.send(route, path)
            if answered.status != 404 or answered.codes != {"web.not-found"}:
                wrong.append((route.method, path, answered.status, answered.codes))
            if route.method == "GET" and (found := await owner.send(route, path)).status != 200:
                wrong.append((route.method, path, found.status, found.codes))
    assert wrong == []


async def test_no_list_names_what_is_of_another_unit(cast: Cast) -> None:
    wrong, shown = [], set()
    for route in ROUTES:
        if route.scope is not Scope.UNITS or route.method != "GET" or parts(route):
            continue
        caller, everybody = await cast.somebody(route.right, cast.one), await cast.somebody(route.right)
        for question in questions(route, cast.other):
            answered = await caller.send(route, route.path, **question)
            wrong += [(route.path, question, one) for one in cast.other.ids if one in answered.text]
            whole = await everybody.send(route, route.path, **question)
            shown |= {one for one in cast.other.ids if one in whole.text}
            assert (answered.status, whole.status) == (200, 200), (route.path, question, answered.text)
    assert wrong == []
    assert shown == {*cast.other.ids}
