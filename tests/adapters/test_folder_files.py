"""Files of many lines, in any form, from systems that write slowly: an answer for every line, and none too early."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from case_events import EVENTS
from structlog.testing import capture_logs
from written_events import csv_of, xml_of

from gateway.adapters import disk, folder
from gateway.adapters.folder import Folder
from gateway.adapters.folder_arrival import FolderArrival
from gateway.adapters.shelved import Shelved
from gateway.adapters.unfinished import UNENDED, Unfinished
from gateway.errors import DependencyDownError, Fault

FAULT = Fault("folder-files-test.fault", "Något är fel.", "Something is wrong.")
SHEET = b'id;text\r\n1;"en\r\ntv\xe5"\r\n\r\n2;tre\r\n3;fyra\r\n'
"""Events on the lines 2, 5 and 6, in ISO-8859-1."""
LINES = ['id;text\n1;"en\r\ntvå"\n', "id;text\n2;tre\n", "id;text\n3;fyra\n"]


@pytest.fixture
async def watched(tmp_path: Path) -> Folder:
    watched = Folder(tmp_path, source="test", interval=0.01, settle=0)
    await watched.ping()
    return watched


async def some(watched: Folder) -> list[FolderArrival]:
    """Return the first batch that a folder yields."""
    async with aclosing(watched.arrivals()) as arrivals, asyncio.timeout(5):  # type: ignore[type-var]
        return await anext(arrivals)


def contents(arrivals: list[FolderArrival]) -> list[str]:
    return [arrival.event.content.decode() for arrival in arrivals]


def files(watched: Folder) -> dict[str, bytes]:
    """Return all that lies in the folder, by where it lies."""
    root = watched.archive.parent
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def json_in(path: Path) -> Any:
    return json.loads(path.read_bytes())


# --- lines ----------------------------------------------------------------------------------------------------------


async def test_every_line_is_an_event_in_its_order(watched: Folder) -> None:
    (watched.to_gateway / "02.CSV").write_bytes(SHEET)
    (watched.to_gateway / "01.xml").write_bytes(b"<a/>")
    (watched.to_gateway / "03.Json").write_bytes(b"{}")

    assert contents(await some(watched)) == ["<a/>", *LINES, "{}"]


async def test_a_large_file_comes_some_lines_at_a_time(watched: Folder) -> None:
    (watched.to_gateway / "01.csv").write_text("id;text\n" + "".join(f"{n};x\n" for n in range(150)))
    told: list[str] = []
    async with asyncio.timeout(5):
        async for batch in watched.arrivals():
            assert len(batch) <= folder.BATCH
            told += contents(batch)
            for arrival in batch:
                await arrival.accept({"accepted": True})
            if len(told) == 150:
                break
    assert told == [f"id;text\n{n};x\n" for n in range(150)]
    receipt = json_in(watched.to_gateway / "01.csv.ok")
    assert [line["line"] for line in receipt["lines"]] == list(range(2, 152))


async def test_wide_lines_come_few_at_a_time_and_their_receipt_can_be_read(watched: Folder) -> None:
    names = ";".join(f"a{n}" for n in range(1_000))
    (watched.to_gateway / "01.csv").write_text(names + "\n" + (";".join("1" * 1_000) + "\n") * 240)
    left = 240
    async with aclosing(watched.arrivals()) as arrivals, asyncio.timeout(5):  # type: ignore[type-var]
        while left:
            batch = await anext(arrivals)
            assert len(batch) <= 5
            for arrival in batch:
                await arrival.refuse([FAULT.at(f"column {number}") for number in range(101)])
            left -= len(batch)
    *told, more = json_in(watched.to_gateway / "01.csv.err")
    assert {one["line"] for one in told} == set(range(2, 242)), "each has a reason"
    assert len(told) < 1_300
    assert more["en"] == f"{240 * 101 - len(told)} more faults are not told."


async def test_a_file_whose_lines_are_all_accepted_has_one_receipt(watched: Folder) -> None:
    (watched.to_gateway / "01.csv").write_bytes(SHEET)
    for number, arrival in enumerate(await some(watched)):
        assert not (watched.to_gateway / "01.csv.ok").exists(), "not before the last line is answered"
        await arrival.accept({"accepted": True, "messageIds": [number]})

    assert files(watched).keys() == {"to_gateway/01.csv.ok", "archive/01.csv"}
    assert json_in(watched.to_gateway / "01.csv.ok") == {
        "lines": [
            {"line": 2, "accepted": True, "messageIds": [0]},
            {"line": 5, "accepted": True, "messageIds": [1]},
            {"line": 6, "accepted": True, "messageIds": [2]},
        ]
    }


async def test_a_file_whose_lines_are_all_refused_is_kept_as_it_came(watched: Folder) -> None:
    (watched.to_gateway / "01.csv").write_bytes(SHEET)
    for arrival in await some(watched):
        await arrival.refuse([FAULT.at("text", 2), FAULT.at()])

    assert files(watched).keys() == {"to_gateway/01.csv.err", "quarantine/01.csv"}
    assert (watched.quarantine / "01.csv").read_bytes() == SHEET
    told = [(one["line"], one.get("path")) for one in json_in(watched.to_gateway / "01.csv.err")]
    assert told == [(2, "text"), (2, None), (5, "text"), (5, None), (6, "text"), (6, None)]


async def test_refused_lines_are_told_by_themselves_and_can_be_mended_and_dropped_again(watched: Folder) -> None:
    (watched.to_gateway / "01.csv").write_bytes(SHEET)
    first, second, third = await some(watched)
    await third.refuse([FAULT.at("text")])
    await second.accept({"accepted": True})
    await first.refuse([FAULT.at("id")])

    receipts = {"to_gateway/01.csv.ok", "to_gateway/01.csv.err"}
    assert files(watched).keys() == receipts | {"archive/01.csv", "quarantine/01.csv"}
    assert [line["line"] for line in json_in(watched.to_gateway / "01.csv.ok")["lines"]] == [5]
    assert [(one["line"], one["path"]) for one in json_in(watched.to_gateway / "01.csv.err")] == [
        (2, "id"),
        (6, "text"),
    ]
    assert (watched.archive / "01.csv").read_bytes() == SHEET
    to_mend = (watched.quarantine / "01.csv").read_bytes()
    assert to_mend == b'id;text\r\n1;"en\r\ntv\xe5"\r\n3;fyra\r\n', "in the encoding it came in"

    (watched.to_gateway / "01.csv").write_bytes(to_mend.replace(b"fyra", b"fem"))
    again = await some(watched)
    assert contents(again) == [LINES[0], "id;text\n3;fem\n"]
    for arrival in again:
        await arrival.accept({"accepted": True})
    assert json_in(watched.to_gateway / "01.csv.ok")["lines"][0]["line"] == 2
    assert not (watched.to_gateway / "01.csv.err").exists()
    assert {"01.csv.ok", "01.csv.err"} < {path.name for path in watched.archive.iterdir()}, "earlier receipts are kept"


async def test_a_line_that_has_no_answer_yet_comes_again_alone(
    watched: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "COME_AGAIN_AFTER", 0.05)
    (watched.to_gateway / "01.csv").write_bytes(SHEET)
    async with aclosing(watched.arrivals()) as arrivals, asyncio.timeout(5):  # type: ignore[type-var]
        first, second, third = await anext(arrivals)
        await first.accept({"accepted": True})
        await third.refuse([FAULT.at()])
        assert files(watched) == {"to_gateway/01.csv": SHEET}

        (again,) = await anext(arrivals)
        assert again.event == second.event
        await again.accept({"accepted": True})
    assert [line["line"] for line in json_in(watched.to_gateway / "01.csv.ok")["lines"]] == [2, 5]
    assert [one["line"] for one in json_in(watched.to_gateway / "01.csv.err")] == [6]


async def answer(watched: Folder) -> None:
    first, second, third = await some(watched)
    await first.accept({"accepted": True})
    await second.refuse([FAULT.at("text")])
    await third.accept({"accepted": True})


@pytest.mark.parametrize("step", range(6))
async def test_a_crash_at_any_step_of_answering_a_file_is_made_good(
    watched: Folder, step: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    undisturbed = Folder(tmp_path / "other", source="test", settle=0)
    (tmp_path / "other").mkdir()
    await undisturbed.ping()
    (undisturbed.to_gateway / "01.csv").write_bytes(SHEET)
    await answer(undisturbed)
    (watched.to_gateway / "01.csv").write_bytes(SHEET)
    done = 0

    def until_it_dies(work: Any) -> Any:
        def working(*args: Any) -> None:
            nonlocal done
            if done == step:
                raise OSError
            done += 1
            work(*args)

        return working

    with monkeypatch.context() as patched:
        patched.setattr(disk, "write", until_it_dies(disk.write))
        patched.setattr(disk, "move", until_it_dies(disk.move))
        if step < 4:  # two receipts, the lines to mend, and the move
            with pytest.raises(DependencyDownError):
                await answer(watched)
            assert (watched.to_gateway / "01.csv").exists()
        else:
            await answer(watched)
            (watched.to_gateway / "01.csv").write_bytes(SHEET)
    await answer(watched)

    ours = {name: content for name, content in files(watched).items() if not name.startswith("other")}
    assert ours == files(undisturbed)


async def test_lines_that_were_added_meanwhile_get_their_own_answer(
    watched: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "COME_AGAIN_AFTER", 0.05)
    path = watched.to_gateway / "01.csv"
    path.write_bytes(SHEET)
    async with aclosing(watched.arrivals()) as arrivals, asyncio.timeout(5):  # type: ignore[type-var]
        batch = await anext(arrivals)
        with path.open("ab") as file:
            file.write(b"4;fem\r\n")
        for arrival in batch:
            await arrival.accept({"accepted": True})
        assert (watched.archive / "01.csv").read_bytes() == SHEET

        again = await anext(arrivals)
        assert contents(again) == [*LINES, "id;text\n4;fem\n"]
        for arrival in again:
            await arrival.accept({"accepted": True})
    assert not path.exists()
    assert SHEET + b"4;fem\r\n" in {kept.read_bytes() for kept in watched.archive.iterdir()}


async def test_what_cannot_be_taken_apart_is_one_event(watched: Folder) -> None:
    (watched.to_gateway / "01.csv").write_bytes(b'id;text\n1;"en\n2;tre\n')

    assert contents(await some(watched)) == ['id;text\n1;"en\n2;tre\n']


# --- files that are being written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "waits"),
    [
        (b'{"a": 1}\n', 0),
        (b"<a><b>1</b></a>", 0),
        (b"a;b\n1;2\n", 1),
        (b"a;b\r1;2\r", 1),
        (b"a;b\n1;2", UNENDED),
        (b'{"a": 1', UNENDED),
        (b'{"a": {"b": 1}', 1),
        (b'{"a": "}', 1),
        (b"<a><b>1</b>", 1),
        (b"<a><b>1", UNENDED),
        (b"", UNENDED),
    ],
    ids=repr,
)
def test_what_does_not_show_its_end_must_stand_still(content: bytes, waits: int, tmp_path: Path) -> None:
    path, file = tmp_path / "01", ("01", 1)
    path.write_bytes(content)
    now = [100.0]
    unfinished = Unfinished(settle=1.0, patience=30, seconds=lambda: now[0])

    def is_whole() -> bool:
        status = path.stat()
        return unfinished.must_be_read(file, status) and unfinished.is_whole(file, status, content)

    assert is_whole() is (waits == 0)
    if waits:
        now[0] += waits - 0.1
        assert not is_whole()
        os.utime(path, ns=(1, 1))
        assert not is_whole(), "it was written to: the time begins anew"
        now[0] += waits - 0.1
        assert not is_whole()
        now[0] += 0.2
        assert is_whole()


def test_lines_may_come_one_by_one_and_csv_must_stand_still_for_longer(tmp_path: Path) -> None:
    path, now = tmp_path / "01", [100.0]
    unfinished = Unfinished(settle=1.0, patience=30, seconds=lambda: now[0], lines=10)

    def is_whole(name: str, content: bytes, after: float) -> bool:
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
        now[0] += after
        status = path.stat()
        return unfinished.must_be_read((name, 1), status) and unfinished.is_whole((name, 1), status, content)

    assert not is_whole("01.csv", b"a;b\n1;2\n", 0)
    assert not is_whole("01.csv", b"a;b\n1;2\n", 9.9)
    assert is_whole("01.csv", b"a;b\n1;2\n", 0.2)
    assert not is_whole("02.xml", b"<a>", 0)
    assert is_whole("02.xml", b"<a>", 1.1)


@pytest.mark.parametrize("dies", [False, True], ids=["goes on", "is started anew"])
@pytest.mark.parametrize("is_taken", [False, True], ids=["free", "taken"])
async def test_lines_written_to_a_file_that_was_answered_are_answered_too(
    tmp_path: Path, dies: bool, is_taken: bool
) -> None:
    watched = Folder(tmp_path, source="test", interval=0.005, settle=0.05)
    await watched.ping()
    accepted: list[str] = []

    async def taken(arrivals: AsyncIterator[list[FolderArrival]], last: str) -> None:
        while f"id;text\n{last}\n" not in accepted:
            for arrival in await anext(arrivals):
                accepted.extend(contents([arrival]))
                await arrival.accept({"accepted": True})

    with (watched.to_gateway / "01.csv").open("wb", buffering=0) as file, capture_logs() as logs:
        file.write(b"id;text\n1;en\n")
        async with asyncio.timeout(5):
            async with aclosing(watched.arrivals()) as arrivals:  # type: ignore[type-var]
                await taken(arrivals, "1;en")
                assert (watched.archive / "01.csv").exists()
                if not dies:
                    file.write(b"2;tv")
                    file.write(b"\xc3\xa5\n")
                    await taken(arrivals, "2;två")
            file.write(b"3;tre\n")
            if is_taken:
                (watched.to_gateway / "01.csv").mkdir()  # a name that cannot be had, and is not taken
            watched = Folder(tmp_path, source="test", interval=0.005, settle=0.05)
            async with aclosing(watched.arrivals()) as arrivals:  # type: ignore[type-var]
                await taken(arrivals, "3;tre")

    kept = {path.read_bytes() for path in watched.archive.glob("*.csv")}
    assert "id;text\n1;en\n{}3;tre\n".format("" if dies else "2;två\n").encode() in kept
    (receipt,) = watched.to_gateway.glob("01.*.csv.ok" if is_taken else "01.csv.ok")
    assert [line["line"] for line in json_in(receipt)["lines"]] == ([2, 3] if dies else [2, 3, 4])
    assert {one["event"] for one in logs} == {"adapter.event_grown"}


async def test_what_comes_between_the_last_glance_at_a_file_and_its_move_is_not_lost(
    watched: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = disk.move

    def at_the_last_moment(path: Path, shelf: Path) -> None:
        if path.read_bytes() == b"{}":
            disk.write(path, b'{"another": 1}')
        move(path, shelf)

    monkeypatch.setattr(disk, "move", at_the_last_moment)
    (watched.to_gateway / "01.json").write_bytes(b"{}")
    await (await some(watched))[0].accept({"accepted": True})
    assert (watched.archive / "01.json").read_bytes() == b"{}"
    (other,) = await some(watched)
    assert other.event.content == b'{"another": 1}'
    await other.accept({"accepted": True})
    assert {path.read_bytes() for path in watched.archive.glob("*.json")} == {b"{}", b'{"another": 1}'}


async def test_what_is_mended_in_the_quarantine_is_left_there_and_the_notes_end(tmp_path: Path) -> None:
    now = [100.0]
    to_gateway, notes, quarantine = tmp_path / "to_gateway", tmp_path / "notes", tmp_path / "quarantine"
    for folder_of_it in (to_gateway, quarantine):
        folder_of_it.mkdir()
    shelved = Shelved(to_gateway, notes, 10, seconds=lambda: now[0])
    assert shelved.look() == 0
    for name in ("01.csv", "02.csv"):
        (to_gateway / name).write_bytes(SHEET)
        assert shelved.move(to_gateway / name, quarantine, SHEET, may_grow=True)
    (quarantine / "01.csv").write_bytes(SHEET.replace(b"fyra", b"fem, sex"))
    assert not shelved.is_due
    for after in (10, 50, 540):
        assert len(list(notes.iterdir())) == 2
        now[0] += after
        assert shelved.is_due
        assert shelved.look() == 0
    assert list(notes.iterdir()) == []
    assert not shelved.is_due
    assert len(list(quarantine.iterdir())) == 2


async def test_files_behind_a_half_written_one_wait_for_it_but_not_for_ever(tmp_path: Path) -> None:
    patient, impatient = (
        Folder(tmp_path, source="test", interval=0.01, settle=10, patience=patience) for patience in (10, 0.03)
    )
    await patient.ping()
    (patient.to_gateway / "01 Mira Solvind.json").write_bytes(b'{"a": ')
    (patient.to_gateway / "02.json").write_bytes(b"{}")

    async with aclosing(patient.arrivals()) as arrivals:  # type: ignore[type-var]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(arrivals), 0.1)
    with capture_logs() as logs:
        assert contents(await some(impatient)) == ["{}"]
        async with aclosing(impatient.arrivals()) as arrivals:  # type: ignore[type-var]
            assert contents(await anext(arrivals)) == ["{}"]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(arrivals), 0.1)
    assert logs == [{"event": "adapter.event_unfinished", "source": "test", "log_level": "warning"}], "told once"


OTHER_SYSTEM = """
import pathlib, sys, time

