"""The HL7 fixtures, and what they become."""

from __future__ import annotations

from pathlib import Path

from case_events import DIRECTORY, EVENTS

from gateway.adapters.hl7_mapping import Hl7Mapping
from gateway.adapters.hl7_translation import translate
from gateway.ports import Translation

HL7_EVENTS = EVENTS / "hl7"
VALID_HL7 = sorted(HL7_EVENTS.glob("valid_*.hl7"))
INVALID_HL7 = sorted(HL7_EVENTS.glob("invalid_*.hl7"))


def hl7_bytes(name: str) -> bytes:
    return (HL7_EVENTS / f"{name}.hl7").read_bytes()


def understood(content: bytes, **mapping: object) -> Translation:
    return translate(content, DIRECTORY, Hl7Mapping(**mapping))


def changed(name: str, old: str, new: str) -> bytes:
    """Return a fixture with one thing in it written otherwise."""
    content = hl7_bytes(name)
    assert content.count(old.encode()) >= 1, old
    return content.replace(old.encode(), new.encode())


def name_of(path: Path) -> str:
    return path.stem
