# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""quickstart.sh as a user with sudo meets it: on a machine where nothing is prepared, then again, then taken back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.accounts import sudoer
from ansible_collections.sky.clusters.tests.support.first_job import page

pytestmark = [pytest.mark.real, pytest.mark.slow]

USER = "skyquick"
LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
NOTED = Path("/var/lib/sky-quickstart/packages")
RECAP = re.compile(r"changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


def packages() -> set[str]:
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\n"], check=True, capture_output=True, text=True).stdout
    return {line.split()[1] for line in listed.splitlines() if line.startswith("ii")}


def traces() -> dict[str, list[str]]:
    """What a cluster on this machine shows of itself."""
    links = json.loads(subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True).stdout) if shutil.which("ip") else []
    return {
        "links": sorted(link["ifname"] for link in links if link["ifname"].startswith("sky")),
        "mounts": sorted(line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines() if "sky" in line.split()[1]),
        "folders": sorted(str(path) for path in Path("/var/lib").glob("sky*") if path != NOTED.parent),
        "limit": [LIMIT.read_text(encoding="ascii").strip()],
        "settings": sorted(str(path) for path in Path("/etc").rglob("*sky*clusters*")),
    }


@dataclass(frozen=True)
class Account:
    """The user, and the clone in the user's home."""

    home: Path
    clone: Path

    def run(self, *arguments: str, timeout: int = 1200, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = ",".join(name for name in os.environ if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy"))
        command = [
            "sudo",
            "--user",
            USER,
            "--set-home",
            f"--preserve-env={kept}",
            *map("=".join, variables.items()),
            str(self.clone / "quickstart.sh"),
            *arguments,
        ]
        done = subprocess.run(command, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
        print(done.stdout, done.stderr)
        return done


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with sudoer(USER) as home:
        yield Account(home, clone(home))


def clone(home: Path) -> Path:
    place = tree.copy_tree(home / "sky.clusters")
    subprocess.run(["chown", "--recursive", f"{USER}:", str(place)], check=True)
    return place


def changes(said: str) -> list[tuple[int, ...]]:
    """Changed, unreachable and failed of every host."""
    return [tuple(int(number) for number in found) for found in RECAP.findall(said)]


def follow_the_page(account: Account) -> None:
    """Every command of the page that leads from nothing to a job, the first and the last of which the test runs itself."""
    told = page()
    (account.clone / "job.py").write_text(told.job, encoding="utf-8")
    kept = ",".join(name for name in os.environ if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy"))
    reader = ["sudo", "--user", USER, "--set-home", f"--preserve-env={kept}", "bash", "-euo", "pipefail", "-c", told.between]
    done = subprocess.run(reader, cwd=account.clone, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert f"sum of the squares: {told.answer}" in done.stdout
    assert re.search(r"^  sky-submit-\w{8} +job.py +sky +succeeded ", done.stdout, re.MULTILINE)
    assert "version 4" in done.stdout + done.stderr  # of Spark, on the master


def test_quickstart_again_and_remove(account: Account) -> None:
    """One test: each step stands on the one before."""
    packages_before, traces_before = packages(), traces()
    noted = set(NOTED.read_text(encoding="utf-8").split()) if NOTED.exists() else set()  # installed by it before, for others

    first = account.run()
    assert first.returncode == 0
    assert "proved by a job: pi 3.1416" in first.stdout
    assert re.search(r"^finished in \d+ s$", first.stdout, re.MULTILINE)
    assert "TASK [" not in first.stdout

    second = account.run(ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default")
    assert second.returncode == 0
    assert changes(second.stdout)
    assert all(numbers == (0, 0, 0) for numbers in changes(second.stdout)), "the second run changed something"

    activated = [
        "sudo",
        "--user",
        USER,
        "--set-home",
        "bash",
        "-c",
        ". .venv/bin/activate && ansible-inventory -i inventories/local/demo.sky.yml --graph",
    ]
    graph = subprocess.run(activated, cwd=account.clone, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "demo-master-0" in graph

    follow_the_page(account)

    removed = account.run("--remove")
    assert removed.returncode == 0
    assert traces() == traces_before
    assert packages_before - noted <= packages() <= packages_before
    assert not (account.clone / ".venv").exists()
    assert not (account.home / ".ssh").exists()
    assert not (account.home / ".cache/sky-clusters").exists()
