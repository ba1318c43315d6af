# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a StratusLab cloud in the cluster file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..._base._schema import Choice, Flag, Integer, ListOf, MapOf, Struct, Text, option
from .._contract import Options

NAME = Text(r"[A-Za-z0-9][A-Za-z0-9._-]*", "a name of letters, digits and . _ -", 60)
HOST = Text(r"[A-Za-z0-9.:\[\]-]+", "the name or address of a host")
ENDPOINT = Text(r"(https?://)?[^\s/]+(/\S*)?", "an address, or the name of a host")
FILE = Text(r"[^\n]+", "the path of a file", 1000)
DEFAULT = "default"  # instance type that the user file or StratusLab's client chooses
METHODS = ("cloud-init", "one")
WORD = Text(r"\S+", "a text without blanks")


@dataclass(frozen=True)
class InstanceType:
    """A size of nodes."""

    cores: int = option(Integer(1, 1024), "Cores of a node.")
    memory: int = option(Integer(128), "Memory of a node in MiB.")
    swap: int = option(Integer(0), "Size of the swap disk in MiB; 0 for none.", default=0)


@dataclass(frozen=True)
class Policy:
    """Which images may be used; an empty list that allows restricts nothing."""

    allow_endorsers: tuple[str, ...] = option(ListOf(WORD), "E-mail addresses of whom to believe; all if empty.", default=())
    deny_endorsers: tuple[str, ...] = option(ListOf(WORD), "E-mail addresses of whom not to believe.", default=())
    allow_images: tuple[str, ...] = option(ListOf(WORD), "Identifiers of images that may be used; all if empty.", default=())
    deny_images: tuple[str, ...] = option(ListOf(WORD), "Identifiers of images that must not be used.", default=())
    allow_checksums: tuple[str, ...] = option(ListOf(WORD), "SHA-1 checksums of images that may be used; all if empty.", default=())
    deny_checksums: tuple[str, ...] = option(ListOf(WORD), "SHA-1 checksums of images that must not be used.", default=())


@dataclass(frozen=True)
class StratusLabOptions(Options):
    """Options of a cloud with ``provider: stratuslab``: nodes are virtual machines of one account."""

    keeps_out: ClassVar[bool] = False  # a site filters nothing

    image: str = option(
        Text(r"\S+", "an identifier of the Marketplace, a disk or the name of an added image"),
        "Image of the nodes: an identifier of the Marketplace, the UUID of a bootable disk of pdisk, or the name of an image that was added.",
    )
    flavor: str = option(
        NAME,
        "Instance type of the nodes: a built-in one, one of the user file, or one of O(instance_types); V(default) is C(default_instance_type) of "
        "the user file, else V(m1.small).",
        default=DEFAULT,
    )
    ssh_user: str = option(
        Text(r"[a-z_][a-z0-9_-]*", "the name of a user", 32), "User that the ssh keys log in as; a user other than root may use sudo.", default="root"
    )
    user_file: str = option(FILE, "Configuration file of the StratusLab client; by default C(~/.stratuslab/stratuslab-user.cfg).", default="")
    section: str = option(
        WORD, "Its section for this cloud; by default E(STRATUSLAB_USER_CONFIG_SECTION), else C(selected_section) of the file.", default=""
    )
    endpoint: str = option(ENDPOINT, "Endpoint for machines; by default E(STRATUSLAB_ENDPOINT), else that of the user file.", default="")
    pdisk_endpoint: str = option(ENDPOINT, "Endpoint for disks; by default that of the user file, else O(endpoint).", default="")
    marketplace_endpoint: str = option(ENDPOINT, "Address of the Marketplace; by default that of the user file, else StratusLab's own.", default="")
    email: str = option(
        Text(r"[^\s@<>&]+@[^\s@<>&]+", "an e-mail address"), "E-mail address that images are signed with, if the certificate has none.", default=""
    )
    ca_file: str = option(FILE, "Certificates of authorities that sign the services' ones, beside those of the system.", default="")
    timeout: int = option(Integer(5, 600), "Seconds to wait for an answer; a machine may take 70.", default=90)
    network: str = option(Choice(("public", "local", "private"), "network"), "Network of the nodes.", default="public")
    port_translation: bool = option(
        Flag(),
        "Whether nodes of the network V(local) are reached at ports of the site's gateway; or C(port_translation) of the user file.",
        default=False,
    )
    pat_service_host: str = option(HOST, "Host that lists these ports; by default that of the user file, else that of the endpoint.", default="")
    pat_gateway_host: str = option(HOST, "Host that has these ports; by default that of the user file, else that of the endpoint.", default="")
    context_method: str = option(
        Choice(METHODS, "method"),
        "How the image is configured at its first start: by cloud-init or by StratusLab's own script; by default C(default_context_method) of the "
        "user file, else V(cloud-init).",
        default="",
    )
    disks_bus: str = option(
        Choice(("ide", "scsi", "virtio"), "bus"),
        "Bus of the root and swap disks; by default that of the image's metadata. Volumes are virtio disks.",
        default="",
    )
    instance_types: Mapping[str, InstanceType] = option(MapOf(NAME, Struct(InstanceType)), "Further instance types, by name.", default_factory=dict)
    verify_images: bool = option(
        Flag(),
        "Whether the signature of an image's metadata in the Marketplace is verified; if not, anyone who changes them on the way can forge them. In "
        "both cases they must not have expired or be deprecated, must have the checksum of their identifier, and must pass O(policy).",
        default=True,
    )
    policy: Policy = option(Struct(Policy), "Which images may be used.", default_factory=Policy)
