# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a file for the user on the controller."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

STDOUT = "-"


def save(variable: str, file: str, text: str) -> None:
    """Write the file that the user has named by an extra variable.

    Raises:
        AnsibleActionFail: it cannot be written.
    """
    try:
        write(file, text)
    except OSError as error:
        # without its cause: Ansible would print the reason twice
        raise AnsibleActionFail(f"{variable}: {file} cannot be written: {error.strerror or error}") from None


def obstacle(file: str) -> str:
    """Why a file cannot be written, as far as can be told without writing it; empty if nothing is in the way."""
    path = Path(os.path.realpath(os.path.expanduser(file)))
    if file == STDOUT or (path.exists() and not path.is_file() and not path.is_dir()):
        return ""
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    if not path.parent.is_dir():
        return os.strerror(errno.ENOTDIR if path.parent.exists() else errno.ENOENT)
    return "" if os.access(path.parent, os.W_OK) else os.strerror(errno.EACCES)


def write(file: str, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all. Links, devices and pipes are supported; C(-) is standard output.

    Raises:
        OSError: it cannot be written.
    """
    if file == STDOUT:
        Display().display(text, newline=False)  # a worker of Ansible, where actions run, has no standard output of its own
        return
    path = Path(os.path.realpath(os.path.expanduser(file)))
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
