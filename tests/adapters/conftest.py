"""What the adapter tests share: the directory, an adapter of each kind, and a draft made into a message."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from case_events import MESSAGE_ID, MakeAdapter, MakeMessage

from gateway.adapters.adapter import FolderAdapter
from gateway.adapters.table import ADAPTERS, VOCABULARIES
from gateway.case_number import CaseKind
from gateway.directory import Directory
from gateway.messages import TYPES, Header, Message, Recipient, Sender
from gateway.ports import Draft
from gateway.resources import demo_directory


@pytest.fixture(scope="session")
def directory() -> Directory:
    return Directory.load(demo_directory())


@pytest.fixture
def make_adapter(directory: Directory, tmp_path: Path) -> MakeAdapter:
    """Return an adapter of a kind over a folder of its own, quick to look and quick to give up."""

    def make(kind: str, *, timeout: float = 5.0) -> FolderAdapter:
        path = tmp_path / kind
        path.mkdir(exist_ok=True)
        adapter = ADAPTERS[kind](path, directory, interval=0.01, timeout=timeout)
        assert isinstance(adapter, FolderAdapter)
        return adapter

    return make


@pytest.fixture(scope="session")
def make_message(directory: Directory) -> MakeMessage:
    """Return a draft as a message with the ids the outbox would give.

    Without recipients it goes to a partner, unless its type stays at home.
    """

    def make(draft: Draft, created_at: datetime, message_id: str = MESSAGE_ID) -> Message:
        home = directory.units[draft.unit].party
        partners = [unit.hsa_id for unit in directory.units.values() if unit.party != home]
        kind = TYPES[draft.type]
        default = [] if kind.contract.stays_home else partners[:1]
        return Message(
            draft.type,
            Header(
                message_id=message_id,
                case_number="SIP100001" if CaseKind.SIP in kind.contract.process else "M200001",
                created_at=created_at,
                sender=Sender(party=home, unit=draft.unit, user=draft.user),
                recipients=tuple(
                    Recipient(party=directory.units[unit].party, unit=unit, duty=kind.duty_of(draft.body))
                    for unit in draft.recipients or default
                ),
                in_reply_to=draft.in_reply_to,
                person=draft.person,
            ),
            draft.body,
        )

    return make


@pytest.fixture(params=list(VOCABULARIES))
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
