# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator puts into an empty cloud: endpoints, projects, users, networks, flavors, images. All through its API."""

from __future__ import annotations

import dataclasses
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import requests
import yaml
from openstack.connection import Connection
from openstack.identity.v3._proxy import Proxy as IdentityProxy

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError

from . import places

URL = f"http://{places.API}:5000/v3"
REGION = "RegionOne"
MEMBERS = {"alice": "physics", "bob": "chemistry", "carol": "chemistry", "dave": "biology", "erin": "geology"}  # and their projects
ENDPOINTS = (
    ("glance", "image", 9292, ""),
    ("placement", "placement", 8778, ""),
    ("nova", "compute", 8774, "/v2.1"),
    ("neutron", "network", 9696, ""),
    ("cinderv3", "volumev3", 8776, "/v3/%(project_id)s"),
    ("cinder", "block-storage", 8776, "/v3/%(project_id)s"),
)
# name, processors, MiB, GiB: disks are sparse
FLAVORS = (("node.tiny", 1, 512, 3), ("node.1c1g", 1, 1024, 4), ("node.1c2g", 1, 1536, 6), ("node.2c3g", 2, 3072, 8))
SERVICE_SECONDS = 120
PORTS = {"keystone": 5000} | {name: port for name, _kind, port, _path in ENDPOINTS}


@dataclass(frozen=True)
class Passwords:
    """Those of one cloud, made with it."""

    admin: str
    service: str
    database: str
    queue: str
    metadata: str
    alice: str
    bob: str
    carol: str
    dave: str
    erin: str

    @classmethod
    def new(cls) -> Passwords:
        return cls(**{field.name: secrets.token_hex(12) for field in dataclasses.fields(cls)})

    def script(self, resolvers: tuple[str, ...]) -> str:
        """For configure.sh."""
        lines = [f"{name.upper()}_PASSWORD={getattr(self, name)}" for name in ("admin", "service", "database", "queue", "metadata")]
        return "\n".join((f"API_ADDRESS={places.API}", f"STATE={places.INSIDE}", f"RESOLVERS={','.join(resolvers)}", *lines, ""))

    def clouds(self) -> str:
        """A clouds.yaml with everybody."""
        users = MEMBERS | {"admin": "admin"}
        return yaml.safe_dump({"clouds": {name: self._cloud(name, project) for name, project in users.items()}}, sort_keys=False)

    def _cloud(self, user: str, project: str) -> dict[str, Any]:
        return {
            "auth": {
                "auth_url": URL,
                "username": user,
                "password": getattr(self, user),
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "identity_api_version": 3,
        }

    def connect(self, user: str = "admin") -> Connection:
        project = MEMBERS.get(user, user)
        return openstack.connect(**self._cloud(user, project), load_yaml_config=False, load_envvars=False)


def answers(port: int) -> bool:
    """Whether a service answers at all. An SDK that comes before that takes the address of the service for that of its API, and keeps it."""
    try:
        requests.get(f"http://{places.API}:{port}/", timeout=10)
    except requests.RequestException:
        return False
    return True


def patiently(name: str) -> None:
    """Wait for a service that is about to start."""
    deadline = time.monotonic() + SERVICE_SECONDS
    while not answers(PORTS[name]):
        if time.monotonic() > deadline:
            raise HostError(f"{name} of the cloud did not answer within {SERVICE_SECONDS:.0f} s")
        time.sleep(0.3)


def people(cloud: Connection) -> IdentityProxy:
    """Keystone's second version has no such thing as a domain, nor does this cloud have that version."""
    keystone = cloud.identity
    if not isinstance(keystone, IdentityProxy):
        raise HostError(f"{URL} is not version 3 of keystone")
    return keystone


def identity(cloud: Connection, passwords: Passwords) -> None:
    """Services with their users and endpoints, then projects and people."""
    patiently("keystone")
    keystone = people(cloud)
    roles = {role.name: role for role in keystone.roles()}
    roles["service"] = keystone.create_role(name="service")
    service = keystone.create_project(name="service", domain_id="default")
    for name in ("glance", "placement", "nova", "neutron", "cinder"):
        user = keystone.create_user(name=name, password=passwords.service, domain_id="default", default_project_id=service.id)
        for role in ("admin", "service"):
            keystone.assign_project_role_to_user(service, user, roles[role])
    for name, kind, port, path in ENDPOINTS:
        entry = keystone.create_service(name=name, type=kind)
        for interface in ("public", "internal", "admin"):
            url = f"http://{places.API}:{port}{path}"
            keystone.create_endpoint(service_id=entry.id, interface=interface, url=url, region_id=REGION)
    projects = {name: keystone.create_project(name=name, domain_id="default") for name in sorted(set(MEMBERS.values()))}
    for name, project in MEMBERS.items():
        user = keystone.create_user(name=name, password=getattr(passwords, name), domain_id="default", default_project_id=projects[project].id)
        keystone.assign_project_role_to_user(projects[project], user, roles["member"])


def images(cloud: Connection, node: Path) -> None:
    """The image of real hosts, and one whose servers exist in the API only: the property chooses the compute."""
    patiently("glance")
    common: dict[str, Any] = {"disk_format": "raw", "container_format": "bare", "visibility": "public"}
    cloud.image.create_image(name="debian-12", filename=str(node), img_hv_type="lxc", **common)
    cloud.image.create_image(name="fake-12", data=b"\0" * 4096, img_hv_type="fake", **common)


def networks(cloud: Connection, resolvers: tuple[str, ...]) -> None:
    """One to the outside, and in each project one with a router to it."""
    patiently("neutron")
    outside = cloud.network.create_network(name="public", provider_network_type="flat", provider_physical_network="external", is_router_external=True)
    first, last = places.OUTSIDE_POOL
    cloud.network.create_subnet(
        network_id=outside.id, name="public", ip_version=4, cidr=places.OUTSIDE_NETWORK, gateway_ip=places.OUTSIDE_GATEWAY,
        enable_dhcp=False, allocation_pools=[{"start": first, "end": last}],
    )  # fmt: skip
    for name in sorted(set(MEMBERS.values())):
        project = people(cloud).find_project(name, ignore_missing=False)
        network = cloud.network.create_network(name="private", project_id=project.id)
        subnet = cloud.network.create_subnet(
            network_id=network.id, project_id=project.id, name="private", ip_version=4, cidr=places.PRIVATE_NETWORK, dns_nameservers=list(resolvers)
        )
        router = cloud.network.create_router(name="private", project_id=project.id, external_gateway_info={"network_id": outside.id})
        cloud.network.add_interface_to_router(router, subnet=subnet.id)


def flavors(cloud: Connection) -> None:
    patiently("nova")
    for name, processors, mebibytes, gibibytes in FLAVORS:
        cloud.compute.create_flavor(name=name, vcpus=processors, ram=mebibytes, disk=gibibytes)
