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

NEAR, FAR = "tneta", "tnetb"
SERVER = "tnet-main-0"
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
add table ip sky_symmetric
delete table ip sky_symmetric
table ip sky_symmetric {{ chain post {{ type nat hook postrouting priority srcnat - 5; policy accept;
  iifname "sky-{FAR}" oifname "sky-{NEAR}" masquerade fully-random
}}
}}
"""


def content(far: int, **more: Any) -> dict[str, Any]:
    file = bare(NEAR, "tnet", 0, {"packages": PACKAGES})
    file["clouds"] = {"near": file["clouds"]["here"], "far": bare(FAR, "tnet", 0, {"packages": PACKAGES})["clouds"]["here"]}
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
        self.site = Site(folder, "tnet", content(2))
        self.stranger = Site(folder, "tnetx", bare(FAR, "tnetx", 1, {"packages": PACKAGES}))

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
    run("nft", "delete", "table", "ip", "sky_symmetric")
    made.site.must("destroy", *made.site.with_data)
    made.stranger.must("destroy", *made.stranger.with_data)
    assert (machine_state(NEAR), machine_state(FAR)) == before


def test_the_overlay_is_made_by_itself(cluster: Cluster, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    with cluster.stranger.start("cluster", output=subprocess.DEVNULL) as other:
        assert cluster.must().output.count(OPEN_TO_ANY) == 1  # the far cloud may send from any address
        took = time.monotonic() - began
        assert other.wait(300) == 0
    found = cluster.variables
    assert {name: each["sky_address"] for name, each in found.items()} == {SERVER: "10.99.0.1", "tnet-far-0": "10.99.1.1", "tnet-far-1": "10.99.1.2"}
    assert all(each["sky_cloud_address"].startswith("10.8") or each["sky_cloud_address"].startswith("10.9") for each in found.values())
    for name in found:
        assert all(cluster.reach(name, other["sky_address"]) for other in found.values()), name
    seen = cluster.network()
    assert seen["faults"] == []
    engines = {state["agent"]["engine"] for state in seen["nodes"].values()}
    assert "whole yes" in cluster.site.must("status").output
    figure(f"a cluster of 3 bare nodes on two isolated local clouds: {took:.0f} s, every pair connects (engine {', '.join(engines)})")


def test_nodes_without_a_public_address_are_not_reached_from_the_other_cloud(cluster: Cluster) -> None:
    """Else the overlay would prove nothing."""
    assert not cluster.reach(SERVER, cluster.variables["tnet-far-0"]["sky_cloud_address"])


def test_names_lead_forward_and_back(cluster: Cluster) -> None:
    for node in ("tnet-far-0", SERVER):
        said = cluster.ssh(node, "getent ahostsv4 tnet-far-1 | head -1; getent hosts 10.99.1.2; getent ahostsv4 data.example | head -1; hostname -f")
        assert [line.split()[0] for line in said.splitlines()[:3]] == ["10.99.1.2", "10.99.1.2", "10.99.0.1"]
        assert said.splitlines()[1].split()[1] == "tnet-far-1"
        assert said.splitlines()[3] == node


@contextlib.contextmanager
def losses() -> Iterator[None]:
    """One of twenty packets between the clouds is lost while this is open."""
    links = f'{{ "sky-{NEAR}", "sky-{FAR}" }}'
    rule = f"iifname {links} oifname {links} numgen random mod 100 < 5 counter drop"
    run("nft", "-f", "-", stdin=f"table inet sky_losses {{ chain f {{ type filter hook forward priority -10; {rule}; }}; }}\n")
    try:
        yield
        dropped = re.search(r"counter packets (\d+)", run("nft", "list", "table", "inet", "sky_losses"))
        assert dropped is not None
        assert int(dropped[1]) > 0
    finally:
        run("nft", "delete", "table", "inet", "sky_losses")


def test_a_second_run_changes_nothing_loosens_nothing_and_shows_no_key(cluster: Cluster) -> None:
    before, keys = cluster.rules(), [cluster.ssh(name, f"cat {KEY}").strip() for name in cluster.variables]
    for more, way in (((), contextlib.nullcontext()), (("-e", "sky_full=true", "-vvv"), losses())):
        with way:
            again = cluster.must(*more)
        assert set(again.changed.values()) == {0}, re.findall(r"TASK \[(.*)\][^\n]*\n(?:(?!TASK).*\n)*?changed: (.*)", again.output)
        assert not any(key in again.output for key in keys)
        assert OPEN_TO_ANY not in again.output
    assert cluster.rules() == before


def test_every_node_has_a_private_key_of_its_own(cluster: Cluster) -> None:
    found = {name: cluster.ssh(name, f"cat {KEY}; stat -c %a:%U {KEY}").split() for name in cluster.variables}
    assert {mode for _key, mode in found.values()} == {"600:root"}
    assert len({key for key, _mode in found.values()}) == len(found)


def test_from_outside_the_open_ports_are_those_of_the_file(cluster: Cluster, figure: Callable[[str], None]) -> None:
    cluster.ssh(SERVER, "nohup python3 -m http.server 8888 >/dev/null 2>&1 & nohup python3 -m http.server 8889 >/dev/null 2>&1 &")
    inside = {name: each["sky_cloud_address"] for name, each in cluster.variables.items()}
    time.sleep(1)
    began = time.monotonic()
    found = scan.scan(inside.values())
    took = time.monotonic() - began
    assert {name: found[address] for name, address in inside.items()} == {SERVER: [22, BALANCED, OPENED], "tnet-far-0": [22], "tnet-far-1": [22]}
    script = Path(scan.__file__).read_text(encoding="utf-8")
    addresses = [inside["tnet-far-0"], inside["tnet-far-1"]]
    said = cluster.stranger.ssh("tnetx-box-0", f"python3 - {' '.join(addresses)} <<'END'\n{script}\nEND")
    assert json.loads(said.strip().splitlines()[-1]) == {address: [22] for address in addresses}
    assert cluster.reach("tnet-far-0", "10.99.0.1", 8889)
    figure(
        f"34 TCP 1-65535 of 3 nodes, from this machine ({took:.0f} s) and from a node of another cluster in its cloud: 22, and what the file opens"
    )


def test_addresses_of_the_overlay_cannot_be_used_from_outside(cluster: Cluster) -> None:
    """A neighbour in the same cloud that takes the address of a member is not let in."""
    target = cluster.variables["tnet-far-0"]["sky_cloud_address"]
    cluster.stranger.ssh("tnetx-box-0", "ip address add 10.99.1.2/32 dev lo")
    script = f"import socket; s = socket.socket(); s.settimeout(3); s.bind(('10.99.1.2', 0)); s.connect(('{target}', 7999))"
    cluster.stranger.ssh("tnetx-box-0", f'python3 -c "{script}" 2>/dev/null && echo in || echo out')
    cluster.stranger.ssh("tnetx-box-0", "ip address delete 10.99.1.2/32 dev lo")
    counters = cluster.network()["nodes"]["tnet-far-0"]["counters"]
    assert counters["spoofed"]["packets"] > 0


def test_a_firewall_that_shuts_the_controller_out_is_taken_back(cluster: Cluster, figure: Callable[[str], None]) -> None:
    settings = cluster.variables["tnet-far-1"]["sky_network"]
    (cluster.folder / "bad.nft").write_text(ruleset(settings | {"admin": ["198.51.100.0/24"]}))
    before = cluster.rules()["tnet-far-1"]
    (cluster.folder / "bad.yml").write_text(
        "- {hosts: tnet-far-1, gather_facts: false, tasks: [{sky.clusters.firewall: {seconds: 8, ruleset: \"{{ lookup('file', 'bad.nft') }}\"}}]}\n"
    )
    began = time.monotonic()
    command = cluster.site.command("ansible-playbook", "-i", str(cluster.site.file), "bad.yml")
    done = subprocess.run(command, cwd=cluster.folder, env=None, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 0
    assert re.search("the node has (restored the old ones after 8 s|already restored the old rules)", done.stdout)
    figure(f"a firewall that shuts the controller out: taken back by the node itself, the run failed after {time.monotonic() - began:.0f} s")
    assert cluster.rules()["tnet-far-1"] == before


def test_another_firewall_is_refused_by_name(cluster: Cluster) -> None:
    cluster.ssh("tnet-far-1", "mkdir -p /etc/ufw && echo ENABLED=yes > /etc/ufw/ufw.conf && touch /usr/sbin/ufw")
    refused = cluster.site.play("cluster", "-e", "sky_full=true")
    assert refused.code != 0
    assert "ufw is active and would drop the cluster's traffic" in refused.output
    cluster.ssh("tnet-far-1", "rm -r /etc/ufw /usr/sbin/ufw")
    cluster.must()


def test_flushed_rules_are_loaded_again(cluster: Cluster) -> None:
    before = cluster.rules()["tnet-far-1"]
    cluster.ssh("tnet-far-1", "nft flush ruleset")
    until(lambda: cluster.rules()["tnet-far-1"] == before, 20, "the agent loads the rules again")


def test_the_load_balancer_leads_to_nodes_that_answer(cluster: Cluster) -> None:
    assert "port 8080 0 of 2 nodes (tnet-far-0: DOWN, Connection refused;" in cluster.site.must("status").output
    cluster.serve("tnet-far-0", "tnet-far-1")
    with cluster.load() as load:
        assert load.reaches("tnet-far-0")
        assert load.reaches("tnet-far-1")
        assert "port 8080 2 of 2 nodes" in cluster.site.must("status").output


def test_no_request_is_lost_when_a_node_fails(cluster: Cluster, figure: Callable[[str], None]) -> None:
    with cluster.load() as load:
        cluster.ssh("tnet-far-0", f"systemctl kill -s KILL {WEB}")
        time.sleep(3)
        cluster.serve("tnet-far-0")
        assert load.reaches("tnet-far-0")
        cluster.ssh("tnet-far-1", f"systemctl kill -s STOP {WEB}; sleep 5; systemctl kill -s CONT {WEB}")
        assert load.reaches("tnet-far-1")
    assert not load.lost, load.lost[:9]
    figure(f"6 clients of the load balancer: a node killed, another one frozen for 5 s, both back: none of {load.answers.total()} requests lost")


def test_the_services_of_the_network_are_in_sandboxes_while_they_work(cluster: Cluster) -> None:
    units = ("sky-network", "sky-wireguard", "sky-firewall", "sky-load-balancer")
    asked = f"for unit in {' '.join(units)}; do systemctl is-active $unit; systemd-analyze security $unit.service | tail -1; done"
    said = cluster.ssh(SERVER, asked).splitlines()
    assert said[::2] == ["active"] * len(units)
    exposures = [float(re.sub(r".*: ([0-9.]+) .*", r"\1", line)) for line in said[1::2]]
    assert max(exposures) <= 2.5, said


def test_a_node_more_costs_the_others_nothing_and_one_that_fails_keeps_none_out(cluster: Cluster, figure: Callable[[str], None]) -> None:
    dead = cluster.folder / "host_vars/tnet-far-3.yml"  # to whom nobody gets through by ssh
    dead.parent.mkdir()
    dead.write_text("{ansible_port: 9, ansible_ssh_port: 9}\n")
    cluster.site.content = content(4)
    began = time.monotonic()
    with cluster.load() as load:
        grown = cluster.site.play("cluster")
        took = time.monotonic() - began
        assert grown.code != 0
        assert {name for name, result in grown.failed.items() if result} == {"tnet-far-3"}, grown.output
        cluster.known = {}
        cluster.serve("tnet-far-2")
        assert load.reaches("tnet-far-2")
    assert not load.lost, load.lost[:9]
    assert grown.output.count("note: tnet-far-3: not in the list of the nodes, because no key is known") == 1
    changed = {name: grown.changed[name] for name in ("tnet-far-0", "tnet-far-1")}
    assert changed == {"tnet-far-0": 0, "tnet-far-1": 0}
    assert {grown.tasks[name] for name in changed} == {1}  # the look at the beginning
    assert cluster.reach("tnet-far-0", "tnet-far-2")
    assert cluster.reach(SERVER, "tnet-far-2")
    dead.unlink()
    figure(f"2 nodes added to 3 over two clouds, of which one fails: {took:.0f} s, 0 tasks on the nodes that stay but for the look at the beginning")


def test_a_node_that_leaves_has_no_access(cluster: Cluster, figure: Callable[[str], None]) -> None:
    key = cluster.ssh("tnet-far-2", "wg show sky0 public-key").strip()
    cluster.site.content = content(2)
    with cluster.load() as load:
        assert load.reaches("tnet-far-2")
        shrunk = cluster.must()
    assert not load.lost, load.lost[:9]
    figure(f"a node behind the load balancer removed under load: none of {load.answers.total()} requests lost")
    assert (shrunk.changed["tnet-far-0"], shrunk.tasks["tnet-far-0"]) == (0, 1)
    for name in cluster.variables:
        assert key not in cluster.ssh(name, "wg show sky0 peers; cat /etc/hosts")
        assert "tnet-far-2" not in cluster.ssh(name, "cat /etc/hosts")


def test_somebody_outside_joins_until_the_name_is_taken_away(cluster: Cluster) -> None:
    assert "sky_user: bob is not among vpn_users (ada)" in cluster.site.play("vpn_profile", "-e", "sky_user=bob").output
    said = cluster.site.must("vpn_profile", "-e", "sky_user=ada").output
    profile = dict(re.findall(r"^\s*(\w+) = (\S+)$", said, re.MULTILINE))
    assert "█" in said
    with guest(cluster.folder, profile) as reaches:
        until(lambda: reaches("10.99.0.1"), 15, "the guest reaches the public node")
        until(lambda: reaches("10.99.1.1"), 15, "the guest reaches a node of the other cloud")
        cluster.site.content = content(2, vpn_users=[])
        cluster.must()
        assert not reaches("10.99.0.1")
        assert not reaches("10.99.1.1")


def test_after_reboots_the_network_is_whole(cluster: Cluster, figure: Callable[[str], None]) -> None:
    names = list(cluster.variables)
    rules = cluster.rules()
    for name in names:
        cluster.ssh(name, "touch /run/before-reboot; systemctl --no-block reboot")

    def back() -> bool:
        try:
            return all("no" in cluster.ssh(name, "ls /run/before-reboot 2>/dev/null || echo no") for name in names)
        except AssertionError:
            return False

    began = time.monotonic()
    until(back, 120, "all nodes are back")
    until(lambda: "whole yes" in cluster.site.play("status").output, 60, "the overlay is whole")
    figure(f"32 every node rebooted at once: firewall and overlay whole again after {time.monotonic() - began:.0f} s")
    assert cluster.rules() == rules
    assert cluster.reach("tnet-far-0", "10.99.0.1")


def test_a_range_that_a_cloud_uses_is_refused(cluster: Cluster) -> None:
    address = cluster.variables[SERVER]["sky_cloud_address"]
    cluster.site.content = content(2, overlay={"range": f"10.{address.split('.')[1]}.0.0/16"})
    refused = cluster.site.play("cluster")
    assert refused.code != 0
    assert "overlay.range: 10." in refused.output
    assert "overlaps with" in refused.output
    cluster.site.content = content(2)


def test_an_overlay_that_ends_leaves_nothing_behind(cluster: Cluster) -> None:
    """The firewall stays."""
    shown = "ls -d /sys/class/net/sky0 /etc/sky/network/private.key /etc/systemd/system/sky-wireguard.service; ip route; nft list tables"
    assert {"/sys/class/net/sky0", "/etc/sky/network/private.key", "table inet sky"} < {*cluster.ssh(SERVER, f"{shown}; true").splitlines()}
    cluster.site.content = content(0, overlay=False, load_balancer=[], vpn_users=[])
    cluster.site.content["pools"]["main"]["roles"] = []
    cluster.must()
    left = cluster.ssh(SERVER, f"({shown}) 2>/dev/null; systemctl is-active sky-wireguard sky-network sky-firewall; true").splitlines()
    assert not [line for line in left if "sky0" in line or "10.99" in line or "private.key" in line or "wireguard" in line or "sky_overlay" in line]
    assert left[-3:] == ["inactive", "active", "active"]
    assert "table inet sky" in left
    assert "whole yes" in cluster.site.must("status").output
    assert set(cluster.must().changed.values()) == {0}
