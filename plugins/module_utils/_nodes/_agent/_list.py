# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a cluster's nodes, as the server nodes serve it, and its signature."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
NAMESPACE = "sky-list"
SIGNER = "sky"


class Refused(Exception):
    """A list that is not used; one sentence."""


@dataclass(frozen=True)
class Member:
    """A node of the cluster."""

    name: str
    number: int
    cloud: str
    address: str  # in its cloud
    key: str = ""  # public key in the overlay
    addresses: tuple[str, ...] = ()  # all that it has in its cloud
    public: str = ""  # reachable from outside its cloud
    pool: str = ""
    roles: tuple[str, ...] = ()
    gateway: bool = False
    server: bool = False


@dataclass(frozen=True)
class User:
    """Somebody outside who may join the overlay, through one gateway."""

    name: str
    number: int
    key: str
    gateway: str  # a node


@dataclass(frozen=True)
class Overlay:
    """The overlay of the cluster."""

    range: str
    port: int
    inside: str = "encrypted"
    between: str = "forwarded"

    def address(self, number: int) -> str:
        return str(ipaddress.IPv4Network(self.range).network_address + number)


@dataclass(frozen=True)
class NodeList:
    """Everything that nodes need to know of each other."""

    cluster: str
    serial: int
    overlay: Overlay | None
    port: int  # of the agents
    block: int
    forwarded: int  # first UDP port that gateways forward
    forwarded_ports: int
    nodes: tuple[Member, ...]
    users: tuple[User, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def node(self, name: str) -> Member | None:
        return next((node for node in self.nodes if node.name == name), None)

    def address(self, node: Member) -> str:
        """The address that its services use."""
        return self.overlay.address(node.number) if self.overlay else node.address

    @property
    def relayed(self) -> bool:
        """Whether gateways decrypt and encrypt again what passes between clouds, instead of forwarding it."""
        return bool(self.overlay and self.overlay.between == "relayed")

    def gateways(self, cloud: str) -> list[Member]:
        return [node for node in self.nodes if node.cloud == cloud and node.gateway and node.public]

    @property
    def clouds(self) -> list[str]:
        return list(dict.fromkeys(node.cloud for node in self.nodes))

    @property
    def servers(self) -> list[Member]:
        return [node for node in self.nodes if node.server]


def parse(text: str) -> NodeList:
    """Read a list.

    Raises:
        Refused: it was made by a newer version, or is damaged.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise Refused(f"the list has format {data['format']}, this agent reads format {FORMAT}: run again with -e sky_full=true")
        return NodeList(
            cluster=data["cluster"],
            serial=int(data["serial"]),
            overlay=Overlay(**data["overlay"]) if data["overlay"] else None,
            port=int(data["port"]),
            block=int(data["block"]),
            forwarded=int(data["forwarded"]),
            forwarded_ports=int(data["forwarded_ports"]),
            nodes=tuple(_member(node) for node in data["nodes"]),
            users=tuple(User(**user) for user in data["users"]),
            names=dict(data["names"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"the list is damaged: {error!r}") from error


def _member(data: Mapping[str, Any]) -> Member:
    return Member(**{**data, "addresses": tuple(data["addresses"]), "roles": tuple(data["roles"])})


@dataclass(frozen=True)
class Envelope:
    """A list as it is sent and stored: the text and its signature."""

    text: str
    signature: str

    @classmethod
    def read(cls, data: str) -> Envelope:
        try:
            found = json.loads(data)
            return cls(str(found["list"]), str(found["signature"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"the list is damaged: {error!r}") from error

    def plain(self) -> str:
        return json.dumps({"list": self.text, "signature": self.signature})


def sign(text: str, key: Path) -> Envelope:
    """Sign a list with the private key of the server node."""
    done = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, "-"], input=text.encode(), capture_output=True, check=False, timeout=20
    )
    if done.returncode:
        raise Refused(f"the list could not be signed: {done.stderr.decode(errors='replace').strip()}")
    return Envelope(text, done.stdout.decode())


def accepted(data: str, signer: str, current: NodeList | None) -> tuple[Envelope, NodeList]:
    """The list in an envelope, if it may be used.

    Args:
        signer: public key of the server node that signs.
        current: the list in use.

    Raises:
        Refused: it is of another cluster, is older, or somebody else signed it.
    """
    envelope = Envelope.read(data)
    _verify(envelope, signer)
    found = parse(envelope.text)
    if current and found.cluster != current.cluster:
        raise Refused(f"the list belongs to cluster {found.cluster}, not to {current.cluster}")
    if current and found.serial < current.serial:
        raise Refused(f"the list is older ({found.serial}) than the one in use ({current.serial})")
    return envelope, found


def _verify(envelope: Envelope, signer: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        signers, signature = Path(folder, "signers"), Path(folder, "signature")
        signers.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {signer}\n', encoding="utf-8")
        signature.write_text(envelope.signature, encoding="utf-8")
        command = ["ssh-keygen", "-q", "-Y", "verify", "-f", str(signers), "-I", SIGNER, "-n", NAMESPACE, "-s", str(signature)]
        done = subprocess.run(command, input=envelope.text.encode(), capture_output=True, check=False, timeout=20)
    if done.returncode:
        raise Refused("the list is not signed by the server node of this cluster")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file in one step."""
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.chmod(mode)
    new.replace(path)
