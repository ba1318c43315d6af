# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cloud of tests/clouds/openstack, as tests use it."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import yaml
from openstack.connection import Connection

from ansible_collections.sky.clusters.tests.clouds.openstack.furniture import MEMBERS

from .tree import ROOT

FOLDER = ROOT / "tests/clouds/openstack"
USERS = MEMBERS | {"admin": "admin"}  # and their projects
HERE = "10.76.0.0/16"  # this machine, as the cloud sees it
SECONDS = 1200  # for a cloud that must be built first
GIVEN = {"network": {"private"}, "subnet": {"private"}, "router": {"private"}, "security group": {"default"}}  # of a project by the cloud itself

Objects = dict[str, dict[str, str]]  # kind, identifier, name


@dataclass(frozen=True)
class OpenStackSite:
    """A cloud that runs.

    Attributes:
        config: its clouds.yaml, with an entry for each of its users.
    """

    config: Path

    def environment(self, user: str = "alice") -> dict[str, str]:
        """What a user has exported, over the environment of the test."""
        return {"OS_CLIENT_CONFIG_FILE": str(self.config), "OS_CLOUD": user}

    def connect(self, user: str) -> Connection:
        entry = yaml.safe_load(self.config.read_text(encoding="utf-8"))["clouds"][user]
        return openstack.connect(**entry, load_yaml_config=False, load_envvars=False)

    @functools.cached_property
    def _admin(self) -> Connection:
        return self.connect("admin")

    def admin(self) -> Connection:
        """The operator, who sees every project."""
        return self._admin

    def project(self, name: str) -> str:
        """A project's identifier."""
        found = self.admin().get_project(name)
        if found is None:
            raise LookupError(f"the test cloud has no project {name!r}")
        return str(found["id"])

    def objects(self, project: str = "physics") -> Objects:
        """All that a project holds, but for what the cloud gave it: nothing is left of a cluster once this is as it was before.

        Key pairs are a user's, not a project's: those of all its users.
        """
        admin = self.admin()
        own: dict[str, Any] = {"project_id": self.project(project)}
        everywhere: dict[str, Any] = {"all_tenants": True} | own
        found = {
            "server": admin.compute.servers(details=False, **everywhere),
            "server group": (group for group in admin.compute.server_groups(all_projects=True) if group.project_id == own["project_id"]),
            "key pair": self._keys(project),
            "network": admin.network.networks(**own),
            "subnet": admin.network.subnets(**own),
            "port": (port for port in admin.network.ports(**own) if not _of_the_cloud(port)),
            "router": admin.network.routers(**own),
            "floating ip": admin.network.ips(**own),
            "security group": admin.network.security_groups(**own),
            "volume": admin.block_storage.volumes(details=True, **everywhere),
            "snapshot": admin.block_storage.snapshots(details=True, **everywhere),
            "image": admin.image.images(owner=own["project_id"]),
        }
        return {kind: _named(things, GIVEN.get(kind, set())) for kind, things in found.items()}

    def _keys(self, project: str) -> Iterable[Any]:
        for user in (name for name, of in USERS.items() if of == project):
            person = self.admin().get_user(user)
            if person is not None:
                yield from self.admin().compute.keypairs(user_id=person["id"])


def running() -> OpenStackSite:
    """The cloud, started if it does not run, and built if it never was."""
    done = subprocess.run([str(FOLDER / "up")], stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True)
    exported = dict(line.removeprefix("export ").split("=", 1) for line in done.stdout.splitlines() if line.startswith("export "))
    return OpenStackSite(Path(exported["OS_CLIENT_CONFIG_FILE"]))


def cloud_entry(user: str = "alice", **options: Any) -> dict[str, Any]:
    """The test cloud in a cluster file: real hosts in a network of the cluster's own."""
    entry = {"provider": "openstack", "cloud": user, "image": "debian-12", "external_network": "public", "nameservers": [resolver()]}
    return entry | options


def resolver() -> str:
    """The machine's own name server, which the test cloud hands to its hosts as well."""
    found = re.search(r"^nameserver (\S+)", Path("/etc/resolv.conf").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise LookupError("/etc/resolv.conf names no name server")
    return found[1]


def nothing() -> Objects:
    """What a project holds that nobody has used."""
    kinds = (
        "server",
        "server group",
        "key pair",
        "network",
        "subnet",
        "port",
        "router",
        "floating ip",
        "security group",
        "volume",
        "snapshot",
        "image",
    )
    return {kind: {} for kind in kinds}


def _of_the_cloud(port: Any) -> bool:
    """Ports of the routers and DHCP servers that the cloud itself made for the network which it gave the project."""
    return str(port.device_owner).startswith("network:")


def _named(things: Iterable[Any], given: set[str]) -> dict[str, str]:
    return {str(thing.id): str(thing.name or getattr(thing, "floating_ip_address", "")) for thing in things if thing.name not in given}
