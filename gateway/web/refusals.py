"""What whoever comes to the windows may be told instead of what they asked for, and with which status of HTTP."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import ClassVar

from gateway.access import AccessRefusedError
from gateway.errors import (
    ConflictError,
    DependencyDownError,
    Fault,
    Finding,
    GatewayError,
    InvalidDocumentError,
    NotYetError,
    UsageError,
    WrittenMeanwhileError,
)

NOT_LET_IN = Fault(
    "web.not-let-in",
    "Logga in, eller visa en nyckel, för att komma åt detta.",
    "Sign in, or show a token, to reach this.",
)
NOT_FOUND = Fault(
    "web.not-found",
    "Det finns inget här som du får se under det namnet.",
    "There is nothing here under that name that you may see.",
)
QUERY = Fault(
    "web.query",
    "Frågan har något som inte går att använda under det namnet.",
    "The question has something under that name that cannot be used.",
)
BODY = Fault(
    "web.body",
    "Innehållet har något som inte går att använda på den platsen.",
    "The content has something in that place that cannot be used.",
)
NOT_JSON = Fault("web.not-json", "Innehållet ska vara ett JSON-objekt.", "The content should be a JSON object.")
TOO_LARGE = Fault("web.too-large", "Innehållet är större än {limit} byte.", "The content is larger than {limit} bytes.")
CURSOR = Fault(
    "web.cursor",
    "Så börjar ingen sida; ta den cursor som föregående svar gav.",
    "No page begins like that; take the cursor that the answer before gave.",
)
TOO_MANY = Fault("web.too-many", "För många anrop på kort tid.", "Too many requests in a short time.")
OTHER_HOST = Fault(
    "web.other-host",
    "Gatewayen svarar inte under det värdnamnet.",
    "The gateway does not answer under that name of a host.",
)
FORGED = Fault(
    "web.forged",
    "Formuläret hör inte till din inloggning; ladda om sidan och försök igen.",
    "The form does not belong to your session; load the page again and try once more.",
)

UNDER_WAY = Fault(
    "web.under-way",
    "Samma anrop utförs just nu; kom igen om en stund.",
    "The same request is being carried out; come again in a while.",
)
TAKEN_OVER = Fault(
    "web.taken-over",
    "Det tog så lång tid att samma anrop har börjat om; inget gjordes.",
    "It took so long that the same request has begun again; nothing was done.",
)


class NotLetInError(GatewayError):
    """Nobody knows who asks."""

    exit_code: ClassVar[int] = 5


class NotFoundError(GatewayError):
    """There is no such thing, or none that the actor may see: which of the two is not told."""

    exit_code: ClassVar[int] = 5


class ForgedError(GatewayError):
    """What was sent does not come from a page of ours."""

    exit_code: ClassVar[int] = 5


class UnderWayError(ConflictError):
    """The same is being done. Worth trying again after ``retry_after``."""

    def __init__(self, findings: Finding, *, retry_after: timedelta) -> None:
        super().__init__(findings)
        self.retry_after = retry_after


class TooManyError(GatewayError):
    """Somebody asks for too much in a short time; ``retry_after`` is when they may again, where that is known."""

    exit_code: ClassVar[int] = 5

    def __init__(self, findings: Finding, *, retry_after: timedelta | None = None) -> None:
        super().__init__(findings)
        self.retry_after = retry_after


class TooLargeError(GatewayError):
    """What was sent is larger than what is read."""

    exit_code: ClassVar[int] = 5


_STATUS: tuple[tuple[type[GatewayError], HTTPStatus], ...] = (
    (NotLetInError, HTTPStatus.UNAUTHORIZED),
    (AccessRefusedError, HTTPStatus.FORBIDDEN),
    (ForgedError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (TooManyError, HTTPStatus.TOO_MANY_REQUESTS),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (ConflictError, HTTPStatus.CONFLICT),
    (NotYetError, HTTPStatus.CONFLICT),
    (InvalidDocumentError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (WrittenMeanwhileError, HTTPStatus.SERVICE_UNAVAILABLE),
    (DependencyDownError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: GatewayError) -> HTTPStatus:
    """Return the status that tells what kind of error it is."""
    found = (status for kind, status in _STATUS if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)
