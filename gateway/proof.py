"""Proof packs: what shows how far a message got, as an archive that somebody else can check.

It has the rows of the ledger, the history, the verdicts of recipients and the answers that were given, with ids, times,
codes and checksums, and says nothing about the person; what the message says is in it only where that is asked for.
``manifest.json`` has the SHA-256 of every other file, and where the audit log ended when the pack was made: with an
anchor like that, ``gateway audit verify --anchor`` shows later that nothing before it was changed.

The same state gives the same bytes: nothing is compressed, and no file has a time of its own.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from gateway import __version__
from gateway.audit import Anchor
from gateway.clock import STOCKHOLM
from gateway.errors import InvalidDocumentError
from gateway.items import Item, ItemKind
from gateway.ledger import Dispatch, Inbound
from gateway.lifecycle import InState
from gateway.messages import parse_xml
from gateway.messages.description import camel
from gateway.store import Transaction, audit, decisions, one_message
from gateway.store.decisions import Decided
from gateway.store.one_message import KeptMessage, Written
from gateway.store.verdicts import Verdict

FORMAT: Final = "sip-gateway-proof-1"
"""What the manifest calls itself; another number means that something in it means something else."""

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP archive can tell: stands where there is none."""

_README: Final = """\
BEVIS / PROOF

Filerna visar hur långt ett meddelande har kommit.
The files show how far a message got.

manifest.json  Vad som ligger här, med SHA-256 för varje fil, och var granskningsloggen slutade (audit).
               What is here, with the SHA-256 of each file, and where the audit log ended (audit).
ledger.json    En rad per mottagare: läge, nivåernas tider, försök, post-id i mottagarens system, kontrollsumma.
               A row for each recipient: state, times of the levels, tries, record id there, checksum.
history.json   Varje försök och varje ändring av läget, i ordning.
               Each try and each change of state, in order.
verdicts.json  Vad mottagare har svarat på varje nivå, med kvittensernas id.
               What recipients answered at each level, with the ids of their acknowledgements.
answers.json   Vilka kvittenser den här parten har lämnat, och hur långt de kom.
               Which acknowledgements this party gave, and how far they got.
decisions.json Vad någon har beslutat för hand, när och varför.
               What somebody decided by hand, when and why.

Kontroll / Check: sha256sum FILE; gateway audit verify --anchor NUMBER:HASH
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An archive, the unit (HSA-id) whose message it is about, and its case."""

    content: bytes
    unit: str
    case_number: str


async def proof_of(
    tx: Transaction, message_id: str, units: frozenset[str] | None, *, party: str, with_content: bool = False
) -> Proof | None:
    """Return the proof pack of a message as far as it is of ``units``; ``None`` where none of it is.

    What was taken back or misdirected is not to be read, and is not in it even ``with_content``.
    """
    kept = await one_message.kept(tx, message_id, units)
    if kept is None:
        return None
    decided = {item: await decisions.about(tx, item) for item in _items(kept)}
    files = _files(kept, decided, with_content=with_content)
    head = kept.wrote or kept.came[0]
    said = {
        "format": FORMAT,
        "gateway": __version__,
        "party": party,
        "units": sorted(units) if units is not None else None,
        "messageId": message_id,
        "type": head.type,
        "caseNumber": head.case_number,
        "withContent": "message.xml" in files,
        "audit": _anchor(await audit.end(tx)),
        "files": [
            {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for name, content in files.items()
        ],
    }
    archive = _archive({"manifest.json": _json(said), **files})
    unit = kept.wrote.sender_unit if kept.wrote is not None else kept.came[0].unit
    return Proof(content=archive, unit=unit, case_number=head.case_number)


def _items(kept: KeptMessage) -> list[Item]:
    return [
        *(Item(ItemKind.SENT, row.id) for row in kept.sent),
        *(Item(ItemKind.RECEIVED, row.id) for row in kept.came),
    ]


def _files(kept: KeptMessage, decided: Mapping[Item, Sequence[Decided]], *, with_content: bool) -> dict[str, bytes]:
    files = {
        "README.txt": _README.encode(),
        "ledger.json": _json({"sent": _sent(kept), "received": [_came(row) for row in kept.came]}),
        "history.json": _json([_members(line._asdict()) for line in kept.life]),
        "verdicts.json": _json([_verdict(one) for one in kept.verdicts]),
        "answers.json": _json([_answer(written, row) for written, row in kept.answers]),
        "decisions.json": _json(
            [
                _members(
                    {"item": str(item), **{name: getattr(one, name) for name in ("decision", "at", "by", "reason")}}
                )
                for item, some in decided.items()
                for one in some
            ]
        ),
    }
    readable = kept.wrote or next((one for one in kept.came if one.state not in _WITHDRAWN), None)
    if with_content and readable is not None:
        files["message.xml"] = readable.xml
    return files


_WITHDRAWN = (InState.RETRACTED, InState.MISDIRECTED)
_ROW = ("message_id", "type", "case_number", "party", "unit", "duty", "state", "attempts", "sequence")
_CLOCKS = ("received_at", "registered_at", "acknowledged_at", "record_id", "due_at", "owner", "discarded_at")
_SENT = (*_ROW, "created_at", "queued_at", "sent_at", *_CLOCKS, "outcome")
_CAME = (*_ROW, "sender_unit", *_CLOCKS, "duplicates", "content_hash")


def _sent(kept: KeptMessage) -> list[dict[str, Any]]:
    if kept.wrote is None:
        return []
    common = {"contentHash": kept.wrote.content_hash, "senderUnit": kept.wrote.sender_unit}
    return [{**_row(row, _SENT), **common, "inReplyTo": kept.wrote.in_reply_to} for row in kept.sent]


def _came(row: Inbound) -> dict[str, Any]:
    return {**_row(row, _CAME), "codes": _codes(row.findings or ())}


def _row(row: Dispatch | Inbound, names: Sequence[str]) -> dict[str, Any]:
    return _members({name: getattr(row, name) for name in names})


def _verdict(one: Verdict) -> dict[str, Any]:
    """Return a verdict with the codes of its reasons: their sentences are what a partner chose to write."""
    said = _members({name: getattr(one, name) for name in one.__slots__ if name != "reasons"})
    return {**said, "codes": _codes(one.reasons)}


def _codes(findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: one[name] for name in ("code", "path", "line") if name in one} for one in findings]


def _answer(written: Written, row: Dispatch) -> dict[str, Any]:
    """Return what an acknowledgement says of the message, and how far it got itself; nobody by name."""
    told = {
        "acknowledgementId": written.message_id,
        "unit": written.sender_unit,
        "to": row.unit,
        "contentHash": written.content_hash,
        "createdAt": _text(written.created_at),
        "state": row.state.value,
        "sentAt": _text(row.sent_at),
    }
    try:
        body = parse_xml(written.xml).body
    except InvalidDocumentError:  # kept by an earlier version, and still known by its checksum
        return told
    said = ("level", "outcome", "at", "record_id")
    return told | _members({name: getattr(body, name) for name in said}) | {"codes": [one.code for one in body.reasons]}


def _members(values: Mapping[str, Any]) -> dict[str, Any]:
    return {camel(name): _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    """Return a value as JSON has it: times with the offset that Sweden had then."""
    if isinstance(value, datetime):
        return value.astimezone(STOCKHOLM).isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _anchor(end: Anchor) -> dict[str, Any]:
    return {"number": end.number, "hash": end.hash}


def _json(said: Any) -> bytes:
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    """Return the files as a ZIP archive, in their order."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # the same wherever it is made
            archive.writestr(entry, content)
    return whole.getvalue()
