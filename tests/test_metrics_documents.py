"""The rules, the dashboard and the page of metrics are held to the one table of metrics, and to the commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from gateway.alerts import ALERTS, Severity
from gateway.cli import app
from gateway.dashboard import PANELS, dashboard_file
from gateway.metrics import METRICS, WAIT_BUCKETS, Kind, bucket_of

DOCS = Path(__file__).parent.parent / "docs"
RULES: dict[str, Any] = yaml.safe_load((DOCS / "prometheus-rules.yml").read_text(encoding="utf-8"))
NAMES = {
    name
    for one in METRICS
    for name in ([f"{one.name}_bucket", f"{one.name}_count"] if one.kind is Kind.HISTOGRAM else [one.name])
}
LABELS = {name: one.labels for one in METRICS for name in NAMES if name.startswith(one.name)}
QUERIES = {
    **{alert.name: alert.holds for alert in ALERTS},
    **{f"{panel.title}: {legend}": query for panel in PANELS for query, legend in panel.shows},
}


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_asked_for_is_a_metric_that_is_served(query: str) -> None:
    used = set(re.findall(r"gateway_\w+", QUERIES[query]))
    assert used <= NAMES
    assert used or "up{" in QUERIES[query]


@pytest.mark.parametrize("query", QUERIES)
def test_what_a_metric_is_chosen_by_is_one_of_its_labels(query: str) -> None:
    for name, chosen in re.findall(r"(gateway_\w+)\{([^}]*)\}", QUERIES[query]):
        assert {re.split("!?=", part)[0] for part in chosen.split(",")} <= {*LABELS[name], "instance"}


def test_metrics_are_named_as_the_field_does() -> None:
    for one in METRICS:
        assert re.fullmatch(r"gateway_[a-z_]+", one.name)
        assert (one.kind is Kind.COUNTER) == one.name.endswith("_total")
        assert not {"id", "message_id", "unit", "person", "case", "instance", "job", "le"} & set(one.labels)


def test_waits_fall_in_the_bucket_that_holds_them() -> None:
    assert (WAIT_BUCKETS[0], WAIT_BUCKETS[-1]) == (1, 7 * 24 * 3600)
    assert [bucket_of(seconds) for seconds in (0, 1, 1.01, 604_800, 604_801)] == [
        "1.0",
        "1.0",
        "5.0",
        "604800.0",
        "+Inf",
    ]


def test_the_rules_file_says_what_the_table_of_alerts_says() -> None:
    (group,) = RULES["groups"]
    assert len(group["rules"]) == len(ALERTS) == len({alert.name for alert in ALERTS})
    for rule, alert in zip(group["rules"], ALERTS, strict=True):
        assert (rule["alert"], rule["expr"], rule["for"]) == (alert.name, alert.holds, alert.lasts)
        assert Severity(rule["labels"]["severity"]) is alert.severity
        notes = rule["annotations"]
        assert (notes["summary"], notes["summary_sv"], notes["runbook"]) == (alert.en, alert.sv, alert.runbook)
        assert alert.sv != alert.en
        shown = {*re.findall(r"\$labels\.(\w+)", alert.sv)}
        assert shown == {*re.findall(r"\$labels\.(\w+)", alert.en)}


def test_a_runbook_names_commands_that_there_are() -> None:
    known = typer.main.get_command(app)
    for alert in ALERTS:
        for noun, verb in re.findall(r"`gateway ([a-z]+) ([a-z]+)", alert.runbook):
            assert verb in known.commands[noun].commands, f"{alert.name}: gateway {noun} {verb}"  # type: ignore[attr-defined]


def test_what_follows_from_a_silent_partner_or_a_lost_exchange_is_not_told_for_each_partner() -> None:
    holds = {alert.name: alert.holds for alert in ALERTS}
    for name in ("GatewayOutboxStuck", "GatewayReceiptsOverdue"):
        assert "unless on (instance, party) (gateway_partner_silent == 1)" in holds[name]
        assert "unless on (instance) (gateway_exchange_connected == 0)" in holds[name]
    assert "gateway_partner_silent == 1" in holds["GatewayCircuitOpen"]


def test_prometheus_itself_accepts_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed here")
    done = subprocess.run(
        [promtool, "check", "rules", str(DOCS / "prometheus-rules.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_places_every_panel_beside_the_others() -> None:
    dashboard = json.loads(dashboard_file())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert all(target["datasource"]["uid"] == "${source}" for target in panel["targets"])


def test_the_page_of_metrics_names_every_metric_and_every_alert() -> None:
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    assert [one.name for one in (*METRICS, *ALERTS) if f"| `{one.name}` |" not in page] == []
