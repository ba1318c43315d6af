# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the host program, through sudo where we are not root."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._contract import CloudError, Denied, Invalid, Locked, MarkError, Shortage, Unavailable
from ._host import main  # named here, so that a module that is shipped has the program with it

ERRORS: dict[str, type[CloudError]] = {
    "denied": Denied,
    "shortage": Shortage,
    "invalid": Invalid,
    "locked": Locked,
    "mark": MarkError,
    "unavailable": Unavailable,
}
START = "import sys; sys.path.insert(0, sys.argv[1]); from _host.main import main; main()"


def user() -> str:
    """The user that we are to the machine."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a number without a name, as in some execution environments
        return str(os.geteuid())


class HostProgram:
    """The host program, for one zone."""

    def __init__(self, zone: str, path: str, network: str) -> None:
        self.where = {"zone": zone, "path": path, "network": network}

    def value(self, do: str, **request: Any) -> Any:
        """Carry out a request that has one answer."""
        for kind, answer in self._answers(do, request):
            if kind == "value":
                return answer
        return None

    def events(self, do: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Carry out a request, and tell its events as they come."""
        for kind, answer in self._answers(do, request):
            if kind == "event":
                yield answer

    def _answers(self, do: str, request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Its lines, the last one included.

        Raises:
            CloudError: it said no, or nothing.
        """
        with tempfile.TemporaryFile("w+") as complaints:
            try:
                # in a session of its own: Ctrl-C is for us, and it learns of our end by its standard input
                process = subprocess.Popen(
                    _command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, start_new_session=True, cwd="/"
                )
            except (FileNotFoundError, PermissionError):
                raise Denied(_no_root("there is no sudo")) from None
            with process:
                yield from _conversation(process, json.dumps(self.where | {"do": do} | request), complaints)


def _conversation(process: subprocess.Popen[str], request: str, complaints: Any) -> Iterator[tuple[str, Any]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise CloudError("the host program of the local cloud has no pipes")
    try:
        stdin.write(request + "\n")
        stdin.flush()
    except BrokenPipeError:
        with contextlib.suppress(BrokenPipeError):
            stdin.close()  # which would fail again on what could not be written
        raise _silence(process, complaints) from None
    for line in stdout:
        ((kind, answer),) = json.loads(line).items()
        if kind == "error":
            raise ERRORS.get(answer["kind"], CloudError)(answer["message"])
        yield kind, answer
        if kind == "value":
            return
    raise _silence(process, complaints)


def _silence(process: subprocess.Popen[str], complaints: Any) -> CloudError:
    """Why it ended without a last word."""
    process.wait()
    complaints.seek(0)
    said = complaints.read().strip().splitlines()
    last = said[-1] if said else "no output"
    if last.startswith("sudo:"):
        return Denied(_no_root(last))
    return Unavailable(f"the host program of the local cloud ended early ({process.returncode}): {last}")


def _no_root(why: str) -> str:
    return f"the local cloud needs root on this machine ({why}): give {user()} passwordless sudo, or run as root"


def _command() -> list[str]:
    """How to start it: by this very Python, isolated, and leaving no files of root's in the user's folders."""
    folder = str(Path(main.__file__).parent.parent)
    start = [sys.executable, "-I", "-S", "-B", "-c", START, folder]
    return start if os.geteuid() == 0 else ["sudo", "-n", *start]
