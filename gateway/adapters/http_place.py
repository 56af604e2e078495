"""Where a gateway listens for HTTP: on this machine alone, or for others too."""

from __future__ import annotations

import ipaddress

from gateway.errors import Fault

OPEN_TO_ALL = Fault(
    "http.open-to-all",
    "Adaptern {name} tar emot händelser från andra datorer och vet inte från vilka: ange secret_file, tokens_file "
    "eller certificates_file, eller lyssna på 127.0.0.1.",
    "The adapter {name} takes events from other machines and does not know from which: give secret_file, tokens_file "
    "or certificates_file, or listen on 127.0.0.1.",
)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
