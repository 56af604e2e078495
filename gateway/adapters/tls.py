"""TLS, both ways; certificates and keys are read from files."""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.errors import ConfigurationError, Fault

CERTIFICATE_UNUSABLE = Fault(
    "http.certificate-unusable",
    "Certifikaten eller nyckeln kan inte användas: {files}.",
    "The certificates or the key cannot be used: {files}.",
)


def server_side(
    certificate: Path, key: Path | None, client_ca: Path | None = None, *, must_show: bool = False
) -> ssl.SSLContext:
    """Return how a server shows ``certificate``, and asks callers for one that ``client_ca`` vouches for.

    Whoever shows none is let in, unless they ``must_show`` one, and may have another way to say who it is; one that is
    not right is turned away.

    Raises:
        ConfigurationError: a file cannot be used.
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if must_show else ssl.CERT_OPTIONAL
    except (OSError, ssl.SSLError):
        raise _unusable(certificate, key, client_ca) from None
    return context


def client_side(ca: Path | None = None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return how a client verifies a server, by ``ca`` or else the system's, and shows its own certificate.

    Raises:
        ConfigurationError: a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise _unusable(ca, certificate, key) from None
    return context


def unverified() -> ssl.SSLContext:
    """Return how a client asks whether a server of its own machine is there, whatever names its certificate is for."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _unusable(*files: Path | None) -> ConfigurationError:
    return ConfigurationError(CERTIFICATE_UNUSABLE.at(files=", ".join(str(file) for file in files if file is not None)))
