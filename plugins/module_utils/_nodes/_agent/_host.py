# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent does on its node, by wg, ip and nft."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ._list import write
from ._paths import Peer

INTERFACE = "sky0"
TABLE = "sky_overlay"  # forwarding and translation; the firewall's rules are in a table of their own
FIREWALL = "inet sky"
UNREACHABLE = "4000"  # metric of the route that leads nowhere
OVERHEAD = 80  # bytes that WireGuard adds to a packet, over IPv6
SAFE_MTU = 1280
AT_ONCE = 100  # peers in one call of wg
SECONDS = 30  # that a command may take


class Failed(Exception):
    """A command failed; one line."""


def run(*words: str, stdin: str = "", check: bool = True) -> str:
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(words)[:200]}: did not end within {SECONDS} s") from None
    if check and done.returncode:
        raise Failed(f"{' '.join(words)[:200]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def index() -> int:
    """The number of the interface, which changes when it is made anew; 0 if there is none."""
    try:
        return int(Path("/sys/class/net", INTERFACE, "ifindex").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def outside_mtu() -> int:
    """The largest packet that the node's own network takes."""
    words = run("ip", "-4", "route", "show", "default", check=False).split()
    device = words[words.index("dev") + 1] if "dev" in words else "eth0"
    try:
        return int(Path("/sys/class/net", device, "mtu").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 1500


@dataclass
class Interface:
    """The node's interface in the overlay. Only what differs from what was set before is set."""

    key_file: Path
    kernel: bool
    applied: dict[str, Peer] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)  # keys of peers that it has from before: the agent was restarted, and they may have left since
    made: int = 0  # its number when it was set up
    port: int = 0
    address: str = ""

    def ready(self, port: int, address: str) -> bool:
        """Set the interface up if it is not; whether it was set up now.

        Raises:
            Failed: it is not there (yet).
        """
        if self.kernel and not index():
            run("ip", "link", "add", INTERFACE, "type", "wireguard")
        now = index()
        if not now:
            raise Failed(f"interface {INTERFACE} is missing: wireguard-go is not running")
        if (now, port, address) == (self.made, self.port, self.address):
            return False
        mtu = outside_mtu() - OVERHEAD
        run("wg", "set", INTERFACE, "listen-port", str(port), "private-key", str(self.key_file))
        run("ip", "address", "flush", "dev", INTERFACE)
        run("ip", "address", "replace", f"{address}/32", "dev", INTERFACE)
        run("ip", "link", "set", INTERFACE, "mtu", str(mtu), "up")
        if now != self.made:
            self.forget_peers()
        self.made, self.port, self.address = now, port, address
        return True

    def forget(self) -> None:
        """Set everything again at the next look, since somebody else has changed it."""
        self.made = 0

    def forget_peers(self) -> None:
        """Set all peers again the next time; those that it has are not known to be right."""
        self.applied, self.found = {}, run("wg", "show", INTERFACE, "peers").split()

    def set_peers(self, wanted: Mapping[str, Peer]) -> list[Peer]:
        """Make the peers what is wanted, without touching the others; those that were set."""
        gone = [key for key in dict.fromkeys([*self.applied, *self.found]) if key not in wanted]
        changed = [peer for key, peer in wanted.items() if self.applied.get(key) != peer]
        # first those that give addresses up: an address belongs to one peer at a time
        changed.sort(key=lambda peer: len(peer.allowed) - len(self.applied[peer.key].allowed if peer.key in self.applied else ()))
        words = [word for key in gone for word in ("peer", key, "remove")]
        for place in range(0, len(changed), AT_ONCE):
            for peer in changed[place : place + AT_ONCE]:
                words += ["peer", peer.key, *(["endpoint", peer.endpoint] if peer.endpoint else [])]
                words += ["persistent-keepalive", str(peer.keepalive), "allowed-ips", ",".join(peer.allowed)]
            run("wg", "set", INTERFACE, *words)
            words = []
        if words:
            run("wg", "set", INTERFACE, *words)
        self.applied, self.found = dict(wanted), []
        return changed

    def renew_endpoints(self, keys: Iterable[str]) -> None:
        """Set endpoints again that were learned on a way that is gone."""
        words = [w for key in keys if self.applied[key].endpoint for w in ("peer", key, "endpoint", self.applied[key].endpoint)]
        if words:
            run("wg", "set", INTERFACE, *words)

    def mtu(self) -> int:
        return int(Path("/sys/class/net", INTERFACE, "mtu").read_text(encoding="ascii"))


def set_routes(range_: str, source: str, blocks: Mapping[str, int], old: Iterable[str]) -> None:
    """One route a block, with the MTU of its way; what is in no block leads nowhere, instead of out of the node.

    Args:
        blocks: MTU by network; 0 for that of the interface.
        old: networks that may have a route from before.
    """
    run("ip", "route", "replace", "unreachable", range_, "metric", UNREACHABLE)
    for network, mtu in blocks.items():
        words = ["ip", "route", "replace", network, "dev", INTERFACE, "src", source]
        limits = ["mtu", str(mtu)] if mtu else []
        try:
            run(*words, *limits, *(["congctl", "bbr"] if mtu else []))
        except Failed:  # a kernel without BBR
            run(*words, *limits)
    for network in set(old) - set(blocks):
        run("ip", "route", "del", network, "dev", INTERFACE, check=False)


def forwarding(forwards: Mapping[int, str], port: int, plain: Mapping[str, str], me: tuple[str, str]) -> str:
    """The rules that forward to nodes of the gateway's cloud, and those that let traffic inside a cloud bypass the overlay.

    Args:
        forwards: addresses in the cloud by UDP port.
        port: UDP port of every node.
        plain: of nodes of the own cloud, the address in the overlay and that in the cloud; empty if traffic between them is encrypted.
        me: the node's own two addresses.
    """
    lines = [f"add table ip {TABLE}", f"delete table ip {TABLE}"]
    if not forwards and not plain:
        return "\n".join(lines) + "\n"
    lines.append(f"table ip {TABLE} {{")
    prerouting, postrouting = [], []
    if forwards:
        elements = ", ".join(f"{number} : {address} . {port}" for number, address in sorted(forwards.items()))
        zones = ", ".join(f"{number} : {zone(address)}" for number, address in sorted(forwards.items()))
        lines.append(f"  map forwards {{ type inet_service : ipv4_addr . inet_service; elements = {{ {elements} }} }}")
        prerouting.append(f'iifname != "{INTERFACE}" dnat ip to udp dport map @forwards')
        postrouting.append(f'oifname != "{INTERFACE}" ct status dnat udp dport {port} masquerade to :{senders(port)}')
        known_in = f'iifname != "{INTERFACE}" ct original zone set udp dport map {{ {zones} }}'
        lines.append(f"  chain flows {{ type filter hook prerouting priority raw; {known_in}; }}")
    if plain:
        lines += _plain_maps(plain)
        near, own = "@near", me
        prerouting.append(f"ip saddr {near} ip daddr {own[1]} udp dport != {port} dnat ip to {own[0]}")
        prerouting.append(f"ip saddr {near} ip daddr {own[1]} meta l4proto != udp dnat ip to {own[0]}")
        postrouting.append(f'oifname != "{INTERFACE}" ip saddr {own[0]} ip daddr {near} snat ip to {own[1]}')
        lines.append(f'  chain output {{ type nat hook output priority -100; oifname "{INTERFACE}" dnat ip to ip daddr map @to_cloud; }}')
        lines.append(f"  chain input {{ type nat hook input priority 100; ip daddr {own[0]} snat ip to ip saddr map @to_overlay; }}")
    lines.append("  chain prerouting { type nat hook prerouting priority dstnat; " + "; ".join(prerouting) + "; }")
    lines.append("  chain postrouting { type nat hook postrouting priority srcnat; " + "; ".join(postrouting) + "; }")
    return "\n".join([*lines, "}"]) + "\n"


def senders(port: int) -> str:
    """Where a gateway sends from what it forwards: never from its own port.

    It speaks to the same nodes from there, and connection tracking does not see that two flows meet if one of them is in a zone.
    """
    return "1024-49151" if port > 49151 else "49152-65535"


def zone(address: str) -> int:
    """Where connection tracking remembers what is forwarded to an address.

    A flow is translated as its first packet was, for as long as the sender sends, which WireGuard does for good. One that came before the port was
    forwarded, or while it led to another address, must be forgotten: nothing of another zone is looked at.
    """
    return 1 + zlib.crc32(address.encode()) % 0xFFFF


def _plain_maps(plain: Mapping[str, str]) -> list[str]:
    pairs = sorted(plain.items())
    return [
        "  map to_cloud { type ipv4_addr : ipv4_addr; elements = { " + ", ".join(f"{a} : {b}" for a, b in pairs) + " } }",
        "  map to_overlay { type ipv4_addr : ipv4_addr; elements = { " + ", ".join(f"{b} : {a}" for a, b in pairs) + " } }",
        "  set near { type ipv4_addr; elements = { " + ", ".join(b for _a, b in pairs) + " } }",
    ]


def set_elements(sets: Mapping[str, Sequence[str]], known: Iterable[str]) -> str:
    """What fills the firewall's sets, of those that its rules have. Each is there twice: for IPv4, and for IPv6."""
    lines = []
    for name in known:
        base, _under, family = name.rpartition("_v")
        found = [address for address in sets.get(base.replace("__", "-"), ()) if (":" in address) == (family == "6")]
        lines.append(f"flush set {FIREWALL} {name}")
        if found:
            lines.append(f"add element {FIREWALL} {name} {{ {', '.join(dict.fromkeys(found))} }}")
    return "\n".join(lines) + "\n"


def set_name(name: str, family: int) -> str:
    """The name of a set in nftables, which allows no dashes."""
    return f"{name.replace('-', '__')}_v{family}"


def known_sets(ruleset: str) -> list[str]:
    """The sets that a ruleset declares and the agent fills."""
    return [line.split()[1] for line in ruleset.splitlines() if line.strip().startswith("set ") and "# agent" in line]


def changed_at(path: Path) -> float:
    """When a file was written last."""
    return path.stat().st_mtime if path.exists() else 0.0


def write_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write(path, text)


def sysctl_file(name: str) -> Path:
    return Path("/proc/sys", *name.split("."))


def sysctl(name: str, value: str, before: Path) -> None:
    """Set a kernel parameter, and note in a file what it was before."""
    path = sysctl_file(name)
    try:
        found = path.read_text(encoding="ascii").strip()
        if found != value:
            write(before, json.dumps(_noted(before) | {name: found}))
            path.write_text(value, encoding="ascii")
    except OSError as error:
        raise Failed(f"sysctl {name}={value}: {error}") from error


def restore_sysctls(before: Path) -> None:
    """Set kernel parameters to what they were before, and forget that."""
    for name, value in _noted(before).items():
        try:
            sysctl_file(name).write_text(value, encoding="ascii")
        except OSError as error:
            raise Failed(f"sysctl {name}={value}: {error}") from error
    before.unlink(missing_ok=True)


def _noted(file: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
