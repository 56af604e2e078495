"""What the door has beside the windows, described by hand: events, health and measures. And how a no is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from gateway.adapters.http_problem import MEDIA
from gateway.web.refusals import QUERY


def both(sv: str, en: str) -> str:
    """Return a sentence in both languages."""
    return f"{sv} / {en}"


TAGS: Final = {
    "messages": both("Meddelanden: det som sänts och kommit.", "Messages: what was sent and what came."),
    "inbox": both("Inkorgen: vad enheterna har att göra.", "The inbox: what the units have to do."),
    "acknowledgements": both("Kvittenser som väntas.", "Acknowledgements that are awaited."),
    "cases": both("Ärenden.", "Cases."),
    "adapters": both("Kopplingar.", "Connections."),
    "reports": both("Rapporter.", "Reports."),
    "audit": both("Loggen.", "The audit log."),
    "failures": both("Fel: det som behöver en människa, per orsak.", "Failures: what needs a person, by cause."),
    "operations": both(
        "Åtgärder för många på en gång: skicka igen, skriva av, återställa.",
        "Operations over many: send again, discard, restore.",
    ),
    "changes": both("Det som ändras, medan det ändras.", "What changes, while it changes."),
    "events": both("Händelser från verksamhetssystem.", "Events of case systems."),
    "gateway": both("Gatewayen själv.", "The gateway itself."),
}
"""Parts of the description, by name."""

_JSON: Final = "application/json"
_FHIR: Final = "application/fhir+json"
_TEXT: Final = {"type": "string"}
_WRONG: Final = {
    "type": "object",
    "required": ["code", "sv", "en"],
    "properties": {
        "code": {"type": "string", "description": "A stable code; docs/faults.md lists them all."},
        "sv": _TEXT,
        "en": _TEXT,
        "path": {"type": "string", "description": "Where: a parameter, an XPath, a FHIR expression or a column."},
        "pointer": {"type": "string", "description": "Where in JSON that was sent: a JSON pointer (RFC 6901)."},
        "line": {"type": "integer", "minimum": 1},
        "file": _TEXT,
    },
    "additionalProperties": False,
}
PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "Why the answer is no (RFC 9457): all that is wrong at once, in Swedish and English.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": _TEXT,
        "errors": {"type": "array", "minItems": 1, "items": _WRONG},
    },
    "additionalProperties": False,
}
"""How a no is told; see :func:`gateway.adapters.http_problem.problem`."""


def no(says: str, example: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the description of an answer that says no."""
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": says, "content": {MEDIA: content | ({"example": example} if example is not None else {})}}


def problem_example(status: HTTPStatus) -> dict[str, Any] | None:
    """Return what a no with ``status`` may look like, where one is typical."""
    if status is not HTTPStatus.BAD_REQUEST:
        return None
    finding = QUERY.at("limit")
    return {
        "type": f"urn:sip-gateway:problem:{finding.code}",
        "title": status.phrase,
        "status": status.value,
        "detail": finding.en,
        "errors": [finding.as_json()],
    }


