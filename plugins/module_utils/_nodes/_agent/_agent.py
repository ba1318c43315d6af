# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: a loop that keeps the node as the list says, and watches the gateways."""

from __future__ import annotations

import dataclasses
import http.client
import ipaddress
import json
import logging
import queue
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _host, _paths
from ._list import Envelope, Member, NodeList, Overlay, Refused, accepted, parse, write
from ._paths import Gateways, Peer
from ._probe import HEADERS, Pinger, sizes
from ._server import Board, Server, serve

LOG = logging.getLogger("sky-network")
TICK = 0.7  # s between two looks at the gateways; three misses, and another is used before TCP's fourth try
MTU_WAIT = 2  # ticks that answers to packets of all sizes may take
MTU_AGAIN = 60.0  # s
FIREWALL_AGAIN = 5.0  # s between two looks at the firewall's rules
TRIED = 20  # nodes of a cloud through which its MTU is looked for, one after the other


@dataclass(frozen=True)
class Config:
    """What was written when the node was visited."""

    name: str
    signer: str  # public key
    kernel: bool  # the kernel has WireGuard
    key_file: str
    list_file: str
    state_file: str
    hosts_file: str
    ruleset: str = ""  # the firewall's file, if there is one
    sets_file: str = ""

    @classmethod
    def read(cls, path: Path) -> Config:
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{f.name: data[f.name] for f in dataclasses.fields(cls) if f.name in data})


@dataclass
class Search:
    """The search for the MTU to one cloud."""

    target: str
    largest: int
    ticks: int = 0


