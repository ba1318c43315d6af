# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud needs of this machine: bridges, a way out, kernel settings; put back as it was by :func:`restore`."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import run, succeeds
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import locked, peek, read, remove_empty, write_json

from . import places

SETTINGS = Path("/proc/sys")
# Each host with systemd takes about six of root's; of 128, the kernel's default, none is left after thirteen hosts.
INSTANCES = ("fs/inotify/max_user_instances", 4096)
FORWARDING = SETTINGS / "net/ipv4/ip_forward"
FORWARDED = Path("/run/sky-clusters")  # where the local cloud notes what the setting was; whoever goes last puts it back
RULES = f"""\
add table ip {places.TABLE}
delete table ip {places.TABLE}
table ip {places.TABLE} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {{ {places.API_NETWORK}, {places.OUTSIDE_NETWORK} }} oifname != "sky-*" masquerade
  }}
}}
"""


def prepare() -> None:
    """Whatever of it is there already."""
    _raise_setting()
    _bridge(places.API_BRIDGE, places.MACHINE, places.API_NETWORK)
    _bridge(places.OUTSIDE_BRIDGE, places.OUTSIDE_GATEWAY, places.OUTSIDE_NETWORK)
    run("nft", "-f", "-", stdin=RULES)
    _forward()


def restore() -> None:
    for bridge in (places.API_BRIDGE, places.OUTSIDE_BRIDGE):
        if exists(bridge):
            run("ip", "link", "delete", bridge)
    if succeeds("nft", "list", "table", "ip", places.TABLE):
        run("nft", "delete", "table", "ip", places.TABLE)
    _lower_setting()
    _stop_forwarding()


def exists(interface: str) -> bool:
    return Path("/sys/class/net", interface).exists()


def free_loops() -> None:
    """Detach the loop devices that a cloud which was killed left: those of its own files, known by their path inside."""
    for device in Path("/sys/block").glob("loop*"):
        if peek(device / "loop/backing_file").startswith(f"{places.INSIDE}/"):
            run("losetup", "-d", f"/dev/{device.name}")


def _bridge(name: str, address: str, network: str) -> None:
    if not exists(name):
        run("ip", "link", "add", name, "type", "bridge", "forward_delay", "0")
    run("ip", "address", "replace", f"{address}/{network.split('/')[1]}", "dev", name)
    run("ip", "link", "set", name, "up")


def _noted() -> Path:
    return places.STATE / "settings.json"


def _raise_setting() -> None:
    name, wanted = INSTANCES
    before = int(read(SETTINGS / name))
    if before < wanted:
        if not _noted().exists():  # else somebody has lowered it since
            write_json(_noted(), {name: before})
        (SETTINGS / name).write_text(str(wanted))


def _lower_setting() -> None:
    name, wanted = INSTANCES
    before = json.loads(read(_noted()) or "{}").get(name)
    if before is not None and int(read(SETTINGS / name)) == wanted:  # else somebody has set it anew since
        (SETTINGS / name).write_text(str(before))
    _noted().unlink(missing_ok=True)


def _forward() -> None:
    """As the local cloud does it, in the same place, so that neither takes it from the other."""
    with locked(FORWARDED, make=True):
        before = read(FORWARDING).strip()
        if before != "1":
            (FORWARDED / "ip_forward").write_text(before)
            FORWARDING.write_text("1")


def _stop_forwarding() -> None:
    if not FORWARDED.is_dir() or any(Path("/sys/class/net").glob("sky-*")):
        return
    with locked(FORWARDED):
        before = read(FORWARDED / "ip_forward")
        if before:
            FORWARDING.write_text(before)
        (FORWARDED / "ip_forward").unlink(missing_ok=True)
        remove_empty(FORWARDED)
