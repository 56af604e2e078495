"""A proof pack shows how far a message got, can be checked by somebody else, and says nothing about the person."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from windows.site import Site
from windows.test_message_page import entries, id_of, said_in

from gateway.access import Role
from gateway.audit import Anchor
from gateway.proof import proof_of
from gateway.store import audit
from gateway.store.tables import message


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def fetched(site: Site, number: str, **fields: str) -> dict[str, bytes]:
    page = await site.page("/")
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    async with site.client.post(
        f"/messages/{number}/proof.zip", data={"csrf": csrf, "reason": "tvist", **fields}
    ) as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip"), await answer.text()
        assert number in answer.headers["Content-Disposition"]
        return files_of(await answer.read())


async def test_it_can_be_checked_against_its_manifest_and_the_audit_log(site: Site) -> None:
    await site.log_in(Role.READER)
    number = await id_of(site, "plan")
    files = await fetched(site, number)
    manifest = json.loads(files.pop("manifest.json"))
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert (manifest["messageId"], manifest["withContent"]) == (number, False)
    anchor = Anchor(manifest["audit"]["number"], manifest["audit"]["hash"])
    async with site.store.reading() as tx:
        assert (await audit.walk(tx, [anchor])).finding is None
    (entry,) = await entries(site, "message.proved")
    assert (entry["target"], entry["reason"], entry["outcome"]) == (number, "tvist", "done")


async def test_it_tells_each_recipient_each_level_and_who_answered_what(site: Site) -> None:
    number = await id_of(site, "plan")
    async with site.store.reading() as tx:
        found = await proof_of(tx, number, None, party="kommun")
        kept = (await tx.execute(select(message.c.xml).where(message.c.message_id == number))).scalar_one()
    assert found is not None
    files = {name: json.loads(content) for name, content in files_of(found.content).items() if name != "README.txt"}
    ledger: list[dict[str, Any]] = files["ledger.json"]["sent"]
    assert [(one["state"], one["contentHash"]) for one in ledger] == [
        ("acknowledged", hashlib.sha256(kept).hexdigest())
    ] * 2
    assert all(one["sentAt"].endswith("+01:00") and one["recordId"].startswith("JRN-") for one in ledger)
    levels = [(one["level"], one["outcome"]) for one in files["verdicts.json"]]
    assert sorted(levels) == sorted([(level, "accepted") for level in ("received", "registered", "acknowledged")] * 2)
    assert {one["event"] for one in files["history.json"]} >= {"published", "received", "registered", "acknowledged"}


async def test_whoever_received_it_tells_what_was_answered(region: Site) -> None:
    number = await id_of(region, "plan")
    async with region.store.reading() as tx:
        found = await proof_of(tx, number, None, party="region")
    assert found is not None
    answers = json.loads(files_of(found.content)["answers.json"])
    assert len(answers) == 6
    assert {(one["level"], one["outcome"], one["state"]) for one in answers} == {
        (level, "accepted", "sent") for level in ("received", "registered", "acknowledged")
    }


async def test_the_same_state_gives_the_same_bytes(site: Site) -> None:
    number = await id_of(site, "plan")
    async with site.store.reading() as tx:
        first = await proof_of(tx, number, None, party="kommun")
        site.clock.advance(timedelta(hours=1))
        assert await proof_of(tx, number, None, party="kommun") == first
    assert first is not None
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        assert {(one.date_time[:3], one.compress_type) for one in archive.infolist()} == {((1980, 1, 1), 0)}


async def test_what_it_says_is_in_it_only_after_visa(site: Site) -> None:
    await site.log_in(Role.OPERATOR)
    number = await id_of(site, "plan")
    files = await fetched(site, number, content="yes")
    assert "message.xml" not in files
    whole = b"".join(files.values()).decode()
    assert await said_in(site, whole) == []
    await site.send("/reveal", target=number, reason="tvist", back="/")
    assert "message.xml" not in await fetched(site, number)
    files = await fetched(site, number, content="yes")
    assert json.loads(files["manifest.json"])["withContent"]
    async with site.store.reading() as tx:
        kept = (await tx.execute(select(message.c.xml).where(message.c.message_id == number))).scalar_one()
    assert files["message.xml"] == kept


@pytest.mark.parametrize("reason", ["", "om 19121212-1212"])
async def test_it_is_not_fetched_without_a_reason_that_can_be_kept(site: Site, reason: str) -> None:
    await site.log_in(Role.OPERATOR)
    number = await id_of(site, "plan")
    status, page = await site.send(f"/messages/{number}/proof.zip", reason=reason)
    assert status == 422
    assert "19121212" not in page


async def test_over_the_api_it_has_no_content(site: Site) -> None:
    number, who = await id_of(site, "plan"), await site.bearer()
    async with site.client.get(f"/api/v1/messages/{number}/proof", headers=who, params={"reason": "tvist"}) as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        assert "message.xml" not in files_of(await answer.read())
    assert len(await entries(site, "message.proved")) == 1
