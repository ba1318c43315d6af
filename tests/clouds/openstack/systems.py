# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two root file systems, from Debian's packages: that of the cloud and that of its hosts."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import apt, disk, images
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.command import last_line, run
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError

SUITE = "bookworm"
CLOUD = (
    *("systemd-sysv", "dbus", "iproute2", "iputils-ping", "procps", "ca-certificates", "curl"),
    *("mariadb-server", "rabbitmq-server", "memcached", "python3-pymysql", "python3-memcache"),
    *("keystone", "glance-api", "placement-api"),
    *("nova-api", "nova-conductor", "nova-scheduler", "nova-compute", "nova-compute-lxc"),
    *("neutron-server", "neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent"),
    *("cinder-api", "cinder-scheduler", "cinder-volume"),
    *("libvirt-daemon-system", "libvirt-daemon-driver-lxc", "libvirt-clients", "qemu-utils"),
    *("dnsmasq-base", "iptables", "ipset", "conntrack", "iputils-arping", "genisoimage"),
)
# What the project's own local cloud puts into its nodes, what a cloud's image has besides, and what roles would install at run time. No dhclient:
# where cloud-init finds one it asks for an address before the network is up, and then often waits half a minute for that dhclient to end.
NODE = (
    *images.PACKAGES,
    *("cloud-init", "netbase", "iputils-ping", "curl", "rsync"),
    "openjdk-17-jre-headless",
    *("nftables", "wireguard-tools", "wireguard-go"),
)
# Units of no use in a container whose devices the cloud makes, or whose jobs hang there for ever.
MASKED = (
    *("systemd-networkd-wait-online.service", "systemd-timesyncd.service", "getty@tty1.service", "console-getty.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer"),
    *("systemd-udevd.service", "systemd-udev-trigger.service", "systemd-journald-audit.socket"),
    *("dev-mqueue.mount", "dev-hugepages.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount"),
    *("sys-fs-fuse-connections.mount", "proc-sys-fs-binfmt_misc.automount", "systemd-remount-fs.service"),
)
# Packages with large tests of their own.
TESTS = ("nova", "neutron", "cinder", "glance", "keystone", "placement", "os_vif", "os_brick", "neutron_lib")
BY_ID = Path(__file__).parent / "host/by_id.sh"
BY_ID_UNIT = """\
[Unit]
Description=Links to volumes by their serial number, as udev makes them elsewhere

[Service]
ExecStart=/usr/local/sbin/sky-by-id
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
SPARE_MIB = 96  # free space in the image: the flavor's disk is what a host gets
CLOUD_INIT = """\
datasource_list: [OpenStack, None]
datasource:
  OpenStack: {max_wait: 120, timeout: 10}
apt: {preserve_sources_list: true}
package_update: false
locale: false
manage_etc_hosts: true
resize_rootfs: false
growpart: {mode: "off"}
network: {config: disabled}
ssh_deletekeys: true
ssh_genkeytypes: [ed25519]
"""
NETWORKD = """\
[Match]
Name=e*

