"""FHIR resources for tests, made and serialised by ``fhir.resources``: each is valid as it comes."""

from __future__ import annotations

import json
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from gateway.adapters.fhir_extensions import written
from gateway.adapters.fhir_identifiers import HSA_SYSTEM, MESSAGE_SYSTEM, PARTY_SYSTEM
from gateway.directory import Directory
from gateway.ports import Draft, Event, Translation
from gateway.resources import demo_directory

DIRECTORY = Directory.load(demo_directory())
SOCIAL, MUNICIPAL_HEALTH = "SE2120001355-SOCHISINGEN", "SE2120001355-HSLHISINGEN"
CENTRE, PSYCHIATRY, WARD = "SE2321000131-E000000000101", "SE2321000131-E000000000202", "SE2321000131-E000000000303"
EARLIER = "5f0e8c1a-3b7d-4c52-9a64-0d1e2f3a4b5c"
RECORDED = "2026-11-10T08:55:00+01:00"
PERSONNUMMER = "197811309819"

Json = dict[str, Any]


def extensions(**values: Any) -> list[Json]:
    """Return extensions of the gateway's; ``_`` in a name stands for ``-``."""
    return [one for name, value in values.items() for one in written(name.replace("_", "-"), value)]


def unit(hsa_id: str) -> Json:
    return {"identifier": {"system": HSA_SYSTEM, "value": hsa_id}}


def party(name: str) -> Json:
    return {"identifier": {"system": PARTY_SYSTEM, "value": name}}


def earlier(message_id: str = EARLIER) -> Json:
    return {"identifier": {"system": MESSAGE_SYSTEM, "value": message_id}}


def to(reference: str) -> Json:
    return {"reference": reference}


def patient(**more: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "http://electronichealth.se/identifier/personnummer", "value": PERSONNUMMER}],
        "name": [{"family": "Vallgård", "given": ["Henrik"]}],
        "address": [{"use": "home", "text": "Övningsgatan 1, 417 00 Göteborg"}],
        **more,
    }


def practitioner() -> Json:
    return {
        "resourceType": "Practitioner",
        "id": "isak",
        "identifier": [{"system": HSA_SYSTEM, "value": "SE2321000131-P000000012345"}],
        "name": [{"text": "Isak Fjellander"}],
    }


def role(at: str = WARD) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": "isak-303",
        "practitioner": to("Practitioner/isak"),
        "organization": unit(at),
        "code": [{"text": "Sjuksköterska"}],
        "telecom": [{"system": "phone", "value": "031-390 06 77"}],
    }


def people(at: str = WARD) -> list[Json]:
    return [patient(), practitioner(), role(at)]


def encounter(status: str = "arrived", extension: list[Json] | None = None, **more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "enc-60417",
        "meta": {"versionId": "1", "lastUpdated": RECORDED},
        "identifier": [{"system": "urn:oid:1.2.752.113.999.1", "value": "ENC-2026-60417"}],
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": to("Patient/p1"),
        "participant": [{"individual": to("PractitionerRole/isak-303")}],
        "serviceProvider": unit(WARD),
        "period": {"start": "2026-11-09T14:20:00+01:00"},
        "extension": extension
        if extension is not None
        else extensions(
            judged_at="2026-11-10T08:30:00+01:00",
            expected_discharge="2026-11-16",
            expected_need=["social", "municipal-health"],
            recipient=[unit(SOCIAL), unit(MUNICIPAL_HEALTH)],
        ),
        **more,
    }


def bundle(*resources: Json, kind: str = "collection", name: str = "b-1", **more: Any) -> Json:
    entries = []
    for one in resources:
        entry = {"fullUrl": f"https://journal.example/fhir/{one['resourceType']}/{one['id']}", "resource": one}
        if kind == "transaction":
            entry["request"] = {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}
        entries.append(entry)
    return {
        "resourceType": "Bundle",
        "type": kind,
        "identifier": {"system": "urn:oid:1.2.752.113.999.2", "value": name},
        "timestamp": RECORDED,
        "entry": entries,
        **more,
    }


def serialised(resource: Json) -> bytes:
    """Return a resource as ``fhir.resources`` writes it, so that what is read here is what another system sends."""
    made = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    text: str = made.model_dump_json(indent=2)
    return text.encode()


def event(resource: Json, *, raw: bool = False) -> Event:
    """Return a resource as an event; ``raw`` for one that ``fhir.resources`` would not write."""
    content = json.dumps(resource, ensure_ascii=False).encode() if raw else serialised(resource)
    return Event(source="fhir", content=content)


def translate(resource: Json, *, raw: bool = False) -> Translation:
    from gateway.adapters.fhir_event import translate as understand  # noqa: PLC0415

    return understand(event(resource, raw=raw), DIRECTORY)


def draft_of(resource: Json) -> Draft:
    (draft,) = translate(resource).drafts
    return draft


def case(**more: Any) -> list[Json]:
    return extensions(case_reference="JRN-SIP-17", **more)


def performed(at: str = CENTRE, **more: Any) -> list[Json]:
    """Return the extensions of what a member of staff does in a case, where the resource has no element for them."""
    return case(acting_unit=unit(at), performer=to("PractitionerRole/isak-303"), **more)


def _identified(kind: str, name: str, **members: Any) -> Json:
    return {
        "resourceType": kind,
        "id": name,
        "meta": {"versionId": "1", "lastUpdated": RECORDED},
        **{key: value for key, value in members.items() if value is not None},
    }


