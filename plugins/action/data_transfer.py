# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring files from the controller to a node, from where its module copies them on; or the other way round."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

SPEC: dict[str, Any] = {
    "source": {"type": "str", "required": True},
    "dest": {"type": "str", "required": True},
    "direction": {"type": "str", "choices": ["get", "put"], "required": True},
    "user": {"type": "str", "default": "sky"},
}
STAGED = "data"  # name on the node


class ActionModule(ActionBase):
    """See the documentation of the module of this name."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _unused, args = self.validate_argument_spec(argument_spec=SPEC)
        began = time.monotonic()
        if self._task.check_mode:
            return self._module(args, task_vars)
        remote = self._connection._shell.join_path(self._make_tmp_path(), STAGED)
        try:
            result = self._put(args, remote, task_vars) if args["direction"] == "put" else self._get(args, remote, task_vars)
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result | {"seconds": round(time.monotonic() - began, 1)}

    def _module(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        return dict(self._execute_module(module_name="sky.clusters.data_transfer", module_args=args, task_vars=task_vars))

    def _put(self, args: dict[str, Any], remote: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        source = Path(args["source"]).expanduser()
        if not source.exists():
            raise AnsibleActionFail(f"{source}: there is no such file on the controller")
        with tempfile.TemporaryDirectory(prefix="sky-data-") as folder:
            local = packed(source, Path(folder)) if source.is_dir() else source
            self._transfer_file(str(local), remote)
        return self._module(args | {"source": str(source.resolve()), "staged": remote, "folder": source.is_dir()}, task_vars)

    def _get(self, args: dict[str, Any], remote: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result = self._module(args | {"staged": remote}, task_vars)
        if result.get("failed"):
            return result
        dest = Path(args["dest"]).expanduser()
        if dest.is_dir():
            dest = dest / args["source"].rstrip("/").rpartition("/")[2]
        if dest.is_dir():
            raise AnsibleActionFail(f"{dest} exists and is a folder: nothing was changed; remove it first, or give another name")
        dest.parent.mkdir(parents=True, exist_ok=True)
        part = dest.with_name(f".{dest.name}.part-{secrets.token_hex(4)}")
        try:
            self._connection.fetch_file(remote, str(part))
            arrive(part, dest, bool(result.pop("folder", False)))
        finally:
            part.unlink(missing_ok=True)
        return result | {"place": str(dest), "changed": True}


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
