#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent of a node's network: installed, and started with a list of the nodes. Runs on the node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network_node
short_description: Make a node part of its cluster's network
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Every node of a cluster with a network of its own runs an agent. It keeps the overlay (WireGuard), the sets of the firewall and the hosts file as
    the list of the cluster's nodes says. The first server node serves that list, and signs it.
  - The private key is made on the node and never leaves it.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  state:
    description:
      - V(prepared) installs the agent and makes the node's keys.
      - V(joined) gives the agent a list, starts it, and waits until it has done what the list says. Where the list has no overlay, what is left of an
        earlier one is removed, its key included.
      - V(absent) removes the agent, the overlay, and everything that belongs to them.
    type: str
    choices: [prepared, joined, absent]
    default: prepared
  name:
    description: The node's name in the list.
    type: str
    required: true
  overlay:
    description: Whether the cluster has an overlay.
    type: bool
    default: false
  serves:
    description: Whether the node serves the list to the others.
    type: bool
    default: false
  list:
    description: The signed list, with O(state=joined).
    type: str
    default: ""
  signer:
    description: Public key of the node that signs the list, with O(state=joined).
    type: str
    default: ""
  wait:
    description: Seconds to wait for the agent.
    type: float
    default: 30
"""

EXAMPLES = r"""
- name: Install the agent
  sky.clusters.network_node:
    name: demo-worker-0
    overlay: true
"""

RETURN = r"""
key:
  description: Public key of the node in the overlay; empty without an overlay.
  returned: with O(state=prepared)
  type: str
  sample: rQoNPj5A0xw6Jm0zoQv2yJm2uT0q0rXk4QW9Zf2gYyE=
signer:
  description: Public key that signs lists on this node; empty if it does not serve them.
  returned: with O(state=prepared)
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2f
engine:
  description: What encrypts, V(kernel) or V(wireguard-go); empty without an overlay.
  returned: with O(state=prepared)
  type: str
  sample: kernel
serial:
  description: Serial number of the list that the agent follows.
  returned: with O(state=joined)
  type: int
  sample: 1764316800
"""

import hashlib
import json
import os
import pkgutil
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import (
    _agent,
    _board,
    _exchange,
    _files,
    _firewall,
    _host,
    _inbox,
    _known,
    _list,
    _mtu,
    _paths,
    _pause,
    _peering,
    _probe,
    _server,
    _snapshot,
    _watch,
)
from ansible_collections.sky.clusters.plugins.module_utils._nodes._sandbox import SANDBOX

PARTS = (
    _agent, _board, _exchange, _files, _firewall, _host, _inbox, _known, _list, _mtu, _paths, _pause, _peering, _probe, _server, _snapshot, _watch,
)  # fmt: skip
PACKAGE = Path("/usr/local/lib/sky/sky_network")
ETC = Path("/etc/sky/network")
DATA = Path("/var/lib/sky/network")
KEY = ETC / "private.key"
SIGN_KEY = ETC / "sign.key"
CONFIG = ETC / "agent.json"
LIST = DATA / "list.json"
STATE = Path("/run/sky-network/state.json")
RESTART = DATA / "restart"  # the agent is to be restarted
UNITS = Path("/etc/systemd/system")
AGENT_UNIT = "sky-network.service"
ENGINE_UNIT = "sky-wireguard.service"

ENGINE = """\
# Written by sky.clusters
[Unit]
Description=WireGuard of the cluster's overlay, outside of the kernel
Before=sky-network.service
StartLimitIntervalSec=0

[Service]
Environment=LOG_LEVEL=error
ExecStartPre=-/bin/rm -f /var/run/wireguard/{interface}.sock
ExecStart={program} -f {interface}
Restart=always
RestartSec=0.2
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_BIND_SERVICE
DeviceAllow=/dev/net/tun rw
{sandbox}
MemoryDenyWriteExecute=yes
ProtectKernelTunables=yes
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
SystemCallFilter=~@resources
UMask=0077
RuntimeDirectory=wireguard
RuntimeDirectoryPreserve=yes

[Install]
WantedBy=multi-user.target
"""
AGENT = """\
# Written by sky.clusters
[Unit]
Description=Network of the cluster: overlay, addresses and names
After=network.target sky-firewall.service{after}
StartLimitIntervalSec=0

