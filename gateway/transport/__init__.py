"""Exchanges: each module carries envelopes between parties in its own way, with the promises of ``ports.Transport``."""

from __future__ import annotations

from gateway.errors import Fault

EXCHANGE_DOWN = Fault("exchange.down", "Meddelandeväxeln svarar inte.", "The message exchange does not answer.")
