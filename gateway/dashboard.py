"""A dashboard for Grafana over the metrics: what is waiting, what is broken, and how long answers take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gateway.metrics import (
    ADAPTER_SUCCESS,
    ADAPTER_UP,
    AWAITING,
    BUILD,
    CIRCUIT,
    DATABASE,
    DEAD_LETTERS,
    DELIVERIES,
    DUPLICATE,
    EVENTS,
    EXCHANGE,
    FAILED,
    HEARD,
    HELD,
    INBOX,
    INBOX_AGE,
    INVALID,
    NOTES,
    OUTBOX,
    OUTBOX_AGE,
    OUTCOMES,
    OVERDUE,
    PUBLISHED,
    RECEIVED,
    SILENT,
    UNDECIDED,
    WAIT,
)

_SHOWN = 'instance=~"$instance"'
_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its title, what it shows with a legend for each, the unit, and how wide of 24 columns it is."""

    title: str
    shows: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 12
    height: int = 8


def _now(title: str, query: str, legend: str = "", unit: str = "short") -> Panel:
    return Panel(title, ((query, legend),), unit, "stat", 4, 4)


def _is_up(title: str, metric: str) -> Panel:
    return _now(title, f"min({metric}{{{_SHOWN}}})", unit="bool_on_off")


def _rate(metric: str, *by: str, where: str = "") -> str:
    return f"sum by ({', '.join(by)}) (rate({metric}{{{_SHOWN}{where}}}[$__rate_interval]))"


def _sum(metric: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) ({metric}{{{_SHOWN}}})"


def _quantile(share: float) -> str:
    inner = f"sum by (le, level) (rate({WAIT.name}_bucket{{{_SHOWN}}}[1h]))"
    return f"histogram_quantile({share}, {inner})"


PANELS: Final = (
    _is_up("Database", DATABASE.name),
    _is_up("Exchange", EXCHANGE.name),
    _now("Silent partners", f"sum({SILENT.name}{{{_SHOWN}}})"),
    _now("Overdue", f"sum({OVERDUE.name}{{{_SHOWN}}})"),
    _now("To decide", f"sum({UNDECIDED.name}{{{_SHOWN}}})"),
    _now("Dead letters", f"sum({DEAD_LETTERS.name}{{{_SHOWN}}})"),
    Panel(
        "Messages per second",
        (
            (_rate(RECEIVED.name, "party"), "in {{party}}"),
            (_rate(PUBLISHED.name, "party", where=',type!="acknowledgement"'), "out {{party}}"),
        ),
        "ops",
    ),
    Panel(
        "What went wrong, per second",
        (
            (_rate(INVALID.name, "party"), "invalid {{party}}"),
            (_rate(FAILED.name, "party", "reason"), "{{reason}} {{party}}"),
            (_rate(DUPLICATE.name, "party"), "duplicate {{party}}"),
        ),
        "ops",
    ),
    Panel("Outbox", ((_sum(OUTBOX.name, "party"), "{{party}}"), (_sum(HELD.name, "party"), "held {{party}}"))),
    Panel("Oldest in the outbox", ((f"max by (party) ({OUTBOX_AGE.name}{{{_SHOWN}}})", "{{party}}"),), "s"),
    Panel("Awaited of partners", ((_sum(AWAITING.name, "party", "level"), "{{level}} {{party}}"),)),
    Panel("Overdue from partners", ((_sum(OVERDUE.name, "party", "level"), "{{level}} {{party}}"),)),
    Panel(
        "How long answers take",
        ((_quantile(0.5), "half of {{level}}"), (_quantile(0.95), "95 % of {{level}}")),
        "s",
    ),
    Panel("Answers of partners, per second", ((_rate(OUTCOMES.name, "outcome"), "{{outcome}}"),), "ops"),
    Panel("Since a partner was heard", ((f"time() - {HEARD.name}{{{_SHOWN}}}", "{{party}}"),), "s"),
    Panel("Open circuits", ((f"{CIRCUIT.name}{{{_SHOWN}}}", "{{to}}"),)),
    Panel("Inbox", ((_sum(INBOX.name, "state"), "{{state}}"), (_sum(NOTES.name), "notes"))),
    Panel("Oldest in the inbox", ((f"max by (state) ({INBOX_AGE.name}{{{_SHOWN}}})", "{{state}}"),), "s"),
    Panel(
        "Case systems, per second",
        (
            (_rate(EVENTS.name, "adapter", "outcome"), "event {{outcome}} {{adapter}}"),
            (_rate(DELIVERIES.name, "outcome"), "delivery {{outcome}}"),
        ),
        "ops",
    ),
    Panel(
        "Case systems that answer",
        ((f"{ADAPTER_UP.name}{{{_SHOWN}}}", "{{adapter}}"),),
    ),
    Panel("Since a case system was heard", ((f"time() - {ADAPTER_SUCCESS.name}{{{_SHOWN}}}", "{{adapter}}"),), "s"),
)
"""The panels, in reading order."""


def dashboard_file() -> str:
    """Return the dashboard as a file that Grafana imports."""
    dashboard = {
        "uid": "sip-gateway",
        "title": "SIP Gateway",
        "tags": ["sip-gateway"],
        "description": "Written by `make docs`; change gateway/dashboard.py, not this file.",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "Europe/Stockholm",
        "templating": {"list": [_source(), _instance()]},
        "panels": list(_placed()),
    }
    return json.dumps(dashboard, ensure_ascii=False, indent=1) + "\n"


_DATA = {"type": "prometheus", "uid": "${source}"}


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Source", "type": "datasource", "query": "prometheus"}


def _instance() -> dict[str, Any]:
    query = f"label_values({BUILD.name}, instance)"
    every = {"includeAll": True, "multi": True, "current": {"text": "All", "value": "$__all"}}
    return {"name": "instance", "label": "Gateway", "type": "query", "datasource": _DATA, "query": query, **every}


def _placed() -> Iterator[dict[str, Any]]:
    """Yield the panels in rows, each where the one before it ends."""
    x = y = tallest = 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > _COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        yield {
            "id": number,
            "title": panel.title,
            "type": panel.kind,
            "datasource": _DATA,
            "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
            "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + place), "expr": query, "legendFormat": legend, "datasource": _DATA}
                for place, (query, legend) in enumerate(panel.shows)
            ],
        }
        x, tallest = x + panel.width, max(tallest, panel.height)
