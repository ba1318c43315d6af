# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole StratusLab site in this process: its services on ports of this machine, its users, its images."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import _metadata, _signature

from .certificates import Authority, Pair, server_context
from .front import Accounts, Front, Services
from .gateway import Gateway
from .machines import Hypervisor, Nodes, Policy
from .marketplace import Entry, Marketplace
from .objects import Host, Vm
from .oned import Oned, Settings
from .pdisk import Pdisk

ADDRESS = "127.0.0.1"
JANE = "CN=Jane Tester,OU=Testing Department,O=StratusLab Project,C=EU"
EMAIL = "jane.tester@example.org"
PASSWORDS = {"alice": "alice's password", "bob": "b0b:/@", "carol": "carol", "dave": "dave", "erin": "erin", "pdisk": "pdisk's own"}
PLAIN = b"an image without an operating system\n"


@dataclass(frozen=True)
class Plan:
    """What a site is like."""

    networks: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "public": [f"10.0.{number // 250}.{number % 250 + 2}" for number in range(1200)],
            "local": [f"10.1.0.{number}" for number in range(2, 250)],
            "private": [f"10.2.0.{number}" for number in range(2, 250)],
        }
    )
    passwords: Mapping[str, str] = field(default_factory=lambda: PASSWORDS)
    subjects: Sequence[str] = (JANE,)
    policy: Policy = field(default_factory=Policy)
    settings: Settings = field(default_factory=Settings)
    address: str = ADDRESS
    port: int = 0  # of the front, with TLS
    ssh_port: int = 22  # where the ssh servers of machines of the network local listen
    hosts: Sequence[str] = ("dummyhost1", "dummyhost2")


class Site:
    """A site that runs until it is stopped."""

    def __init__(self, folder: Path, plan: Plan | None = None, hypervisor: Hypervisor | None = None) -> None:
        """
        Args:
            folder: for certificates and disks.
            hypervisor: starts machines that have an operating system; without one no machine has.
        """
        self.plan = plan or Plan()
        self.folder = folder
        self.authority = Authority(folder / "certificates")
        self.jane = self.authority.issue("jane", JANE, EMAIL)
        self._server = self.authority.issue("server", "CN=stratuslab.example.org,O=StratusLab test site,C=EU", hosts=(self.plan.address, "localhost"))
        self.marketplace = Marketplace("")
        self.pdisk = Pdisk(folder / "disks", "", self._change)
        self.gateway = Gateway(self.plan.address, self.plan.ssh_port)
        self.nodes = Nodes(self.pdisk, self.marketplace, self.gateway, hypervisor, self.plan.policy)
        hosts = [Host(number, name) for number, name in enumerate(self.plan.hosts)]
        self.oned = Oned(self.nodes, self.plan.networks, hosts, self.plan.settings)
        self.nodes.vm_of = self._vm
        accounts = Accounts(self.plan.passwords, self.plan.subjects)
        self.services = Services(self.oned, self.pdisk, self.marketplace, accounts, self.gateway.ports)
        self._front = Front(self.services, self.plan.address)
        self._files: ThreadingHTTPServer | None = None
        self.contents: dict[str, bytes] = {}  # what the web server of the images has, by name
        self.port = self.plain_port = self.oned_port = 0

    def _vm(self, number: int) -> Vm:
        return self.oned.vms[number]

    def _change(self, vm: str, target: str, file: Path, what: str) -> None:
        self.nodes.change(vm, target, file, what)

    def start(self) -> None:
        self.port = self._front.serve(self.plan.port, server_context(self._server, self.authority.file))
        self.plain_port = self._front.serve()  # as nginx reaches them, without TLS
        self.oned_port = self._front.serve(direct=True)
        self.marketplace.base = self.base
        self.pdisk.base = f"{self.base}/pdisk"
        self._serve_files()
        self.oned.start()

    @property
    def base(self) -> str:
        return f"https://{self.plan.address}:{self.port}"

    @property
    def plain(self) -> str:
        return f"http://{self.plan.address}:{self.plain_port}"

    def stop(self) -> None:
        self.oned.stop()
        self._front.stop()
        self.gateway.stop()
        if self._files:
            self._files.shutdown()
            self._files.server_close()

    def _serve_files(self) -> None:
        contents = self.contents

        class Files(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = contents.get(self.path.lstrip("/"))
                self.send_response_only(200 if found is not None else 404)
                self.send_header("Content-Length", str(len(found or b"")))
                self.end_headers()
                self.wfile.write(found or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is noted."""

        self._files = ThreadingHTTPServer((self.plan.address, 0), Files)
        self._files.daemon_threads = True
        threading.Thread(target=self._files.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, name: str) -> str:
        if self._files is None:
            raise RuntimeError("the site does not run")
        return f"http://{self.plan.address}:{self._files.server_port}/{name}"

    def publish(
        self,
        content: bytes,
        signer: Pair | None = None,
        served: bytes | None = None,
        known: Mapping[str, str] | None = None,
        mark: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> Entry:
        """Offer an image on the web, described and signed.

        Args:
            signer: Jane, if nobody else.
            served: what the web server has in its place.
            known: elements of the description, by name.
            mark: elements of our own.
            before: locations that come before the web server's.
        """
        pair = signer or self.jane
        described = _metadata.Described(
            content=_metadata.Content.of(content), os="debian", os_version="12", architecture="x86_64", version="1.0", title="a test image",
            locations=(*before, self.url(f"{_metadata.Content.of(content).identifier}.img")), mark=mark or {}, extra=known or {},
        )  # fmt: skip
        self.contents[f"{described.content.identifier}.img"] = content if served is None else served
        text = _signature.signed(_metadata.document(described), pair.certificate, pair.key)
        return self.marketplace.publish(text)

    def user_file(self, path: Path, user: str = "alice", **more: str) -> Path:
        """A user's configuration file."""
        keys = {"endpoint": f"{self.base}/one-proxy/xmlrpc", "pdisk_endpoint": f"{self.base}/pdisk", "marketplace_endpoint": self.base}
        keys |= {"pat_service_host": f"{self.plan.address}:{self.plain_port}", "pat_gateway_host": self.plan.address}
        keys |= {"username": user, "password": self.plan.passwords[user]} if user in self.plan.passwords else {}
        lines = [f"{key} = {value}" for key, value in (keys | more).items()]
        path.write_text("\n".join(["[default]", *lines, ""]), encoding="utf-8")
        path.chmod(0o600)
        return path


def lxc_content(name: str) -> bytes:
    """The image that starts an image of the local cloud."""
    return json.dumps({"lxc": name}).encode() + b"\n"


@contextlib.contextmanager
def running(folder: Path, plan: Plan | None = None, hypervisor: Hypervisor | None = None) -> Iterator[Site]:
    """A site until the block ends."""
    site = Site(folder, plan, hypervisor)
    site.start()
    try:
        yield site
    finally:
        site.stop()
