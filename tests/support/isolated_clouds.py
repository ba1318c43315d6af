# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clouds that are isolated as real ones are, of network namespaces on this machine: all have the same private network, outside addresses exist for
public nodes only, everything else goes out through symmetric address translation, and ports drop packets whose sender is not theirs (port security).

Their nodes run the agent and wireguard-go as real nodes do. Each node's files are in a folder of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import AGENT_PORT, BLOCK, FORWARDED, FORWARDED_PORTS
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _list
from ansible_collections.sky.clusters.plugins.plugin_utils._ruleset import ruleset
from ansible_collections.sky.clusters.tests.support import tree

AGENT = tree.ROOT / "plugins/module_utils/_nodes/_agent"
PRIVATE = "192.168.0"  # the network of every cloud
RANGE = "10.99.0.0/16"
PORT = 51820


def run(*words: str, stdin: str = "", check: bool = True) -> str:
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(words)}: {done.stderr or done.stdout}")
    return done.stdout


PACKAGES = ("wireguard-tools", "wireguard-go", "iputils-ping")  # what nodes have and this machine need not


def find_programs(folder: Path, packages: Sequence[str] = PACKAGES) -> Path:
    """Put programs on the path, from their packages, which are unpacked to the folder that is returned; nothing is installed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two processes of pytest may need them at once
        if not folder.is_dir():
            _unpack(packages, folder)
    places = [str(folder / "root" / place) for place in ("usr/bin", "bin", "usr/sbin")]
    os.environ["PATH"] = ":".join([*places, os.environ["PATH"]])
    return folder / "root"


def _unpack(packages: Sequence[str], folder: Path) -> None:
    """The files of packages, or nothing."""
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    new.mkdir()
    subprocess.run(["apt-get", "-qq", "download", *packages], cwd=new, check=True, capture_output=True, timeout=120)
    for package in new.glob("*.deb"):
        run("dpkg", "-x", str(package), str(new / "root"))
    new.rename(folder)


# Gives packets back after a while: the kernels of test machines lack netem. Arguments: device, seconds.
LATER = """
import collections, fcntl, os, select, struct, sys, time
tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", sys.argv[1].encode(), 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
os.system(f"ip link set {sys.argv[1]} up txqueuelen 5000")
print("ready", flush=True)
waiting = collections.deque()
while True:
    now = time.monotonic()
    while waiting and waiting[0][0] <= now:
        os.write(tun, waiting.popleft()[1])
    if not select.select([tun], [], [], max(0, waiting[0][0] - now) if waiting else None)[0]:
        continue
    try:
        for _ in range(64):
            waiting.append((time.monotonic() + float(sys.argv[2]), os.read(tun, 65536)))
    except BlockingIOError:
        pass
"""


@dataclass
class LabNode:
    """One node: a network namespace, and the programs that a node runs."""

    cloud: LabCloud
    name: str
    number: int
    host: int
    public: str = ""
    folder: Path = Path()
    mac: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def space(self) -> str:
        return f"{self.cloud.lab.prefix}{self.name}"

    @property
    def private(self) -> str:
        return f"{PRIVATE}.{self.host}"

    @property
    def overlay(self) -> str:
        return f"10.99.{self.number // BLOCK}.{self.number % BLOCK}"

    def __call__(self, *words: str, stdin: str = "", check: bool = True) -> str:
        return run("ip", "netns", "exec", self.space, *words, stdin=stdin, check=check)

    def inside(self, *words: str) -> str:
        """Run a command with the files that the node's agent sees."""
        return run("nsenter", "-t", str(self.processes["agent"].pid), "-m", "-n", *words)

    def start(self, name: str, command: list[str]) -> None:
        """Run a program with the node's own sockets and state in the place where it looks for them."""
        script = f'mount --bind {self.folder}/run /run; exec "$@"'
        words = ["ip", "netns", "exec", self.space, "unshare", "--mount", "sh", "-c", script, "sh", *command]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_engine(self) -> None:
        self.start("engine", ["wireguard-go", "-f", "sky0"])

    def start_agent(self) -> None:
        self.start("agent", ["python3", "-m", "sky_network._agent", str(self.folder / "agent.json")])

    def die(self) -> None:
        """The machine is gone: its port is cut, then its programs end."""
        run("ip", "-n", self.cloud.switch, "link", "set", f"p{self.host}", "down")
        for name in list(self.processes):
            self.stop(name)

    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "run/sky-network/state.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def log(self) -> str:
        return (self.folder / "agent.log").read_text() if (self.folder / "agent.log").exists() else ""

    def pings(self, other: str, *, count: int = 1, size: int = 56) -> bool:
        return " 0% packet loss" in self("ping", "-q", "-c", str(count), "-W", "2", "-M", "do", "-s", str(size), other, check=False)


