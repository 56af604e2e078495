"""A process that has loaded the ``gateway`` command, and forks for each one that is asked of it: starting costs a second.

What the command loads by itself, and how it starts, is tested elsewhere, by the command line as it is typed.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import traceback

import gateway.cli  # noqa: F401 -- what this process is for

LONGEST = 100
"""Seconds that a command may take."""


def main() -> None:
    """Read what is asked, a line of JSON each, and answer each with the exit code of a process of its own."""
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_command(asked["arguments"], asked["cwd"], asked["environment"], asked["stdout"], asked["stderr"]))
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 -- the answer


def _command(arguments: list[str], cwd: str, environment: dict[str, str], stdout: str, stderr: str) -> int:
    for stream, name in ((0, os.devnull), (1, stdout), (2, stderr)):
        os.dup2(os.open(name, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    signal.alarm(LONGEST)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["gateway", *arguments]
    try:
        runpy.run_module("gateway", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
