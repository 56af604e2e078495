"""What whoever runs a gateway is woken for, and what can wait: alert rules for Prometheus, and what to do about each.

A silent partner is one alert while it lasts, and its end is the end of that alert: what follows from its silence, as
receipts that are overdue, is not told once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.metrics import (
    ADAPTER_PAUSED,
    ADAPTER_SUCCESS,
    ADAPTER_UP,
    CIRCUIT,
    DATABASE,
    DEAD_LETTERS,
    EXCHANGE,
    FAILED,
    INBOX_OVERDUE,
    INVALID,
    LETTERS,
    OUTBOX_AGE,
    OUTCOMES,
    OVERDUE,
    SILENT,
    UNDECIDED,
)


class Severity(StrEnum):
    """How soon somebody has to act."""

    CRITICAL = "critical"
    """Now, whatever the hour."""
    WARNING = "warning"
    """In working hours."""
    INFO = "info"
    """To be seen when one looks; nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule: when ``holds`` (PromQL) has held for ``lasts``, somebody is told in both languages what to do."""

    name: str
    holds: str
    lasts: str
    severity: Severity
    sv: str
    en: str
    runbook: str


_NOT_SILENT = f"unless on (instance, party) ({SILENT.name} == 1) unless on (instance) ({EXCHANGE.name} == 0)"
"""What follows from a silent partner, or from an exchange that is away, is told by the alert about that."""

ALERTS: Final = (
    Alert(
        name="GatewayDown",
        holds='up{job="sip-gateway"} == 0',
        lasts="2m",
        severity=Severity.CRITICAL,
        sv="Gatewayen på {{ $labels.instance }} svarar inte.",
        en="The gateway at {{ $labels.instance }} does not answer.",
        runbook="systemctl status gateway; `gateway config check`. Nothing is lost: it goes on where it stopped.",
    ),
    Alert(
        name="GatewayDatabaseDown",
        holds=f"{DATABASE.name} == 0",
        lasts="1m",
        severity=Severity.CRITICAL,
        sv="Gatewayens databas svarar inte.",
        en="The database of the gateway does not answer.",
        runbook="Start the database, or make room on its disk. The gateway takes nothing meanwhile, and goes on by "
        "itself.",
    ),
    Alert(
        name="GatewayExchangeDown",
        holds=f"{EXCHANGE.name} == 0",
        lasts="2m",
        severity=Severity.CRITICAL,
        sv="Meddelandeväxeln svarar inte; allt som ska skickas väntar i utkorgen.",
        en="The exchange does not answer; what is to be sent waits in the outbox.",
        runbook="`gateway exchange check`. What waits is sent by itself, at a pace, when the exchange is back.",
    ),
    Alert(
        name="GatewayPartnerSilent",
        holds=f"{SILENT.name} == 1",
        lasts="0m",
        severity=Severity.CRITICAL,
        sv="{{ $labels.party }} svarar inte; kvittenser uteblir.",
        en="{{ $labels.party }} does not answer; receipts are missing.",
        runbook="Call whoever runs that gateway. Messages are sent again by themselves; the alert ends when it is "
        "heard.",
    ),
    Alert(
        name="GatewayOutboxStuck",
        holds=f"({OUTBOX_AGE.name} > 900) {_NOT_SILENT}",
        lasts="5m",
        severity=Severity.WARNING,
        sv="Meddelanden till {{ $labels.party }} har väntat i mer än en kvart.",
        en="Messages to {{ $labels.party }} have waited for more than a quarter of an hour.",
        runbook="`gateway exchange check`. Look in the log for circuit.opened and dependency.down.",
    ),
    Alert(
        name="GatewayReceiptsOverdue",
        holds=f'({OVERDUE.name}{{level=~"received|registered"}} > 0) {_NOT_SILENT}',
        lasts="15m",
        severity=Severity.WARNING,
        sv="{{ $labels.party }} är sen med {{ $value }} kvittenser ({{ $labels.level }}).",
        en="{{ $labels.party }} is late with {{ $value }} receipts ({{ $labels.level }}).",
        runbook="`gateway acknowledgements list --overdue`. Late at registered: their case system does not take them.",
    ),
    Alert(
        name="GatewayAcknowledgementsOverdue",
        holds=f'{OVERDUE.name}{{level="acknowledged"}} > 0',
        lasts="1h",
        severity=Severity.INFO,
        sv="{{ $value }} meddelanden till {{ $labels.party }} har inte kvitterats i tid.",
        en="{{ $value }} messages to {{ $labels.party }} were not taken charge of in time.",
        runbook="`gateway acknowledgements list --overdue`. The units have been reminded by notices; call them.",
    ),
    Alert(
        name="GatewayMessagesRejected",
        holds=f'sum by (instance, party) (increase({OUTCOMES.name}{{outcome="rejected"}}[1h])) > 0',
        lasts="0m",
        severity=Severity.WARNING,
        sv="{{ $labels.party }} har avvisat meddelanden den senaste timmen.",
        en="{{ $labels.party }} has rejected messages in the last hour.",
        runbook="`gateway messages list`, then `gateway messages show`: the reasons stand there in both languages.",
    ),
    Alert(
        name="GatewayAnswersContradicted",
        holds=f'sum by (instance, party) (increase({OUTCOMES.name}{{outcome=~"contradicted|orphan|unreadable"}}[1h]))'
        " > 0",
        lasts="0m",
        severity=Severity.WARNING,
        sv="{{ $labels.party }} har skickat kvittenser som inte kan gälla; de är undanlagda.",
        en="{{ $labels.party }} has sent acknowledgements that cannot hold; they are parked.",
        runbook="Compare with the partner what each side has kept. The first answer stands until a person decides.",
    ),
    Alert(
        name="GatewayInvalidDeliveries",
        holds=f"sum by (instance, party) (increase({INVALID.name}[1h])) > 0",
        lasts="0m",
        severity=Severity.WARNING,
        sv="Leveranser från {{ $labels.party }} är felaktiga; avsändaren har fått veta varför.",
        en="Deliveries from {{ $labels.party }} are invalid; their sender has been told why.",
        runbook="Call whoever runs that gateway if it goes on. The deliveries are kept with their reasons.",
    ),
    Alert(
        name="GatewayMessagesGivenUp",
        holds=f'sum by (instance, party) (increase({FAILED.name}{{reason="expired"}}[1h])) > 0',
        lasts="0m",
        severity=Severity.CRITICAL,
        sv="Meddelanden till {{ $labels.party }} har getts upp; en person måste se till att de når fram.",
        en="Messages to {{ $labels.party }} were given up; a person must see that they get there.",
        runbook="`gateway messages list`. Reach the unit by telephone, then send again.",
    ),
    Alert(
        name="GatewayMessagesUndecided",
        holds=f"{UNDECIDED.name} > 0",
        lasts="24h",
        severity=Severity.WARNING,
        sv="{{ $value }} meddelanden till {{ $labels.party }} väntar på ett beslut sedan ett dygn.",
        en="{{ $value }} messages to {{ $labels.party }} have waited for a decision for a day.",
        runbook="`gateway messages list`. They were given up, or taken in part.",
    ),
    Alert(
        name="GatewayCaseSystemDown",
        holds=f"({ADAPTER_UP.name} == 0) unless on (instance, adapter) ({ADAPTER_PAUSED.name} == 1)",
        lasts="5m",
        severity=Severity.CRITICAL,
        sv="Verksamhetssystemet bakom {{ $labels.adapter }} svarar inte.",
        en="The case system behind {{ $labels.adapter }} does not answer.",
        runbook="`gateway adapters list`, `gateway adapters test`. Messages wait, and are handed over when it is back.",
    ),
    Alert(
        name="GatewayCaseSystemQuiet",
        holds=f"time() - {ADAPTER_SUCCESS.name} > 259200",
        lasts="0m",
        severity=Severity.INFO,
        sv="{{ $labels.adapter }} har inte hörts av på tre dygn.",
        en="{{ $labels.adapter }} has not been heard of for three days.",
        runbook="Usual over a long holiday. Otherwise see in the case system whether its export still runs.",
    ),
    Alert(
        name="GatewayAdapterPaused",
        holds=f"{ADAPTER_PAUSED.name} == 1",
        lasts="4h",
        severity=Severity.WARNING,
        sv="{{ $labels.adapter }} är pausad sedan fyra timmar.",
        en="{{ $labels.adapter }} has been paused for four hours.",
        runbook="`gateway adapters list` tells who paused it and why; `gateway adapters resume` ends it.",
    ),
    Alert(
        name="GatewayInboxOverdue",
        holds=f'sum by (instance) ({INBOX_OVERDUE.name}{{state!="registered"}}) > 0',
        lasts="15m",
        severity=Severity.WARNING,
        sv="{{ $value }} mottagna meddelanden har inte nått verksamhetssystemet i tid.",
        en="{{ $value }} messages that were received have not reached the case system in time.",
        runbook="`gateway messages list`; `gateway adapters list`. Their sender sees that they are not registered.",
    ),
    Alert(
        name="GatewayCircuitOpen",
        holds=f"({CIRCUIT.name} == 1) unless on (instance, to) "
        f'label_replace({SILENT.name} == 1, "to", "$1", "party", "(.*)")',
        lasts="5m",
        severity=Severity.WARNING,
        sv="Till {{ $labels.to }} går bara ett försök i minuten.",
        en="Only one try a minute goes to {{ $labels.to }}.",
        runbook="It closes by itself when a try gets through. See `gateway exchange check` for a partner, "
        "`gateway adapters test` for a system.",
    ),
    Alert(
        name="GatewayDeadLetters",
        holds=f"{DEAD_LETTERS.name} > 0",
        lasts="1h",
        severity=Severity.WARNING,
        sv="{{ $value }} leveranser har getts upp av meddelandeväxeln.",
        en="{{ $value }} deliveries were given up by the exchange.",
        runbook="They are tried again by themselves. If they stay, look in the log for take.failed.",
    ),
    Alert(
        name="GatewayLettersToSend",
        holds=f"{LETTERS.name} > 0",
        lasts="24h",
        severity=Severity.INFO,
        sv="{{ $value }} brev väntar på att skickas eller besvaras.",
        en="{{ $value }} letters wait to be sent or answered.",
        runbook="`gateway letters list`.",
    ),
)
"""Every rule, the worst first."""


def rules_file() -> str:
    """Return the rules as a file that Prometheus loads (YAML, with texts as JSON writes them)."""
    return "\n".join(["# Written by `make docs`; change gateway/alerts.py, not this file.", *_lines(), ""])


def _lines() -> Iterator[str]:
    yield from ("groups:", "  - name: sip-gateway", "    rules:")
    for alert in ALERTS:
        yield f"      - alert: {alert.name}"
        yield f"        expr: {_text(alert.holds)}"
        yield f"        for: {alert.lasts}"
        yield "        labels:"
        yield f"          severity: {alert.severity}"
        yield "        annotations:"
        yield f"          summary: {_text(alert.en)}"
        yield f"          summary_sv: {_text(alert.sv)}"
        yield f"          runbook: {_text(alert.runbook)}"


def _text(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)
