# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overlay on isolated clouds of namespaces: speed of a tunnel, beside that of OpenVPN, a peer more among few and among many, what an agent costs.

    python benchmarks/network.py [--nodes 40 1000]

Prints figures and asserts nothing. Needs root. The engine is Debian's wireguard-go; a kernel with WireGuard is several times as fast.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.benchmarks.figures import show
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._network import BLOCK
from ansible_collections.sky.clusters.tests.support.isolated_clouds import Lab, LabNode, find_programs, lab, run, until

SECONDS = 4.0
SERVE = """
import socket, sys, threading
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], 6001)); s.listen(64)
total = [0] * int(sys.argv[2])
def take(place):
    c, _ = s.accept()
    while d := c.recv(1 << 20): total[place] += len(d)
threads = [threading.Thread(target=take, args=(place,)) for place in range(len(total))]
[t.start() for t in threads]; [t.join() for t in threads]; print(sum(total))
"""
SEND = """
import socket, sys, threading, time
end = time.time() + float(sys.argv[3]); block = b'x' * (1 << 18)
def send():
    s = socket.create_connection((sys.argv[1], 6001))
    while time.time() < end: s.sendall(block)
    s.close()
threads = [threading.Thread(target=send) for _ in range(int(sys.argv[2]))]
[t.start() for t in threads]; [t.join() for t in threads]
"""