@dataclass
class LabCloud:
    """One cloud: a switch with port security, and a router with address translation."""

    lab: Lab
    name: str
    index: int
    nodes: list[LabNode] = field(default_factory=list)

    @property
    def switch(self) -> str:
        return f"{self.lab.prefix}{self.name}sw"

    @property
    def router(self) -> str:
        return f"{self.lab.prefix}{self.name}r"

    @property
    def outside(self) -> str:
        """The network of its outside addresses."""
        return f"10.200.{self.index}.0/24"

    def port(self, space: str, name: str, address: str, device: str = "eth0") -> None:
        run("ip", "link", "add", name, "netns", self.switch, "type", "veth", "peer", "name", device, "netns", space)
        run("ip", "-n", self.switch, "link", "set", name, "master", "br0", "up")
        run("ip", "-n", space, "address", "add", f"{address}/24", "dev", device)
        run("ip", "-n", space, "link", "set", device, "up")

    def build(self) -> None:
        for space in (self.switch, self.router):
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
        run("ip", "-n", self.switch, "link", "add", "br0", "type", "bridge", "forward_delay", "0")
        run("ip", "-n", self.switch, "link", "set", "br0", "up")
        self.port(self.router, "router", f"{PRIVATE}.1", "in0")
        middle, far = self.lab.internet, f"c{self.name}"
        run("ip", "link", "add", far, "netns", middle, "type", "veth", "peer", "name", "out0", "netns", self.router)
        run("ip", "-n", middle, "address", "add", f"10.200.{self.index}.254/24", "dev", far)
        run("ip", "-n", middle, "link", "set", far, "up")
        run("ip", "-n", self.router, "address", "add", f"10.200.{self.index}.1/24", "dev", "out0")
        run("ip", "-n", self.router, "link", "set", "out0", "up")
        run("ip", "-n", self.router, "route", "add", "default", "via", f"10.200.{self.index}.254")
        run("ip", "netns", "exec", self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, name: str, number: int, host: int, *, public: bool) -> LabNode:
        node = LabNode(self, name, number, host, f"10.200.{self.index}.{host}" if public else "", self.lab.folder / name)
        (node.folder / "run/sky-network").mkdir(parents=True)
        run("ip", "netns", "add", node.space)
        run("ip", "-n", node.space, "link", "set", "lo", "up")
        self.port(node.space, f"p{host}", node.private)
        run("ip", "-n", node.space, "route", "add", "default", "via", f"{PRIVATE}.1")
        node.mac = run("ip", "netns", "exec", node.space, "cat", "/sys/class/net/eth0/address").strip()
        if public:
            run("ip", "-n", self.router, "address", "add", f"{node.public}/32", "dev", "out0")
        self.nodes.append(node)
        self.guard()
        return node

    def guard(self) -> None:
        """Port security, and the router's translation, for the nodes as they are."""
        rules = [f'iifname "p{node.host}" ip saddr != {node.private} counter drop' for node in self.nodes]
        rules += [f'iifname "p{node.host}" arp saddr ip != {node.private} counter drop' for node in self.nodes]
        rules += [f'oifname "p{node.host}" ether daddr {node.mac} ip daddr != {node.private} counter drop' for node in self.nodes]
        text = "add table bridge ps\ndelete table bridge ps\ntable bridge ps { chain f { type filter hook forward priority 0; policy accept;\n"
        run("ip", "netns", "exec", self.switch, "nft", "-f", "-", stdin=text + "\n".join(rules) + "\n}\n}\n")
        public = [node for node in self.nodes if node.public]
        inwards = "\n".join(f"ip daddr {node.public} dnat to {node.private}" for node in public)
        outwards = "\n".join(f"ip saddr {node.private} oifname out0 snat to {node.public}" for node in public)
        router = f"""add table ip nat
delete table ip nat
add table ip fw
delete table ip fw
table ip nat {{
 chain pre {{ type nat hook prerouting priority dstnat;
{inwards}
 }}
 chain post {{ type nat hook postrouting priority srcnat;
{outwards}
oifname out0 masquerade fully-random
 }}
}}
table ip fw {{
 chain f {{ type filter hook forward priority 0; policy drop;
ct state established,related accept
iifname in0 accept
ct status dnat accept
 }}
}}
"""
        run("ip", "netns", "exec", self.router, "nft", "-f", "-", stdin=router)

    def dropped(self) -> int:
        """Packets that port security has dropped."""
        text = run("ip", "netns", "exec", self.switch, "nft", "list", "table", "bridge", "ps")
        return sum(int(line.split("packets ")[1].split()[0]) for line in text.splitlines() if "packets" in line)


