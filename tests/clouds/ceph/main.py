# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Ceph for tests, in one container of this machine: up, down."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import ssl
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import run, succeeds
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import mounts_below, remove_tree, write, write_json
from ansible_collections.sky.clusters.tests.clouds.openstack import layers, systems
from ansible_collections.sky.clusters.tests.clouds.openstack.layers import Layer, digest
from ansible_collections.sky.clusters.tests.clouds.openstack.steps import say, step
from ansible_collections.sky.clusters.tests.support.state_folder import alone

HERE = Path(__file__).resolve().parent
STATE = Path("/var/lib/sky-clusters-ceph")  # of the one that runs; the folder itself is the lock of whoever starts or stops
ROOT = STATE / "root"
USE = STATE / "use.json"  # how it is used
CONTAINER = "sky-ceph"
# Named as the bridges of the local cloud are: its nodes reach the Ceph under their own addresses
BRIDGE, MACHINE, ADDRESS = "sky-ceph0", "10.75.0.1", "10.75.0.2"
PACKAGES = (
    *("systemd-sysv", "dbus", "iproute2", "procps", "ca-certificates", "openssl", "curl"),
    *("ceph", "ceph-mgr-modules-core", "ceph-mds", "radosgw", "rbd-fuse"),
)
POOL = "volumes"  # of block devices
FILE_SYSTEM, GROUP, SHARE, SHARE_MIB = "shared", "lab", "sky-data", 256
CONFIG = f"""\
lxc.uts.name = {CONTAINER}
lxc.rootfs.path = dir:{ROOT}
lxc.net.0.type = veth
lxc.net.0.link = {BRIDGE}
lxc.net.0.veth.pair = skycephv0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = {ADDRESS}/24
lxc.net.0.ipv4.gateway = {MACHINE}
lxc.apparmor.profile = unconfined
lxc.cap.drop =
lxc.mount.auto = cgroup:rw proc:rw sys:rw
lxc.tty.max = 1
"""
MASKED = ("systemd-udevd.service", "systemd-networkd-wait-online.service", "console-getty.service", "ceph-crash.service")
HEALTHY_SECONDS = 180


def cache() -> Path:
    chosen = os.environ.get("SKY_CACHE", "")
    return (Path(chosen) if chosen else Path.home() / ".cache/sky-clusters") / "ceph"


def layer() -> Layer:
    """The root file system."""
    here = systems.Machine.here()
    known = digest("ceph", here.sources, here.settings, list(PACKAGES), systems.SUITE)
    return Layer(cache(), "root", known, lambda work: systems.mmdebstrap(here, work, PACKAGES, []))


def running() -> bool:
    return succeeds("lxc-wait", "-P", str(STATE), "-n", CONTAINER, "-s", "RUNNING", "-t", "0")


def inside(*words: str, timeout: float = 120) -> str:
    """Run a program in the container and return what it printed."""
    environment = ("--clear-env", "-v", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "-v", "HOME=/root", "-v", "LC_ALL=C.UTF-8")
    return run("lxc-attach", "-P", str(STATE), "-n", CONTAINER, *environment, "--", *words, timeout=timeout)


def asked(*words: str) -> Any:
    """What Ceph says, as data."""
    return json.loads(inside(*words, "--format=json"))


def wait(what: str, holds: Callable[[], Any], seconds: float = HEALTHY_SECONDS) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(HostError, ValueError, subprocess.TimeoutExpired):
            if holds():
                return
        if time.monotonic() > end:
            raise HostError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.5)


