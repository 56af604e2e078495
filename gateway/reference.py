"""The reference pages, rendered from what the code itself obeys: message types, states, the case, fault codes, FHIR."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import gateway
from gateway.alerts import ALERTS, rules_file
from gateway.dashboard import dashboard_file
from gateway.errors import FAULTS
from gateway.lifecycle import IN, OUT
from gateway.messages import TYPES, CaseEvent, Contract, Duty, MessageType
from gateway.metrics import METRICS, WAIT_BUCKETS
from gateway.process import TERMINAL, TRANSITIONS, CaseState
from gateway.replay.scenario import Scenario, scenario_names

_DUTIES = {Duty.NOTIFY: "Notifiering", Duty.ACKNOWLEDGE: "Kvittera", Duty.REPLY: "Svara"}
_MADE_BY = "Written by `make docs`; change the code, not this page."


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    titles = list(headings)
    return "\n".join(["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles), *lines])


def messages_page() -> str:
    """Return the page of message types: all contracts in one table, then each contract with the rules of its type."""
    parts = [
        f"# Message types\n\n{_MADE_BY}\n\nSchemas: `schemas/<type>.xsd`. Examples: `fixtures/messages/`.",
        _table(("Type", "Titel / Title", "Att göra / Duty", "Deadline", "Consent, or why none is needed"), _index()),
    ]
    for name, kind in TYPES.items():
        contract = kind.contract
        facts = [
            ("Process", ", ".join(sorted(contract.process))),
            ("Sent by", ", ".join(sorted(contract.senders))),
            ("Units that may send it", ", ".join(sorted(contract.sender_units)) or "any"),
            ("Moves the case by", kind.moves if isinstance(kind.moves, CaseEvent) else "what it says"),
            ("Duty of the recipient", _duty(contract)),
            ("Deadline", f"{_length(contract)} ({contract.deadline_source})"),
            ("Reminder", _reminder(contract)),
            ("Consent needed for", contract.consent or f"– ({contract.without_consent})"),
            ("Names the person", _yes(contract.carries_person)),
            ("May stay with the own party", "always does" if contract.stays_home else _yes(contract.may_stay_home)),
            ("Answered with", ", ".join(contract.answers) or "–"),
            ("May be retracted", _yes(contract.retractable)),
            ("Retries", contract.retry),
            ("Kept", contract.retention),
        ]
        if kind.extends is not None:
            facts.append(("Obeys the rules of", kind.extends.name))
        parts.append(f"## {name}: {kind.title_sv} / {kind.title_en}\n\n{_table(('Contract', ''), facts)}")
        rules = ((f"`{rule.fault.code}`", rule.fault.sv, rule.fault.en) for rule in kind.rules)
        if kind.rules:
            parts.append(_table(("Rule", "Svenska", "English"), rules))
    return "\n\n".join(parts) + "\n"


def _index() -> Iterable[Iterable[str]]:
    for name, kind in TYPES.items():
        contract = kind.contract
        yield (
            f"[`{name}`](#{_anchor(name, kind)})",
            f"{kind.title_sv} / {kind.title_en}",
            _duty(contract),
            _length(contract),
            contract.consent or contract.without_consent,
        )


def _anchor(name: str, kind: MessageType) -> str:
    """Return what the heading of a type is called in a link, as GitHub makes it."""
    heading = f"{name}: {kind.title_sv} / {kind.title_en}".lower()
    return "".join("-" if sign == " " else sign for sign in heading if sign.isalnum() or sign in " -")


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _duty(contract: Contract) -> str:
    duty = f"{contract.duty} ({_DUTIES[contract.duty]})"
    return f"{duty}, or {Duty.REPLY} ({_DUTIES[Duty.REPLY]}) when asked" if contract.reply_on_request else duty


def _length(contract: Contract) -> str:
    return contract.deadline.length if contract.deadline is not None else "–"


def _reminder(contract: Contract) -> str:
    deadline = contract.deadline
    return f"after {deadline.unit.of(deadline.remind)}" if deadline is not None and deadline.remind else "–"


def _grid(table: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]) -> str:
    rows = (
        (f"**{state}**", ", ".join(f"{event} → {after}" for event, after in events.items()) or "(final)")
        for state, events in table.items()
    )
    return _table(("State", "Events and what follows; anything else is refused"), rows)


def _diagram(table: Mapping[CaseState, Mapping[CaseEvent, CaseState]], start: CaseState) -> str:
    """Return a Mermaid diagram of what changes the state of a case; events that change nothing else are left out."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_name(start)}"]
    for state, events in table.items():
        ways: dict[CaseState, list[str]] = {}
        for event, after in events.items():
            if after is not state:
                ways.setdefault(after, []).append(event.value)
        lines += [f"    {_name(state)} --> {_name(after)}: {', '.join(by)}" for after, by in ways.items()]
    lines += [f"    {_name(state)} --> [*]" for state in table if state in TERMINAL]
    return "\n".join([*lines, "```"])