@dataclass
class Lab:
    """Some clouds, what connects them, and the list of their nodes."""

    folder: Path
    prefix: str = "sky"
    clouds: dict[str, LabCloud] = field(default_factory=dict)
    serial: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    inside: str = "encrypted"
    between: str = "forwarded"

    @property
    def internet(self) -> str:
        return f"{self.prefix}net"

    @property
    def nodes(self) -> list[LabNode]:
        return [node for cloud in self.clouds.values() for node in cloud.nodes]

    def node(self, name: str) -> LabNode:
        return next(node for node in self.nodes if node.name == name)

    def build(self, clouds: Mapping[str, tuple[int, int]]) -> None:
        """Make the clouds, each with so many public nodes and so many others."""
        run("ip", "netns", "add", self.internet)
        run("ip", "-n", self.internet, "link", "set", "lo", "up")
        run("ip", "netns", "exec", self.internet, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        package = self.folder / "lib/sky_network"
        package.parent.mkdir(parents=True)
        package.symlink_to(AGENT)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / "sign.key"))
        for index, (name, (public, others)) in enumerate(clouds.items()):
            cloud = self.clouds[name] = LabCloud(self, name, index)
            cloud.build()
            for place in range(public + others):
                cloud.add(f"{name}{place}", index * BLOCK + place + 1, 11 + place, public=place < public)

    @property
    def server(self) -> LabNode:
        """The node that serves the list: the first one without a public address."""
        return next(node for node in self.nodes if not node.public)

    @property
    def overlay(self) -> dict[str, Any]:
        return {"range": RANGE, "port": PORT, "inside": self.inside, "between": self.between}

    def content(self, without: tuple[str, ...] = ()) -> dict[str, Any]:
        first = self.server.name
        members = [
            dataclasses.asdict(
                _list.Member(
                    node.name, node.number, node.cloud.name, node.private, self.keys.get(node.name, ""), (node.private,), node.public, "pool", (),
                    gateway=bool(node.public), server=node.name == first,
                )
            )
            for node in self.nodes
            if node.name not in without
        ]  # fmt: skip
        return {
            "format": _list.FORMAT, "cluster": "lab", "serial": self.serial, "port": AGENT_PORT, "block": BLOCK, "forwarded": FORWARDED,
            "forwarded_ports": FORWARDED_PORTS, "overlay": self.overlay, "nodes": members, "users": [],
            "names": {"service.lab": first},
        }  # fmt: skip

    def sign(self, without: tuple[str, ...] = ()) -> str:
        """The next list."""
        self.serial += 1
        return _list.sign(json.dumps(self.content(without)), self.folder / "sign.key").plain()

    def make_keys(self) -> None:
        for node in self.nodes:
            if node.name not in self.keys:
                private = run("wg", "genkey")
                key = node.folder / "private.key"
                key.write_text(private)
                key.chmod(0o600)
                self.keys[node.name] = run("wg", "pubkey", stdin=private).strip()

    def start(self, node: LabNode, data: str) -> None:
        signer = " ".join((self.folder / "sign.key.pub").read_text().split()[:2])
        (node.folder / "list.json").write_text(data)
        config = {
            "name": node.name, "signer": signer, "kernel": False, "key_file": str(node.folder / "private.key"),
            "list_file": str(node.folder / "list.json"), "state_file": "/run/sky-network/state.json",
            "hosts_file": str(node.folder / "hosts"), "ruleset": str(node.folder / "firewall.nft"), "sets_file": str(node.folder / "sets.nft"),
        }  # fmt: skip
        (node.folder / "agent.json").write_text(json.dumps(config))
        node.start_engine()
        node.start_agent()

    def load_firewalls(self, rules: list[dict[str, Any]], nodes: Sequence[LabNode] = (), admin: Sequence[str] = ("192.0.2.0/24",)) -> None:
        """These nodes, by default all, get their firewall; their agents fill its sets."""
        counted = [rule | {"counter": f"rule_{place}"} for place, rule in enumerate(rules)]
        for node in nodes or self.nodes:
            text = ruleset({"overlay": self.overlay, "admin": list(admin), "gateway": bool(node.public), "rules": counted})
            (node.folder / "firewall.nft").write_text(text)
            node("nft", "-f", str(node.folder / "firewall.nft"))

    def start_all(self) -> None:
        self.make_keys()
        data = self.sign()
        os.environ["PYTHONPATH"] = str(self.folder / "lib")
        for node in self.nodes:
            self.start(node, data)

    def publish(self, without: tuple[str, ...] = ()) -> None:
        """A new list, put where a run of the collection would write it: on the node that serves it."""
        server = self.server
        _list.write(server.folder / "list.json", self.sign(without))
        server("python3", "-c", f"import socket; socket.socket(2, 2).sendto(b'look', ('127.0.0.1', {AGENT_PORT}))")

    @contextlib.contextmanager
    def far(self, cloud: str, seconds: float) -> Iterator[None]:
        """A cloud is so far away while this is open, in each direction."""
        inside = ("ip", "netns", "exec", self.internet)
        with subprocess.Popen([*inside, "python3", "-c", LATER, "later0", str(seconds)], stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                process.stdout.readline()
                for name in ("all", "later0"):  # packets come back from where they do not belong
                    run(*inside, "sysctl", "-qw", f"net.ipv4.conf.{name}.rp_filter=0")
                run("ip", "-n", self.internet, "route", "add", "default", "dev", "later0", "table", "7")
                rules = (
                    ("iif", "later0", "lookup", "main"),
                    ("iif", f"c{cloud}", "lookup", "7"),
                    ("to", self.clouds[cloud].outside, "lookup", "7"),
                )
                for place, rule in enumerate(rules):
                    run("ip", "-n", self.internet, "rule", "add", "priority", str(100 + place), *rule)
                yield
            finally:
                for place in range(3):
                    run("ip", "-n", self.internet, "rule", "del", "priority", str(100 + place), check=False)
                process.kill()

    def remove(self) -> None:
        for node in self.nodes:
            for name in list(node.processes):
                node.stop(name)
        for line in run("ip", "netns", "list").splitlines():
            space = line.split()[0]
            if space.startswith(self.prefix):
                run("ip", "netns", "delete", space, check=False)


@contextlib.contextmanager
def lab(folder: Path, clouds: Mapping[str, tuple[int, int]], prefix: str = "skyl") -> Iterator[Lab]:
    """Clouds that are there while this is open."""
    find_programs(Path("~/.cache/sky-clusters/lab").expanduser())
    made = Lab(folder, prefix)
    made.remove()
    try:
        made.build(clouds)
        yield made
    finally:
        made.remove()


def until(true: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is true; the seconds that it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began
