# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local cloud in the hands of a test: clouds of zones of its own, ssh into nodes, and what a zone leaves on the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    Event,
    Mark,
    Node,
    NodeSpec,
    Scope,
    Stage,
    State,
    Volume,
    VolumeSpec,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions

ZONES = ("test1", "test2")
STATE = Path("/var/lib/sky-clusters")  # where the image is cached


def output(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def eventually(what: str, true: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def traces() -> list[str]:
    """Everything on the machine that bears the name of a test's zone: containers, mounts, loop devices, bridges, cables, rules, groups, files."""
    found = []
    for zone in ZONES:
        folder = str(STATE / zone)
        found += [f"file {path}" for path in Path(folder).rglob("*")]
        found += [f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines() if folder in line]
        found += [f"loop {line}" for line in output("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE").splitlines() if folder in line]
        found += [f"link {line}" for line in output("ip", "-brief", "link").splitlines() if f"sky-{zone}" in line]
        found += [f"table {line}" for line in output("nft", "list", "tables").splitlines() if f"sky_{zone}" in line]
        # os.walk passes over what ends meanwhile
        found += [f"group {path}" for path, _folders, _files in os.walk("/sys/fs/cgroup") if path.endswith(f"/sky.{zone}")]
        found += [f"lock {path}" for path in Path("/run/lxc/lock").glob(f"**/{zone}")]
        found += [f"process {line}" for line in output("ps", "-eo", "args").splitlines() if line.startswith("[lxc monitor]") and folder in line]
    return found


@dataclass
class Keys:
    """An ssh key pair in a folder of the test's."""

    folder: Path

    def __post_init__(self) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.private)], check=True)

    @property
    def private(self) -> Path:
        return self.folder / "id"

    @property
    def public(self) -> str:
        return (self.folder / "id.pub").read_text().strip()


class Local:
    """One cluster in one zone."""

    def __init__(self, keys: Keys, cluster: str = "a", zone: str = ZONES[0], **options: Any) -> None:
        self.keys = keys
        self.cluster = cluster
        self.options = LxcOptions(zone=zone, **options)
        self.cloud = LxcCloud("here", self.options, Scope(cluster))
        self.nodes_folder = STATE / zone / "nodes"

    def spec(self, index: int = 0, volumes: dict[str, int] | None = None, **more: Any) -> NodeSpec:
        mark = Mark(self.cloud.owner, self.cluster, "p", index)
        wanted = tuple(VolumeSpec(mark.volume_name(name), size) for name, size in (volumes or {}).items())
        known = {"image": "debian-12", "flavor": "small", "ssh_keys": (self.keys.public,)}
        return NodeSpec(mark=mark, volumes=wanted, **(known | more))

    def create(self, *specs: NodeSpec) -> dict[str, Event]:
        """The outcome of each node."""
        return {event.name: event for event in self.cloud.create(specs) if event.stage is not Stage.ASKED}

    def up(self, *specs: NodeSpec) -> list[Node]:
        """Nodes, made and running, in the order of their specs."""
        events = self.create(*specs)
        faults = {name: event.detail for name, event in events.items() if event.stage is not Stage.MADE}
        assert faults == {}, faults
        eventually("all run", lambda: all(node.state is State.RUNNING for node in self.cloud.listing().nodes))
        listed = {node.name: node for node in self.cloud.listing().nodes}
        return [listed[spec.name] for spec in specs]

    def node(self, index: int = 0) -> Node:
        return next(node for node in self.cloud.listing().nodes if node.mark.index == index)

    def volume(self, short: str, index: int = 0) -> Volume:
        return next(v for v in self.cloud.listing().volumes if v.mark.index == index and v.name.endswith(f"-{short}"))

    def ssh(self, node: Node, command: str, user: str = "root", wanted: int = 0) -> str:
        """Run a command in a node; its host key must be the one that the cloud told."""
        known = self.keys.folder / f"known-{node.id}"
        known.write_text("".join(f"{node.address()} {key}\n" for key in node.host_keys))
        options = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", "ConnectTimeout=5", "IdentitiesOnly=yes"]
        words = ["ssh", "-i", str(self.keys.private), *(word for option in options for word in ("-o", option)), f"{user}@{node.address()}", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == wanted, f"{command}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout.strip()

    def delete(self, nodes: Sequence[Node]) -> None:
        events = list(self.cloud.delete(nodes))
        assert [(e.name, e.detail) for e in events if e.stage is not Stage.DELETED] == []

    def destroy(self) -> None:
        """Everything away, data included."""
        listing = self.cloud.listing()
        self.delete(listing.nodes)
        assert [e.detail for e in self.cloud.delete_volumes(self.cloud.listing().volumes) if e.stage is not Stage.DELETED] == []
        self.cloud.dismantle()


CLIENT = """
import sys
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, NodeSpec, Scope, VolumeSpec
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
cloud = LxcCloud("here", LxcOptions(zone=sys.argv[1]), Scope("a"))
marks = [Mark(cloud.owner, "a", "p", index) for index in range(int(sys.argv[2]))]
specs = [NodeSpec(mark, "debian-12", "small", ssh_keys=(sys.argv[3],), volumes=(VolumeSpec(mark.volume_name("data"), 1),)) for mark in marks]
for event in cloud.create(specs):
    print(event.name, event.stage.value, flush=True)
"""


def client(like: Local, count: int) -> subprocess.Popen[str]:
    """A process of its own that makes nodes of cluster a, each with a volume, so that a test can kill it."""
    words = [sys.executable, "-c", CLIENT, like.options.zone, str(count), like.keys.public]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