def _name(state: CaseState) -> str:
    return state.value.replace("-", "_")  # a hyphen is an arrow to Mermaid


def states_page() -> str:
    """Return the page of states: outgoing, incoming, the SIP case and the discharge process."""
    stays = (CaseState.ADMITTED, CaseState.DISCHARGE_READY, CaseState.DISCHARGED, CaseState.INTERRUPTED)
    sip = {state: events for state, events in TRANSITIONS.items() if state not in stays}
    discharge = {state: TRANSITIONS[state] for state in stays}
    return (
        f"# States\n\n{_MADE_BY}\n\n"
        f"## An outgoing message, for each recipient\n\n{_grid(OUT)}\n\n"  # type: ignore[arg-type]
        f"## An incoming message\n\n{_grid(IN)}\n\n"  # type: ignore[arg-type]
        f"## A SIP case\n\n{_diagram(sip, CaseState.DRAFT)}\n\n{_grid(sip)}\n\n"  # type: ignore[arg-type]
        f"## A discharge process\n\n{_diagram(discharge, CaseState.ADMITTED)}\n\n{_grid(discharge)}\n"  # type: ignore[arg-type]
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


def fhir_page() -> str:
    """Return the page of everything that is read and written as FHIR."""
    # Loaded here: every other command starts without the library.
    from gateway.adapters import fhir_reference  # noqa: PLC0415

    return fhir_reference.page()


def metrics_page() -> str:
    """Return the page of metrics, and of the alerts that are made of them."""
    metrics = (
        (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.says) for one in METRICS
    )
    alerts = ((f"`{one.name}`", one.severity, one.lasts, one.sv, one.en, one.runbook) for one in ALERTS)
    waits = ", ".join(str(end) for end in WAIT_BUCKETS)
    told = (("Alert", "Severity", "After", "Svenska", "English", "What to do"), alerts)
    return (
        f"# Metrics and alerts\n\n{_MADE_BY}\n\n"
        "Counters are counted in the database: they hold for all processes of a gateway together, go on over restarts, "
        "and are at most some seconds old. Everything else is what is so when it is read. "
        f"Buckets of waits, in seconds: {waits}. No label or value is an id, a person or free text.\n\n"
        f"{_table(('Metric', 'Kind', 'By', 'Says'), metrics)}\n\n"
        "## Alerts\n\nThe rules are in [prometheus-rules.yml](prometheus-rules.yml), for a job that is called "
        "`sip-gateway`. A dashboard for Grafana is in [grafana-dashboard.json](grafana-dashboard.json).\n\n"
        f"{_table(*told)}\n"
    )


def openapi_page() -> str:
    """Return what the door takes and answers, as OpenAPI."""
    # Loaded here: every other command starts without the libraries of the pages.
    from gateway.web import openapi, routes  # noqa: PLC0415

    return openapi.written(routes.DESCRIBED)


PAGES: dict[str, Callable[[], str]] = {
    "messages.md": messages_page,
    "states.md": states_page,
    "faults.md": faults_page,
    "scenarios.md": scenarios_page,
    "fhir.md": fhir_page,
    "metrics.md": metrics_page,
    "prometheus-rules.yml": rules_file,
    "grafana-dashboard.json": dashboard_file,
    "openapi.json": openapi_page,
}
"""The pages by file name."""