@dataclass
class Agent:
    """One node's agent."""

    config: Config
    nodes: NodeList
    envelope: Envelope
    interface: _host.Interface
    gateways: Gateways = field(default_factory=Gateways)
    mtu: dict[str, int] = field(default_factory=dict)  # found, by cloud
    tried: dict[str, int] = field(default_factory=dict)
    found_at: dict[str, float] = field(default_factory=dict)
    searches: dict[str, Search] = field(default_factory=dict)
    routes: dict[str, int] = field(default_factory=dict)
    ways: dict[str, str] = field(default_factory=dict)
    pinger: Pinger | None = None
    server: Server | None = None
    serving: tuple[str, int] = ("", 0)
    board: Board | None = None
    listener: socket.socket | None = None
    incoming: queue.Queue[str] = field(default_factory=queue.Queue)
    changed: threading.Event = field(default_factory=threading.Event)
    sources: list[tuple[str, int]] = field(default_factory=list)
    fault: str = ""
    refused: str = ""
    sets_stamp: tuple[float, str] = (0.0, "")
    list_stamp: float = 0.0
    turn: int = 0  # of the far peers, in which all are greeted
    firewall_seen: float = 0.0
    hosts_stamp: tuple[int, float] = (0, 0.0)
    applied_serial: int = 0
    owners: dict[str, str] = field(default_factory=dict)  # nodes by the addresses that they ask from

    def __post_init__(self) -> None:
        self._use(self.nodes)

    def _use(self, nodes: NodeList) -> None:
        owners: dict[str, str] = {}
        for node in nodes.nodes:
            near = () if nodes.overlay else (node.public, *node.addresses)
            owners |= dict.fromkeys([nodes.address(node), *near], node.name)
        self.nodes, self.owners = nodes, owners

    @property
    def me(self) -> Member:
        found = self.nodes.node(self.config.name)
        if found is None:
            raise _host.Failed(f"{self.config.name} is not in the list: it is about to leave the cluster")
        return found

    @property
    def address(self) -> str:
        return self.nodes.address(self.me)

    @property
    def overlay(self) -> Overlay:
        if self.nodes.overlay is None:
            raise _host.Failed("the cluster has no overlay")
        return self.nodes.overlay

    @property
    def pings(self) -> Pinger:
        if self.pinger is None:
            raise _host.Failed(f"the interface {_host.INTERFACE} is not set up yet")
        return self.pinger

    def run(self) -> None:
        threading.Thread(target=self._poll, daemon=True).start()
        while True:
            began = time.monotonic()
            try:
                self._tick()
                self.fault = ""
            except (_host.Failed, OSError) as error:
                if str(error) != self.fault:
                    LOG.error("fault: %s", error)
                self.fault = str(error)
            self._write_state()
            self._listen(max(0.05, TICK - (time.monotonic() - began)))

    # --- one look -----------------------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._take_list()
        fresh = False
        if self.nodes.overlay:
            fresh = self.interface.ready(self.nodes.overlay.port, self.address)
            if fresh:
                self._reopen()
        if fresh or self.applied_serial != self.nodes.serial:
            self._apply()
            self.applied_serial = self.nodes.serial
        self._fill_sets()
        self._write_hosts()
        self._serve()
        if self.nodes.overlay and self.pinger:
            self._watch()

    def _reopen(self) -> None:
        if self.pinger:
            self.pinger.close()
        self.pinger = Pinger(self.address)
        self.routes, self.mtu, self.searches, self.found_at = {}, {}, {}, {}

    def _take_list(self) -> None:
        written = _host.changed_at(Path(self.config.list_file))
        if written != self.list_stamp:  # by a visit, whose message may have been lost
            self.list_stamp = written
            self._written_here()
        while not self.incoming.empty():
            data = self.incoming.get()
            try:
                envelope, nodes = accepted(data, self.config.signer, self.nodes)
            except Refused as error:
                if str(error) != self.refused:
                    LOG.error("list refused: %s", error)
                self.refused = str(error)
                continue
            self.refused = ""
            if nodes.serial > self.nodes.serial:
                self._use(nodes)
                self.envelope = envelope
                write(Path(self.config.list_file), envelope.plain())
                self._tell_others()

    def _apply(self) -> None:
        """Peers, routes and forwarding, as the list and the living gateways say."""
        if not self.nodes.overlay:
            return
        wanted = _paths.peers(self.nodes, self.me, self.gateways)
        wanted.pop("", None)
        self._set_routes()  # first: an answer to the first packet of a peer would leave by the default route
        self._set_forwarding()
        changed = self.interface.set_peers(wanted)
        self._greet(changed)
        self.ways = {cloud: str(_paths.way(self.nodes, self.me, node, self.gateways)) for cloud, node in self._examples().items()}

    def _examples(self) -> dict[str, Member]:
        """A node of each other cloud, one that is reached as most of it are."""
        found: dict[str, Member] = {}
        for node in sorted(self.nodes.nodes, key=lambda node: bool(node.public)):
            if node.cloud != self.me.cloud:
                found.setdefault(node.cloud, node)
        return found

    def _set_routes(self) -> None:
        overlay = self.overlay
        base = ipaddress.IPv4Network(overlay.range).network_address
        prefix = 32 - (self.nodes.block - 1).bit_length()
        most = self.interface.mtu()
        blocks = {}
        for block, cloud in _paths.routes(self.nodes).items():
            mtu = 0 if cloud == self.me.cloud else min(most, self.mtu.get(cloud, _host.SAFE_MTU))
            blocks[f"{base + block * self.nodes.block}/{prefix}"] = mtu
        if blocks != self.routes:
            _host.set_routes(overlay.range, self.address, blocks, self.routes)
            self.routes = blocks

    def _set_forwarding(self) -> None:
        overlay = self.overlay
        plain: dict[str, str] = {}
        if overlay.inside == "plain":
            near = [node for node in self.nodes.nodes if node.cloud == self.me.cloud and node.name != self.me.name]
            plain = {self.nodes.address(node): node.address for node in near}
        forwards = _paths.forwards(self.nodes, self.me)
        _host.run("nft", "-f", "-", stdin=_host.forwarding(forwards, overlay.port, plain, (self.address, self.me.address)))
        if self.me.gateway:
            _host.sysctl("net.ipv4.ip_forward", "1")
            _host.sysctl("net.ipv4.conf.all.send_redirects", "0")
            _host.sysctl("net.ipv4.conf.default.send_redirects", "0")

    def _greet(self, peers: list[Peer]) -> None:
        """A packet for each new peer, so that its tunnel is there before it is needed, and the other side learns of a restart."""
        if self.pinger:
            for peer in peers:
                self.pinger.send(peer.allowed[0].partition("/")[0])

    def _fill_sets(self) -> None:
        """The firewall's sets: again where the list or the rules have changed."""
        if not self.config.ruleset or not Path(self.config.ruleset).exists():
            return
        self._keep_firewall()
        stamp = (Path(self.config.ruleset).stat().st_mtime, str(self.nodes.serial))
        if stamp == self.sets_stamp:
            return
        known = _host.known_sets(Path(self.config.ruleset).read_text(encoding="utf-8"))
        text = _host.set_elements(_paths.sets(self.nodes, self.me), known)
        write(Path(self.config.sets_file), text)
        if "table inet sky" in _host.run("nft", "list", "tables", check=False):
            _host.run("nft", "-f", "-", stdin=text)
        self.sets_stamp = stamp

    def _keep_firewall(self) -> None:
        """Load the rules again where somebody has flushed them."""
        now = time.monotonic()
        if now - self.firewall_seen < FIREWALL_AGAIN:
            return
        self.firewall_seen = now
        tables = _host.run("nft", "list", "tables").splitlines()
        if self.nodes.overlay and _paths.forwards(self.nodes, self.me) and f"table ip {_host.TABLE}" not in tables:
            self._set_forwarding()
        if f"table {_host.FIREWALL}" not in tables:
            LOG.error("the firewall's rules are gone: loading them again")
            _host.run("systemctl", "restart", "sky-firewall.service")

    def _write_hosts(self) -> None:
        """Again where the list has changed, or where somebody else has written the file."""
        path = Path(self.config.hosts_file)
        if self.hosts_stamp != (self.nodes.serial, _host.changed_at(path)):
            _host.write_changed(path, _paths.hosts(self.nodes, self.me))
            self.hosts_stamp = (self.nodes.serial, _host.changed_at(path))

    # --- gateways and MTU ---------------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        pinger = self.pings
        answered = pinger.answers()
        self._judge_searches(answered)
        alive = {address for address, size in answered if size == HEADERS}
        gateways = [node for node in self.nodes.nodes if node.gateway and node.name != self.me.name]
        changes = [node for node in gateways if pinger.sent and self.gateways.seen(node.name, self.nodes.address(node) in alive)]
        if changes:
            LOG.info("gateways: %s", ", ".join(f"{n.name} {'answers' if self.gateways.alive(n.name) else 'is silent'}" for n in changes))
            self._apply()
            if any(node.cloud == self.me.cloud for node in changes):
                far = [node.key for node in self.nodes.nodes if node.cloud != self.me.cloud and node.key in self.interface.applied]
                self.interface.renew_endpoints(far)
            self.found_at = {}
        if not self.searches:
            pinger.forget()
        self._search()
        for node in gateways:
            pinger.send(self.nodes.address(node))
        self._visit_one()

    def _visit_one(self) -> None:
        """A packet to one far peer after the other: if it was restarted, the unanswered packet makes this side begin anew."""
        far = [peer for peer in self.interface.applied.values() if peer.keepalive]
        if far:
            self.turn = (self.turn + 1) % len(far)
            self._greet([far[self.turn]])

    def _search(self) -> None:
        """Begin to look for the MTU to clouds where it is not known, or was found long ago."""
        pinger = self.pings
        now = time.monotonic()
        for cloud in {node.cloud for node in self.nodes.nodes} - {self.me.cloud}:
            if cloud in self.searches or now - self.found_at.get(cloud, -MTU_AGAIN) < MTU_AGAIN:
                continue
            inside = [node for node in self.nodes.nodes if node.cloud == cloud]
            inside.sort(key=lambda node: (bool(node.public), node.number))
            target = inside[self.tried.get(cloud, 0) % min(len(inside), TRIED)]
            address = self.nodes.address(target)
            self.searches[cloud] = Search(address, 0)
            pinger.send_all(address, sizes(self.interface.mtu()))

    def _judge_searches(self, answered: set[tuple[str, int]]) -> None:
        pinger = self.pings
        for cloud, search in list(self.searches.items()):
            search.ticks += 1
            search.largest = max([search.largest, *(size for address, size in answered if address == search.target and size > HEADERS)])
            if search.ticks < MTU_WAIT:
                pinger.send_all(search.target, (size for size in sizes(self.interface.mtu()) if size > search.largest))
            if search.ticks <= MTU_WAIT:
                continue
            del self.searches[cloud]
            if search.largest:
                self.mtu[cloud], self.found_at[cloud] = search.largest, time.monotonic()
                self._set_routes()
            else:  # another of its nodes may be up
                self.tried[cloud] = self.tried.get(cloud, 0) + 1

    # --- the list: asked for, and served ------------------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """What this node sees, for the server nodes and for people."""
        gateways = [node.name for node in self.nodes.nodes if node.gateway and node.name != self.config.name]
        return {
            "serial": self.applied_serial,
            "engine": ("kernel" if self.interface.kernel else "wireguard-go") if self.nodes.overlay else "",
            "mtu": dict(self.mtu),
            "ways": dict(self.ways),
            "silent": [name for name in gateways if not self.gateways.alive(name)],
            "fault": self.fault or self.refused,
        }

    def _poll(self) -> None:
        """In a thread of its own: a server node that does not answer must not keep the gateways from being watched."""
        pause = 1.0
        while True:
            self.changed.wait(pause)
            self.changed.clear()
            for address, port in list(self.sources):
                try:
                    found, pause = ask(address, port, self.report())
                except (OSError, http.client.HTTPException, ValueError):
                    continue
                if found:
                    self.incoming.put(found)
                break

    def _serve(self) -> None:
        servers = self.nodes.servers
        # a node that serves the list asks the others first, and itself only to be among those that have reported
        self.sources = [(self.nodes.address(node), self.nodes.port) for node in servers]
        wanted = (self.address, self.nodes.port) if self.me.server else ("", 0)
        if wanted == self.serving:
            return
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        if wanted[0]:
            self.board = self.board or Board(self._served, lambda: self.nodes.serial, self._owner_of, lambda: len(self.nodes.nodes))
            self.server = serve(*wanted, self.board)
        self.serving = wanted

    def _served(self) -> str:
        return self.envelope.plain()

    def _owner_of(self, address: str) -> str:
        return self.owners.get(address, "")

    def _tell_others(self) -> None:
        """A server node with a new list tells the others to ask for it now."""
        if not self.me.server:
            return
        with socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for node in self.nodes.nodes:
                try:
                    sock.sendto(b"list", (self.nodes.address(node), self.nodes.port))
                except OSError:
                    continue

    def _listen(self, seconds: float) -> None:
        """Wait, for a list that was written on this node or for a word of a server node that there is one."""
        end = time.monotonic() + seconds
        if self.listener is None:
            self.listener = self._opened()
        while (left := end - time.monotonic()) > 0:
            if self.listener is None:
                time.sleep(left)
                return
            self.listener.settimeout(left)
            try:
                word, _sender = self.listener.recvfrom(64)
            except (TimeoutError, OSError):
                return
            if word == b"list":
                self.changed.set()
            if self._written_here():
                return

    def _opened(self) -> socket.socket | None:
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", self.nodes.port))
        except (OSError, _host.Failed):
            return None
        return sock

    def _written_here(self) -> bool:
        """Whether a newer list was put on this node by a visit."""
        try:
            data = Path(self.config.list_file).read_text(encoding="utf-8")
        except OSError:
            return False
        if data == self.envelope.plain():
            return False
        self.incoming.put(data)
        return True

    def _write_state(self) -> None:
        state = self.report() | {"name": self.config.name, "list": self.nodes.serial, "routes": self.routes, "at": time.time()}
        try:
            write(Path(self.config.state_file), json.dumps(state))
        except OSError as error:
            LOG.error("fault: %s", error)


def ask(address: str, port: int, report: dict[str, Any]) -> tuple[str, float]:
    """Report to a server node; a newer list if it has one, and how long to wait until the next question."""
    connection = http.client.HTTPConnection(address, port, timeout=3)
    try:
        connection.request("POST", "/", json.dumps(report))
        answer = connection.getresponse()
        pause = float(answer.headers.get("X-Pause") or 1)
        body = answer.read().decode()
        if answer.status not in (200, 204):
            raise ValueError(f"status {answer.status}")
        return body, pause
    finally:
        connection.close()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = Config.read(Path(sys.argv[1]))
    envelope = Envelope.read(Path(config.list_file).read_text(encoding="utf-8"))
    agent = Agent(config, parse(envelope.text), envelope, _host.Interface(Path(config.key_file), config.kernel))
    agent.run()


if __name__ == "__main__":
    main()
