#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load balancer of a cluster, on its node: configured without a lost connection, or asked to send nothing more to some nodes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: load_balancer
short_description: Configure the load balancer of a cluster
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Writes the configuration of HAProxy and its own unit C(sky-load-balancer.service), checks it, and reloads it. Connections that are open stay open.
  - Nodes that are no longer in it are drained first. They get no new connection, and the module waits, at most O(wait) seconds, until the open ones
    have ended.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  state:
    description: V(running) configures it. V(drained) lets it send nothing more to O(names), and waits until their connections have ended.
    type: str
    choices: [running, drained, absent]
    default: running
  balances:
    description: The ports, as the host variable C(sky_balances) has them.
    type: list
    elements: dict
    default: []
  addresses:
    description: The addresses of all nodes of the cluster, by name.
    type: dict
    default: {}
  names:
    description: The nodes to drain.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that a node may take to answer an HTTP request.
    type: int
    default: 60
  idle:
    description: Seconds after which a TCP connection without traffic is closed.
    type: int
    default: 3600
  wait:
    description: Seconds to wait for the connections of nodes that are drained.
    type: float
    default: 30
"""

EXAMPLES = r"""
- name: Configure the load balancer
  sky.clusters.load_balancer:
    balances: "{{ sky_balances }}"
    addresses: "{{ hostvars.localhost.sky_visits.addresses }}"
"""

RETURN = r"""
busy:
  description: Nodes that still had connections when the time was over.
  returned: always
  type: list
  elements: str
  sample: []
"""

import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._load_balancer import (
    CONFIG,
    NAME,
    PROGRAM,
    RUN,
    STATES,
    UNIT,
    Server,
    ask,
    backend,
    carried_over,
    config,
    listens,
    servers,
    taken,
    wanted_servers,
)
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError, query, systemctl

UNIT_FILE = Path("/etc/systemd/system") / f"{NAME}.service"
NEW = CONFIG.with_suffix(".new")
RELOAD = 15.0  # s that a new process may take to be there
POLL = 0.1  # s


class Failed(Exception):
    """The load balancer is not as wanted; one sentence."""


def now() -> list[Server]:
    return servers(ask("show stat"))


def until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(POLL)
    return True


def drain(leaving: Iterable[Server], wait: float) -> list[str]:
    """Send nothing more to some servers, and wait for their connections; the nodes that still have some."""
    known = {(server.backend, server.name) for server in leaving}
    for place, name in sorted(known):
        ask(f"set server {place}/{name} state drain")

    def busy() -> list[str]:
        return sorted({server.name for server in now() if server.connections and (server.backend, server.name) in known})

    until(lambda: not busy(), wait if known else 0)
    return busy() if known else []


def differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


class Balancer:
    """The load balancer of this node, as it should be."""

    def __init__(self, module: AnsibleModule) -> None:
        params = module.params
        self.module = module
        self.balances, self.wait = params["balances"], params["wait"]
        self.wanted = wanted_servers(self.balances, params["addresses"])
        ipv6 = Path("/proc/net/if_inet6").exists()
        self.text = config(self.balances, params["addresses"], timeout=params["timeout"], idle=params["idle"], ipv6=ipv6)

    def configure(self) -> tuple[bool, list[str]]:
        """Whether something was changed, and the nodes that were taken out with open connections."""
        found = now()
        written = differs(CONFIG, self.text) or differs(UNIT_FILE, UNIT)
        states = query("is-active", f"{NAME}.service").split() + query("is-enabled", f"{NAME}.service").split()
        stopped = [server for server in found if server.status.startswith(("DRAIN", "MAINT")) and (server.backend, server.name) in self.wanted]
        if not written and states == ["active", "enabled"] and not stopped and self.is_loaded():
            return False, []
        if self.module.check_mode:
            return True, []
        self.check_ports()
        self.check_text()
        for server in stopped:  # by a run that was killed before it deleted the node
            ask(f"set server {server.backend}/{server.name} state ready")
        busy = drain((server for server in found if self.wanted.get((server.backend, server.name)) != server.address), self.wait)
        self.load()
        return True, busy

    def check_ports(self) -> None:
        """A port that something else uses would end HAProxy's start."""
        ours = listens(ask("show stat"))
        new = [balance["port"] for balance in self.balances if backend(balance) not in ours]
        sockets = subprocess.run(["ss", "-Hlntp"], capture_output=True, text=True, check=False).stdout
        if faults := taken(sockets, new):
            raise Failed(f"load_balancer: {'; '.join(faults)} on this node; nothing was changed")

    def check_text(self) -> None:
        NEW.write_text(self.text, encoding="utf-8")
        checked = subprocess.run([PROGRAM, "-c", "-q", "-f", str(NEW)], capture_output=True, text=True, check=False)
        NEW.unlink()
        if checked.returncode:
            raise Failed(f"HAProxy does not accept the configuration, and nothing was changed: {(checked.stderr or checked.stdout).strip()[-500:]}")

    def is_loaded(self) -> bool:
        return bool(ask("show info")) and {(server.backend, server.name): server.address for server in now()} == self.wanted

    def load(self) -> None:
        """Write the configuration and reload it. If that fails, the old one stays, on the disk too: the next run tries again."""
        old = CONFIG.read_text(encoding="utf-8") if CONFIG.is_file() else ""
        if RUN.is_dir():
            STATES.write_text(carried_over(ask("show servers state"), self.wanted), encoding="utf-8")
            STATES.chmod(0o644)
        CONFIG.write_text(self.text, encoding="utf-8")
        if differs(UNIT_FILE, UNIT):
            UNIT_FILE.write_text(UNIT, encoding="utf-8")
            systemctl("daemon-reload")
        systemctl("enable", "--quiet", f"{NAME}.service")
        try:
            systemctl("reload-or-restart", f"{NAME}.service")
            if not until(self.is_loaded, RELOAD):
                raise Failed(f"the load balancer has not applied its configuration within {RELOAD:.0f} s; see 'journalctl -u {NAME}' on the node")
        except (Failed, SystemdError):
            CONFIG.write_text(old, encoding="utf-8")
            raise


def remove(module: AnsibleModule) -> bool:
    """Stop it, and remove its files."""
    if not UNIT_FILE.is_file():
        return False
    if not module.check_mode:
        systemctl("disable", "--now", "--quiet", f"{NAME}.service")
        for path in (UNIT_FILE, CONFIG):
            path.unlink(missing_ok=True)
        systemctl("daemon-reload")
    return True


def drained(module: AnsibleModule) -> tuple[bool, list[str]]:
    leaving = [server for server in now() if server.name in module.params["names"]]
    changed = any(not server.status.startswith("DRAIN") for server in leaving)
    return changed, [] if module.check_mode else drain(leaving, module.params["wait"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["running", "drained", "absent"], "default": "running"},
            "balances": {"type": "list", "elements": "dict", "default": []},
            "addresses": {"type": "dict", "default": {}},
            "names": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 60},
            "idle": {"type": "int", "default": 3600},
            "wait": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    changed, busy = False, list[str]()
    try:
        if module.params["state"] == "running":
            changed, busy = Balancer(module).configure()
        elif module.params["state"] == "drained":
            changed, busy = drained(module)
        else:
            changed = remove(module)
    except (Failed, SystemdError, OSError) as error:
        module.fail_json(msg=str(error))
    if busy:
        module.warn(f"{', '.join(busy)}: still had connections through the load balancer after {module.params['wait']:.0f} s")
    module.exit_json(changed=changed, busy=busy)


if __name__ == "__main__":
    main()
