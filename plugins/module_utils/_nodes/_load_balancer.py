# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HAProxy as the load balancer of a cluster: its configuration, and its runtime API. Sent to the node with the modules that run there."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._sandbox import SANDBOX

NAME = "sky-load-balancer"
CONFIG = Path("/etc/haproxy/sky.cfg")
RUN = Path("/run") / NAME
SOCKET, STATES, PID = RUN / "admin.sock", RUN / "servers", RUN / "pid"
PROGRAM = "/usr/sbin/haproxy"
CHECK_EVERY, CHECK_FALL, CHECK_RISE = "1s", 2, 2  # a node that does not answer gets nothing after 2 s
FRONTEND, SERVER = "0", "2"  # types of rows
SECONDS = 5.0  # that an answer of the API may take
SAFE_METHODS = "GET HEAD OPTIONS"  # requests that may reach two nodes, one after the other

# Nothing ends a process that was replaced but the end of its last connection, and of those that are idle each has a limit
GLOBAL = f"""\
# Written by sky.clusters
global
    log stdout format raw daemon notice
    stats socket {SOCKET} mode 600 level admin expose-fd listeners
    server-state-file {STATES}

defaults
    log global
    option dontlognull
    option redispatch 1
    retries 3
    load-server-state-from-file global
    timeout connect 3s
    timeout check 2s
    default-server check inter {CHECK_EVERY} fall {CHECK_FALL} rise {CHECK_RISE}
"""
UNIT = f"""\
# Written by sky.clusters
[Unit]
Description=Load balancer of the cluster
After=network-online.target sky-network.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User=haproxy
Group=haproxy
ExecStart={PROGRAM} -Ws -f {CONFIG} -p {PID}
ExecReload={PROGRAM} -c -q -f {CONFIG}
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
SuccessExitStatus=143
Restart=always
RestartSec=1
RuntimeDirectory={NAME}
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
LimitNOFILE=65536
{SANDBOX}
PrivateDevices=yes
ProtectKernelTunables=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

[Install]
WantedBy=multi-user.target
"""


def members(nodes: str, addresses: Mapping[str, str]) -> dict[str, str]:
    """The nodes of a pool, in the order of their indices.

    Args:
        nodes: how their names begin.
        addresses: those of all nodes of the cluster, by name.
    """
    found = {int(name[len(nodes) :]): name for name in addresses if re.fullmatch(rf"{re.escape(nodes)}(0|[1-9][0-9]*)", name)}
    return {name: addresses[name] for _index, name in sorted(found.items())}


