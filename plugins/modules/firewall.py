#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall of a node: loaded in one step, and taken back unless it is confirmed. Runs on the node; the action plugin of this name confirms."""

from __future__ import annotations

DOCUMENTATION = r"""
module: firewall
short_description: Load the firewall of a node
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Makes a ruleset of the host variable C(sky_network), checks it, and loads it in one step as the table C(inet sky) of nftables.
  - Before that it starts a timer on the node, which loads the rules that were there before. The timer is stopped over a new connection, so that rules
    which lock the controller out last for O(seconds) only. Then the task fails.
  - Rules that somebody else has changed on the node are loaded again.
  - Other tables are left as they are. Firewalls that would drop what this one lets in, firewalld and ufw, are refused while they are active. Chains
    of other tables that drop what they do not accept are named in a warning, since what they accept is not known.
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
options:
  seconds:
    description: After how many seconds the node takes rules back that were not confirmed.
    type: int
    default: 15
  state:
    description: V(loaded) loads the rules. V(confirmed) stops the timer; the task does so itself.
    type: str
    choices: [loaded, confirmed]
    default: loaded
  name:
    description: The node's name in the list of the cluster's nodes. By default that of the host.
    type: str
    default: ""
  ruleset:
    description: The rules, as nftables reads them. By default those that C(sky_network) means.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Load the firewall
  sky.clusters.firewall:
"""

RETURN = r"""
pending:
  description: Whether rules were loaded that are to be confirmed.
  returned: always
  type: bool
  sample: false
drops:
  description: Chains of other tables that drop what arrives unless one of their rules accepts it.
  returned: with O(state=loaded)
  type: list
  elements: str
  sample: [ip filter INPUT]
  version_added: 0.8.0
"""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _firewall, _host, _list, _paths
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._board import LIST
from ansible_collections.sky.clusters.plugins.module_utils._nodes._sandbox import SANDBOX

ETC = Path("/etc/sky/network")
RULES = ETC / "firewall.nft"
NEW = ETC / "firewall.new.nft"
BACK = ETC / "firewall.back.nft"
SETS = Path("/var/lib/sky/network/sets.nft")
LOADED = Path("/var/lib/sky/network/firewall.json")  # how nftables shows what was loaded
UNIT = Path("/etc/systemd/system/sky-firewall.service")
TIMER = _firewall.TIMER
PATIENCE = 1.0  # s
UFW = Path("/usr/sbin/ufw")
UFW_CONF = Path("/etc/ufw/ufw.conf")
SERVICE = f"""\
# Written by sky.clusters
[Unit]
Description=Firewall of the cluster
After=nftables.service
PartOf=nftables.service
Wants=network-pre.target
Before=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {RULES}
ExecStart=-/usr/sbin/nft -f {SETS}
ExecReload=/usr/sbin/nft -f {RULES}
ExecReload=-/usr/sbin/nft -f {SETS}
CapabilityBoundingSet=CAP_NET_ADMIN
{SANDBOX}
MemoryDenyWriteExecute=yes
PrivateDevices=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_NETLINK AF_UNIX
SystemCallFilter=~@resources

[Install]
WantedBy=multi-user.target
"""


def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=60)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def other_firewall() -> str:
    """A firewall that would drop what ours lets in; one sentence, empty if there is none."""
    if run("systemctl", "is-active", "--quiet", "firewalld.service").returncode == 0:
        return "firewalld is active and would drop the cluster's traffic: stop it (systemctl disable --now firewalld)"
    if UFW.exists() and "ENABLED=yes" in read(UFW_CONF):  # a package that was removed leaves its settings
        return "ufw is active and would drop the cluster's traffic: stop it (ufw disable)"
    return ""


def drops() -> list[str]:
    """Chains of other tables that drop what arrives unless they accept it: what one table accepts, the next may still drop."""
    try:
        found = json.loads(run("nft", "-j", "list", "chains").stdout)["nftables"]
    except (ValueError, KeyError):
        return []
    chains = [item["chain"] for item in found if "chain" in item]
    bad = [chain for chain in chains if (chain.get("hook"), chain.get("policy")) == ("input", "drop")]
    names = [(f"{chain['family']} {chain['table']}", chain["name"]) for chain in bad]
    return [f"{table} {name}" for table, name in names if table != _host.FIREWALL]


