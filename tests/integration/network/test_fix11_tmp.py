# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster over two local clouds, of which one has no public address: built, grown, shrunk, rebooted, and looked at from outside."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shlex
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.plugin_utils._ruleset import ruleset
from ansible_collections.sky.clusters.tests.support import scan
from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.guest import guest
from ansible_collections.sky.clusters.tests.support.isolated_clouds import find_programs, run, until
from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

NEAR, FAR = "fneta", "fnetb"
SERVER = "fnet-main-0"
OPENED = 8888
BALANCED, TARGET = 8080, 8000
PACKAGES = ["wireguard-tools", "wireguard-go", "nftables"]
BALANCE = {"port": BALANCED, "pool": "far", "target_port": TARGET, "protocol": "http", "check": "/"}
RULE = {"ports": [OPENED], "nodes": ["main"], "peers": ["any"]}
WEB = "sky-test-web"
OPEN_TO_ANY = f"note: the overlay's UDP ports of {SERVER} are open to any address"
KEY = "/etc/sky/network/private.key"
# Between the zones addresses are translated as at a provider that lets nothing be guessed
SYMMETRIC = f"""\
add table ip sky_fsymmetric
delete table ip sky_fsymmetric
table ip sky_fsymmetric {{ chain post {{ type nat hook postrouting priority srcnat - 5; policy accept;
  iifname "sky-{FAR}" oifname "sky-{NEAR}" masquerade fully-random
}}
}}
"""


def content(far: int, **more: Any) -> dict[str, Any]:
    file = bare(NEAR, "fnet", 0, {"packages": PACKAGES})
    file["clouds"] = {"near": file["clouds"]["here"], "far": bare(FAR, "fnet", 0, {"packages": PACKAGES})["clouds"]["here"]}
    file["pools"] = {"main": {"cloud": "near", "count": 1, "public_ip": True, "roles": ["load_balancer"]}, "far": {"cloud": "far", "count": far}}
    keys = {"admin_cidrs": ["192.0.2.0/24"], "firewall": [RULE], "names": {"data.example": SERVER}, "vpn_users": ["ada"], "load_balancer": [BALANCE]}
    return file | keys | more


