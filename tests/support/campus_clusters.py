# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of servers that exist in the API of the test cloud only, built by the real engine and the real provider, with nothing else between.

Such a server has no operating system: ssh, which nothing answers there, is taken to answer (:func:`probe`), and its host key to be one that the cloud
does not show (:class:`Campus`). All else is as in a playbook's run; pauses between two tries and two looks are shorter.

As a program it does one such thing in a process of its own: ``python -m ...campus_clusters present|absent|plan FILE``.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, OpenStackOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Run
from ansible_collections.sky.clusters.tests.support.engine_runs import ended, probe, wishes
from ansible_collections.sky.clusters.tests.support.openstack_site import USERS, OpenStackSite

NAMES = "z[a-z0-9]+"  # of the clusters that are made in this way; nobody else's begin so
HERE = "campus"  # what the cluster files call the cloud
PROJECT = "chemistry"  # where they are unless a test says otherwise, with two users and nobody else's tests
Wanted = Callable[..., dict[str, Any]]  # what makes cluster files of a test
ENTRY = {"provider": "openstack", "image": "fake-12", "flavor": "node.tiny", "external_network": "public"}
# One node to be seen from outside and with a volume, and one with neither.
POOLS: Mapping[str, Any] = {"m": {"count": 1, "public_ip": True, "volumes": {"d": 1}}, "w": {"count": 1}}
QUICK = Backoff(first=0.1, spread=lambda: 1.0)
POLL = 1.0  # s: half of the provider's own; more looks would keep the cloud from what it is asked for


