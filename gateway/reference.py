"""The reference pages, rendered from what the code itself obeys: message types, states, the case, and fault codes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import gateway
from gateway.errors import FAULTS
from gateway.lifecycle import IN, OUT
from gateway.messages import TYPES, Duty
from gateway.process import TRANSITIONS
from gateway.replay.scenario import Scenario, scenario_names

_DUTIES = {Duty.NOTIFY: "Notifiering", Duty.ACKNOWLEDGE: "Kvittera", Duty.REPLY: "Svara"}
_MADE_BY = "Written by `make docs`; change the code, not this page."


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    titles = list(headings)
    return "\n".join(["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles), *lines])


def messages_page() -> str:
    """Return the page of message types: the contract of each, and the rules beyond its schema."""
    parts = [f"# Message types\n\n{_MADE_BY}\n\nSchemas: `schemas/<type>.xsd`. Examples: `fixtures/messages/`."]
    for name, kind in TYPES.items():
        contract = kind.contract
        facts = [
            ("Sent by", ", ".join(sorted(contract.senders))),
            ("Duty of the recipient", f"{contract.duty} ({_DUTIES[contract.duty]})"),
            ("Deadline", f"{contract.deadline or '–'} ({contract.deadline_source})"),
            ("Consent needed for", contract.consent or "–"),
            ("Names the person", "yes" if contract.carries_person else "no"),
            ("May stay with the own party", "yes" if contract.may_stay_home else "no"),
            ("Answered with", ", ".join(contract.answers) or "–"),
            ("Retries", contract.retry),
            ("Kept", contract.retention),
        ]
        parts.append(f"## {name}: {kind.title_sv} / {kind.title_en}\n\n{_table(('Contract', ''), facts)}")
        rules = ((f"`{rule.fault.code}`", rule.fault.sv, rule.fault.en) for rule in kind.rules)
        if kind.rules:
            parts.append(_table(("Rule", "Svenska", "English"), rules))
    return "\n\n".join(parts) + "\n"


def _grid(table: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]) -> str:
    rows = (
        (f"**{state}**", ", ".join(f"{event} → {after}" for event, after in events.items()) or "(final)")
        for state, events in table.items()
    )
    return _table(("State", "Events and what follows; anything else is refused"), rows)


def states_page() -> str:
    """Return the page of states: outgoing, incoming and the SIP case."""
    return (
        f"# States\n\n{_MADE_BY}\n\n"
        f"## An outgoing message, for each recipient\n\n{_grid(OUT)}\n\n"  # type: ignore[arg-type]
        f"## An incoming message\n\n{_grid(IN)}\n\n"  # type: ignore[arg-type]
        f"## A SIP case\n\n{_grid(TRANSITIONS)}\n"  # type: ignore[arg-type]
    )


def faults_page() -> str:
    """Return the page of fault codes with their sentences: those of every module, loaded already or not."""
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if module.name != "gateway.__main__":  # which runs when it is loaded
            importlib.import_module(module.name)
    rows = ((f"`{code}`", fault.sv, fault.en) for code, fault in sorted(FAULTS.items()))
    return f"# Fault codes\n\n{_MADE_BY} Codes are never renamed.\n\n{_table(('Code', 'Svenska', 'English'), rows)}\n"


def scenarios_page() -> str:
    """Return the page of scenarios that ``gateway demo`` plays."""
    rows = ((f"`{name}`", (found := Scenario.load(name)).title_sv, found.title_en) for name in scenario_names())
    return f"# Scenarios\n\n{_MADE_BY}\n\n{_table(('Name', 'Svenska', 'English'), rows)}\n"


PAGES: dict[str, Callable[[], str]] = {
    "messages.md": messages_page,
    "states.md": states_page,
    "faults.md": faults_page,
    "scenarios.md": scenarios_page,
}
"""The pages by file name."""
