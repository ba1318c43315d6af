# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a cluster in a large project of an OpenStack, beside the inventory plugin of openstack.cloud and a bare list, in one run.

    python benchmarks/openstack_inventory.py [--project 1000] [--cluster 100] [--times 3]

Prints figures; judges nothing. Needs root, and the test cloud (tests/clouds/openstack/up), which it starts and needs for itself. Servers are of the
image `fake-12`: they exist in the API only. Those of the cluster are made by the collection, with ports; the others by plain calls, without, and with
marks of another cluster, which in the end is the whole project. Whole processes are timed, the middle one of several; calls are counted by a proxy.
The peers' plugin is configured to show servers without addresses (`show_all`), since it would leave out most of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.sky.clusters.benchmarks.figures import show
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions, _marks
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._names import Names
from ansible_collections.sky.clusters.tests.support import openstack_site
from ansible_collections.sky.clusters.tests.support.bench import KEY
from ansible_collections.sky.clusters.tests.support.counting_proxy import CountingProxy, counting
from ansible_collections.sky.clusters.tests.support.openstack_peers import Timed, peers, timed
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite
from ansible_collections.sky.clusters.tests.support.site import BIN
from ansible_collections.sky.clusters.tests.support.tree import ROOT

USER = "carol"
OPTIONS = OpenStackOptions(cloud=USER, image="fake-12", flavor="node.tiny", network="private")
PART, REST = "part", "rest"  # the cluster, and the marks of all others
AT_ONCE = 8
DETAIL = "/servers/detail"
PAUSE = 3.0  # s between two lists while servers are created
PATIENCE = 1200.0  # limit in s for all of them
LIST = "import openstack, sys; print(len(list(openstack.connect(cloud=sys.argv[1]).compute.servers(**dict(w.split('=') for w in sys.argv[2:])))))"


