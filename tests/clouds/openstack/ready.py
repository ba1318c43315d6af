# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the cloud can be used: what its API says is not enough after a start, as it remembers the heartbeats of the time before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from keystoneauth1.exceptions import ClientException
from openstack.connection import Connection
from openstack.exceptions import SDKException

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import read

from . import container, furniture, places

SECONDS = 300
NEVER = "1970-01-01T00:00:00"
SCHEDULING = {f"nova-{name} {places.CONTAINER}" for name in ("scheduler", "conductor")}
COMPUTES = {"fake1", places.CONTAINER}
# Agents that lose what is sent to them until they say this; their logs are empty when the cloud starts.
WORDS = {
    "neutron-dhcp-agent.log": "DHCP agent started",
    "neutron-l3-agent.log": "L3 agent started",
    "neutron-linuxbridge-agent.log": "now running",
}


@dataclass(frozen=True)
class Check:
    """One part of the cloud, and what it still lacks: empty once it is up."""

    name: str
    lacks: Callable[[], str]


def computes(cloud: Connection) -> Check:
    """Those that the scheduler may choose."""
    return Check("computes of nova", lambda: _lack(lambda: [one.name for one in cloud.compute.hypervisors() if one.state == "up"], COMPUTES))


def everything(cloud: Connection, since: datetime) -> list[Check]:
    """Of a cloud that was started at a time."""

    def fresh(stamp: str) -> bool:
        return datetime.fromisoformat(stamp.replace(" ", "T")).replace(tzinfo=UTC) > since

    def agents() -> list[str]:
        return [agent.agent_type for agent in cloud.network.agents() if fresh(agent.last_heartbeat_at)]

    def services() -> list[str]:
        return [f"{one.binary} {one.host}" for one in cloud.compute.services() if fresh(one.updated_at or NEVER)]

    def volumes() -> list[str]:
        return [one.binary for one in cloud.block_storage.services() if fresh(one.updated_at or NEVER)]

    return [
        Check("services", _silent),
        Check("keystone", lambda: _lack(lambda: [cloud.authorize()], set())),
        Check("glance", lambda: _lack(lambda: [image.name for image in cloud.image.images()], set())),
        Check("agents of neutron", lambda: _lack(agents, {"DHCP agent", "L3 agent", "Linux bridge agent", "Metadata agent"})),
        Check("services of nova", lambda: _lack(services, {f"nova-compute {name}" for name in COMPUTES} | SCHEDULING)),
        computes(cloud),
        Check("services of cinder", lambda: _lack(volumes, {"cinder-volume", "cinder-scheduler"})),
        Check("words of agents", _words),
    ]


def wait(checks: Iterable[Check]) -> Iterator[str]:
    """Wait for one after the other; yields the name of each as it comes up."""
    deadline = time.monotonic() + SECONDS
    for check in checks:
        while lacks := check.lacks():
            if time.monotonic() > deadline:
                raise HostError(f"the cloud did not come up within {SECONDS} s: {check.name}: {lacks}")
            time.sleep(0.5)
        yield check.name


def _lack(listing: Callable[[], list[str]], wanted: set[str]) -> str:
    try:
        missing = wanted - set(listing())
    except (SDKException, ClientException) as error:
        return str(error) or type(error).__name__
    return f"no {', no '.join(sorted(missing))}" if missing else ""


def _silent() -> str:
    silent = [name for name, port in furniture.PORTS.items() if not furniture.answers(port)]
    return f"no answer from {', '.join(silent)}" if silent else ""


def _words() -> str:
    logs = container.ROOT / "var/log/neutron"
    silent = [name for name, words in WORDS.items() if words not in read(logs / name)]
    return f"{', '.join(silent)} does not say yet that it started" if silent else ""
