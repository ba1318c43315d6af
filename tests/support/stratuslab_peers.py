# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of the StratusLab test site behind a place for faults, and clusters built on them by the real engine.

Machines that exist in the lists only have no operating system: ssh is assumed to answer there (:func:`probe`). As a program it makes one run:
``python -m ...stratuslab_peers present|absent FILE``.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Run
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.support.engine_runs import ended, probe

from .fault_proxy import FaultProxy, _Handler

METHOD = re.compile(rb"<methodName>([a-z.]+)</methodName>")
PATHS = {"machines": "/one-proxy/xmlrpc", "disks": "/pdisk", "marketplace": ""}
QUICK = Backoff(first=0.05, longest=0.3, spread=lambda: 1.0)
PATIENT = Backoff(tries=25, first=0.05, longest=0.3, spread=lambda: 1.0)  # where faults come by the dozen


class _NamedHandler(_Handler):
    """Calls of XML-RPC are distinguished by their method, which is appended to the path as a query."""

    proxy: SiteProxy

    def send_response_only(self, code: int, message: str | None = None) -> None:
        """With a date, as the services answer: the client reads their clock from it."""
        super().send_response_only(code, message)
        self.send_header("Date", self.date_time_string(time.time() + self.proxy.site.services.ahead))

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.service == "machines" and length:
            body = self.rfile.read(length)
            found = METHOD.search(body)
            self.path += f"?{found[1].decode() if found else 'nothing'}"
            self.rfile = _Read(body)  # type: ignore[assignment]
        super()._handle()

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815


class _Read:
    """What was read once."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        return self._body[:size] if size >= 0 else self._body

    def readline(self, _limit: int = -1) -> bytes:
        return b""

    def close(self) -> None:
        """Nothing is open."""


class SiteProxy(FaultProxy):
    """All services of one site, without TLS."""

    def __init__(self, site: Site) -> None:
        self.calls = []
        self.rules = []
        self.ports = {}
        self._lock = threading.Lock()
        self._servers = []
        self.site = site
        self._where = urlsplit(site.plain)

    def start(self) -> None:
        for service in PATHS:
            kind = type("Handler", (_NamedHandler,), {"proxy": self, "service": service, "cloud": (self._where.hostname, self._where.port)})
            server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
            server.daemon_threads = True
            self._servers.append(server)
            self.ports[service] = server.server_port
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def endpoints(self) -> dict[str, str]:
        """Options of the cluster file that lead here."""
        names = {"machines": "endpoint", "disks": "pdisk_endpoint", "marketplace": "marketplace_endpoint"}
        return {names[service]: f"http://127.0.0.1:{port}{PATHS[service]}" for service, port in self.ports.items()}

    def methods(self, since: int = 0) -> Counter[str]:
        """How often each method of XML-RPC, and each other kind of call, was made."""
        return Counter(urlsplit(call.target).query if call.service == "machines" else call.kind for call in self.since(since))


@contextlib.contextmanager
def proxied(site: Site) -> Iterator[SiteProxy]:
    proxy = SiteProxy(site)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


class Lal(StratusLabCloud):
    """The provider. Machines without an operating system show no host key."""

    poll_seconds = 0.1

    def learn_host_keys(self, nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
        return {node.name: () for node in nodes}


def content(name: str, pools: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """A cluster file. A pool may be a count."""
    filled = {pool: {"cloud": "lal"} | ({"count": spec} if isinstance(spec, int) else dict(spec)) for pool, spec in pools.items()}
    limits = {"made": 60, "booted": 30, "reachable": 30, "deleted": 30}
    return {"cluster": name, "clouds": {"lal": {"provider": "stratuslab"} | options}, "pools": filled, "timeouts": limits}


def run_of(file: Mapping[str, Any], backoff: Backoff = QUICK, **more: Any) -> Run:
    cluster: Cluster = parse(file, {"stratuslab": StratusLabOptions})
    scope = Scope(cluster.name, cluster.settings.owner, cluster.settings.admin_cidrs)
    clouds = {name: Lal(name, cast(StratusLabOptions, entry.options), scope) for name, entry in cluster.clouds.items()}
    return Run(cluster, clouds, Tools(backoff=backoff, probe=probe, poll=0.1), **more)


def cloud_of(run: Run) -> Lal:
    cloud = run.clouds["lal"]
    if not isinstance(cloud, Lal):
        raise TypeError(f"{cloud} is another provider's")
    return cloud


def said(file: Mapping[str, Any], what: str = "present", data: bool = True) -> str:
    """How a run ended: nothing, or its sentences. Anything but the run's own errors is a defect."""
    return ended(run_of(file), what, data)


def parts(file: Mapping[str, Any]) -> list[str]:
    """All that the cloud has of the cluster."""
    return sorted(cloud_of(run_of(file)).leftovers())


def existing(site: Site) -> list[str]:
    """What really exists, as the site's operator sees it."""
    vms = [f"vm {vm.name}" for vm in site.oned.vms.values() if vm.living]
    disks = [f"disk {disk.tag}" for disk in site.pdisk.disks.values() if disk.owner not in ("", "pdisk")]  # which are those of images
    return sorted([*vms, *disks, *(f"template {document.name.rpartition('.')[0]}" for document in site.oned.documents.values())])


def started(file: Mapping[str, Any], folder: Path, what: str = "present") -> subprocess.Popen[str]:
    """The same in a process of its own."""
    path = folder / f"{file['cluster']}.yml"
    path.write_text(yaml.safe_dump(dict(file)), encoding="utf-8")
    return subprocess.Popen([sys.executable, "-m", __name__, what, str(path)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    print(said(yaml.safe_load(Path(sys.argv[2]).read_text(encoding="utf-8")), sys.argv[1]), end="")