def spent(nodes: list[LabNode], program: str) -> float:
    """Processor seconds of a program on these nodes."""
    total = 0.0
    for node in nodes:
        fields = Path(f"/proc/{node.processes[program].pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def speed(one: LabNode, other: LabNode, address: str, streams: int, program: str = "engine") -> tuple[float, float]:
    """Gbit/s of so many streams, and the processor seconds a Gbit of what encrypts at both ends."""
    before = spent([one, other], program)
    words = ["ip", "netns", "exec", other.space, "python3", "-c", SERVE, address, str(streams)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as receiver:
        time.sleep(0.7)
        one("python3", "-c", SEND, address, str(streams), str(SECONDS))
        gbits = int(receiver.communicate()[0]) * 8 / 1e9
    return gbits / SECONDS, (spent([one, other], program) - before) / gbits


def tunnel(made: Lab) -> None:
    one, near, far = made.node("a1"), made.node("a2"), made.node("b1")
    until(lambda: one.pings(near.overlay) and one.pings(far.overlay), 40, "the nodes reach each other")
    for what, other, address in (("bare link", near, near.private), ("one cloud", near, near.overlay), ("through a gateway", far, far.overlay)):
        for streams in (1, 8):
            rate, cost = speed(one, other, address, streams)
            show(f"{what}, {streams} stream(s)", f"{rate:.2f} Gbit/s, {cost:.2f} processor s a Gbit")


OPENVPN = ("openvpn", "liblzo2-2", "libpkcs11-helper1", "libnl-genl-3-200", "libnl-3-200")
FAST = ("--cipher", "AES-128-GCM", "--data-ciphers", "AES-128-GCM", "--sndbuf", "2000000", "--rcvbuf", "2000000", "--txqueuelen", "1000", "--fast-io")


def openvpn(made: Lab) -> None:
    """The same link with what many sites used before."""
    root = find_programs(Path("~/.cache/sky-clusters/openvpn").expanduser(), OPENVPN)
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*")}))
    one, other = made.node("a1"), made.node("a2")
    prints = {node.name: certificate(node.folder) for node in (one, other)}
    for what, protocol, more in (("UDP, defaults", "udp", ()), ("UDP, tuned", "udp", FAST), ("TCP, defaults", "tcp", ())):
        for node, peer, side, ends in ((one, other, "server", ("10.77.0.1", "10.77.0.2")), (other, one, "client", ("10.77.0.2", "10.77.0.1"))):
            keys = ("--cert", str(node.folder / "vpn.crt"), "--key", str(node.folder / "vpn.pem"), "--peer-fingerprint", prints[peer.name])
            way = ("--proto", f"{protocol}-{side}" if protocol == "tcp" else protocol, "--remote", peer.private, "--port", "1194")
            role = ("--tls-server", "--dh", "none") if side == "server" else ("--tls-client",)
            words = ["env", f"LD_LIBRARY_PATH={libraries}", "openvpn", "--dev", "tun", "--ifconfig", *ends]
            node.start("openvpn", [*words, *keys, *way, *role, *more])
        until(lambda: one.pings("10.77.0.2"), 30, "OpenVPN connects")
        for streams in (1, 8):
            rate, cost = speed(one, other, "10.77.0.2", streams, "openvpn")
            show(f"OpenVPN, {what}, {streams} stream(s)", f"{rate:.2f} Gbit/s, {cost:.2f} processor s a Gbit")
        one.stop("openvpn")
        other.stop("openvpn")


def certificate(folder: Path) -> str:
    """Make a key and a certificate that its own key signed; its fingerprint."""
    words = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=node", "-days", "2")
    run("openssl", "req", "-x509", *words, "-keyout", str(folder / "vpn.pem"), "-out", str(folder / "vpn.crt"))
    return run("openssl", "x509", "-in", str(folder / "vpn.crt"), "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]


def others(count: int) -> list[dict[str, Any]]:
    """Nodes that are in the list and do not exist."""
    chance = random.Random(1)
    return [
        {
            "name": f"x{place}", "number": 20 * BLOCK + place, "cloud": "far", "address": "192.0.2.1", "addresses": ["192.0.2.1"], "pool": "x",
            "key": base64.b64encode(chance.randbytes(32)).decode(), "public": f"198.51.{100 + place // 250}.{place % 250 + 1}", "roles": [],
            "gateway": False, "server": False,
        }
        for place in range(count)
    ]  # fmt: skip


def peers(made: Lab, count: int) -> None:
    """A node more in the list, seen from all real nodes; the other nodes are only in the list."""
    real = made.content

    def content(without: tuple[str, ...] = ()) -> dict[str, Any]:
        found = real(without)
        return found | {"nodes": [*found["nodes"], *others(count + len(without))]}

    made.content = content  # type: ignore[method-assign]
    made.publish()
    took = until(lambda: all(node.state()["serial"] == made.serial for node in made.nodes), 120, "all follow")
    began_cpu = spent(made.nodes, "agent")
    made.publish(without=("a2",))  # one leaves, and another one comes
    living = [node for node in made.nodes if node.name != "a2"]
    more = until(lambda: all(node.state()["serial"] == made.serial for node in living), 60, "all follow")
    cost = (spent(made.nodes, "agent") - began_cpu) / len(made.nodes)
    made.publish()
    until(lambda: all(node.state()["serial"] == made.serial for node in made.nodes), 60, "all follow")
    show(
        f"{count} nodes in the list: all {len(made.nodes)} agents follow",
        f"{took:.1f} s; one node more: {more:.1f} s, {cost:.2f} processor s an agent",
    )
    before, began = spent(made.nodes, "agent"), time.monotonic()
    time.sleep(10)
    used = (spent(made.nodes, "agent") - before) / len(made.nodes) / (time.monotonic() - began) * 1000
    status = [Path(f"/proc/{node.processes['agent'].pid}/status").read_text() for node in made.nodes]
    memory = max(int(text.split("VmRSS:")[1].split()[0]) for text in status) / 1024
    show(f"{count} nodes in the list: an agent at rest", f"{used:.1f} ms of processor a second, at most {memory:.0f} MB")
    made.content = real  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, nargs="*", default=[40, 1000])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder), {"a": (1, 2), "b": (1, 1)}, "skyb") as made:
        made.start_all()
        tunnel(made)
        openvpn(made)
        for count in args.nodes:
            peers(made, count)
    show("engine", run("dpkg-query", "-W", "-f", "${Version}", "wireguard-go", check=False) or "wireguard-go, from its package")


if __name__ == "__main__":
    main()
