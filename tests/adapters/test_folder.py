"""The watched folder: nothing is lost, nothing is overwritten, every step can be repeated."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from case_events import translator

from gateway.adapters import disk, folder
from gateway.adapters.folder import Folder, file_safe
from gateway.adapters.folder_arrival import FolderArrival
from gateway.errors import DependencyDownError, Fault, InvalidDocumentError, RefusedError
from gateway.messages.hardened import MAX_BYTES
from gateway.ports import Registration


async def one_by_one(watched: Folder) -> AsyncIterator[FolderArrival]:
    """Yield what a folder yields, whatever batches it comes in."""
    async for batch in watched.arrivals():
        for arrival in batch:
            yield arrival


FAULT = Fault("folder-test.fault", "Något är fel.", "Something is wrong.")


@pytest.fixture
async def watched(tmp_path: Path) -> Folder:
    watched = Folder(tmp_path, source="test", interval=0.01, timeout=5, settle=0)
    await watched.ping()
    return watched


@pytest.fixture
async def impatient(watched: Folder, tmp_path: Path) -> Folder:
    """Return the same folder for one who waits no longer than for one look."""
    return Folder(tmp_path, source="test", interval=0.01, timeout=0, settle=0)


async def written(path: Path) -> Path:
    """Return when there is a file at ``path``."""
    for _ in range(500):
        if await asyncio.to_thread(path.exists):
            return path
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was written")


async def first(watched: Folder, count: int = 1) -> list[FolderArrival]:
    arrivals = one_by_one(watched)
    return [await asyncio.wait_for(anext(arrivals), 5) for _ in range(count)]


async def nothing_more(arrivals: AsyncIterator[FolderArrival]) -> bool:
    try:
        await asyncio.wait_for(anext(arrivals), 0.1)
    except TimeoutError:
        return True
    return False


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


# --- what arrives ---------------------------------------------------------------------------------------------------


async def test_events_arrive_in_the_order_of_their_names(watched: Folder) -> None:
    for name in ("02.json", "10.json", "01.json"):
        (watched.to_gateway / name).write_text(name)

    assert [arrival.event.content for arrival in await first(watched, 3)] == [b"01.json", b"02.json", b"10.json"]


async def test_an_event_that_comes_later_is_found(watched: Folder) -> None:
    arrivals = one_by_one(watched)
    waiting = asyncio.ensure_future(anext(arrivals))
    await asyncio.sleep(0.05)
    (watched.to_gateway / "01.json").write_bytes(b"{}")

    arrival = await asyncio.wait_for(waiting, 5)
    assert (arrival.event.source, arrival.event.content) == ("test", b"{}")


async def test_files_that_are_not_finished_events_are_left_alone(watched: Folder) -> None:
    for name in ("half.json.tmp", ".hidden.json", "readme.txt", "old.json.ok"):
        (watched.to_gateway / name).write_text("…")
    (watched.to_gateway / "folder.json").mkdir()
    (watched.to_gateway / "link.json").symlink_to(watched.to_gateway / "readme.txt")

    assert await nothing_more(one_by_one(watched))


async def test_a_half_written_event_is_read_when_it_gets_its_name(watched: Folder) -> None:
    half = watched.to_gateway / "01.json.tmp"
    half.write_bytes(b'{"a"')
    arrivals = one_by_one(watched)
    waiting = asyncio.ensure_future(anext(arrivals))
    await asyncio.sleep(0.05)
    half.write_bytes(b'{"a": 1}')
    half.rename(watched.to_gateway / "01.json")

    assert (await asyncio.wait_for(waiting, 5)).event.content == b'{"a": 1}'


async def test_an_event_without_an_answer_comes_again(watched: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    arrivals = one_by_one(watched)
    await asyncio.wait_for(anext(arrivals), 5)
    assert len(await first(watched)) == 1, "to whoever begins anew, at once"

    monkeypatch.setattr(folder, "COME_AGAIN_AFTER", 0.05)
    assert (await asyncio.wait_for(anext(arrivals), 5)).event.content == b"{}"


async def test_an_event_without_an_answer_does_not_come_twice_at_once(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    arrivals = one_by_one(watched)
    await asyncio.wait_for(anext(arrivals), 5)

    assert await nothing_more(arrivals)


async def test_another_event_under_an_answered_name_is_an_event_of_its_own(watched: Folder) -> None:
    arrivals = one_by_one(watched)
    for content in (b"1", b"2"):
        disk.write(watched.to_gateway / "01.json", content)
        arrival = await asyncio.wait_for(anext(arrivals), 5)
        assert arrival.event.content == content
        await arrival.accept({"n": int(content)})

    assert {path.read_bytes() for path in watched.archive.glob("*.json")} == {b"1", b"2"}
    assert read(watched.to_gateway / "01.json.ok") == {"n": 2}
    assert [read(path) for path in watched.archive.glob("*.ok")] == [{"n": 1}]


async def test_an_event_that_is_too_large_is_told_by_its_size_and_kept_whole(watched: Folder) -> None:
    with (watched.to_gateway / "01.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (watched.to_gateway / "02.json").write_bytes(b"{}")
    too_large, other = await first(watched, 2)

    assert too_large.event.content.startswith(b"too large: 31457281 bytes, sha256 ")
    assert len(too_large.event.content) < 200
    assert other.event.content == b"{}"
    with pytest.raises(InvalidDocumentError) as caught:
        translator("treserva").translate(too_large.event)
    assert caught.value.codes == ("document.too-large",)
    await too_large.refuse(caught.value.findings)
    assert read(watched.to_gateway / "01.json.err")[0]["code"] == "document.too-large"
    assert (watched.quarantine / "01.json").stat().st_size == MAX_BYTES + 1


async def test_arrivals_outlive_a_folder_that_goes_away(tmp_path: Path) -> None:
    share = tmp_path / "share"
    watched = Folder(share, source="test", interval=0.01)
    waiting = asyncio.ensure_future(anext(one_by_one(watched)))
    await asyncio.sleep(0.05)
    assert not share.exists()
    (share / "to_gateway").mkdir(parents=True)
    (share / "to_gateway" / "01.json").write_bytes(b"{}")

    assert (await asyncio.wait_for(waiting, 5)).event.content == b"{}"


# --- answers --------------------------------------------------------------------------------------------------------


async def test_an_accepted_event_gets_its_receipt_and_moves_to_the_archive(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    (arrival,) = await first(watched)
    answer = {"accepted": True, "messageIds": ["a"], "caseNumber": "SIP100001"}
    await arrival.accept(answer)

    assert names(watched.to_gateway) == ["01.json.ok"]
    assert read(watched.to_gateway / "01.json.ok") == answer
    assert (watched.archive / "01.json").read_bytes() == b"{}"


async def test_a_refused_event_gets_its_findings_and_moves_to_the_quarantine(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{")
    (arrival,) = await first(watched)
    await arrival.refuse([FAULT.at("/person", line=3)])

    assert names(watched.to_gateway) == ["01.json.err"]
    assert read(watched.to_gateway / "01.json.err") == [
        {"code": "folder-test.fault", "sv": "Något är fel.", "en": "Something is wrong.", "path": "/person", "line": 3}
    ]
    assert (watched.quarantine / "01.json").read_bytes() == b"{"


async def test_a_corrected_event_under_the_same_name_replaces_the_refusal(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{")
    await (await first(watched))[0].refuse([FAULT.at()])
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    await (await first(watched))[0].accept({"accepted": True})

    assert names(watched.to_gateway) == ["01.json.ok"]
    assert names(watched.quarantine) == ["01.json"]
    assert names(watched.archive) == ["01.json", "01.json.err"]


async def test_answering_again_changes_nothing(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    (arrival,) = await first(watched)
    await arrival.accept({"accepted": True})
    await arrival.accept({"accepted": True})

    assert names(watched.to_gateway) == ["01.json.ok"]
    assert names(watched.archive) == ["01.json"]


async def test_a_crash_between_receipt_and_move_is_made_good(watched: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    (arrival,) = await first(watched)

    def crash(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(disk, "move", crash)
        with pytest.raises(DependencyDownError):
            await arrival.accept({"accepted": True})
    assert names(watched.to_gateway) == ["01.json", "01.json.ok"]

    (again,) = await first(watched)
    assert again.event == arrival.event
    await again.accept({"accepted": True})
    assert names(watched.to_gateway) == ["01.json.ok"]
    assert names(watched.archive) == ["01.json"]


async def test_the_archive_keeps_both_of_two_events_with_one_name(watched: Folder) -> None:
    for content in (b"1", b"2", b"2"):
        (watched.to_gateway / "01.json").write_bytes(content)
        await (await first(watched))[0].accept({"accepted": True})

    kept = {path.name: path.read_bytes() for path in watched.archive.iterdir()}
    assert kept == {"01.json": b"1", "01.d4735e3a265e.json": b"2"}, "the hash of the second names it"


@pytest.mark.parametrize("name", ["å".encode("latin-1"), "å".encode() * 110, "å".encode("latin-1") * 200], ids=len)
async def test_a_file_may_have_any_name(watched: Folder, name: bytes) -> None:
    for content in (b"1", b"2"):
        (watched.to_gateway / os.fsdecode(name + b".json")).write_bytes(content)
        await (await first(watched))[0].accept({"accepted": True})

    assert len(names(watched.to_gateway)) == 1
    assert sorted(path.read_bytes() for path in watched.archive.iterdir()) == [b"1", b"2"]


async def test_an_event_replaced_before_its_answer_is_kept_and_its_successor_waits(watched: Folder) -> None:
    (watched.to_gateway / "01.json").write_bytes(b"1")
    (arrival,) = await first(watched)
    disk.write(watched.to_gateway / "01.json", b"2")
    await arrival.accept({"accepted": True})

    assert (watched.archive / "01.json").read_bytes() == b"1"
    assert [arrival.event.content for arrival in await first(watched)] == [b"2"]


# --- what is handed over --------------------------------------------------------------------------------------------


async def test_what_is_handed_over_waits_for_its_receipt(watched: Folder) -> None:
    handing = asyncio.ensure_future(watched.hand_over("m-1", {"text": "å"}))
    assert read(await written(watched.from_gateway / "m-1.json")) == {"text": "å"}
    assert not handing.done()

    disk.write(watched.from_gateway / "m-1.json.ok", b'{"recordId": "R-1"}')
    assert await handing == Registration(record_id="R-1")


async def test_a_receipt_that_has_come_is_returned_again(watched: Folder) -> None:
    disk.write(watched.from_gateway / "m-1.json.ok", b'{"recordId": "R-1"}')

    assert await watched.hand_over("m-1", {"text": "å"}) == Registration(record_id="R-1")
    assert names(watched.from_gateway) == ["m-1.json.ok"], "a system may have moved the message away"


async def test_handing_over_again_leaves_the_file_as_it_was(watched: Folder, impatient: Folder) -> None:
    for text in ("first", "second"):
        with pytest.raises(DependencyDownError) as caught:
            await impatient.hand_over("m-1", {"text": text})
        assert caught.value.codes == ("system.no-receipt",)

    assert read(watched.from_gateway / "m-1.json") == {"text": "first"}


@pytest.mark.parametrize(
    "receipt",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"recordId": 7}',
        b'{"recordId": " "}',
        b"\xff",
        b'{"recordId": "a',
        b'{"recordId": "a", "registeredAt": 7}',
        b'{"recordId": "a", "registeredAt": "nu"}',
    ],
    ids=repr,
)
async def test_a_receipt_that_cannot_be_read_is_no_receipt(impatient: Folder, receipt: bytes) -> None:
    (impatient.from_gateway / "m-1.json.ok").write_bytes(receipt)

    with pytest.raises(DependencyDownError) as caught:
        await impatient.hand_over("m-1", {})
    assert caught.value.codes == ("system.receipt-unreadable",)


async def test_a_receipt_may_be_finished_while_it_is_waited_for(watched: Folder) -> None:
    (watched.from_gateway / "m-1.json.ok").write_bytes(b'{"recordId":')
    handing = asyncio.ensure_future(watched.hand_over("m-1", {}))
    await asyncio.sleep(0.05)
    (watched.from_gateway / "m-1.json.ok").write_bytes(b'{"recordId": "R-1"}')

    assert (await handing).record_id == "R-1"


@pytest.mark.parametrize(
    ("receipt", "code"),
    [
        (b'{"code": "closed-case", "reason": "Mira Solvind finns inte"}', "closed-case"),
        (b'{"code": "Mira Solvind", "reason": "finns inte"}', "–"),
        (b"{}", "–"),
    ],
    ids=["code", "words", "nothing"],
)
async def test_a_refusal_tells_its_code_and_never_its_words(watched: Folder, receipt: bytes, code: str) -> None:
    disk.write(watched.from_gateway / "m-1.json.err", receipt)

    with pytest.raises(RefusedError) as caught:
        await watched.hand_over("m-1", {})
    (finding,) = caught.value.findings
    assert finding == folder.REFUSED.at(code=code)
    assert "Solvind" not in str(finding)


async def test_a_disk_that_cannot_be_written_is_down(watched: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(disk, "write", full)
    with pytest.raises(DependencyDownError) as caught:
        await watched.hand_over("m-1", {})
    assert caught.value.codes == ("folder.unavailable",)


def test_names_are_safe_and_stay_apart() -> None:
    assert file_safe("SE2321000131-E000000000101") == "SE2321000131-E000000000101"
    assert len({file_safe(name) for name in ("../a", "..\\a", ".._a", "å" * 300, "å" * 301)}) == 5
    for name in ("../a", "a/b", "å" * 300):
        assert "/" not in file_safe(name)
        assert len(file_safe(name).encode()) < 150
