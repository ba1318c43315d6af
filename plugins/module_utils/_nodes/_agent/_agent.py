# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: a loop that keeps the node as the list says, and watches the gateways."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _host
from ._exchange import Exchange
from ._files import Hosts
from ._firewall import Firewall
from ._inbox import Inbox
from ._known import Known
from ._list import Envelope, parse, write
from ._mtu import MtuFinder
from ._pause import Pause
from ._peering import Peering
from ._watch import watch

LOG = logging.getLogger("sky-network")
TICK = 0.7  # s between two looks at the gateways; three misses, and another is used before TCP's fourth try


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
class Agent:
    """One node's agent."""

    config: Config
    known: Known
    fault: str = ""
    applied: int = 0  # serial number of the list that peers and routes follow
    inbox: Inbox = field(init=False)
    peering: Peering = field(init=False)
    firewall: Firewall = field(init=False)
    hosts: Hosts = field(init=False)
    exchange: Exchange = field(init=False)
    pause: Pause = field(init=False)

    def __post_init__(self) -> None:
        config, known = self.config, self.known
        sysctls = Path(config.list_file).with_name("sysctls.json")
        self.inbox = Inbox(known, Path(config.list_file), config.signer)
        self.peering = Peering(known, _host.Interface(Path(config.key_file), config.kernel), MtuFinder(known), sysctls)
        self.firewall = Firewall(known, config.ruleset, config.sets_file)
        self.hosts = Hosts(known, Path(config.hosts_file))
        self.exchange = Exchange(known, self.inbox, self.report)
        self.pause = Pause(known, self.inbox, self.exchange)

    def run(self) -> None:
        self.exchange.start()
        while True:
            began = time.monotonic()
            try:
                self.tick()
                self.fault = ""
            except (_host.Failed, OSError) as error:
                if str(error) != self.fault:
                    LOG.error("fault: %s", error)
                self.fault = str(error)
            self._write_state()
            self.pause.wait(max(0.05, TICK - (time.monotonic() - began)))

    def tick(self) -> None:
        """One look at everything."""
        if self.inbox.take():
            self.exchange.tell_others()
        nodes = self.known.nodes
        fresh = bool(nodes.overlay) and self.peering.ready()
        if fresh or self.applied != nodes.serial:
            if nodes.overlay:
                self.peering.apply()
            self.applied = nodes.serial
        self.firewall.keep()
        self.hosts.write()
        self.exchange.follow()
        if nodes.overlay and self.peering.pinger:
            watch(self.peering, self.peering.pinger)

    def report(self) -> dict[str, Any]:
        """What this node sees, for the server nodes and for people."""
        peering = self.peering
        return {
            "serial": self.applied,
            "engine": ("kernel" if peering.interface.kernel else "wireguard-go") if self.known.nodes.overlay else "",
            "mtu": dict(peering.mtu.found),
            "unmeasured": peering.mtu.unmeasured,
            "ways": dict(peering.ways),
            "silent": [node.name for node in self.known.gateways if not peering.gateways.alive(node.name)],
            "fault": self.fault or self.inbox.refused,
        }

    def _write_state(self) -> None:
        state = self.report() | {"name": self.config.name, "list": self.known.nodes.serial, "routes": self.peering.routes, "at": time.time()}
        try:
            write(Path(self.config.state_file), json.dumps(state))
        except OSError as error:
            LOG.error("fault: %s", error)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = Config.read(Path(sys.argv[1]))
    envelope = Envelope.read(Path(config.list_file).read_text(encoding="utf-8"))
    Agent(config, Known(config.name, parse(envelope.text), envelope)).run()


if __name__ == "__main__":
    main()