folder, need, call = (pathlib.Path(argument) for argument in sys.argv[1:])
content = need.read_bytes()
with (folder / "01.csv").open("wb", buffering=0) as file:  # a system that cannot rename, and writes slowly
    for part in (content[:60], content[60:-9], content[-9:]):
        file.write(part)
        time.sleep(0.06)
half = folder / "02.xml.part"
half.write_bytes(call.read_bytes()[:100])
half.write_bytes(call.read_bytes())
half.rename(folder / "02.xml")
"""


async def test_another_process_drops_files_slowly_half_written_by_rename_and_in_iso_8859_1(tmp_path: Path) -> None:
    watched = Folder(tmp_path / "share", source="treserva", interval=0.005, settle=0.25)
    (tmp_path / "share").mkdir()
    await watched.ping()
    need = json.loads((EVENTS / "treserva" / "valid_behov.json").read_bytes())
    lines = csv_of([need, need | {"handelseId": "TRV-2"}])
    (tmp_path / "need").write_bytes(lines.encode("latin-1"))
    declared = f'<?xml version="1.0" encoding="ISO-8859-1"?>{xml_of(need)}'
    (tmp_path / "call").write_bytes(declared.encode("latin-1"))
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OTHER_SYSTEM, watched.to_gateway, tmp_path / "need", tmp_path / "call")
    )
    told: list[str] = []

    async def take() -> AsyncIterator[None]:
        async for batch in watched.arrivals():
            for arrival in batch:
                told.append(arrival.event.content.decode("latin-1" if arrival.event.content[:1] == b"<" else "utf-8"))
                await arrival.accept({"accepted": True})
            yield

    async with aclosing(take()) as taking, asyncio.timeout(10):  # type: ignore[type-var]
        while len(told) < 3:
            await anext(taking)
    assert await other.wait() == 0

    header, first, second = lines.splitlines()
    assert told == [f"{header}\n{first}\n", f"{header}\n{second}\n", declared]
    assert {path.name for path in watched.archive.glob("[!.]*")} == {"01.csv", "02.xml"}
    assert [path.name for path in watched.quarantine.iterdir()] == []