def _named(name: str, sv: str, en: str, example: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    told = {"description": both(sv, en), "schema": schema, "example": example}
    return {"name": name, "in": "path", "required": True, **told}


def _told(sv: str, en: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": both(sv, en), "content": {media: {"schema": schema}}}


_ADAPTER: Final = _named("adapter", "Adapterns namn i inställningarna.", "The adapter's name in the settings.", "fhir")
_KEPT: Final = {
    "type": "object",
    "description": "What became of the event; members that do not apply are left out.",
    "properties": {
        "accepted": {"type": "boolean"},
        "test": {"type": "boolean"},
        "messageIds": {"type": "array", "items": {"type": "string", "format": "uuid"}},
        "caseNumber": {"type": ["string", "null"]},
    },
}
_RESOURCE: Final = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": _TEXT}}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {}]
_BUSY: Final = both("Händelsen är inte sparad; sänd den igen.", "The event is not kept; send it again.")


def _refused(says: str) -> dict[str, Any]:
    told = no(says)
    told["content"][_FHIR] = {"schema": _RESOURCE}
    return told


def _events(summary: str, said: dict[str, Any], answers: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["events"],
        "operationId": said["operationId"],
        "summary": summary,
        "description": both(
            "Vem som sänder visas som adapterns inställningar säger: signatur (Standard Webhooks), nyckel eller "
            "certifikat. En adapter för FHIR svarar med OperationOutcome.",
            "Who sends is shown as the settings of the adapter say: a signature (Standard Webhooks), a token or a "
            "certificate. An adapter for FHIR answers with an OperationOutcome.",
        ),
        "security": _SECURITY,
        "parameters": [_ADAPTER, *parameters],
        **{key: value for key, value in said.items() if key != "operationId"},
        "responses": answers
        | {
            "401": _refused(both("Okänd avsändare.", "The sender is not known.")),
            "403": _refused(both("Känd, men inte här.", "Known, but not here.")),
            "404": _refused(both("Ingen sådan adapter.", "No such adapter.")),
            "408": _refused(both("Innehållet kom för långsamt.", "The content came too slowly.")),
            "413": _refused(both("Innehållet är för stort.", "The content is too large.")),
            "400": _refused(both("Anropet går inte att använda.", "The request cannot be used.")),
            "422": _refused(both("Händelsen är fel; alla skäl står där.", "The event is wrong; every reason is told.")),
            "503": _refused(_BUSY),
        },
    }


_TAKE: Final = _events(
    both("Tar emot en händelse.", "Takes an event."),
    {
        "operationId": "events.take",
        "requestBody": {
            "required": True,
            "content": {media: {"schema": {"type": "object"}} for media in (_JSON, _FHIR)},
        },
    },
    {
        "200": _told("Sparad; blev inget meddelande.", "Kept; it became no message.", _FHIR, _RESOURCE),
        "201": _told("Sparad.", "Kept.", _FHIR, _RESOURCE),
        "202": _told("Sparad, eller ett godkänt prov.", "Kept, or a test that was passed.", _JSON, _KEPT),
        "409": _refused(both("Samma id eller nyckel, annat innehåll.", "The same id or key, other content.")),
        "415": _refused(both("Fel medietyp.", "The wrong media type.")),
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": both(
            "Hör ihop med detta innehåll; webhook-id gäller annars.", "Stands for this content; else webhook-id does."
        ),
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
)
_FETCHED: Final = {
    "200": _told("Hämtat och sparat.", "Fetched and kept.", _FHIR, _RESOURCE),
}
_CHANGED: Final = both(
    "Säger att något har ändrats; det hämtas. Innehållet läses inte.",
    "Tells that something has changed; it is fetched. The content is not read.",
)


def _health(name: str, sv: str, en: str, **answers: dict[str, Any]) -> dict[str, Any]:
    responses = {status.removeprefix("answer"): told for status, told in answers.items()}
    return {"tags": ["gateway"], "operationId": name, "summary": both(sv, en), "responses": responses}


_STATUS: Final = {"type": "string", "enum": ["up", "down"]}
_READY: Final = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {
        "status": _STATUS,
        "checks": {"type": "object", "additionalProperties": _STATUS},
        "closing": {"type": "boolean"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["check", "status", "seconds", "codes"],
                "properties": {
                    "check": _TEXT,
                    "status": _STATUS,
                    "seconds": {"type": "number", "minimum": 0},
                    "codes": {"type": "array", "items": _TEXT},
                },
            },
        },
    },
}
_VERBOSE: Final = {
    "name": "verbose",
    "in": "query",
    "required": False,
    "allowEmptyValue": True,
    "description": both("Med det som är fel, för var sak.", "With what is wrong, for each thing."),
    "schema": _TEXT,
}
_LIVE: Final = {"type": "object", "required": ["status"], "properties": {"status": {"const": "up"}}}

DOOR: Final[dict[str, dict[str, Any]]] = {
    "/api/v1/events/{adapter}": {"post": _TAKE},
    "/api/v1/events/{adapter}/changes": {
        "post": _events(_CHANGED, {"operationId": "events.fetch"}, _FETCHED),
    },
    "/api/v1/events/{adapter}/changes/{kind}/{id}": {
        "put": _events(
            _CHANGED,
            {"operationId": "events.fetch_one"},
            _FETCHED,
            _named("kind", "Resursens typ.", "The type of the resource.", "Encounter"),
            _named("id", "Resursens id.", "The id of the resource.", "v-1"),
        ),
    },
    "/livez": {
        "get": _health(
            "gateway.live",
            "Om processen svarar.",
            "Whether the process answers.",
            answer200=_told("Den svarar.", "It answers.", _JSON, _LIVE),
        )
    },
    "/readyz": {
        "get": _health(
            "gateway.ready",
            "Om databas och växel svarar och tabellerna är de rätta.",
            "Whether database and exchange answer, and the tables are the right ones.",
            answer200=_told("Allt svarar.", "Everything answers.", _JSON, _READY),
            answer503=_told("Något svarar inte.", "Something does not answer.", _JSON, _READY),
        )
        | {"parameters": [_VERBOSE]}
    },
    "/metrics": {
        "get": _health(
            "gateway.metrics",
            "Det gatewayen mäts med, för Prometheus; docs/metrics.md.",
            "What the gateway is measured by, for Prometheus; docs/metrics.md.",
            answer200=_told("Mätetalen.", "The metrics.", "text/plain", _TEXT),
            answer401=no(both("Ingen giltig nyckel visades.", "No valid token was shown.")),
        )
        | {"security": _SECURITY}
    },
    "/openapi.json": {
        "get": _health(
            "gateway.openapi",
            "Den här beskrivningen.",
            "This description.",
            answer200=_told("OpenAPI 3.1.", "OpenAPI 3.1.", _JSON, {"type": "object"}),
            answer400=no(both("Anropet går inte att använda.", "The request cannot be used.")),
            answer429=no(both("För mycket på en gång.", "Too much at once.")),
        )
    },
}
"""The paths of the door that are in no table of routes."""
