"""``gateway run`` as a real process, whose case systems send events and take messages over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from service_process import Pair, Service, events_of, pair

from gateway.adapters.signing import Secrets
from gateway.adapters.table import VOCABULARIES

pytestmark = pytest.mark.long

SECRETS = Secrets((b"what both ends know, and others do not",))
URL = "/api/v1/events"


@dataclass
class Webhook:
    """A case system of the region: it takes signed messages, and can be told to fail."""

    url: str = ""
    fails: bool = False
    refused: int = 0
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert SECRETS.vouch_for(request.headers, body)
        if self.fails:
            self.refused += 1
            return web.Response(status=503)
        sent = json.loads(body)
        self.taken.setdefault(sent["id"], sent)
        return web.json_response({"recordId": f"REC-{list(self.taken).index(sent['id']) + 1}"})


@asynccontextmanager
async def webhook() -> AsyncIterator[Webhook]:
    system = Webhook()
    app = web.Application()
    app.router.add_post("/sip", system.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    system.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sip"
    try:
        yield system
    finally:
        await runner.cleanup()


def over_http(both: Pair, party: str, words: str, *adapters: dict[str, Any]) -> None:
    """Let a party's gateway speak HTTP: one adapter in, and these out."""
    secret = both.folder / "secret"
    secret.write_bytes(SECRETS.keys[0])
    settings = both.settings[party]
    del settings["adapter"], settings["folder"]
    common = {"words": words, "way": "http", "secret_file": str(secret)}
    tables = [{"name": words, "direction": "in"}, *({"direction": "out", **one} for one in adapters)]
    settings["adapters"] = json.dumps([common | one for one in tables])
    settings["http_listen"] = "127.0.0.1:0"


async def opened(service: Service) -> str:
    """Return the address at which a gateway listens."""
    (line,) = await service.has_logged("http.listening")
    return f"http://127.0.0.1:{line['port']}"


async def said(client: aiohttp.ClientSession, adapter: str, event: bytes, *, sent_id: str) -> aiohttp.ClientResponse:
    headers = {"Content-Type": "application/json"} | SECRETS.sign(sent_id, datetime.now(UTC), event)
    return await client.post(f"{URL}/{adapter}", data=event, headers=headers)


async def test_events_and_messages_over_http_from_need_to_kvittens(tmp_path: Path) -> None:
    async with pair(tmp_path) as both, webhook() as journal, webhook() as municipal:
        over_http(both, "kommun", "treserva", {"name": "treserva-out", "url": municipal.url})
        over_http(both, "region", "journal", {"name": "journal-out", "url": journal.url})
        async with both.runs("kommun") as kommun, both.runs("region") as region:
            async with aiohttp.ClientSession(await opened(kommun)) as client:
                answers = []
                for name, event in events_of(0).items():
                    response = await said(client, "treserva", event, sent_id=name)
                    assert response.status == HTTPStatus.ACCEPTED, await response.text()
                    answers.append(await response.json())
                    again = await said(client, "treserva", event, sent_id=name)
                    assert await again.json() == answers[-1]
                assert len({answer["caseNumber"] for answer in answers}) == 1
                conflict = await said(client, "treserva", b"{}", sent_id=name)
                assert conflict.status == HTTPStatus.CONFLICT
                wrong = await said(client, "treserva", b"{}", sent_id="wrong")
                assert wrong.status == HTTPStatus.UNPROCESSABLE_ENTITY
                assert {error["code"] for error in (await wrong.json())["errors"]} != set()
                assert (await client.get("/readyz")).status == HTTPStatus.OK
            await region.has_logged("registered", times=2)
            async with aiohttp.ClientSession(await opened(region)) as client:
                messages = [sent for sent in journal.taken.values() if sent["type"] == "message"]
                for message in messages:
                    taken = VOCABULARIES["journal"].acknowledgement(message["content"], datetime.now(UTC))
                    response = await said(client, "journal", json.dumps(taken).encode(), sent_id=f"k-{message['id']}")
                    assert response.status == HTTPStatus.ACCEPTED, await response.text()
            await kommun.has_logged("verdict", times=6)
            assert [await kommun.stops(), await region.stops()] == [0, 0]
    assert len(messages) == 2
    assert {sent["type"] for sent in municipal.taken.values()} == {"note"}
    person = json.loads(next(iter(events_of(0).values())))["person"]
    log = json.dumps([*kommun.log, *region.log], ensure_ascii=False)
    assert [word for word in (*person["namn"].split(), person["personnummer"]) if word in log] == []
