# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody outside with a WireGuard key, in a namespace of their own behind this machine."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.isolated_clouds import run, until

LINK = "sky-guest"  # the zones of local clouds let in what comes from interfaces of such names
SPACE = "skyguest"
ENGINE = Path("/var/run/wireguard/skyg0.sock")
RULES = """\
add table ip sky_guest
add chain ip sky_guest p { type nat hook postrouting priority srcnat; }
add rule ip sky_guest p ip saddr 10.77.7.0/24 masquerade
"""


@contextlib.contextmanager
def guest(folder: Path, profile: Mapping[str, str]) -> Iterator[Callable[[str], bool]]:
    """Connect with a profile; yields whether an address answers. Needs wireguard-go and wg on the path (isolated_clouds.find_programs)."""
    run("ip", "netns", "add", SPACE)
    run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", SPACE)
    try:
        run("ip", "address", "add", "10.77.7.1/24", "dev", LINK)
        run("ip", "link", "set", LINK, "up")
        run("ip", "-n", SPACE, "address", "add", "10.77.7.2/24", "dev", "eth0")
        run("ip", "-n", SPACE, "link", "set", "eth0", "up")
        run("ip", "-n", SPACE, "route", "add", "default", "via", "10.77.7.1")
        run("nft", "-f", "-", stdin=RULES)
        with _engine():
            _connect(folder, profile)
            yield lambda address: " 0% packet loss" in run("ip", "netns", "exec", SPACE, "ping", "-q", "-c1", "-W2", address, check=False)
    finally:
        run("ip", "netns", "delete", SPACE, check=False)
        run("ip", "link", "delete", LINK, check=False)
        run("nft", "delete", "table", "ip", "sky_guest", check=False)


@contextlib.contextmanager
def _engine() -> Iterator[None]:
    ENGINE.unlink(missing_ok=True)  # one that was killed leaves it
    words = ["ip", "netns", "exec", SPACE, "wireguard-go", "-f", "skyg0"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
        try:
            until(ENGINE.exists, 10, "the guest's interface")
            yield
        finally:
            engine.kill()


def _connect(folder: Path, profile: Mapping[str, str]) -> None:
    key = folder / "guest.key"
    key.write_text(profile["PrivateKey"], encoding="ascii")
    peer = ["peer", profile["PublicKey"], "endpoint", profile["Endpoint"], "allowed-ips", profile["AllowedIPs"], "persistent-keepalive", "5"]
    run("ip", "netns", "exec", SPACE, "wg", "set", "skyg0", "private-key", str(key), *peer)
    run("ip", "-n", SPACE, "address", "add", profile["Address"], "dev", "skyg0")
    run("ip", "-n", SPACE, "link", "set", "skyg0", "mtu", "1280", "up")
    run("ip", "-n", SPACE, "route", "add", profile["AllowedIPs"], "dev", "skyg0")
