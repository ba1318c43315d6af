# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container that the cloud is: its root over layers that are never written to, started, spoken to and stopped."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import last_line, run, succeeds
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import mounts_below, remove_tree

from . import machine, places

ROOT = places.STATE / "root"
STARTED = places.STATE / "started.json"  # there once a cloud has been started from a golden layer: which, when
LOG = places.STATE / "lxc.log"
BOOT_SECONDS = 90
ENVIRONMENT = ("--clear-env", "-v", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "-v", "HOME=/root", "-v", "LC_ALL=C.UTF-8")
CONFIG = f"""\
lxc.uts.name = {places.CONTAINER}
lxc.rootfs.path = dir:{ROOT}
lxc.net.0.type = veth
lxc.net.0.link = {places.API_BRIDGE}
lxc.net.0.veth.pair = skyosv0
lxc.net.0.flags = up
lxc.net.0.ipv4.address = {places.API}/24
lxc.net.0.ipv4.gateway = {places.MACHINE}
lxc.net.1.type = veth
lxc.net.1.link = {places.OUTSIDE_BRIDGE}
lxc.net.1.veth.pair = skyosv1
lxc.net.1.flags = up
lxc.apparmor.profile = unconfined
lxc.cap.drop =
lxc.cgroup.devices.allow = a
lxc.mount.auto = cgroup:rw proc:rw sys:rw
lxc.tty.max = 1
lxc.pty.max = 1024
"""
# machined finds no host's process here, udevd gives the hosts' interfaces other addresses.
MASKED = (
    "systemd-machined.service",
    "systemd-sysctl.service",
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
)
# What packages start by themselves, and what configure.sh starts when it may.
DISABLED = (
    *("keystone", "glance-api", "placement-api", "nova-api", "nova-api-metadata", "nova-conductor", "nova-scheduler", "nova-compute"),
    *("neutron-api", "neutron-rpc-server", "neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent"),
    *("cinder-api", "cinder-scheduler", "cinder-volume", "mariadb", "rabbitmq-server", "memcached"),
    *("libvirtd", "libvirt-guests", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket", "virtlogd.socket", "virtlockd.socket"),
    *("haproxy", "keepalived", "radvd", "iscsid", "open-iscsi", "tgt", "rsync", "rtslib-fb-targetctl", "multipathd"),
    *("lxc", "lxc-net", "lxc-monitord"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap", "fstrim.timer"),
)
DEVICES_UNIT = """\
[Unit]
DefaultDependencies=no
Before=libvirtd.service sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/sky/devices.sh
[Install]
WantedBy=sysinit.target
"""


def running() -> bool:
    return succeeds("lxc-wait", "-P", str(places.STATE), "-n", places.CONTAINER, "-s", "RUNNING", "-t", "0")


def mount(lower: Sequence[Path], upper: Path) -> None:
    """Lay the root of the container: what is written goes to `upper`."""
    work = upper.with_name(f"{upper.name}.work")
    for folder in (upper, work, ROOT):
        folder.mkdir(parents=True, exist_ok=True)
    layers = ":".join(str(layer) for layer in lower)
    run("mount", "-t", "overlay", "sky-openstack", "-o", f"lowerdir={layers},upperdir={upper},workdir={work}", str(ROOT))


def furnish(files: Iterable[Path], secrets: str) -> None:
    """Make a container of the mounted root file system of packages, that will configure itself by these files."""
    place = ROOT / "root/sky"
    place.mkdir(mode=0o700)
    for file in files:
        (place / file.name).write_bytes(file.read_bytes())
    (place / "secrets.sh").write_text(secrets)
    (ROOT / "etc/hostname").write_text(f"{places.CONTAINER}\n")
    (ROOT / "etc/hosts").write_text(f"127.0.0.1 localhost\n{places.API} {places.CONTAINER}\n")
    (ROOT / "usr/share/dbus-1/system-services/org.freedesktop.machine1.service").unlink(missing_ok=True)
    (ROOT / "etc/systemd/system/sky-devices.service").write_text(DEVICES_UNIT)
    system = ("systemctl", f"--root={ROOT}", "--quiet")
    run(*system, "mask", *MASKED)
    for unit in DISABLED:  # one by one: those that a package has no longer are an error
        succeeds(*system, "disable", unit)
    run(*system, "enable", "sky-devices.service")


def start() -> None:
    """Start it, and wait until its systemd has done its part."""
    folder = places.STATE / places.CONTAINER
    folder.mkdir(exist_ok=True)
    (folder / "config").write_text(CONFIG)
    run("lxc-start", "-P", str(places.STATE), "-n", places.CONTAINER, "-d", "-o", str(LOG), "-l", "INFO")
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline:
        if succeeds(*_inside("systemctl", "list-units", "--no-legend", "dbus.service")):
            return
        time.sleep(0.2)
    raise HostError(f"the cloud's container did not start within {BOOT_SECONDS} s: see {LOG}")


def _inside(*words: str) -> list[str]:
    return ["lxc-attach", "-P", str(places.STATE), "-n", places.CONTAINER, *ENVIRONMENT, "--", *words]


def inside(*words: str, timeout: float = 300) -> str:
    """Run a program in the container and return what it printed."""
    done = subprocess.run(_inside(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise HostError(f"'{' '.join(words)}' in the cloud ended with {done.returncode}: {last_line(said)}", log=said)
    return done.stdout


def stop() -> None:
    """End it, and take its root away; whatever of it is there."""
    if running():
        run("lxc-stop", "-P", str(places.STATE), "-n", places.CONTAINER, "-k", timeout=120)
    for veth in ("skyosv0", "skyosv1"):
        if machine.exists(veth):  # the kernel takes it away by itself, a little later
            with contextlib.suppress(HostError):
                run("ip", "link", "delete", veth)
    machine.free_loops()
    for point in mounts_below(places.STATE):
        run("umount", point)


def remove() -> None:
    """Everything of a cloud, also of one that was half built or half started."""
    STARTED.unlink(missing_ok=True)
    stop()
    machine.restore()
    for entry in places.STATE.iterdir():
        remove_tree(entry) if entry.is_dir() else entry.unlink()
