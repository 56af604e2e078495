"""The event fixtures of the case systems, and what they become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.folder import Folder
from gateway.adapters.table import VOCABULARIES
from gateway.adapters.written_form import as_any
from gateway.directory import Directory
from gateway.messages import Message
from gateway.ports import Draft, Event, Translation
from gateway.resources import demo_directory

EVENTS = Path(__file__).parents[2] / "fixtures" / "events"
MESSAGE_ID = "0b7c1f2e-1111-4222-8333-444455556666"
EARLIER = "5f0e8c1a-3b7d-4c52-9a64-0d1e2f3a4b5c"
"""The message that the events answer or are about."""

SOCIAL, MUNICIPAL_HEALTH, SCHOOL = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN", "SE2120001355-ELEVHALSAN"
CENTRE, PSYCHIATRY, WARD = "SE2321000131-E000000000101", "SE2321000131-E000000000202", "SE2321000131-E000000000303"

MakeMessage = Callable[..., Message]
MakeAdapter = Callable[..., FolderAdapter]

DIRECTORY = Directory.load(demo_directory())


def translator(kind: str) -> FolderAdapter:
    """Return an adapter that can translate and has no folder."""
    return FolderAdapter(VOCABULARIES[kind], Folder(Path("nowhere"), source=kind), DIRECTORY)


def translate(kind: str, path: Path) -> Translation:
    return translator(kind).translate(Event(source=kind, content=path.read_bytes()))


def draft_of(kind: str, name: str) -> Draft:
    """Return what the valid event called ``name`` becomes."""
    (draft,) = translate(kind, EVENTS / kind / f"valid_{name}.json").drafts
    return draft


def json_events(kind: str) -> list[Path]:
    """Return the valid events of a kind that are JSON in UTF-8, with or without a byte-order mark."""
    return [path for path in sorted((EVENTS / kind).glob("valid_*.json")) if not path.stem.endswith("latin-1")]


def sent_at(kind: str, path: Path) -> datetime:
    """Return when the outbox would have made messages of an event: soon after it happened."""
    event = Event(source=kind, content=path.read_bytes())
    return VOCABULARIES[kind].in_form(as_any).told_at(event, DIRECTORY) + timedelta(minutes=5)


def messages_of(kind: str, make_message: MakeMessage) -> list[Message]:
    """Return the messages of the valid events of a kind, each with an id of its own."""
    return [
        make_message(draft, sent_at(kind, path), f"{MESSAGE_ID[:-4]}{number:04x}")
        for number, path in enumerate(sorted((EVENTS / kind).glob("valid_*")))
        for draft in translate(kind, path).drafts
    ]


def message_to(kind: str, make_message: MakeMessage) -> Message:
    """Return a message for a unit whose system speaks ``kind``: a call from the other party."""
    partner = "journal" if kind == "treserva" else "treserva"
    return next(message for message in messages_of(partner, make_message) if message.type == "meetingBooking")