[Service]
Environment=PYTHONPATH=/usr/local/lib/sky
ExecStart=/usr/bin/python3 -m sky_network._agent /etc/sky/network/agent.json
Restart=always
RestartSec=1
RuntimeDirectory=sky-network
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
{sandbox}
MemoryDenyWriteExecute=yes
PrivateDevices=yes
ReadWritePaths=/etc /var/lib/sky/network
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
SystemCallFilter=~@resources
UMask=0022

[Install]
WantedBy=multi-user.target
"""


class Node:
    """What is done on one node."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.changed = False

    def run(self, *words: str, stdin: str | None = None) -> str:
        code, out, error = self.module.run_command(list(words), data=stdin)
        if code:
            self.module.fail_json(msg=f"{' '.join(words)}: {(error or out).strip()}")
        return str(out)

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        self.changed = True
        if not self.module.check_mode:
            path.parent.mkdir(parents=True, exist_ok=True)
            _list.write(path, text, mode)

    def kernel(self) -> bool:
        """Whether the kernel has WireGuard."""
        if (UNITS / ENGINE_UNIT).exists():  # chosen at an earlier visit
            return False
        if Path("/sys/class/net", _host.INTERFACE).exists():
            return True
        done = subprocess.run(["ip", "link", "add", "skytry", "type", "wireguard"], capture_output=True, check=False)
        if done.returncode == 0:
            subprocess.run(["ip", "link", "delete", "skytry"], capture_output=True, check=False)
        return done.returncode == 0

    def prepare(self) -> dict[str, Any]:
        if not self.module.check_mode:
            ETC.mkdir(parents=True, exist_ok=True)
            ETC.chmod(0o700)
            DATA.mkdir(parents=True, exist_ok=True)
        for name, text in sources().items():
            self.write(PACKAGE / name, text)
        overlay = self.module.params["overlay"]
        kernel = overlay and self.kernel()
        if overlay and not kernel:
            program = shutil.which("wireguard-go")
            if program is None and not self.module.check_mode:
                self.module.fail_json(msg="the kernel has no WireGuard, and wireguard-go is not installed")
            self.write(UNITS / ENGINE_UNIT, ENGINE.format(sandbox=SANDBOX, interface=_host.INTERFACE, program=program or "/usr/bin/wireguard-go"))
        self.write(UNITS / AGENT_UNIT, AGENT.format(sandbox=SANDBOX, after="" if kernel or not overlay else f" {ENGINE_UNIT}"))
        return {
            "key": self.key() if overlay else "",
            "signer": self.signer() if self.module.params["serves"] else "",
            "engine": ("kernel" if kernel else "wireguard-go") if overlay else "",
        }

    def key(self) -> str:
        """The public half of the node's key, which is made if there is none."""
        if shutil.which("wg") is None and not self.module.check_mode:
            self.module.fail_json(msg="wireguard-tools are not installed")
        if not KEY.exists():
            self.changed = True
            if self.module.check_mode:
                return ""
            _list.write(KEY, self.run("wg", "genkey"), 0o600)
        return self.run("wg", "pubkey", stdin=KEY.read_text(encoding="ascii")).strip()

    def signer(self) -> str:
        if not SIGN_KEY.exists():
            self.changed = True
            if self.module.check_mode:
                return ""
            self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(SIGN_KEY))
        return " ".join(SIGN_KEY.with_suffix(".key.pub").read_text(encoding="ascii").split()[:2])

    def join(self) -> dict[str, Any]:
        params = self.module.params
        current = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text) if LIST.exists() else None
        current = current if current and self.known_signer() == params["signer"] else None  # another server node counts anew
        try:
            envelope, nodes = _list.accepted(params["list"], params["signer"], current)
        except _list.Refused as error:
            self.module.fail_json(msg=str(error))
        ended = nodes.overlay is None and self.has_overlay()
        if ended and not self.module.check_mode:
            self.stop_engine()
            RESTART.touch()  # the agent knows gateways and ways of it
        self.changed = self.changed or ended
        kernel = not (UNITS / ENGINE_UNIT).exists()
        config = {
            "name": params["name"],
            "signer": params["signer"],
            "kernel": kernel,
            "key_file": str(KEY),
            "list_file": str(LIST),
            "state_file": str(STATE),
            "hosts_file": "/etc/hosts",
            "ruleset": str(ETC / "firewall.nft"),
            "sets_file": str(DATA / "sets.nft"),
            "code": hashlib.sha256(json.dumps([sources(), [read(UNITS / unit) for unit in (ENGINE_UNIT, AGENT_UNIT)]]).encode()).hexdigest(),
        }
        text = json.dumps(config, indent=1) + "\n"
        if read(CONFIG) != text and not self.module.check_mode:
            RESTART.touch()  # until it is done: the run may be killed
        self.write(CONFIG, text)
        restart = RESTART.exists()
        self.changed = self.changed or restart
        self.write(LIST, envelope.plain())
        if not self.module.check_mode:
            self.start(restart, nodes.overlay is not None and not kernel, nodes.port)
            self.wait(nodes.serial)
            if ended:  # by now no agent makes it again
                self.remove_overlay()
        return {"serial": nodes.serial}

    def leave(self) -> dict[str, Any]:
        """Remove everything; the keys and the list included, so that a node that gets a network again makes new ones."""
        self.changed = any(path.exists() for path in (PACKAGE, ETC, DATA, UNITS / AGENT_UNIT, UNITS / ENGINE_UNIT))
        if not self.module.check_mode:
            _host.run("systemctl", "--quiet", "disable", "--now", AGENT_UNIT, check=False)
            self.stop_engine()
            self.remove_overlay()
            (UNITS / AGENT_UNIT).unlink(missing_ok=True)
            self.run("systemctl", "daemon-reload")
            for folder in (PACKAGE, ETC, DATA):
                shutil.rmtree(folder, ignore_errors=True)
        return {}

    @staticmethod
    def has_overlay() -> bool:
        """Whether something of an overlay is on the node."""
        return any(path.exists() for path in (KEY, UNITS / ENGINE_UNIT, Path("/sys/class/net", _host.INTERFACE)))

    def stop_engine(self) -> None:
        _host.run("systemctl", "--quiet", "disable", "--now", ENGINE_UNIT, check=False)
        (UNITS / ENGINE_UNIT).unlink(missing_ok=True)

    def remove_overlay(self) -> None:
        """Remove the interface, its routes and its translation, and let the node forward packets only if it did so before. The key goes last."""
        _host.run("ip", "link", "delete", _host.INTERFACE, check=False)
        _host.run("ip", "route", "flush", "table", "main", "type", "unreachable", "metric", _host.UNREACHABLE, check=False)
        _host.run("nft", "delete", "table", "ip", _host.TABLE, check=False)
        _host.restore_sysctls(DATA / "sysctls.json")
        KEY.unlink(missing_ok=True)

    @staticmethod
    def known_signer() -> str:
        return str(json.loads(read(CONFIG) or "{}").get("signer", ""))

    def start(self, restart: bool, engine: bool, port: int) -> None:
        units = [*([ENGINE_UNIT] if engine else []), AGENT_UNIT]
        if restart:
            self.run("systemctl", "daemon-reload")
            self.run("systemctl", "enable", "--quiet", *units)
            if engine:
                self.run("systemctl", "start", ENGINE_UNIT)
            self.run("systemctl", "restart", AGENT_UNIT)
            RESTART.unlink()
            return
        self.run("systemctl", "start", *units)
        _board.look(port)

    def wait(self, serial: int) -> None:
        """Until the agent has done what the list says."""
        end = time.monotonic() + self.module.params["wait"]
        state: dict[str, Any] = {}
        while time.monotonic() < end:
            try:
                state = json.loads(STATE.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                state = {}
            if state.get("serial", 0) >= serial:
                return
            time.sleep(0.1)
        reason = state.get("fault") or "see journalctl -u sky-network"
        self.module.fail_json(msg=f"the agent has not applied the list within {self.module.params['wait']:.0f} s: {reason}")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def sources() -> dict[str, str]:
    """The agent's own files, as they were sent with this module."""
    found = {"__init__.py": ""}
    for part in PARTS:
        name = f"{part.__name__.rpartition('.')[2]}.py"
        data = pkgutil.get_data(part.__name__.rpartition(".")[0], name)
        found[name] = (data or b"").decode()
    return found


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["prepared", "joined", "absent"], "default": "prepared"},
            "name": {"type": "str", "required": True},
            "overlay": {"type": "bool", "default": False},
            "serves": {"type": "bool", "default": False},
            "list": {"type": "str", "default": ""},
            "signer": {"type": "str", "default": "", "no_log": False},
            "wait": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    os.umask(0o022)
    node = Node(module)
    act = {"prepared": node.prepare, "joined": node.join, "absent": node.leave}[module.params["state"]]
    try:
        module.exit_json(**act(), changed=node.changed)
    except _host.Failed as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
