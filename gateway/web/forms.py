"""What the API takes and gives, as forms: names in camelCase, times as RFC 3339 with their offset."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from gateway.clock import STOCKHOLM

Moment = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(STOCKHOLM).isoformat(), return_type=str),
    Field(json_schema_extra={"format": "date-time"}),
]
"""A time that is told, in Swedish time with its offset."""

MOST: int = 200
"""Rows of a page, at most."""


def _whole(given: Any) -> Any:
    """Return a text when it is a number as JSON has it. Raises ``ValueError``."""
    if isinstance(given, str) and not re.fullmatch(r"-?[0-9]{1,9}", given):
        raise ValueError("no whole number")
    return given


class Told(BaseModel):
    """Something the API answers with."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")


def told_as_json(told: BaseModel) -> str:
    """Return what the API answers with, as JSON."""
    return told.model_dump_json(by_alias=True, exclude_none=False)


class Asked(BaseModel):
    """Something the API is asked; what it does not know is refused."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")


class Paged(Asked):
    """Which page is asked for."""

    limit: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=MOST, description="Rows, at most.")] = 50
    cursor: Annotated[
        str | None,
        Field(max_length=100, description="Where the page begins: `next` of the page before."),
    ] = None


class Act(Asked):
    """Something that is to be done by hand: why, and whether it is only to be told what would happen."""

    reason: Annotated[str, Field(min_length=1, max_length=500, description="Why; kept in the audit log.")]
    dry_run: Annotated[bool, Field(description="Only tell what would happen.")] = False


_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS = range(1900, 3000)


def _moment(given: Any) -> Any:
    """Return a text when it is a time in RFC 3339, in a year that a calendar of any zone has. Raises ``ValueError``."""
    if isinstance(given, str) and not (_RFC_3339.fullmatch(given) and int(given[:4]) in _YEARS):
        raise ValueError("no RFC 3339")
    return given


Since = Annotated[
    AwareDatetime | None, BeforeValidator(_moment), Field(description="The earliest, as RFC 3339 with an offset.")
]
Until = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment),
    Field(description="The first that is too late, as RFC 3339 with an offset."),
]


class Reason(Told):
    """One thing that is wrong: a code, and a sentence for staff."""

    code: str
    sv: str
    en: str
    path: str | None = None

    @classmethod
    def of(cls, members: dict[str, Any]) -> Reason:
        """Return the reason that is kept as ``members``."""
        return cls(code=members["code"], sv=members["sv"], en=members["en"], path=members.get("path"))
