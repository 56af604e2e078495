"""What became of each thing that somebody did something to by hand, as the API tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gateway.actions import Result
from gateway.web.forms import Reason, Told


class ResultTold(Told):
    """What became of one: done, or what would be done in a dry run; or why it was refused."""

    item: Annotated[str, Field(description="What it was done to, by kind and number, such as `received:17`.")]
    message_id: str | None
    outcome: Annotated[str, Field(description="`done`, `would-be-done` or `refused`.")]
    sv: str | None
    en: str | None
    findings: list[Reason]


class ResultsTold(Told):
    """What became of each."""

    results: list[ResultTold]

    @classmethod
    def of(cls, results: Sequence[Result]) -> ResultsTold:
        """Return what became of each, to be told."""
        return cls(
            results=[
                ResultTold(
                    item=str(one.item),
                    message_id=one.message_id,
                    outcome=one.outcome,
                    sv=one.said.sv if one.said is not None else None,
                    en=one.said.en if one.said is not None else None,
                    findings=[Reason.of(finding.as_json()) for finding in one.findings],
                )
                for one in results
            ]
        )