def call(extension: list[Json] | None = None, **more: Any) -> Json:
    members: Json = {
        "status": "booked",
        "description": "Bo kvar hemma.",
        "start": "2026-11-20T13:00:00+01:00",
        "end": "2026-11-20T14:30:00+01:00",
        "requestedPeriod": [{"start": "2026-11-23T13:00:00+01:00", "end": "2026-11-23T14:30:00+01:00"}],
        "patientInstruction": "Ta med läkemedelslistan.",
        "participant": [
            {"actor": to("Patient/p1"), "status": "accepted"},
            {
                "actor": unit(SOCIAL),
                "required": "required",
                "status": "needs-action",
                "extension": extensions(profession="Biståndshandläggare", invited_because="Beslut om hemtjänst."),
            },
            {"actor": unit(CENTRE), "required": "required", "status": "accepted"},
            {
                "actor": {"display": "Siv Vallgård"},
                "required": "optional",
                "status": "needs-action",
                "extension": extensions(role="Syster"),
            },
        ],
        "extension": extension
        if extension is not None
        else performed(
            question=["Vem hjälper till med medicinen?"],
            agenda=["Presentation", "Behov"],
            place="Björkdalens vårdcentral, rum 4",
            chair={"name": "Isak Fjellander", "role": "Sjuksköterska", "unit": unit(CENTRE)},
            reply_by="2026-11-16T16:00:00+01:00",
        ),
    }
    return _identified("Appointment", "app-1", **(members | more))


def reply(extension: list[Json] | None = None, **more: Any) -> Json:
    members: Json = {
        "appointment": earlier(),
        "actor": unit(CENTRE),
        "participantStatus": "accepted",
        "extension": extension
        if extension is not None
        else case(
            performer=to("PractitionerRole/isak-303"),
            patient=to("Patient/p1"),
            attendee={"name": "Isak Fjellander", "profession": "Sjuksköterska", "mandate": True},
        ),
    }
    return _identified("AppointmentResponse", "resp-1", **(members | more))


def decision(extension: list[Json] | None = None, **more: Any) -> Json:
    members: Json = {
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "INFA"}]}],
        "policyRule": {"text": "OSL 10 kap. 1 §"},
        "patient": to("Patient/p1"),
        "dateTime": "2026-11-10T08:40:00+01:00",
        "organization": [unit(CENTRE)],
        "provision": {
            "type": "permit",
            "period": {"end": "2027-11-10"},
            "actor": [
                {"role": {"text": "Part"}, "reference": party("kommun")},
                {"role": {"text": "Part"}, "reference": party("region")},
            ],
            "class": [
                {"system": "urn:sip-gateway:code:information-type", "code": code}
                for code in ("need", "meeting", "plan")
            ],
        },
        "extension": extension
        if extension is not None
        else case(
            performer=to("PractitionerRole/isak-303"),
            form="oral",
            given_by="person",
            informed_how="Muntligt vid besök.",
        ),
    }
    return _identified("Consent", "con-1", **(members | more))


def communication(**more: Any) -> Json:
    members: Json = {
        "status": "completed",
        "subject": to("Patient/p1"),
        "topic": {"text": "Läkemedelslista"},
        "sender": to("PractitionerRole/isak-303"),
        "payload": [{"contentString": "Listan är uppdaterad."}, {"contentString": "Dosetten hämtas på fredag."}],
        "extension": case(reply_wanted=True, reply_by="2026-11-13T12:00:00+01:00"),
    }
    return _identified("Communication", "com-1", **(members | more))


def charge(**more: Any) -> Json:
    members: Json = {
        "status": "completed",
        "intent": "order",
        "code": {"coding": [{"system": "urn:sip-gateway:code:task", "code": "take-charge"}]},
        "focus": earlier(),
        "owner": unit(CENTRE),
        "lastModified": RECORDED,
        "extension": extensions(performer=to("PractitionerRole/isak-303"), message_type="meetingBooking"),
    }
    return _identified("Task", "task-1", **(members | more))


def transfer(**more: Any) -> Json:
    members: Json = {
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:sip-gateway:code:task", "code": "transfer"}]},
        "for": to("Patient/p1"),
        "requester": to("PractitionerRole/isak-303"),
        "description": "Den enskilde har mest kontakt med socialtjänsten.",
        "extension": case(
            previous_responsible={"unit": unit(CENTRE), "user": to("PractitionerRole/isak-303")},
            next_responsible={
                "unit": unit(SOCIAL),
                "user": {
                    "identifier": {"system": HSA_SYSTEM, "value": "SE2120001355-P001"},
                    "display": "Maria Provsson",
                },
            },
            effective_on="2026-12-01",
            recipient=[unit(SOCIAL)],
        ),
    }
    return _identified("Task", "task-2", **(members | more))


def asked(code: str, extension: list[Json], **more: Any) -> Json:
    """Return a Task that asks for a step of the case."""
    members: Json = {
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "urn:sip-gateway:code:task", "code": code}]},
        "for": to("Patient/p1"),
        "requester": to("PractitionerRole/isak-303"),
        "extension": extension,
    }
    return _identified("Task", f"task-{code}", **(members | more))


def start() -> Json:
    about = case(initiated_by="regional-health-care", requested_by_person=True, recipient=[unit(SOCIAL)])
    return asked("start", about, description="Behöver stöd från både vårdcentral och socialtjänst.")


def close() -> Json:
    about = case(
        closure_reason="goals-met",
        closed_on="2026-11-10",
        person_informed_how="Vid uppföljningen.",
        where_to_turn="Vårdcentralen.",
        documented=[{"principal": "region", "documented": True, "on": "2026-11-10"}],
    )
    return asked("close", about)
