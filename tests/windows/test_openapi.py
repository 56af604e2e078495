"""The description of the API is true: of every way through the door, in a form that its readers understand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from windows.site import Site

from gateway.web.openapi import NAMED, document
from gateway.web.route import Kind
from gateway.web.routes import DESCRIBED, ROUTES

DOCUMENT = document(DESCRIBED)
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def schemas() -> Iterator[dict[str, Any]]:
    """Yield every schema of the description that stands by itself."""
    yield from DOCUMENT["components"]["schemas"].values()
    for _, _, operation in OPERATIONS:
        yield from (one["schema"] for one in operation.get("parameters", []))
        for answer in operation["responses"].values():
            yield from (one["schema"] for one in answer.get("content", {}).values())


async def test_the_description_is_served_as_it_is_written_to_everybody(site: Site) -> None:
    async with site.client.get("/openapi.json") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert await answer.json() == DOCUMENT


async def test_every_way_through_the_door_that_is_no_page_is_described(site: Site) -> None:
    pages = {(one.method.lower(), one.path) for one in ROUTES if one.kind is Kind.PAGE}
    there = {
        (route.method.lower(), route.resource.canonical)
        for route in site.door.application().router.routes()
        if route.resource is not None and route.method not in ("HEAD", "*")
    }
    told = {(method, path) for method, path, _ in OPERATIONS}
    assert there - pages - told == {("get", "/static/{hash}/{name}")}
    assert told - there == set()


def test_each_operation_has_a_name_of_its_own_a_tag_that_is_told_and_both_languages() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in DOCUMENT["tags"] if tag["description"] != tag["name"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} - tags == set()
    assert all(" / " in operation["summary"] for _, _, operation in OPERATIONS)


def test_each_name_in_an_address_is_explained() -> None:
    for _, path, operation in OPERATIONS:
        names = re.findall(r"{(\w+)}", path)
        told = [one for one in operation.get("parameters", []) if one["in"] == "path"]
        assert [one["name"] for one in told] == names
        assert all(one["description"] for one in told), path
    used = {name for one in DESCRIBED if one.path.startswith("/api/") for name in re.findall(r"{(\w+)}", one.path)}
    assert used <= set(NAMED)


def test_every_schema_is_one_of_the_2020_12_draft_and_refers_to_what_is_there() -> None:
    for schema in schemas():
        jsonschema_rs.meta.validate(schema | {"$schema": DOCUMENT["jsonSchemaDialect"]})
    for target in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)):
        found: Any = DOCUMENT
        for part in target.split("/"):
            found = found[part]


@pytest.mark.parametrize("status", DOCUMENT["components"]["responses"])
def test_every_no_is_told_as_problem_details(status: str) -> None:
    assert list(DOCUMENT["components"]["responses"][status]["content"]) == ["application/problem+json"]
