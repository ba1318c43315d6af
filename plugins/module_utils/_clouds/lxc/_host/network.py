# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of a zone: bridge, addresses, the way out, and what keeps other zones out."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import records
from .command import run, succeeds
from .errors import HostError
from .files import folders, locked, peek, read, remove_empty, write, write_json
from .places import Zone

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
RUN = Path("/run/sky-clusters")  # gone after a reboot, as is the setting that it remembers
FAMILY = "ip"

Network = ipaddress.IPv4Network


def ensure(zone: Zone) -> None:
    """The zone's bridge and forwarding, whatever of it is there already; :func:`load_rules` is called when the nodes' records are written.

    Raises:
        HostError: its network is in use for something else.
    """
    noted = noted_network(zone)
    if noted and noted != zone.network:
        raise HostError(f"zone '{zone.name}' of this machine has network {noted}, not {zone.network}, and nodes on it", "invalid")
    clashes = overlaps(zone)
    if clashes and not noted:
        raise HostError(clashes[0], "invalid")
    write_json(zone.folder / "zone.json", {"network": str(zone.network)})
    if not _ours(zone):
        raise HostError(f"bridge {zone.bridge} of this machine belongs to '{_owner(zone)}', not to {zone.folder}: choose another `zone`", "invalid")
    _make_bridge(zone)
    _forward()


def load_rules(zone: Zone) -> None:
    """The zone's rules as its nodes' records want them, replaced in one step."""
    run("nft", "-f", "-", stdin=rules(zone, [record.address for record in records.nodes(zone).values() if record.public]))


def _make_bridge(zone: Zone) -> None:
    """Each step may be there already: all of them, or those that a killed run came to."""
    fresh = not has_bridge(zone)
    if fresh:
        # an address of its own, or the bridge would change it with its ports and the nodes lose their gateway for a while
        run("ip", "link", "add", zone.bridge, "address", zone.mac("."), "type", "bridge", "forward_delay", "0")
    run("ip", "link", "set", zone.bridge, "alias", str(zone.folder))
    run("ip", "address", "replace", f"{zone.gateway}/{zone.network.prefixlen}", "dev", zone.bridge)
    run("ip", "link", "set", zone.bridge, "up")
    for node in records.nodes(zone) if fresh else ():  # those that ran when somebody took the bridge away
        if Path("/sys/class/net", zone.veth(node)).exists():
            run("ip", "link", "set", zone.veth(node), "master", zone.bridge)


def has_bridge(zone: Zone) -> bool:
    return Path("/sys/class/net", zone.bridge).exists()


def _owner(zone: Zone) -> str:
    """The folder of the zone that a bridge was made for: zones of the same name may exist under two paths."""
    return peek(Path("/sys/class/net", zone.bridge, "ifalias")).strip()


def _ours(zone: Zone) -> bool:
    """Whether the bridge, if there is one, is this zone's; one that is nobody's and not yet up was being made when its run was killed."""
    return not has_bridge(zone) or _owner(zone) == str(zone.folder) or (not _owner(zone) and not _is_up(zone))


def _is_up(zone: Zone) -> bool:
    return int(peek(Path("/sys/class/net", zone.bridge, "flags")) or "0", 16) & 1 == 1


def noted_network(zone: Zone) -> Network | None:
    """The network that a zone was made with; None if it has none now."""
    text = read(zone.folder / "zone.json")
    return ipaddress.IPv4Network(json.loads(text)["network"]) if text else None


def rules(zone: Zone, public: Iterable[str]) -> str:
    """The zone's table: its nodes reach the world under the machine's address; only what belongs to them comes back, and what is for public nodes."""
    table, bridge, network = f"{FAMILY} {zone.table}", zone.bridge, zone.network
    elements = ", ".join(sorted(public))
    return f"""\
add table {table}
delete table {table}
table {table} {{
  set public {{
    type ipv4_addr
    {f"elements = {{ {elements} }}" if elements else ""}
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    iifname "{bridge}" oifname "{bridge}" accept
    oifname "{bridge}" ct state established,related accept
    oifname "{bridge}" iifname "sky-*" ip daddr @public accept
    oifname "{bridge}" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "sky-*" ip saddr @public accept
    ip saddr {network} oifname != "{bridge}" masquerade
  }}
}}
"""


def gaps(zone: Zone) -> list[str]:
    """What of a zone's network is gone; the rules of all go when somebody loads the machine's own anew."""
    found = [] if has_bridge(zone) else [f"bridge {zone.bridge}"]
    found += [] if has_table(zone) else [f"table {zone.table}"]
    return found + ([] if read(FORWARDING).strip() == "1" else ["setting net.ipv4.ip_forward"])


