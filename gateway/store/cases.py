"""Cases: the snapshot of each, what the case system calls it, and the numbers given out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection as Transaction

from gateway.errors import ConflictError, DependencyDownError, Fault, Finding
from gateway.messages import binding
from gateway.process import SipCase
from gateway.store.tables import case_reference, case_series, sip_case

CHANGED_MEANWHILE = Fault(
    "case.changed-meanwhile",
    "Ärendet ändrades samtidigt av någon annan; försök igen.",
    "The case was changed by someone else at the same time; try again.",
)
SERIES_FULL = Fault(
    "case.series-full", "Partens serie av ärendenummer är slut.", "The party has given out all its case numbers."
)

_NUMBERS_PER_SERIES = 10_000


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as it was read; ``revision`` is 0 for one that is not stored yet."""

    case: SipCase | None
    revision: int = 0


async def load(tx: Transaction, number: str | None) -> StoredCase:
    """Return the case with ``number``, or an empty one."""
    query = select(sip_case.c.snapshot, sip_case.c.revision).where(sip_case.c.case_number == number)
    row = (await tx.execute(query)).first()
    if row is None:
        return StoredCase(None)
    findings: list[Finding] = []
    case = binding.from_json(SipCase, row.snapshot, findings)
    assert case is not None, findings  # the gateway wrote it
    return StoredCase(case, row.revision)


async def save(tx: Transaction, case: SipCase, revision: int, now: datetime) -> int:
    """Store ``case``, which was read at ``revision``, and return its new revision.

    Raises:
        DependencyDownError: someone else has stored it since; worth trying again from the start.
    """
    values = {"state": case.state.value, "snapshot": binding.to_json(case), "revision": revision + 1, "updated_at": now}
    if revision == 0:
        await tx.execute(
            insert(sip_case).values(
                case_number=case.number,
                convener=case.convener,
                person_root=case.person.root,
                person_extension=case.person.extension,
                opened_at=case.opened_at,
                **values,
            )
        )
        return 1
    done = await tx.execute(
        update(sip_case).where(sip_case.c.case_number == case.number, sip_case.c.revision == revision).values(**values)
    )
    if done.rowcount != 1:
        raise DependencyDownError(CHANGED_MEANWHILE.at())
    return revision + 1


async def number_of(tx: Transaction, source: str, reference: str) -> str | None:
    """Return the number of the case that the system behind ``source`` calls ``reference``."""
    query = select(case_reference.c.case_number).where(
        case_reference.c.source == source, case_reference.c.reference == reference
    )
    found: str | None = (await tx.execute(query)).scalar()
    return found


async def refer(tx: Transaction, source: str, reference: str, number: str) -> None:
    """Remember that the system behind ``source`` calls the case ``reference``."""
    await tx.execute(insert(case_reference).values(source=source, reference=reference, case_number=number))


async def next_number(tx: Transaction, series: int) -> str:
    """Give out the next case number of a series of two digits: sequential, and never given out again.

    Raises:
        ConflictError: all ten thousand are given out.
    """
    last = (
        await tx.execute(select(case_series.c.last).where(case_series.c.series == series).with_for_update())
    ).scalar()
    number = 1 if last is None else last + 1
    if number >= _NUMBERS_PER_SERIES:
        raise ConflictError(SERIES_FULL.at())
    if last is None:
        await tx.execute(insert(case_series).values(series=series, last=number))
    else:
        await tx.execute(update(case_series).where(case_series.c.series == series).values(last=number))
    return f"SIP{series:02d}{number:04d}"
