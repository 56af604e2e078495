"""The lifetime of a test run: one folder for everything its servers need, and one process that clears up after it.

The keeper waits for the controlling process of the run to end, however it ends: its end of a pipe is then closed. It
ends every process that was started in this run and is still there, and removes the folder. What belongs to the run is
told by its environment, which a process hands down, or by its home.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

MARK = "SIP_TESTS_FOLDER"
"""The variable that holds the folder of the run, in the environment of everything that was started in it."""

_PATIENCE = 10.0
"""Seconds for the servers to end by themselves."""


class Run:
    """One run of the tests, as its controlling process and all its workers see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def own_folder(self, name: str) -> Path:
        """Return a new folder for a server that is not shared."""
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        folder.chmod(0o711)
        return folder

    @contextmanager
    def once(self, name: str) -> Iterator[bool]:
        """Hold the run's lock on ``name``, and tell whether what is to be done once is still to be done.

        It is done when the block has ended without an error.
        """
        done = self.folder / f"{name}.done"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield not done.exists()
            done.touch()


class Keeper:
    """The process that clears up, as the controlling process sees it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sip-tests-"))
        self.folder.chmod(0o711)  # a server that runs as another user must reach its own folder in it
        environment = {name: value for name, value in os.environ.items() if name != MARK}
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self.folder)],
            cwd=Path(__file__).parents[1],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt from the keyboard is not for it
        )
        os.environ[MARK] = str(self.folder)

    def end(self) -> None:
        """Have everything cleared up."""
        os.environ.pop(MARK, None)
        self._process.communicate()


def end_everything(folder: Path) -> None:
    """End every process that was started in the run of ``folder``: asked first, then killed."""
    asked = _processes(folder)
    for process in asked:
        _send(process, signal.SIGQUIT)  # databases and brokers end at once, and leave nothing in shared memory
    _wait(asked)
    while left := _processes(folder):
        for process in left:
            _send(process, signal.SIGKILL)
        _wait(left)


def _wait(processes: list[psutil.Process]) -> None:
    """Return when none of ``processes`` lives, or when they have had their time."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and any(_lives(process) for process in processes):
        time.sleep(0.02)


def _processes(folder: Path) -> list[psutil.Process]:
    """Return the living processes of the run; those that hide their environment are told by their parents."""
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and _belongs(process.environ(), folder):
                found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        except psutil.Error:
            continue
    return [process for process in found.values() if _lives(process)]


def _belongs(environment: Mapping[str, str], folder: Path) -> bool:
    """Tell whether it is the environment of something started in the run: by its mark, or by a home in its folder."""
    return environment.get(MARK) == str(folder) or environment.get("HOME", "").startswith(f"{folder}/")


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return


def main(folder: Path) -> None:
    """Wait for the end of the run, and clear up."""
    sys.stdin.buffer.read()
    for _ in range(5):  # a process that was just beginning may still write
        end_everything(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