def remove(zone: Zone) -> None:
    """Remove what :func:`ensure` made; missing parts are ignored."""
    if not _ours(zone):
        return
    if has_bridge(zone):
        run("ip", "link", "delete", zone.bridge)
    if has_table(zone):
        run("nft", "delete", "table", FAMILY, zone.table)
    (zone.folder / "zone.json").unlink(missing_ok=True)
    _stop_forwarding()


def has_table(zone: Zone) -> bool:
    return succeeds("nft", "list", "table", FAMILY, zone.table)


def _forward() -> None:
    with locked(RUN, make=True):
        before = read(FORWARDING).strip()
        if before != "1":
            write(RUN / "ip_forward", before)
            FORWARDING.write_text("1")


def _stop_forwarding() -> None:
    """Put forwarding back as it was once no zone is left."""
    if not RUN.is_dir() or any(Path("/sys/class/net").glob("sky-*")):
        return
    with locked(RUN):
        before = read(RUN / "ip_forward")
        if before:
            FORWARDING.write_text(before)
        (RUN / "ip_forward").unlink(missing_ok=True)
        remove_empty(RUN)


def overlaps(zone: Zone) -> list[str]:
    """What already uses the zone's network, one sentence each."""
    found = []
    for route in json.loads(run("ip", "-json", "-4", "route", "show", "table", "all") or "[]"):
        network = _network(route.get("dst", ""))
        if route.get("type", "unicast") == "unicast" and route.get("dev") != zone.bridge and network and network.overlaps(zone.network):
            found.append(
                f"network {zone.network} overlaps with {network} that this machine reaches through {route.get('dev')}: set `network` to a free one"
            )
    for folder in folders(zone.path):
        other = noted_network(Zone(folder.name, zone.path, zone.network)) if folder.name != zone.name else None
        if other and other.overlaps(zone.network) and not any(str(other) in sentence for sentence in found):
            found.append(f"network {zone.network} overlaps with {other} of zone '{folder.name}' on this machine: set `network` to a free one")
    return found


def _network(text: str) -> Network | None:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:  # "default", or not a network
        return None


def obstacles(zone: Zone) -> list[str]:
    """Rules of somebody else's firewall that keep the nodes from working, one sentence each."""
    ruleset = json.loads(run("nft", "-json", "list", "ruleset") or '{"nftables": []}')
    return firewalls(ruleset["nftables"], zone)


def firewalls(objects: list[dict[str, Any]], zone: Zone) -> list[str]:
    """The same, from the ruleset as ``nft -json`` lists it."""
    found = []
    for chain in (item["chain"] for item in objects if "chain" in item):
        place = (chain["family"], chain["table"])
        if chain.get("type") != "filter" or chain.get("hook") not in ("forward", "input", "output") or place[1].startswith("sky_"):
            continue
        ours = [item["rule"] for item in objects if "rule" in item and (item["rule"]["family"], item["rule"]["table"]) == place]
        if place[0] in ("ip", "inet", "bridge") and _drops(chain, ours) and not _lets_in(chain["hook"], ours, zone):
            found.append(_obstacle(chain, zone))
    return found


def _drops(chain: dict[str, Any], rules_of_table: list[dict[str, Any]]) -> bool:
    """Whether a chain drops by default: by its policy, or by a last rule without any condition."""
    if chain.get("policy") == "drop":
        return True
    own = [rule for rule in rules_of_table if rule["chain"] == chain["name"]]
    last = [part for part in own[-1]["expr"] if "counter" not in part] if own else []
    return len(last) == 1 and ("drop" in last[0] or "reject" in last[0])


def _lets_in(hook: str, rules_of_table: list[dict[str, Any]], zone: Zone) -> bool:
    """Whether a rule of the table speaks of our bridge or network; for what the machine itself sends and receives, answers let in will do."""
    texts = [json.dumps(rule["expr"]) for rule in rules_of_table]
    text = "\n".join(texts)
    if f'"{zone.bridge}"' in text or '"sky-*"' in text or any(network.supernet_of(zone.network) for network in _networks(text)):
        return True
    return hook == "input" and any('"key": "state"' in one and '"accept"' in one for one in texts)


def _networks(text: str) -> list[Network]:
    found = re.findall(r'"prefix": \{"addr": "([0-9.]+)", "len": (\d+)\}', text)
    return [ipaddress.IPv4Network(f"{address}/{length}", strict=False) for address, length in found]


def _obstacle(chain: dict[str, Any], zone: Zone) -> str:
    ways = {"forward": "iifname {0} accept; the same with oifname", "input": "iifname {0} accept", "output": "oifname {0} accept"}
    rule = ways[chain["hook"]].format(zone.bridge)
    place = f"{chain['family']} {chain['table']} {chain['name']}"
    return f"the firewall chain '{place}' drops the traffic of {zone.bridge}; add a rule: nft insert rule {place} {rule}"
