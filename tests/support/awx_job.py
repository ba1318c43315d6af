# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: by ansible-runner, from an empty inventory, with an empty home, and with the key in an agent of the job alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.image_root import RUNNER, Image
from ansible_collections.sky.clusters.tests.support.processes import kill_family, listing
from ansible_collections.sky.clusters.tests.support.site import BIN

# The inventory of AWX is a program; this is an empty one.
HOSTS = """#!/bin/sh
echo '{"all": {"hosts": [], "children": [], "vars": {}}, "_meta": {"hostvars": {}}}'
"""
ENVIRONMENT = {  # what AWX 24 sets, beside the paths
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "AWX_HOST": "https://awx.invalid",
    "INVENTORY_ID": "3",
    "JOB_ID": "17",
    "MAX_EVENT_RES": "700000",
    "PROJECT_REVISION": "0" * 40,
}
JOB = {"awx_job_id": 17, "awx_job_launch_type": "manual", "awx_inventory_name": "sky answers", "awx_user_name": "ada", "tower_job_id": 17}
PATIENCE = 120.0  # s until a job says what is waited for
CANCELLED = 3.5  # s after which a job is killed that is cancelled at once


class Marked(yaml.SafeDumper):
    """Every text is marked as unsafe, keys included, as AWX writes the variables of a job."""


Marked.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


@dataclass(frozen=True)
class Job:
    """How one job ended."""

    code: int
    output: str
    events: tuple[Mapping[str, Any], ...]

    @property
    def artifacts(self) -> dict[str, Any]:
        """What AWX keeps of it, and hands to later jobs of a workflow."""
        (last,) = (event for event in self.events if event["event"] == "playbook_on_stats")
        return dict(last["event_data"]["artifact_data"])


class Jobs:
    """A project with the playbooks of ``awx/project`` and one offer, and its jobs: on this machine, or in an image."""

    def __init__(self, folder: Path, offer: Mapping[str, Any], image: Image | None = None) -> None:
        self.folder = folder
        self.image = image
        self.number = 0
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.key)], check=True)
        shutil.copytree(tree.ROOT / "awx/project", folder / "repository", ignore=shutil.ignore_patterns("offers"))
        (folder / "repository/offers").mkdir()
        (folder / "repository/offers/bare.yml").write_text(yaml.safe_dump(dict(offer)), encoding="utf-8")

    def run(self, playbook: str, variables: Mapping[str, Any], seconds: float = 240, hosts: str = HOSTS) -> Job:
        """Run a job to its end.

        Args:
            hosts: the program that is the inventory of AWX.
        """
        data, process = self._start(playbook, variables, hosts)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            shown = listing(process.pid)
            kill_family(process.pid)
            raise TimeoutError(f"{playbook} took more than {seconds} s\n{(data / 'said').read_text(encoding='utf-8')[-3000:]}\n{shown}") from None
        return self._job(data, process.returncode)

    def cancel(self, playbook: str, variables: Mapping[str, Any], at: str = "") -> str:
        """Start a job and kill it, as AWX does with the container of a cancelled one; what it had said.

        Args:
            at: a pattern of what it says last; if empty, it is killed after some seconds.
        """
        data, process = self._start(playbook, variables)
        until = time.monotonic() + (PATIENCE if at else CANCELLED)
        while time.monotonic() < until and not (at and re.search(at, (data / "said").read_text(encoding="utf-8"))):
            time.sleep(0.05)
        assert process.poll() is None, (data / "said").read_text(encoding="utf-8")
        kill_family(process.pid)
        process.wait(30)
        return (data / "said").read_text(encoding="utf-8")

    def exported(self) -> str:
        """The inventory that the cluster file of the last job makes, as a program of AWX: what it keeps of an inventory whose source is that file."""
        file, home = self.folder / str(self.number) / "inventory/answers.sky.yml", self.folder / str(self.number) / "home"
        variables = self.folder / "repository/group_vars"
        if variables.is_dir():  # such an inventory has its variables beside its file
            shutil.copytree(variables, file.parent / "group_vars", dirs_exist_ok=True)
        command = [str(BIN / "ansible-inventory"), "--list", "--export", "-i", str(file)]
        environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
        done = subprocess.run(command, env=environment, text=True, capture_output=True, check=True, timeout=120)
        return f"#!/bin/sh\ncat <<'END OF INVENTORY'\n{done.stdout}\nEND OF INVENTORY\n"

    def _start(self, playbook: str, variables: Mapping[str, Any], hosts: str = HOSTS) -> tuple[Path, subprocess.Popen[str]]:
        """A job in folders of its own, which nothing of an earlier job is in."""
        self.number += 1
        data = self.folder / str(self.number)
        seen = RUNNER if self.image else data
        for name in ("env", "inventory", "home", "cp"):
            (data / name).mkdir(parents=True)
        shutil.copytree(self.folder / "repository", data / "project")
        (data / "inventory/hosts").write_text(hosts, encoding="utf-8")
        (data / "inventory/hosts").chmod(0o755)
        own = ENVIRONMENT | {"HOME": str(seen / "home"), "ANSIBLE_SSH_CONTROL_PATH_DIR": str(seen / "cp"), "AWX_PRIVATE_DATA_DIR": str(seen)}
        for name, content in {"envvars": own, "settings": {"suppress_env_files": True}}.items():
            (data / "env" / name).write_text(json.dumps(content), encoding="utf-8")
        (data / "env/extravars").write_text(extra_vars(JOB | dict(variables)), encoding="utf-8")
        shutil.copy(self.key, data / "env/ssh_key")
        bare = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(seen / "home"), "LANG": "C.UTF-8"}
        words = ["run", str(seen), "--ident", "job", "-p", playbook]
        command = self.image.inside(data, "ansible-runner", *words) if self.image else [str(BIN / "ansible-runner"), *words]
        with (data / "said").open("w", encoding="utf-8") as said:
            process = subprocess.Popen(command, env=bare, text=True, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        return data, process

    def _job(self, data: Path, code: int) -> Job:
        folder = data / "artifacts/job"
        events = tuple(_events(folder / "job_events"))
        output = (folder / "stdout").read_text(encoding="utf-8") if (folder / "stdout").is_file() else ""
        return Job(code, output + (data / "said").read_text(encoding="utf-8"), events)


def extra_vars(variables: Mapping[str, Any]) -> str:
    """The file of a job's variables."""
    return yaml.dump(dict(variables), Dumper=Marked, default_flow_style=False)


def _events(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*-*.json"), key=lambda each: int(each.name.partition("-")[0])):
        yield json.loads(path.read_text(encoding="utf-8"))