class Measurement:
    """Runs each way several times."""

    def __init__(self, site: OpenStackSite, proxy: CountingProxy, folder: Path, times: int) -> None:
        self._site = site
        self._proxy = proxy
        self._folder = folder
        self._times = times
        self._programs = peers()

    def play(self, cluster: str, count: int, playbook: str) -> None:
        file = _cluster_file(self._folder, cluster, count)
        play = [sys.executable, str(ROOT / "tests/support/play_without_ssh.py"), "-i", str(file), f"sky.clusters.{playbook}"]
        timed(self._proxy, self._folder, self._site.environment(USER), *play)

    def show(self, title: str, cluster: str, count: int) -> None:
        """One line each way; the ratio is to ours."""
        show(title, f"{'s':>10}{'':10}{'s of CPU':>10}{'bytes':>12}{'hosts':>8}  calls of the API")
        ours = [str(BIN / "ansible-inventory"), "-i", str(_cluster_file(self._folder, cluster, count)), "--list"]
        by_tag = {"tags": _marks.tag(cluster)}
        ways = {
            "ours": ours,
            "openstack.cloud.openstack, the project": self._peer("all.openstack.yml"),
            "openstack.cloud.openstack, by our tag": self._peer("part.openstack.yml", server_filters=by_tag),
            "a bare list of the SDK, the project": [sys.executable, "-c", LIST, USER],
            "a bare list of the SDK, by our tag": [sys.executable, "-c", LIST, USER, f"tags={by_tag['tags']}"],
        }
        first = 0.0
        for name, command in ways.items():
            middle = self._middle(command)
            first = first or middle.seconds
            calls = ", ".join(f"{number} {kind}" for kind, number in sorted(middle.calls.items()))
            size = len(middle.output)
            show(
                f"  {name}",
                f"{middle.seconds:>10.2f}  x {middle.seconds / first:<6.2f}{middle.cpu:>10.2f}{size:>12}{_hosts(middle.output):>8}  {calls}",
            )

    def _peer(self, name: str, **more: Any) -> list[str]:
        file = self._folder / name
        file.write_text(yaml.safe_dump({"plugin": "openstack.cloud.openstack", "only_clouds": [USER], "show_all": True} | more), encoding="utf-8")
        return [str(self._programs / "ansible-inventory"), "-i", str(file), "--list"]

    def _middle(self, command: Sequence[str]) -> Timed:
        done = [timed(self._proxy, self._folder, self._site.environment(USER), *command) for _time in range(self._times)]
        return sorted(done, key=lambda each: each.seconds)[len(done) // 2]


def _hosts(output: str) -> int:
    shown = json.loads(output)
    return shown if isinstance(shown, int) else len(shown["_meta"]["hostvars"])


def _cluster_file(folder: Path, cluster: str, count: int) -> Path:
    file = folder / f"{cluster}.sky.yml"
    options = {"provider": "openstack", "cloud": USER, "image": OPTIONS.image, "flavor": OPTIONS.flavor, "network": OPTIONS.network}
    pools = {"worker": {"cloud": "one", "count": count}}
    content = {"plugin": "sky.clusters.clouds", "cluster": cluster, "ssh_keys": [KEY], "clouds": {"one": options}, "pools": pools}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def opened(cluster: str) -> OpenStackCloud:
    return OpenStackCloud("one", OPTIONS, Scope(cluster, ""))


def post(cloud: OpenStackCloud, flavor: str, image: str, index: int) -> None:
    """A server as the collection creates it, but without its port."""
    mark = Mark(cloud.owner, REST, "worker", index)
    server = {
        "name": mark.node_name,
        "flavorRef": flavor,
        "imageRef": image,
        "networks": "none",
        "metadata": {_marks.MARK: str(mark), _marks.IMAGE: OPTIONS.image, **_marks.written_clouds(["one"])},
        "tags": [_marks.tag(REST)],
    }
    cloud.api.post(COMPUTE, "/servers", {"server": server})


def fill(first: int, count: int) -> None:
    """Create `count` servers of the rest, and wait until they exist."""
    cloud = opened(REST)
    names = Names(cloud.api)
    flavor, image = names.flavor(OPTIONS.flavor).id, names.image(OPTIONS.image).id
    at_once(partial(post, cloud, flavor, image), range(first, first + count))
    awaited(cloud, lambda statuses: set(statuses) == {"ACTIVE"})


def empty() -> None:
    """Delete all servers of the rest."""
    cloud = opened(REST)
    for _again in range(3):  # servers that were created during the earlier list, and those that nova refused to delete while it created them
        at_once(lambda server: cloud.api.delete(COMPUTE, f"/servers/{server['id']}"), listed(cloud))
        awaited(cloud, lambda statuses: not [status for status in statuses if status != "ERROR"])


def listed(cloud: OpenStackCloud) -> list[dict[str, Any]]:
    return list(cloud.api.all(COMPUTE, DETAIL, "servers", tags=_marks.tag(cloud.scope.cluster)))


def awaited(cloud: OpenStackCloud, reached: Callable[[Sequence[str]], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached(statuses := [server["status"] for server in listed(cloud)]):
        if time.monotonic() > end:
            raise TimeoutError(f"after {PATIENCE:.0f} s the servers are { ({status: statuses.count(status) for status in set(statuses)}) }")
        time.sleep(PAUSE)


def at_once(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, items))


def polls(cluster: str, count: int, times: int) -> None:
    """One listing of a cluster while a run waits: the present one, and one that lists only recent changes."""
    cloud = opened(cluster)
    looks: dict[str, Callable[[], int]] = {
        "as it is": lambda: len(cloud.listing().nodes),
        "its list by tag alone": lambda: _length(cloud, DETAIL, tags=_marks.tag(cluster)),
        "names by tag alone": lambda: _length(cloud, "/servers", tags=_marks.tag(cluster)),
        "changes of the last minute, by tag": lambda: _length(cloud, DETAIL, tags=_marks.tag(cluster), **{"changes-since": _minute_ago(cloud)}),
        "changes of the last minute, whole project": lambda: _length(cloud, DETAIL, **{"changes-since": _minute_ago(cloud)}),
    }
    for name, look in looks.items():
        found, seconds = look(), []
        cloud.api.calls.clear()
        for _time in range(times):
            began = time.monotonic()
            look()
            seconds.append(time.monotonic() - began)
        show(
            f"  one look, {name}",
            f"{statistics.median(seconds):>10.2f} s, {cloud.api.calls.total() // times} calls, {found} of {count} servers seen",
        )


def _length(cloud: OpenStackCloud, path: str, **query: Any) -> int:
    return len(list(cloud.api.all(COMPUTE, path, "servers", **query)))


def _minute_ago(cloud: OpenStackCloud) -> str:
    return f"{cloud.api.now() - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=int, default=1000)
    parser.add_argument("--cluster", type=int, default=100)
    parser.add_argument("--times", type=int, default=3)
    wanted = parser.parse_args()
    site = openstack_site.running()
    os.environ.update(site.environment(USER))
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as folder, counting() as proxy:
        asked = Measurement(site, proxy, Path(folder), wanted.times)
        try:
            asked.play(PART, wanted.cluster, "provision")
            fill(0, wanted.project - wanted.cluster)
            asked.show(f"a cluster of {wanted.cluster} in a project of {wanted.project}", PART, wanted.cluster)
            polls(PART, wanted.cluster, wanted.times)
            asked.play(PART, wanted.cluster, "destroy")
            fill(wanted.project - wanted.cluster, wanted.cluster)
            asked.show(f"a cluster that is a project of {wanted.project}", REST, wanted.project)
            polls(REST, wanted.project, wanted.times)
        finally:
            asked.play(PART, wanted.cluster, "destroy")
            empty()
    left = [str(server["name"]) for server in [*listed(opened(PART)), *listed(opened(REST))]]
    if left:
        raise RuntimeError(f"these are left: {', '.join(left)}")


if __name__ == "__main__":
    main()
