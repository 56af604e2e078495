"""Tokens that an identity provider has signed (JWT, RFC 7519), and the keys that show it did (JWKS, RFC 7517).

Only signatures by a private key hold: a provider's public keys are known to all, so what is "signed" with one as if it
were a secret (``HS256``), or not at all (``none``), was made by anybody.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from gateway.access import AccessRefusedError
from gateway.errors import Fault

REFUSED: Final = Fault(
    "login.identity-refused",
    "Det som inloggningstjänsten sade om dig gäller inte; börja om.",
    "What the identity provider said of you does not hold; begin again.",
)

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""How tokens may be signed."""
LEEWAY: Final = 60
"""Seconds that the clocks of the provider and the gateway may differ."""
MOST_KEYS: Final = 50
"""How many keys of a provider are looked at."""

_RSA_2048 = 342
"""Characters of the modulus of an RSA key of 2048 bits in base64url: shorter keys can be broken."""
_LONGEST_HEADER = 8192

log = structlog.get_logger(__name__)


class RefusedTokenError(AccessRefusedError):
    """A token does not hold."""


class UnknownKeyError(RefusedTokenError):
    """A token is signed with a key that is not among those that are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a token must say: for whom it is issued, and to which errand, where it is an ID token."""

    audience: str
    nonce: str | None = None


Keys = tuple[tuple[str | None, Key], ...]
"""Keys that tokens may be signed with, each with its id where it has one."""


class _Registry(JWSRegistry):
    """Knows the algorithms above alone, and passes over what stands in a header beside what the standard names."""

    max_header_length = _LONGEST_HEADER

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


_REGISTRY: Final = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


def keys_in(document: Mapping[str, Any]) -> Keys:
    """Return the keys of a JWKS that may show that a token is signed; others are passed over (RFC 7517, 5)."""
    listed = document.get("keys")
    found = []
    for one in listed[:MOST_KEYS] if isinstance(listed, list) else ():
        if isinstance(one, dict) and one.get("use", "sig") == "sig" and one.get("kty") in ("RSA", "EC", "OKP"):
            if one["kty"] == "RSA" and len(str(one.get("n"))) < _RSA_2048:
                continue
            try:
                key = JWKRegistry.import_key(one)
            except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                continue
            found.append((key.kid, key))
    return tuple(found)


def claims_in(token: str, keys: Keys, issuer: str, wanted: Wanted, now: datetime) -> Mapping[str, Any]:
    """Return what a token says that ``issuer`` has signed and that holds ``now``.

    Raises:
        UnknownKeyError: it is signed with another key.
        RefusedTokenError: it does not hold, or is not as wanted. The reason is in the log alone.
    """
    try:
        key = _key_for(token, keys)
        claims = jwt.decode(token, key, registry=_REGISTRY).claims
        said = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": wanted.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        said.validate(claims)
    except ClaimError as error:  # which claim it is tells of nobody
        raise _refused(f"{error.error}:{error.claim}") from None
    except JoseError as error:
        raise _refused(error.error) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refused(type(error).__name__) from None
    if wanted.nonce is None:
        if "nonce" in claims:
            raise _refused("id_token_as_access_token")
    else:
        _check_id_token(claims, wanted)
    return claims


def _check_id_token(claims: Mapping[str, Any], wanted: Wanted) -> None:
    """Return when an ID token is one to our errand (OpenID Connect Core 1.0, 3.1.3.7)."""
    nonce = claims.get("nonce")
    said = nonce.encode("utf-8", "surrogatepass") if isinstance(nonce, str) else b""
    if not hmac.compare_digest(said, str(wanted.nonce).encode()):
        raise _refused("nonce")
    is_for_others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_for_others else wanted.audience) != wanted.audience:
        raise _refused("azp")
    if "iat" not in claims:
        raise _refused("missing_claim:iat")


def _key_for(token: str, keys: Keys) -> Key:
    header = jws.extract_compact(token.encode("utf-8", "surrogatepass"), registry=_REGISTRY).headers()
    _REGISTRY.check_header(header)
    _REGISTRY.get_alg(header["alg"])
    named = header.get("kid")
    fitting = [key for kid, key in keys if (kid == named if named is not None else len(keys) == 1)]
    if not fitting:
        log.info("oidc.key_unknown")
        raise UnknownKeyError(REFUSED.at())
    return fitting[0]


def _refused(reason: str) -> RefusedTokenError:
    log.info("oidc.token_refused", reason=reason)
    return RefusedTokenError(REFUSED.at())
