# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on an OpenStack, created and deleted by this collection and by the modules of openstack.cloud, side by side in one run.

    python benchmarks/openstack_clusters.py [--servers 20 100] [--forks 10]

Prints figures; judges nothing. Needs root, and the test cloud (tests/clouds/openstack/up), which it starts. Servers are of the image `fake-12`: they
exist in the API only, with ports and addresses, so that what is measured is how the cloud is asked. Whole playbook runs are timed:

    ours     sky.clusters.provision, then sky.clusters.destroy; nodes are taken to answer by ssh once they have an address
    a loop   openstack.cloud.server with `loop`, as it is mostly written
    forks    openstack.cloud.server once for each host of an inventory, with as many forks

All calls go through a proxy that counts them. openstack.cloud is installed for itself, in ${SKY_CACHE:-~/.cache/sky-clusters}/peers.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.sky.clusters.benchmarks.figures import show
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions
from ansible_collections.sky.clusters.tests.support import openstack_site
from ansible_collections.sky.clusters.tests.support.bench import KEY
from ansible_collections.sky.clusters.tests.support.counting_proxy import CountingProxy, counting
from ansible_collections.sky.clusters.tests.support.openstack_peers import Timed, peers, timed
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite
from ansible_collections.sky.clusters.tests.support.tree import ROOT

USER, CLUSTER, PEER = "carol", "bench", "peer"
IMAGE, FLAVOR, NETWORK = "fake-12", "node.tiny", "private"
PLAY = str(ROOT / "tests/support/play_without_ssh.py")


@dataclass(frozen=True)
class Way:
    """One way to create and delete servers.

    Attributes:
        prefix: of the servers' names.
        present: the command that makes them.
        absent: the command that deletes them.
    """

    name: str
    prefix: str
    present: Sequence[str]
    absent: Sequence[str]


@dataclass(frozen=True)
class Figures:
    way: str
    made: Timed
    deleted: Timed


def ours(folder: Path, count: int) -> Way:
    file = folder / f"{CLUSTER}.sky.yml"
    content: dict[str, Any] = {
        "plugin": "sky.clusters.clouds",
        "cluster": CLUSTER,
        "ssh_keys": [KEY],
        "clouds": {"one": {"provider": "openstack", "cloud": USER, "image": IMAGE, "flavor": FLAVOR, "network": NETWORK}},
        "pools": {"worker": {"cloud": "one", "count": count}},
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    play = [sys.executable, PLAY, "-i", str(file)]
    return Way("ours", f"{CLUSTER}-", [*play, "sky.clusters.provision"], [*play, "sky.clusters.destroy"])


def loop(folder: Path, count: int, programs: Path) -> Way:
    names = "{{ range(" + str(count) + ") | map('regex_replace', '^', '" + PEER + "-') | list }}"
    files = [
        _playbook(folder / f"loop_{state}.yml", "localhost", {"loop": names, "openstack.cloud.server": _server(state, "{{ item }}")})
        for state in ("present", "absent")
    ]
    present, absent = ([str(programs / "ansible-playbook"), str(file)] for file in files)
    return Way("a loop", f"{PEER}-", present, absent)


def forks(folder: Path, count: int, programs: Path, at_once: int) -> Way:
    inventory = folder / "peers.ini"
    python = "ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'"
    inventory.write_text("\n".join(f"{PEER}-{index} {python}" for index in range(count)), encoding="utf-8")
    files = [
        _playbook(folder / f"forks_{state}.yml", "all", {"openstack.cloud.server": _server(state, "{{ inventory_hostname }}")})
        for state in ("present", "absent")
    ]
    present, absent = ([str(programs / "ansible-playbook"), "-i", str(inventory), "-f", str(at_once), str(file)] for file in files)
    return Way(f"{at_once} forks", f"{PEER}-", present, absent)


def _server(state: str, name: str) -> dict[str, Any]:
    common = {"cloud": USER, "state": state, "name": name, "wait": True}
    return common | ({"image": IMAGE, "flavor": FLAVOR, "network": NETWORK, "auto_ip": False} if state == "present" else {})


def _playbook(file: Path, hosts: str, task: Mapping[str, Any]) -> Path:
    file.write_text(yaml.safe_dump([{"hosts": hosts, "gather_facts": False, "tasks": [dict(task)]}]), encoding="utf-8")
    return file


def measured(way: Way, site: OpenStackSite, proxy: CountingProxy, folder: Path, count: int) -> Figures:
    """Create the servers, check that all exist, and always delete them."""
    environment = site.environment(USER)
    try:
        made = timed(proxy, folder, environment, *way.present)
        active = [server for server in _standing(site, way.prefix) if server.status == "ACTIVE" and server.addresses]
        if len(active) != count:
            raise RuntimeError(f"{way.name}: {len(active)} of {count} servers are active and have an address")
        if way.name == "ours":
            _poll(count)
    finally:
        deleted = timed(proxy, folder, environment, *way.absent)
    left = _standing(site, way.prefix)
    if left:
        raise RuntimeError(f"{way.name} leaves {[server.name for server in left]}")
    show(f"{count} servers, {way.name}", f"made in {made.seconds:.1f} s, deleted in {deleted.seconds:.1f} s")  # as it comes: this takes long
    return Figures(way.name, made, deleted)


def _standing(site: OpenStackSite, prefix: str) -> list[Any]:
    return [server for server in site.connect(USER).compute.servers(details=True) if server.name.startswith(prefix)]


def _poll(count: int) -> None:
    """The cost of waiting: one listing of the cluster, which is repeated until all nodes exist."""
    cloud = OpenStackCloud("one", OpenStackOptions(cloud=USER, image=IMAGE, flavor=FLAVOR), Scope(CLUSTER, ""))
    cloud.listing()  # log in, find the services
    cloud.api.calls.clear()
    began = time.monotonic()
    cloud.listing()
    seconds = time.monotonic() - began
    show(f"{count} nodes waited for, one look", f"{seconds:.2f} s, calls: {_told(cloud.api.calls)}")


def _told(calls: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(calls.items()))


def compare(figures: Sequence[Figures], count: int) -> None:
    """One line for each figure, one column for each way, with its ratio to ours."""
    show(f"{count} servers", "".join(f"{each.way:>20}" for each in figures))
    for what, timings in (("made", [each.made for each in figures]), ("deleted", [each.deleted for each in figures])):
        _row(f"  {what}, s", [timing.seconds for timing in timings])
        _row(f"  {what}, s of own processor time", [timing.cpu for timing in timings])
        _row(f"  {what}, calls of the API", [timing.calls.total() for timing in timings])
        for kind in sorted({kind for timing in timings for kind in timing.calls}):
            show(f"    {kind}", "".join(f"{timing.calls[kind] or '-':>10}{'':10}" for timing in timings))


def _row(what: str, values: Sequence[float]) -> None:
    shown = [f"{value:>10.1f}" if isinstance(value, float) else f"{value:>10}" for value in values]
    ratios = [f"  x {value / values[0]:<6.2f}" for value in values]
    show(what, "".join(map("".join, zip(shown, ratios, strict=True))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--forks", type=int, default=10)
    wanted = parser.parse_args()
    site, programs = openstack_site.running(), peers()
    os.environ.update(site.environment(USER))
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as name, counting() as proxy:
        folder = Path(name)
        for count in wanted.servers:
            ways = [ours(folder, count), loop(folder, count, programs), forks(folder, count, programs, wanted.forks)]
            compare([measured(way, site, proxy, folder, count) for way in ways], count)


if __name__ == "__main__":
    main()