def wanted_servers(balances: Iterable[Mapping[str, Any]], addresses: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The address and port of each server, by its backend and its name."""
    return {
        (backend(balance), name): _joined(address, balance["target"])
        for balance in balances
        for name, address in members(balance["nodes"], addresses).items()
    }


def _joined(address: str, port: Any) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def backend(balance: Mapping[str, Any]) -> str:
    return f"port{balance['port']}"


def config(balances: Iterable[Mapping[str, Any]], addresses: Mapping[str, str], *, timeout: int, idle: int, ipv6: bool) -> str:
    """The configuration of HAProxy.

    Args:
        timeout: seconds that a node may take to answer an HTTP request.
        idle: seconds after which a TCP connection without traffic is closed.
        ipv6: whether this node has IPv6.
    """
    return "".join([GLOBAL, *(_part(balance, addresses, timeout, idle, ipv6) for balance in balances)])


def _part(balance: Mapping[str, Any], addresses: Mapping[str, str], timeout: int, idle: int, ipv6: bool) -> str:
    servers = wanted_servers([balance], addresses)
    listen = f":::{balance['port']} v4v6" if ipv6 else f":{balance['port']}"
    lines = [f"listen {backend(balance)}", f"bind {listen}", f"mode {balance['protocol']}", f"balance {balance['mode']}"]
    lines += ["hash-type consistent"] if balance["mode"] == "source" else []
    lines += _http(timeout, idle) if balance["protocol"] == "http" else [f"timeout client {idle}s", f"timeout server {idle}s"]
    lines += [f"option httpchk GET {balance['check']}", "http-check expect status 200-399"] if balance["check"] else []
    lines += [f"server {name} {address}" for (_backend, name), address in servers.items()]
    return "\n" + "\n    ".join(lines) + "\n"


def _http(timeout: int, idle: int) -> list[str]:
    """Requests that change nothing are sent to another node if one fails; others only if they have not reached any.

    An idle connection of a client is closed with an answer, also by a process that ends: the next request may be on its way.
    """
    return [
        "option forwardfor",
        "option idle-close-on-response",
        "retry-on all-retryable-errors",
        f"http-request disable-l7-retry unless {{ method {SAFE_METHODS} }}",
        "timeout http-request 10s",
        "timeout http-keep-alive 10s",
        f"timeout client {timeout}s",
        f"timeout server {timeout}s",
        f"timeout tunnel {idle}s",
    ]


# --- the runtime API ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A server as HAProxy sees it."""

    backend: str
    name: str
    address: str  # with its port
    status: str  # in HAProxy's own word: UP, DOWN, DRAIN, MAINT, "no check"
    connections: int
    why: str = ""

    @property
    def up(self) -> bool:
        return self.status.startswith("UP")


def ask(command: str, path: Path = SOCKET) -> str:
    """The answer to a command of the runtime API; empty if nothing answers."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(SECONDS)
            sock.connect(str(path))
            sock.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: sock.recv(65536), b"")).decode()
    except OSError:
        return ""


def servers(statistics: str) -> list[Server]:
    """The servers, from the answer to ``show stat``."""
    return [
        Server(
            row["pxname"], row["svname"], row.get("addr", ""), row["status"], int(row["scur"] or 0),
            row.get("last_chk") or row.get("check_status", ""),
        )
        for row in _rows(statistics, SERVER)
    ]  # fmt: skip


def listens(statistics: str) -> set[str]:
    """The parts that have a port, from the same."""
    return {row["pxname"] for row in _rows(statistics, FRONTEND)}


def _rows(statistics: str, kind: str) -> list[dict[str, str]]:
    head, *rows = statistics.strip().splitlines() or [""]
    found = [dict(zip(head.lstrip("# ").split(","), row.split(","), strict=False)) for row in rows]
    return [row for row in found if row.get("type") == kind]


def carried_over(states: str, wanted: Mapping[tuple[str, str], str]) -> str:
    """Of the answer to ``show servers state``, what a new process is to begin with: the servers that stay and do not answer.

    Without it, a new process would take them for healthy until its own checks have failed. Anything else of their state begins anew: a server that
    was drained may be another machine of the same name by now.
    """
    version, head, *rows = states.splitlines() if states.count("\n") > 1 else ["1", "#"]
    keys = head.lstrip("# ").split()
    kept = []
    for row in rows:
        fields = dict(zip(keys, row.split(), strict=False))
        if "srv_port" not in fields:
            continue
        same = wanted.get((fields["be_name"], fields["srv_name"])) == _joined(fields["srv_addr"], fields["srv_port"])
        if same and (fields["srv_op_state"], fields["srv_admin_state"]) == ("0", "0"):
            kept.append(row)
    return "\n".join([version, head, *kept]) + "\n"


def taken(sockets: str, ports: Iterable[int]) -> list[str]:
    """Those of the ports that a program listens on, with its name, from the output of ``ss -Hlntp``."""
    found = {}
    for line in sockets.splitlines():
        words = line.split()
        port = words[3].rpartition(":")[2] if len(words) > 3 else ""
        program = re.search(r'\(\("([^"]+)"', line)
        found[port] = program[1] if program else "another program"
    return [f"port {port} is in use by {found[str(port)]}" for port in ports if str(port) in found]
