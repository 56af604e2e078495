"""What a gateway tells whoever measures it, taken apart, for tests."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from sides import Side

from gateway.scrape import Scrape
from gateway.tally import Tally

ORDER = ("version", "adapter", "party", "type", "level", "reason", "outcome", "state", "to", "le")
"""In which order the values of labels are given."""

Figures = dict[tuple[str, tuple[str, ...]], float]


def samples_in(text: str) -> Figures:
    """Return every sample by its name and the values of its labels."""
    return _samples_of(text_string_to_metric_families(text))


def _samples_of(families: Iterable[Metric]) -> Figures:
    return {
        (sample.name, tuple(sample.labels[label] for label in ORDER if label in sample.labels)): sample.value
        for family in families
        for sample in family.samples
    }


async def figures(side: Side, *, counts: bool = True) -> Figures:
    """Return what a gateway tells now, after it has counted."""
    if counts:
        await Tally(side.context).count()
    scrape = Scrape(side.context, ["treserva"], side.transport.ping)
    body, media = await scrape("")
    assert media.startswith("text/plain; version=0.0.4")
    found = samples_in(body.decode())
    strict, _ = await scrape("application/openmetrics-text; version=1.0.0")
    assert _samples_of(openmetrics.text_string_to_metric_families(strict.decode())) == found
    return found