def bridge() -> None:
    if not Path("/sys/class/net", BRIDGE).exists():
        run("ip", "link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
    run("ip", "address", "replace", f"{MACHINE}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def mount(base: Path) -> None:
    """Lay the root of the container; what is written goes to a folder of its own."""
    for folder in (STATE / "upper", STATE / "work", ROOT):
        folder.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={base / 'root'},upperdir={STATE / 'upper'},workdir={STATE / 'work'}"
    run("mount", "-t", "overlay", CONTAINER, "-o", options, str(ROOT))
    (ROOT / "root/configure.sh").write_bytes((HERE / "inside/configure.sh").read_bytes())
    (ROOT / "etc/hostname").write_text(f"{CONTAINER}\n")
    (ROOT / "etc/hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {CONTAINER}\n")
    (ROOT / "etc/machine-id").write_text("")
    run("systemctl", f"--root={ROOT}", "--quiet", "mask", *MASKED)


def start() -> None:
    folder = STATE / CONTAINER
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text(CONFIG)
    run("lxc-start", "-P", str(STATE), "-n", CONTAINER, "-d", "-o", str(STATE / "lxc.log"), "-l", "INFO")
    wait("its system starts", lambda: inside("systemctl", "list-units", "--no-legend", "dbus.service"), 60)


def users() -> dict[str, Any]:
    """A user of the object store, and how everything is used."""
    found = json.loads(inside("radosgw-admin", "user", "create", "--uid=sky", "--display-name=sky"))
    keys = found["keys"][0]
    write(STATE / "ca.pem", inside("cat", "/etc/ceph/ca.pem"))
    s3 = {"endpoint": f"https://{ADDRESS}:7443", "ca": str(STATE / "ca.pem"), **{key: keys[key] for key in ("access_key", "secret_key")}}
    return {"s3": s3, "cephfs": {"name": FILE_SYSTEM, **share(SHARE)}}


def share(name: str) -> dict[str, str]:
    """A folder of CephFS with a size, and a client of its name that may use this folder only and cannot see the objects of others."""
    group = ("--group_name", GROUP)
    if GROUP not in [found["name"] for found in asked("ceph", "fs", "subvolumegroup", "ls", FILE_SYSTEM)]:
        inside("ceph", "fs", "subvolumegroup", "create", FILE_SYSTEM, GROUP)
    inside("ceph", "fs", "subvolume", "create", FILE_SYSTEM, name, *group, "--size", str(SHARE_MIB << 20), "--mode", "1777", "--namespace-isolated")
    inside("ceph", "fs", "subvolume", "authorize", FILE_SYSTEM, name, name, *group, "--access_level=rw")
    path = inside("ceph", "fs", "subvolume", "getpath", FILE_SYSTEM, name, *group).strip()
    return {"export": f"{ADDRESS}:6789:{path}", "client": name, "key": asked("ceph", "auth", "get-key", f"client.{name}")["key"]}


def revoke(name: str) -> None:
    """Take the right to use a folder from its client, and end what the client has open."""
    inside("ceph", "fs", "subvolume", "deauthorize", FILE_SYSTEM, name, name, "--group_name", GROUP)
    evict(name)


def evict(name: str) -> None:
    """Shut a client out that has the folder of its name mounted."""
    inside("ceph", "fs", "subvolume", "evict", FILE_SYSTEM, name, name, "--group_name", GROUP)


@contextlib.contextmanager
def image(name: str, gib: int) -> Iterator[Path]:
    """A block device of Ceph as a file of this machine, by the program that Ceph has for this; deleted afterwards."""
    inside("rbd", "create", f"{POOL}/{name}", "--size", f"{gib}G")
    folder, device = ROOT / "mnt", ROOT / "dev/fuse"
    if not device.exists():
        os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(10, 229))
    run("chroot", str(ROOT), "rbd-fuse", "-c", "/etc/ceph/ceph.conf", "-p", POOL, "/mnt")
    try:
        yield folder / name
    finally:
        run("umount", str(folder))
        wait("nobody uses the image", lambda: asked("rbd", "status", f"{POOL}/{name}")["watchers"] == [], 60)
        inside("rbd", "remove", "--no-progress", f"{POOL}/{name}")


def used(name: str) -> int:
    """Bytes that Ceph keeps of an image."""
    (found,) = asked("rbd", "disk-usage", f"{POOL}/{name}")["images"]
    return int(found["used_size"])


def make_bucket(name: str) -> None:
    """A bucket of the user of the object store; one that the user owns already is left as it is."""
    use = json.loads(USE.read_text())["s3"]
    request = urllib.request.Request(f"{use['endpoint']}/{name}", method="PUT", headers=signed(use, f"/{name}", time.gmtime()))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=use["ca"]))
    )
    with opener.open(request, timeout=30):
        pass


def signed(use: Mapping[str, str], path: str, now: time.struct_time) -> dict[str, str]:
    """The headers that sign a request without a body (AWS signature, version 4)."""
    day, moment = time.strftime("%Y%m%d", now), time.strftime("%Y%m%dT%H%M%SZ", now)
    empty, scope = hashlib.sha256().hexdigest(), f"{day}/default/s3/aws4_request"
    headers = {"host": use["endpoint"].partition("://")[2], "x-amz-content-sha256": empty, "x-amz-date": moment}
    names = ";".join(headers)
    canonical = "\n".join(["PUT", path, "", *(f"{name}:{value}" for name, value in headers.items()), "", names, empty])
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{use['secret_key']}".encode()
    for word in (*scope.split("/"), text):
        key = hmac.digest(key, word.encode(), "sha256")
    credential = f"AWS4-HMAC-SHA256 Credential={use['access_key']}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
    return headers | {"Authorization": credential}


def up() -> None:
    with alone(STATE):
        if running() and USE.exists():
            bridge()
        else:
            remove()
            made = layer()
            layers.clear(cache())
            say(f"{made.ensure():6.1f} s  root file system")
            with step("container started"):
                bridge()
                mount(made.folder)
                start()
            with step("Ceph made"):
                inside("bash", "/root/configure.sh", ADDRESS, timeout=300)
            with step("Ceph healthy"):
                wait("all of it is up", lambda: asked("ceph", "osd", "stat")["num_up_osds"] == 3)
                wait("the gateway answers", lambda: inside("curl", "-sf", "--cacert", "/etc/ceph/ca.pem", f"https://{ADDRESS}:7443"))
                wait("it is healthy", lambda: asked("ceph", "health")["status"] == "HEALTH_OK")
            write_json(USE, users())
            USE.chmod(0o600)
    print(f"# how it is used, for root: {USE}\nlxc-attach -P {STATE} -n {CONTAINER} -- ceph status")


def remove() -> None:
    """Everything of it, also of one that was half started."""
    USE.unlink(missing_ok=True)
    if running():
        run("lxc-stop", "-P", str(STATE), "-n", CONTAINER, "-k", timeout=120)
    for point in mounts_below(STATE):
        run("umount", point)
    if Path("/sys/class/net", BRIDGE).exists():
        run("ip", "link", "delete", BRIDGE)
    for entry in STATE.iterdir():
        remove_tree(entry) if entry.is_dir() else entry.unlink()


def down(cached: bool) -> None:
    with alone(STATE):
        remove()
        if cached and cache().is_dir():
            remove_tree(cache())


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/clouds/ceph/", description=__doc__)
    parser.add_argument("what", choices=("up", "down"))
    parser.add_argument("--cache", action="store_true", help="down: also what was built")
    given = parser.parse_args(words)
    if os.geteuid():
        say("the test Ceph is a container with a network of its own: run this as root")
        return 1
    try:
        down(given.cache) if given.what == "down" else up()
    except HostError as error:
        say(f"tests/clouds/ceph/{given.what}: {error}")
        say(error.log)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