class Load:
    """Clients that ask the load balancer again and again while this is open: some over one connection, some over a new one each time."""

    def __init__(self, address: str, clients: int = 6) -> None:
        self.address = address
        self.lost: list[str] = []
        self.answers: Counter[str] = Counter()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(clients)]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _ask(self, keep: bool) -> None:
        connection = http.client.HTTPConnection(self.address, BALANCED, timeout=20)
        while not self.ended.wait(0.1):
            try:
                connection.request("GET", "/", headers={} if keep else {"Connection": "close"})
                answer = connection.getresponse()
                self.answers[answer.read().decode().strip()] += 1
                if answer.status != 200:
                    self.lost.append(f"status {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
        connection.close()

    def reaches(self, name: str) -> bool:
        """Whether a node answers from now on."""
        self.answers[name] = 0
        until(lambda: self.answers[name] > 0, 30, f"{name} gets requests")
        return True


class Cluster:
    """The cluster, and somebody who is not of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, dict[str, Any]] = {}
        self.site = Site(folder, "fnet", content(2))
        self.stranger = Site(folder, "fnetx", bare(FAR, "fnetx", 1, {"packages": PACKAGES}))

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        """Those of the nodes, as the last run left them."""
        self.known = self.known or dict(self.site.inventory()["_meta"]["hostvars"])
        return self.known

    def must(self, *args: str) -> Played:
        """A run that must end well."""
        self.known = {}
        return self.site.must("cluster", *args)

    def ssh(self, name: str, command: str) -> str:
        """Run a command on a node, by ssh alone: Ansible takes a second of processor for each."""
        node = self.variables[name]
        options = [*shlex.split(node["ansible_ssh_common_args"]), *shlex.split("-o ControlPath=none -o ConnectTimeout=10")]
        return run("ssh", *options, f"{node['ansible_user']}@{node['ansible_host']}", command)

    def reach(self, node: str, address: str, port: int = 22) -> bool:
        """Whether a node can connect to an address."""
        script = f"import socket; socket.create_connection(('{address}', {port}), 3)"
        return "yes" in self.ssh(node, f'python3 -c "{script}" 2>/dev/null && echo yes || echo no')

    def network(self) -> dict[str, Any]:
        self.site.must("network", "-e", f"sky_network_file={self.folder}/network.json")
        found: dict[str, Any] = json.loads((self.folder / "network.json").read_text())
        return found

    def serve(self, *names: str) -> None:
        """Let nodes answer requests with their names."""
        for name in names:
            folder = f"mkdir -p /srv/web; hostname > /srv/web/index.html; systemctl stop {WEB} 2>/dev/null; systemctl reset-failed {WEB} 2>/dev/null"
            self.ssh(name, f"{folder}; systemd-run --quiet --unit={WEB} --working-directory=/srv/web python3 -m http.server {TARGET}")

    def load(self) -> Load:
        return Load(self.variables[SERVER]["ansible_host"])

    def rules(self) -> dict[str, str]:
        """The rules of every node, without what their counters show."""
        return {name: re.sub(r"packets \d+ bytes \d+", "", self.ssh(name, "nft list table inet sky || true")) for name in self.variables}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """What was on the machine before is there after, and nothing else."""
    find_programs(Path("~/.cache/sky-clusters/lab").expanduser())
    before = machine_state(NEAR), machine_state(FAR)
    made = Cluster(tmp_path_factory.mktemp("network"))
    run("nft", "-f", "-", stdin=SYMMETRIC)
    yield made
    run("nft", "delete", "table", "ip", "sky_fsymmetric")
    made.site.must("destroy", *made.site.with_data)
    assert (machine_state(NEAR), machine_state(FAR)) == before


def test_the_overlay_is_made_by_itself(cluster: Cluster, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    assert cluster.must().output.count(OPEN_TO_ANY) == 1
    took = time.monotonic() - began
    found = cluster.variables
    assert {name: each["sky_address"] for name, each in found.items()} == {SERVER: "10.99.0.1", "fnet-far-0": "10.99.1.1", "fnet-far-1": "10.99.1.2"}
    assert all(each["sky_cloud_address"].startswith("10.8") or each["sky_cloud_address"].startswith("10.9") for each in found.values())
    for name in found:
        assert all(cluster.reach(name, other["sky_address"]) for other in found.values()), name
    seen = cluster.network()
    assert seen["faults"] == []
    engines = {state["agent"]["engine"] for state in seen["nodes"].values()}
    assert "whole yes" in cluster.site.must("status").output
    figure(f"a cluster of 3 bare nodes on two isolated local clouds: {took:.0f} s, every pair connects (engine {', '.join(engines)})")


@contextlib.contextmanager
def losses() -> Iterator[None]:
    """One of twenty packets between the clouds is lost while this is open."""
    links = f'{{ "sky-{NEAR}", "sky-{FAR}" }}'
    rule = f"iifname {links} oifname {links} numgen random mod 100 < 5 counter drop"
    run("nft", "-f", "-", stdin=f"table inet sky_flosses {{ chain f {{ type filter hook forward priority -10; {rule}; }}; }}\n")
    try:
        yield
        dropped = re.search(r"counter packets (\d+)", run("nft", "list", "table", "inet", "sky_flosses"))
        assert dropped is not None
        assert int(dropped[1]) > 0
    finally:
        run("nft", "delete", "table", "inet", "sky_flosses")


def test_a_node_more_costs_the_others_nothing_and_one_that_fails_keeps_none_out(cluster: Cluster, figure: Callable[[str], None]) -> None:
    dead = cluster.folder / "host_vars/fnet-far-3.yml"  # to whom nobody gets through by ssh
    dead.parent.mkdir()
    dead.write_text("{ansible_port: 9, ansible_ssh_port: 9}\n")
    cluster.site.content = content(4)
    began = time.monotonic()
    cluster.serve("fnet-far-0", "fnet-far-1")
    with cluster.load() as load:
        grown = cluster.site.play("cluster")
        took = time.monotonic() - began
        cluster.known = {}
        cluster.serve("fnet-far-2")
        assert load.reaches("fnet-far-2")
    assert not load.lost, load.lost[:9]
    assert grown.code != 0
    assert grown.output.count("note: fnet-far-3: not in the list of the nodes, because no key is known") == 1
    assert {name for name, result in grown.failed.items() if result} == {"fnet-far-3"}, grown.output
    changed = {name: grown.changed[name] for name in ("fnet-far-0", "fnet-far-1")}
    assert changed == {"fnet-far-0": 0, "fnet-far-1": 0}
    assert {grown.tasks[name] for name in changed} == {1}  # the look at the beginning
    assert cluster.reach("fnet-far-0", "fnet-far-2")
    assert cluster.reach(SERVER, "fnet-far-2")
    dead.unlink()
    figure(f"2 nodes added to 3 over two clouds, of which one fails: {took:.0f} s, 0 tasks on the nodes that stay but for the look at the beginning")


def test_profile(cluster: Cluster) -> None:
    cluster.site.content = content(2)
    shrunk = cluster.must()
    assert (shrunk.changed["fnet-far-0"], shrunk.tasks["fnet-far-0"]) == (0, 1)
    said = cluster.site.must("vpn_profile", "-e", "sky_user=ada").output
    print(said)
    print(cluster.ssh(SERVER, "cat /etc/sky/network/users.json"))
    assert "Endpoint" in said


def test_an_overlay_that_ends_leaves_nothing_behind(cluster: Cluster) -> None:
    """The firewall stays."""
    shown = "ls -d /sys/class/net/sky0 /etc/sky/network/private.key /etc/systemd/system/sky-wireguard.service; ip route; nft list tables"
    assert {"/sys/class/net/sky0", "/etc/sky/network/private.key", "table ip sky_overlay"} < {*cluster.ssh(SERVER, f"{shown}; true").splitlines()}
    cluster.site.content = content(0, overlay=False, load_balancer=[], vpn_users=[])
    cluster.site.content["pools"]["main"]["roles"] = []
    cluster.must()
    left = cluster.ssh(SERVER, f"({shown}) 2>/dev/null; systemctl is-active sky-wireguard sky-network sky-firewall; true").splitlines()
    assert not [line for line in left if "sky0" in line or "10.99" in line or "private.key" in line or "wireguard" in line or "sky_overlay" in line]
    assert left[-3:] == ["inactive", "active", "active"]
    assert "table inet sky" in left
    assert "whole yes" in cluster.site.must("status").output
    assert set(cluster.must().changed.values()) == {0}
