"""What is wrong with the settings for logging in with an identity provider, and what they say about roles."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from gateway.access import Role
from gateway.adapters.address import is_loopback
from gateway.config import Settings
from gateway.errors import ConfigurationError, Fault, Finding

NEEDED = Fault(
    "config.oidc-needs",
    "oidc_issuer är angiven, men inte {name}.",
    "oidc_issuer is given, but not {name}.",
)
UNUSED = Fault(
    "config.oidc-unused",
    "{name} är angiven, men inte oidc_issuer.",
    "{name} is given, but not oidc_issuer.",
)
IN_CLEAR = Fault(
    "config.oidc-in-clear",
    "{name} ska börja med https://, eller med http:// till den egna datorn.",
    "{name} should begin with https://, or with http:// to this computer.",
)
ROLE = Fault(
    "config.oidc-role",
    "oidc_roles ska för varje värde ha en av rollerna {known}, med * efter om den gäller alla enheter.",
    "oidc_roles should have one of the roles {known} for each value, with * after it if it is for all units.",
)
ALL_UNITS: Final = "*"
"""Stands behind the name of a role that is for all units."""


def faults_of(settings: Settings) -> list[Finding]:
    """Return what is wrong with how people log in, as far as settings and files can tell."""
    findings: list[Finding] = []
    if settings.oidc_issuer is None:
        alone = ("oidc_client_id", "oidc_client_secret_file", "oidc_audience", "oidc_roles")
        findings += [UNUSED.at(name=name) for name in alone if getattr(settings, name)]
    else:
        needed = ("oidc_client_id", "oidc_roles", "public_url")
        findings += [NEEDED.at(name=name) for name in needed if not getattr(settings, name)]
    for name in ("oidc_issuer", "public_url"):
        address = getattr(settings, name)
        if address is not None and not is_guarded(address):
            findings.append(IN_CLEAR.at(name=name))
    if not all(_is_role(word) for word in settings.oidc_roles.values()):
        findings.append(ROLE.at(known=", ".join(Role)))
    try:
        settings.oidc_client_secret()
    except ConfigurationError as error:
        findings += error.findings
    return findings


def is_guarded(address: str) -> bool:
    """Tell whether nobody on the way reads what goes to an address: it is encrypted, or stays on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def roles_of(settings: Settings) -> dict[str, tuple[Role, bool]]:
    """Return for each value of the role claim the role, and whether it is for all units.

    Raises:
        ConfigurationError: there is no such role.
    """
    if not all(_is_role(word) for word in settings.oidc_roles.values()):
        raise ConfigurationError(ROLE.at(known=", ".join(Role)))
    return {value: _role(word) for value, word in settings.oidc_roles.items()}


def _is_role(word: str) -> bool:
    name, _, rest = word.partition(" ")
    return name in set(Role) and rest.strip() in ("", ALL_UNITS)


def _role(word: str) -> tuple[Role, bool]:
    name, _, rest = word.partition(" ")
    return Role(name), rest.strip() == ALL_UNITS
