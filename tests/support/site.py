# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster file of a test's own, and playbooks run on it as a user would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml

from ansible_collections.sky.clusters.tests.support.processes import kill_family, listing

RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
BIN = Path(sys.executable).parent
STATE = Path("/var/lib/sky-clusters")  # where the local cloud keeps its zones


@dataclass(frozen=True)
class Played:
    """How one playbook run ended."""

    code: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """Changed tasks by host."""
        return {host: int(changed) for host, _ok, changed, _unreachable, _failed in RECAP.findall(self.output)}

    @property
    def tasks(self) -> dict[str, int]:
        """Tasks that ended well by host."""
        return {host: int(ok) for host, ok, _changed, _unreachable, _failed in RECAP.findall(self.output)}

    @property
    def failed(self) -> dict[str, int]:
        """Tasks by host that failed, or did not reach it."""
        return {host: int(unreachable) + int(failed) for host, _ok, _changed, unreachable, failed in RECAP.findall(self.output)}

    def last(self, lines: int) -> str:
        return "\n".join(self.output.rstrip().splitlines()[-lines:])


@dataclass
class Site:
    """A folder with a cluster file, used as by somebody who has nothing else.

    Attributes:
        environment: variables over those of the test.
        user: who uses it, by sudo and with an environment of their own; the test's own user if empty.
    """

    folder: Path
    cluster: str
    content: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""

    @property
    def file(self) -> Path:
        path, text = self.folder / f"{self.cluster}.sky.yml", yaml.safe_dump(self.content, sort_keys=False)
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # another run may be reading it
            path.write_text(text, encoding="utf-8")
        return path

    @property
    def with_data(self) -> tuple[str, str]:
        """What the playbook that destroys the cluster needs to delete its data, too."""
        return "-e", f"sky_destroy_data={self.cluster}"

    @property
    def variables(self) -> dict[str, str]:
        return {"ANSIBLE_NOCOLOR": "1", "PATH": f"{BIN}:{os.environ['PATH']}"} | self.environment

    def command(self, program: str, *args: str) -> list[str]:
        """One of Ansible's programs, as it is called."""
        own = [f"{key}={value}" for key, value in self.variables.items()]  # sudo hands no variables on
        become = ["sudo", "--user", self.user, "--set-home", "--", "env", *own] if self.user else []
        return [*become, str(BIN / program), *args]

    def start(self, playbook: str, *args: str, inventory: str = "", output: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        # what runs in the background may have been told to ignore Ctrl-C, and hands that on; a user's run heeds it
        heed = ["env", "--default-signal=INT"]
        command = [*heed, *self.command("ansible-playbook", "-i", inventory or str(self.file), f"sky.clusters.{playbook}", *args)]
        return subprocess.Popen(
            command, cwd=self.folder, env=os.environ | self.variables, text=True, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def play(self, playbook: str, *args: str, seconds: float = 600, inventory: str = "") -> Played:
        """Run a playbook to its end."""
        # into a file: a pipe would end only with the last that holds it, which may be somebody whom the run left behind
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            process = self.start(playbook, *args, inventory=inventory, output=said)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                shown = listing(process.pid)
                kill_family(process.pid)
                said.seek(0)
                raise TimeoutError(f"{playbook} took more than {seconds} s:\n{said.read()[-3000:]}\n{shown}") from None
            said.seek(0)
            return Played(process.wait(), said.read())

    def must(self, playbook: str, *args: str, seconds: float = 600) -> Played:
        """Run a playbook that must end well."""
        played = self.play(playbook, *args, seconds=seconds)
        if played.code != 0:
            raise AssertionError(f"{playbook} ended with {played.code}:\n{played.output[-6000:]}")
        return played

    def inventory(self) -> dict[str, Any]:
        """What the inventory shows, as data."""
        listed = self._asked("ansible-inventory", "-i", str(self.file), "--list")
        return dict(json.loads(listed))

    def snapshot(self) -> Path:
        """A file that goes on showing the inventory as it is now, as a controller does that reads it long before the run."""
        path = self.folder / "snapshot.yml"
        path.write_text(self._asked("ansible-inventory", "-i", str(self.file), "--list", "--yaml", "--export"), encoding="utf-8")
        return path

    def _asked(self, program: str, *args: str) -> str:
        """What one of Ansible's programs says."""
        command = self.command(program, *args)
        done = subprocess.run(command, cwd=self.folder, env=os.environ | self.variables, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout

    def hosts(self, group: str) -> list[str]:
        shown = self.inventory()
        return sorted(shown["_meta"]["hostvars"] if group == "all" else shown.get(group, {}).get("hosts", []))

    def ssh(self, host: str, command: str) -> str:
        """Run a command on a node, by way of the inventory's own connection."""
        return self._asked("ansible", "-i", str(self.file), host, "-m", "ansible.builtin.shell", "-a", command).split(">>\n", 1)[1]


def machine_state(zone: str) -> dict[str, set[str]]:
    """What clusters of a zone may leave on this machine: to be compared before and after."""

    def lines(*command: str, mark: str) -> set[str]:
        return {line for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines() if mark in line}

    return {
        "links": lines("ip", "-br", "link", "show", "master", f"sky-{zone}", mark="") | lines("ip", "-br", "link", mark=f"sky-{zone}"),
        "tables": lines("nft", "list", "tables", mark=f"sky_{zone}"),
        "loops": lines("losetup", "-a", mark=f"/{zone}/"),
        "mounts": {line for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines() if f"/{zone}/" in line},
        "processes": lines("pgrep", "-fa", "lxc monitor", mark=f"/{zone}/"),
        "files": {str(path) for path in STATE.glob(f"{zone}/**")},
    }


@contextmanager
def lasting(folder: Path, cluster: str, content: dict[str, Any], environment: dict[str, str] | None = None) -> Iterator[Site]:
    """A cluster for the tests of a file, in the zone of its own name. It is destroyed at the end, with its data, and must leave nothing behind."""
    before = machine_state(cluster)
    site = Site(folder, cluster, content, environment or {})
    try:
        yield site
    finally:
        site.must("destroy", *site.with_data)
    assert machine_state(cluster) == before
