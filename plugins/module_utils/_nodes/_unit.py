# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A systemd unit of this node that is restarted when its settings have changed.

The unit writes a digest of the settings that it was started with, by a line such as::

    ExecStartPre=/bin/sh -c 'cat /etc/systemd/system/%n /etc/acme.conf | sha256sum > %t/%N/settings'
    RuntimeDirectory=%N
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ._folders import folders
from ._systemd import SystemdError, systemctl

UNITS = Path("/etc/systemd/system")
RUNTIME = Path("/run")
LAST_LINES = 40


class UnitError(Exception):
    """The unit is not as wanted; the message is one sentence."""


@dataclass(frozen=True)
class Unit:
    """One unit.

    Attributes:
        name: without `.service`.
        settings: the files that it depends on beside its own, in the order in which it reads them.
        more: what else its digest is of, after the files.
        faults: what its journal says that counts, from the journal's text.
    """

    name: str
    settings: tuple[Path, ...] = ()
    more: str = ""
    faults: Callable[[str], str] = field(default=lambda text: text.strip().splitlines()[-1] if text.strip() else "")

    @property
    def file(self) -> Path:
        return UNITS / f"{self.name}.service"

    def systemctl(self, *arguments: str) -> str:
        try:
            return systemctl(*arguments, f"{self.name}.service")
        except SystemdError as error:
            raise UnitError(f"{error}; {self.tail()}") from error

    def status(self) -> Mapping[str, str]:
        shown = self.systemctl("show", "--property=ActiveState,FragmentPath,NeedDaemonReload,UnitFileState")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def tail(self) -> str:
        """The last words of its journal, for an error."""
        command = ["journalctl", "--unit", self.name, f"--lines={LAST_LINES}", "--output=cat", "--no-pager"]
        said = self.faults(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
        return f"its journal ends with: {said}" if said else "its journal is empty"

    def is_stale(self) -> bool:
        """Whether it was started with other settings than those on the disk."""
        digest = hashlib.sha256()
        for path in (self.file, *self.settings):
            digest.update(path.read_bytes() if path.is_file() else b"")
        digest.update(self.more.encode())
        found = RUNTIME / self.name / "settings"
        return (found.read_text().split(" ")[0] if found.is_file() else "") != digest.hexdigest()

    def repair(self, check: bool) -> Iterable[str]:
        """Create the folders that its file names, or give them back to its user."""
        for folder in folders(self.file):
            if folder.fault() if check else folder.repair():
                yield f"repair {folder.path}"

    def start(self, check: bool, pending: bool) -> list[str]:
        """Enabled, and running with the settings on the disk; what was done, or in check mode would be.

        Args:
            pending: in check mode, that an earlier task would have changed the settings.
        """
        actions = list(self.repair(check))
        status = self.status()
        running = status["ActiveState"] in ("active", "activating")
        actions += ["enable"] if status["UnitFileState"] != "enabled" else []
        if not running:
            actions.append("start")
        elif self.is_stale() or (check and pending):
            actions.append("restart")
        if check:
            return actions
        # systemd does not notice that a file has taken the place of the one of a package
        if status["NeedDaemonReload"] == "yes" or Path(status["FragmentPath"]) != self.file:
            systemctl("daemon-reload")
        if "enable" in actions:
            self.systemctl("enable")
        if actions and actions[-1] in ("start", "restart"):
            self.systemctl("restart")
        return actions

    def stop(self, check: bool) -> list[str]:
        """Stopped and disabled; what was done. A unit that is not there is neither."""
        if not self.file.is_file():
            return []
        status = self.status()
        actions = ["stop"] if status["ActiveState"] not in ("inactive", "failed") else []
        actions += ["disable"] if status["UnitFileState"] == "enabled" else []
        for action in actions if not check else []:
            self.systemctl(action)
        return actions

    def remove(self, check: bool) -> list[str]:
        """Stopped, and its file is removed."""
        if not self.file.is_file():
            return []
        actions = [*self.stop(check), "remove"]
        if not check:
            self.file.unlink()
            systemctl("daemon-reload")
        return actions