def stands(ruleset: str) -> bool:
    """Whether the rules are loaded as they were, and will be at the next boot. Looked at twice, as the agent may be filling the sets."""
    if read(RULES) != ruleset or read(UNIT) != SERVICE:
        return False
    if not _firewall.stands(LOADED, ruleset):
        time.sleep(PATIENCE)
    return _firewall.stands(LOADED, ruleset)


def standing() -> str:
    """Our table as it is now; empty if there is none."""
    return run("nft", "list", "table", *_host.FIREWALL.split()).stdout


def elements(ruleset: str, name: str) -> str:
    """What fills the sets of a ruleset, as the list says that the node has."""
    nodes = _list.parse(_list.Envelope.read(LIST.read_text(encoding="utf-8")).text)
    me = nodes.node(name)
    return _host.set_elements(_paths.sets(nodes, me), _host.known_sets(ruleset)) if me else ""


def loaded(module: AnsibleModule) -> dict[str, Any]:
    ruleset, name = module.params["ruleset"].rstrip() + "\n", module.params["name"]
    if fault := other_firewall():
        module.fail_json(msg=fault)
    old = standing()
    if stands(ruleset):
        return {"changed": False, "pending": False}
    if not LIST.exists() and module.check_mode:
        return {"changed": True, "pending": False}
    sets = elements(ruleset, name)
    checked = run("nft", "-c", "-f", "-", stdin=ruleset + sets)
    if checked.returncode:
        module.fail_json(msg=f"nftables does not accept the rules, and nothing was changed: {checked.stderr.strip()[:500]}")
    if module.check_mode:
        return {"changed": True, "pending": False}
    if read(UNIT) != SERVICE:
        _list.write(UNIT, SERVICE)
        run("systemctl", "daemon-reload")
    _list.write(NEW, ruleset, 0o600)
    _list.write(SETS, sets)
    _list.write(BACK, f"add table {_host.FIREWALL}\ndelete table {_host.FIREWALL}\n{old}", 0o600)
    stop_timer()
    timer = run(
        "systemd-run", "--quiet", "--collect", f"--unit={TIMER}", f"--on-active={module.params['seconds']}",
        "--timer-property=AccuracySec=100ms", "/usr/sbin/nft", "-f", str(BACK),
    )  # fmt: skip
    if timer.returncode:
        module.fail_json(msg=f"the timer that restores the old rules could not be started, and nothing was changed: {timer.stderr.strip()}")
    done = run("nft", "-f", "-", stdin=ruleset + sets)
    if done.returncode:
        stop_timer()
        module.fail_json(msg=f"the rules could not be loaded, and nothing was changed: {done.stderr.strip()[:500]}")
    return {"changed": True, "pending": True}


def stop_timer() -> None:
    run("systemctl", "stop", f"{TIMER}.timer", f"{TIMER}.service")


def confirmed(module: AnsibleModule) -> dict[str, Any]:
    if not _firewall.pending():
        module.fail_json(msg="the node has already restored the old rules, because the new ones were not confirmed in time")
    NEW.replace(RULES)
    _firewall.record(LOADED, read(RULES))  # before the timer is stopped: without it, the agent would load what it knows
    stop_timer()
    enabled = run("systemctl", "enable", "--quiet", "sky-firewall.service")
    started = run("systemctl", "start", "sky-firewall.service")  # loads the same once more where it did not run
    if enabled.returncode or started.returncode:
        module.fail_json(msg=f"sky-firewall.service does not start: {(enabled.stderr or started.stderr).strip()}")
    return {"changed": True, "pending": False}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "seconds": {"type": "int", "default": 15},
            "state": {"type": "str", "choices": ["loaded", "confirmed"], "default": "loaded"},
            "name": {"type": "str", "default": ""},
            "ruleset": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    began = time.monotonic()
    found = loaded(module) | {"drops": drops()} if module.params["state"] == "loaded" else confirmed(module)
    module.exit_json(**found, seconds=round(time.monotonic() - began, 3))


if __name__ == "__main__":
    main()
