# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring files from the controller to a node, from where its module copies them on; or the other way round."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction

STAGED = "data"  # name on the node
UNCHANGED = "nothing was changed; remove it first, or give another name"


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = {
        "source": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "direction": {"type": "str", "choices": ["get", "put"], "required": True},
        "user": {"type": "str", "default": "sky"},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        puts = args["direction"] == "put"
        here = origin(args["source"]) if puts else destination(args["dest"], args["source"])
        if self._task.check_mode:
            found = self._module(args)
            return found if puts or found.get("failed") else found | {"place": str(here), "changed": True}
        remote = self._connection._shell.join_path(self._make_tmp_path(), STAGED)
        try:
            result = self._put(args, here, remote) if puts else self._get(args, remote, here)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result | {"seconds": round(time.monotonic() - began, 1)}

    def _module(self, args: dict[str, Any]) -> dict[str, Any]:
        return dict(self._execute_module(module_name="sky.clusters.data_transfer", module_args=args, task_vars=self.variables))

    def _put(self, args: dict[str, Any], source: Path, remote: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="sky-data-") as folder:
            local = packed(source, Path(folder)) if source.is_dir() else source
            self._transfer_file(str(local), remote)
        return self._module(args | {"source": str(source.resolve()), "staged": remote, "folder": source.is_dir()})

    def _get(self, args: dict[str, Any], remote: str, dest: Path) -> dict[str, Any]:
        result = self._module(args | {"staged": remote, "dest": str(dest), "replaces": dest.is_file()})
        if result.get("failed"):
            return result
        receive(lambda part: self._connection.fetch_file(remote, part), dest, bool(result.pop("folder", False)))
        return result | {"place": str(dest), "changed": True}


def origin(given: str) -> Path:
    """What on the controller is brought to the node.

    Raises:
        AnsibleActionFail: there is no such file.
    """
    source = Path(os.path.expanduser(given))
    if not source.exists():
        raise AnsibleActionFail(f"{source}: there is no such file on the controller")
    return source


def destination(given: str, source: str) -> Path:
    """Where on the controller goes what is fetched, judged before it is fetched. Folders that are missing are made.

    Raises:
        AnsibleActionFail: it cannot go there.
    """
    dest = Path(os.path.expanduser(given))
    if os.path.isdir(dest):
        dest = dest / source.rstrip("/").rpartition("/")[2]
    elif given.endswith("/") and os.path.exists(dest):
        raise AnsibleActionFail(f"{dest} exists and is no folder: {UNCHANGED}")
    if os.path.isdir(dest):
        raise AnsibleActionFail(f"{dest} exists and is a folder: {UNCHANGED}")
    if os.path.exists(dest) and not os.path.isfile(dest):
        raise AnsibleActionFail(f"{dest} exists and is neither a file nor a folder: {UNCHANGED}")
    folder = next(each for each in dest.parents if os.path.lexists(each))
    if not os.path.isdir(folder):
        raise AnsibleActionFail(f"{dest}: {folder} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AnsibleActionFail(f"{dest}: the folder {folder} cannot be written to")
    return dest


def receive(fetch: Callable[[str], object], dest: Path, is_folder: bool) -> None:
    """Fetch a file, which gets its name when it is complete.

    Raises:
        AnsibleActionFail: it cannot be written.
    """
    part = dest.with_name(f".{dest.name}.part-{secrets.token_hex(4)}")
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        fetch(str(part))
        arrive(part, dest, is_folder)
    except subprocess.CalledProcessError as error:
        raise AnsibleActionFail(f"{dest} cannot be written: {' '.join(error.stderr.decode(errors='replace').split())}") from None
    except OSError as error:
        raise AnsibleActionFail(f"{dest} cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def packed(source: Path, folder: Path) -> Path:
    """A tar file with what is in a folder."""
    path = folder / STAGED
    with tarfile.open(path, "w") as archive:
        archive.add(source, arcname=".")
    return path


def arrive(part: Path, dest: Path, is_folder: bool) -> None:
    """What was fetched gets its name."""
    if not is_folder:
        part.replace(dest)
        return
    new = part.with_name(part.name + ".d")
    try:
        new.mkdir()
        # which lets nothing out of the folder, unlike the tarfile of older versions of Python
        subprocess.run(["tar", "-x", "-o", "-f", str(part), "-C", str(new)], check=True, capture_output=True)
        new.rename(dest)
    finally:
        shutil.rmtree(new, ignore_errors=True)
