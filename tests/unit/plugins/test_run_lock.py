# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of whole runs of ansible-playbook, on clouds in memory: from the first change to the last line, and none where there is nothing to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._engine._lock import Holder
from ansible_collections.sky.clusters.tests.support import memory_cloud
from ansible_collections.sky.clusters.tests.support.world import World

PLAY = Path(memory_cloud.__file__).with_name("play_in_memory.py")
# As a site's own playbook: the nodes of the cluster, then work of its own, and the note that all was done.
PLAYBOOK = [
    {"ansible.builtin.import_playbook": "sky.clusters.provision"},
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"sky.clusters.tell": {"lines": ["visited: {{ sky_visits.names | join(' ') }};"]}},
            {"ansible.builtin.wait_for": {"path": "{{ gate }}", "timeout": 120}, "when": "gate | length > 0"},
            {
                "sky.clusters.nodes_ready": {
                    "cluster": "{{ sky_cluster }}", "clouds": "{{ sky_clouds }}", "pools": "{{ sky_pools }}", "settings": "{{ sky_settings }}",
                    "hashes": "{{ sky_visits.hashes }}", "names": "{{ sky_visits.names }}",
                }
            },
        ],
    },
]  # fmt: skip


@dataclass
class Place:
    """A folder with a cluster file and a playbook."""

    folder: Path
    world: World
    spark: bool = False
    runs: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def gate(self) -> Path:
        """What a run waits for that is to be met by another."""
        return self.folder / "gate"

    def start(self, count: int, **extra: Any) -> subprocess.Popen[str]:
        (self.folder / "site.yml").write_text(yaml.safe_dump(PLAYBOOK), encoding="utf-8")
        cloud = {"provider": "memory", "path": str(self.world.folder)}
        content = {
            "plugin": "sky.clusters.clouds", "cluster": "demo", "clouds": {"one": cloud},
            "pools": {"box": {"cloud": "one", "count": count}} if not self.spark else {
                "master": {"cloud": "one", "count": 1, "roles": ["spark_master"]},
                "worker": {"cloud": "one", "count": count, "roles": ["spark_worker"]},
            },
        }  # fmt: skip
        file = self.folder / f"{count}.sky.yml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        given = [f"-e{name}={value}" for name, value in ({"gate": "", "sky_look": "false"} | extra).items()]
        command = [sys.executable, str(PLAY), "-i", str(file), "site.yml", *given]
        environment = os.environ | {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PRIVATE_KEY_FILE": str(self.folder / "key")}
        run = subprocess.Popen(command, cwd=self.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.runs.append(run)
        return run

    def play(self, count: int, **extra: Any) -> str:
        return self.end(self.start(count, **extra))

    def end(self, run: subprocess.Popen[str]) -> str:
        said = run.communicate(timeout=120)[0]
        return f"{said}\nexit {run.returncode}"

    def held_by(self) -> int:
        """The run that holds the lock; 0 if none does."""
        lock = self.world.cloud("one")["locks"].get("demo")
        return Holder.read(lock["holder"]).run if lock else 0

    def until_asked(self, times: int) -> None:
        """Wait until the lock was asked for so often."""
        end = time.monotonic() + 60
        while self.world.calls("lock") < times:
            assert time.monotonic() < end
            time.sleep(0.02)

    def until_held(self, run: subprocess.Popen[str]) -> None:
        end = time.monotonic() + 60
        while self.held_by() != run.pid or not self.world.names():
            assert time.monotonic() < end
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.02)


@pytest.fixture
def place(tmp_path: Path, world: World) -> Iterator[Place]:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    made = Place(tmp_path, World(world.folder, real_time=True))
    yield made
    for run in made.runs:
        with run:  # closes what it says
            run.kill()


def test_a_second_run_is_refused_between_the_tasks_of_the_first_and_one_with_nothing_to_do_takes_no_lock(place: Place) -> None:
    first = place.start(2, gate=place.gate)
    place.until_held(first)
    refused = place.play(3)
    assert "exit 2" in refused, refused
    assert f"(process {first.pid}) since" in refused, refused
    assert f"(process {first.pid}) since" in refused
    assert place.world.names() == ["demo-box-0", "demo-box-1"]
    place.gate.touch()
    said = first.communicate(timeout=60)[0]
    assert first.returncode == 0, said
    before = place.world.calls("lock"), place.world.writing_calls()
    again = place.play(2)
    assert "exit 0" in again, again
    assert "changed=0" in again
    assert (place.world.calls("lock"), place.world.writing_calls()) == before
    assert place.held_by() == 0


def test_a_second_run_waits_and_then_sees_what_the_first_one_did(place: Place) -> None:
    first = place.start(2, gate=place.gate)
    place.until_held(first)
    asked = place.world.calls("lock")
    waiting = place.start(3, sky_wait=60)
    place.until_asked(asked + 1)
    place.gate.touch()
    second = place.end(waiting)
    assert "is running; waiting up to 60 s for it to finish" in second, second
    assert "exit 0" in second, second
    assert first.wait(timeout=10) == 0
    assert place.world.names() == ["demo-box-0", "demo-box-1", "demo-box-2"]
    assert place.world.calls("create") == 2
    assert all(node["ready"] for node in place.world.cloud("one")["nodes"].values())


def test_a_node_that_was_lost_while_a_run_waited_is_not_visited(place: Place) -> None:
    """The inventory of the second run is older than what the first one does."""
    assert "exit 0" in place.play(3)
    first = place.start(3, gate=place.gate, sky_full="true")
    place.until_held(first)
    asked = place.world.calls("lock")
    waiting = place.start(2, sky_wait=60)
    place.until_asked(asked + 1)
    place.world.remove_node("demo-box-2")
    place.gate.touch()
    said = place.end(waiting)
    assert "exit 0" in said, said
    assert "demo-box-2" in said.partition("Group the nodes that do not exist")[2], said
    assert "demo-box-2" not in said.partition("Group the nodes to visit")[2], said


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_between_two_tasks_does_not_lock_out_the_next(place: Place, how: int) -> None:
    first = place.start(2, gate=place.gate)
    place.until_held(first)
    first.send_signal(how)
    first.communicate(timeout=30)
    said = place.play(2)
    assert "exit 0" in said, said


def test_a_head_is_visited_only_if_the_members_have_changed(place: Place) -> None:
    place.spark = True
    assert "visited: demo-master-0 demo-worker-0;" in place.play(1)
    locked = place.world.calls("lock")
    assert "visited: ;" in place.play(1)
    assert place.world.calls("lock") == locked
    assert "visited: demo-master-0 demo-worker-1;" in place.play(2)