[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no

[DHCPv4]
UseMTU=yes
"""


@dataclass(frozen=True)
class Machine:
    """What of this machine goes into the file systems: how it gets packages, and who answers its questions for names."""

    sources: str
    settings: str
    resolvers: tuple[str, ...]

    @classmethod
    def here(cls) -> Machine:
        found = tuple(disk.resolvers([]))
        if not found:
            raise HostError("this machine's resolver is on loopback, where the cloud's hosts cannot reach it, and its real ones are not known")
        return cls(apt.sources(SUITE), apt.settings(), found)


def build_cloud(machine: Machine, work: Path) -> None:
    """The root file system of the cloud, as `work`/root."""
    hooks = work / "hooks"
    hooks.mkdir()
    # Packages byte-compile what they bring one after the other; it is done once, at the end, on all cores.
    before = _script(
        hooks / "before",
        'chroot "$1" dpkg-divert --quiet --local --rename --add /usr/bin/py3compile',
        'mkdir -p "$1/usr/bin" && ln -s /bin/true "$1/usr/bin/py3compile"',
    )
    after = _script(
        hooks / "after",
        'rm "$1/usr/bin/py3compile"',
        'chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/bin/py3compile',
        # some packages hold templates that are no Python: what does not compile is not imported either
        'chroot "$1" python3 -m compileall -q -j 0 /usr/lib/python3/dist-packages >/dev/null || true',
    )
    excluded = [f"--dpkgopt=path-exclude=/usr/lib/python3/dist-packages/{package}/tests/*" for package in TESTS]
    mmdebstrap(machine, work, CLOUD, [*excluded, f'--essential-hook={before} "$1"', f'--customize-hook={after} "$1"'])


def build_node(machine: Machine, work: Path) -> None:
    """The disk of a host, as `work`/node.raw."""
    mmdebstrap(machine, work, NODE, ["--dpkgopt=path-exclude=/usr/share/locale/*"])
    root = work / "root"
    _furnish_node(root, machine)
    used = int(run("du", "--summarize", "--block-size=1M", str(root)).split()[0])
    size = f"{used * 21 // 20 + SPARE_MIB}M"
    # features that the mke2fs of another release, or the kernel, may not know
    features = "^metadata_csum,^orphan_file,^64bit"
    run("mke2fs", "-q", "-t", "ext4", "-O", features, "-m", "0", "-L", "root", "-d", str(root), str(work / "node.raw"), size, timeout=300)
    run("rm", "-rf", str(root), timeout=300)


def _furnish_node(root: Path, machine: Machine) -> None:
    (root / "etc/cloud/cloud.cfg.d/90-sky.cfg").write_text(CLOUD_INIT)
    (root / "etc/systemd/network/80-sky.network").write_text(NETWORKD)
    (root / "etc/apt/apt.conf.d/80-sky").write_text(machine.settings)
    (root / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    resolver = root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.write_text("".join(f"nameserver {address}\n" for address in machine.resolvers))
    for name in ("etc/fstab", "etc/machine-id"):
        (root / name).write_text("")
    (root / "etc/hostname").unlink(missing_ok=True)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    program = root / "usr/local/sbin/sky-by-id"
    program.write_text(BY_ID.read_text())
    program.chmod(0o755)
    (root / "etc/systemd/system/sky-by-id.service").write_text(BY_ID_UNIT)
    run("systemctl", f"--root={root}", "--quiet", "enable", "systemd-networkd.service", "ssh.service", "sky-by-id.service")
    run("systemctl", f"--root={root}", "--quiet", "mask", *MASKED)
    given = root / "etc/apt/sources.list.d/0000debian.sources"  # mmdebstrap's name for the sources that it was given
    if given.exists():
        given.rename(given.with_name("debian.sources"))


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", "set -eu", *lines, "")))
    path.chmod(0o755)
    return path


def mmdebstrap(machine: Machine, work: Path, packages: tuple[str, ...], options: list[str]) -> None:
    sources = work / "debian.sources"
    sources.write_text(machine.sources)
    command = [
        # in name spaces of its own, and dying with us: however we end, no process and no mount of it is left
        *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--skip=check/empty"),
        *('--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io"),
        *("--dpkgopt=path-exclude=/usr/share/man/*/*", "--dpkgopt=path-exclude=/usr/share/doc/*"),
        *(f"--aptopt={line}" for line in machine.settings.splitlines()),
        *options,
        f"--include={','.join(packages)}",
        *(SUITE, str(work / "root")),
        # without sources of the machine's own, mmdebstrap's default is what serves
        *([str(sources)] if machine.sources else []),
    ]
    log = work / "log"
    with log.open("w") as out:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, check=False).returncode
    if code:
        said = log.read_text(errors="replace")
        errors = [line for line in said.splitlines() if line.startswith("E:") and "mmdebstrap failed" not in line]
        raise HostError(f"mmdebstrap failed: {errors[0] if errors else last_line(said)}", log="\n".join(said.splitlines()[-20:]))