class Campus(OpenStackCloud):
    """The provider. Servers without an operating system show no host key."""

    def learn_host_keys(self, nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
        return {node.name: () for node in nodes}


def content(pools: Mapping[str, Any], name: str, user: str = "carol", *, network: str = "private", owner: str = "", **options: Any) -> dict[str, Any]:
    """A cluster file. A pool may be a count.

    Args:
        user: entry of clouds.yaml.
        network: empty: one of the cluster's own.
        options: of the cloud.
    """
    entry = ENTRY | {"cloud": user} | ({"network": network} if network else {}) | options
    filled = {pool: {"cloud": HERE} | ({"count": spec} if isinstance(spec, int) else dict(spec)) for pool, spec in pools.items()}
    limits = {"made": 120, "booted": 60, "reachable": 60, "deleted": 60}
    file = {"cluster": name, "admin_cidrs": ["10.76.0.0/16"], "clouds": {HERE: entry}, "pools": filled, "timeouts": limits}
    return file | ({"owner": owner} if owner else {})


def cluster_of(file: Mapping[str, Any]) -> Cluster:
    return parse(file, {"openstack": OpenStackOptions})


def run_of(file: Mapping[str, Any], tools: Tools | None = None, **more: Any) -> Run:
    """A run as the action makes it; the cloud is opened anew."""
    cluster = cluster_of(file)
    scope = Scope(cluster.name, cluster.settings.owner, cluster.settings.admin_cidrs)
    clouds = {name: Campus(name, cast(OpenStackOptions, entry.options), scope) for name, entry in cluster.clouds.items()}
    return Run(cluster, clouds, tools or Tools(backoff=QUICK, probe=probe, poll=POLL), **more)


def cloud_of(run: Run) -> Campus:
    cloud = run.clouds[HERE]
    if not isinstance(cloud, Campus):
        raise TypeError(f"{cloud} is another provider's")
    return cloud


def said(file: Mapping[str, Any], what: str = "present", data: bool = True) -> str:
    """How a run ended: nothing, or its sentences. Anything but the run's own errors is a defect."""
    return ended(run_of(file), what, data)


def must(file: Mapping[str, Any]) -> None:
    """A run that must do all that is asked."""
    sentences = said(file)
    if sentences:
        raise AssertionError(sentences)


def ids(file: Mapping[str, Any]) -> dict[str, str]:
    """The cluster's nodes and volumes: name to id."""
    listing = cloud_of(run_of(file)).listing()
    return {node.name: node.id for node in listing.nodes} | {volume.name: volume.id for volume in listing.volumes}


def planned(file: Mapping[str, Any]) -> str:
    """What stands and what a run would do, in words that are the same wherever they are said."""
    run = run_of(file, check=True)
    outcome = run.present(wishes(run))
    return f"{outcome.listings}\n{outcome.plan}"


def parts(file: Mapping[str, Any]) -> list[str]:
    """All that the cloud has of the cluster, each thing once for each time that it is there."""
    return sorted(re.sub(r"\d+(\.\d+){3}", "*", part) for part in cloud_of(run_of(file)).leftovers())


def of_campus(site: OpenStackSite, name: str = NAMES, project: str = PROJECT) -> dict[str, str]:
    """What a project really has of a cluster, as its operator sees it: identifier to kind and name. `name` is a regular expression.

    All kinds that a cluster may have are looked for side by side, since this is asked often.
    """
    admin, own = site.admin(), _identifier(site, project)
    network: dict[str, Any] = {"project_id": own}
    everywhere: dict[str, Any] = network | {"all_tenants": True}
    looks: dict[str, Callable[[], Iterable[Any]]] = {
        "server": lambda: admin.compute.servers(details=False, **everywhere),
        "key pair": lambda: itertools.chain.from_iterable(admin.compute.keypairs(user_id=user) for user in _users(site, project)),
        "volume": lambda: admin.block_storage.volumes(details=False, **everywhere),
        "network": lambda: admin.network.networks(**network),
        "subnet": lambda: admin.network.subnets(**network),
        "port": lambda: admin.network.ports(**network),
        "router": lambda: admin.network.routers(**network),
        "floating ip": lambda: admin.network.ips(**network),
        "security group": lambda: admin.network.security_groups(**network),
    }
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        found = dict(zip(looks, pool.map(lambda look: list(look()), looks.values()), strict=True))
    named = {str(thing.id): (kind, _called(thing)) for kind, things in found.items() for thing in things}
    return {identifier: f"{kind} {called}" for identifier, (kind, called) in named.items() if re.fullmatch(rf"(sky-)?({name})(-.*)?", called)}


@functools.cache
def _identifier(site: OpenStackSite, project: str) -> str:
    return site.project(project)


@functools.cache
def _users(site: OpenStackSite, project: str) -> list[str]:
    """Identifiers of those who work in the project."""
    people = (site.admin().get_user(user) for user, of in USERS.items() if of == project)
    return [str(person["id"]) for person in people if person is not None]


def _called(thing: Any) -> str:
    """Its name; of an address outside, which has none, the name of the cluster in its mark."""
    return str(thing.name) if "floating_ip_address" not in thing else str(thing.description or "-").split()[-1]


def left(site: OpenStackSite, project: str) -> list[str]:
    """What the clusters of these tests have left in a project, once all that is on its way out has gone."""
    end = time.monotonic() + 60
    while found := list(of_campus(site, project=project).values()):
        if time.monotonic() > end:
            break
        time.sleep(1)
    return found


def started(what: str, file: Mapping[str, Any], folder: Path, **environment: str) -> subprocess.Popen[str]:
    """The same in a process of its own, which has the file, and of the environment what is needed to find the cloud."""
    path = folder / f"{file['cluster']}.yml"
    path.write_text(yaml.safe_dump(dict(file)), encoding="utf-8")
    known = {name: os.environ[name] for name in ("PATH", "HOME", "OS_CLIENT_CONFIG_FILE")}
    command = [sys.executable, "-m", __name__, what, str(path)]
    return subprocess.Popen(command, env=known | environment, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main(what: str, path: str) -> int:
    file = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    told = planned(file) if what == "plan" else said(file, what)
    print(told, end="")
    return 1 if told and what != "plan" else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
