# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The translations of the local cloud: control groups, package sources, resolvers, LXC's configuration, rules."""

from __future__ import annotations

import ipaddress
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host import apt, check, config, disk, locks, loops, network, records, volumes
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.cgroups import Layout
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.errors import HostError
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.files import locked, sweep, write_json
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.places import NodePlace, Zone
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.processes import Process
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.records import NodeRecord

SECOND = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
FIRST = """\
30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
34 30 0:30 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices
35 30 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
"""
MIXED = SECOND.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ") + "32 30 0:28 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices\n"
ZONE = Zone("lab", Path("/state"), ipaddress.IPv4Network("10.90.0.0/24"))


@pytest.mark.parametrize(
    ("mounts", "limits", "device", "group"),
    [
        (SECOND, ["lxc.cgroup2.cpuset.cpus = 0,3", "lxc.cgroup2.memory.max = 512M"], "lxc.cgroup2.devices.allow", "/sys/fs/cgroup/sky.lab/n"),
        (
            FIRST,
            ["lxc.cgroup.cpuset.cpus = 0,3", "lxc.cgroup.memory.limit_in_bytes = 512M"],
            "lxc.cgroup.devices.allow",
            "/sys/fs/cgroup/cpuset/sky.lab/n",
        ),
        (MIXED, ["lxc.cgroup2.cpuset.cpus = 0,3", "lxc.cgroup2.memory.max = 512M"], "lxc.cgroup.devices.allow", "/sys/fs/cgroup/unified/sky.lab/n"),
    ],
    ids=["version 2", "version 1", "each for some"],
)
def test_limits_speak_the_machines_version_of_control_groups(mounts: str, limits: list[str], device: str, group: str) -> None:
    layout = Layout.of(mounts)
    assert [f"{key} = {value}" for key, value in layout.limits([0, 3], 512)] == limits
    assert layout.device("b 7:1 rwm") == (device, "b 7:1 rwm")
    assert str(layout.group(ZONE, "n")) == group


def record(**more: Any) -> NodeRecord:
    known: dict[str, Any] = {
        "mark": "sky/1 me a p 0",
        "id": "1",
        "created": "",
        "flavor": "small",
        "image": "debian-12",
        "base": "b",
        "cores": 1,
        "memory": 512,
    }
    return NodeRecord(**known | {"address": "10.90.0.7", "mac": "02:00:00:00:00:07", "cpus": [1], "user": "root"} | more)


def test_configuration_of_a_node() -> None:
    place = NodePlace(ZONE, "a-p-0")
    text = config.config(place, record(extra={"lxc.environment": ["A=1", "B=2"]}), Path("/images/x"), Layout.of(SECOND), {"data": "/dev/null"})
    lines = text.splitlines()
    for wanted in (
        "lxc.rootfs.path = overlay:/images/x:/state/lab/nodes/a-p-0/disk/upper",
        "lxc.net.0.link = sky-lab",
        "lxc.net.0.ipv4.address = 10.90.0.7/24",
        "lxc.net.0.ipv4.gateway = 10.90.0.1",
        "lxc.cgroup.dir.container = sky.lab/a-p-0",
        "lxc.cgroup2.devices.allow = c 10:200 rwm",
        "lxc.cgroup2.devices.allow = b 1:3 rwm",
        "lxc.environment = A=1",
        "lxc.environment = B=2",
    ):
        assert wanted in lines, text
    assert not any(line.startswith("lxc.cgroup.") and ".dir." not in line for line in lines)


def test_devices_of_a_node() -> None:
    script = config.devices({"data": "/dev/null"})
    assert "[ -e sky/data ] || mknod -m 0660 sky/data b 1 3" in script
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0


def test_names_fit_their_places() -> None:
    zone = Zone("z" * 8, Path("/state"), ZONE.network)
    assert len(zone.bridge) <= 15 and len(zone.veth("x" * 60)) <= 15
    assert zone.veth("a") != zone.veth("b") and zone.mac("a") != zone.mac("b") and zone.mac("a").startswith("02:")


DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://apt.example.com/engine
Suites: bookworm
Components: stable
Signed-By: /etc/apt/keyrings/engine.asc

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main
"""


def folder(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / name.replace("__", ".").replace("_in_", "/")).write_text(text)
    return tmp_path


def test_the_machines_own_mirror_serves_its_nodes(tmp_path: Path) -> None:
    found = apt.sources("bookworm", folder(tmp_path, **{"sources.list.d_in_debian__sources": DEB822}))
    assert found == (
        "Types: deb\nURIs: http://mirror.example.org/debian\nSuites: bookworm bookworm-updates\nComponents: main contrib\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_one_line_sources(tmp_path: Path) -> None:
    text = (
        "deb [trusted=yes arch=amd64] http://m.example.org/debian bookworm main non-free # ours\n"
        "deb-src http://m.example.org/debian bookworm main\n"
        "deb cdrom:[Debian]/ bookworm main\n"
        "deb http://third.example.org/x bookworm stable\n"
        "deb http://security.example.org bookworm-security main\n"
    )
    found = apt.sources("bookworm", folder(tmp_path, sources__list=text)).split("\n\n")
    assert [stanza.splitlines()[1] for stanza in found] == ["URIs: http://m.example.org/debian", "URIs: http://security.example.org"]
    assert "Trusted: yes" in found[0]


def test_a_machine_of_another_system_has_no_source_of_its_own(tmp_path: Path) -> None:
    assert apt.sources("bookworm", folder(tmp_path, sources__list="deb http://archive.example.org/ubuntu noble main\n")) == ""


def test_the_machines_proxy_serves_its_nodes() -> None:
    dump = (
        'Acquire "";\nAcquire::http "";\nAcquire::http::Proxy "http://proxy.example.org:3142";\n'
        'Acquire::http::Proxy-Auto-Detect "/usr/bin/find";\nAcquire::Languages "none";\nAcquire::Retries "3";\n'
    )
    assert apt.settings(dump) == 'Acquire::http::Proxy "http://proxy.example.org:3142";\nAcquire::Retries "3";\n'


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["nameserver 192.0.2.53\nsearch example.org\n"], ["192.0.2.53"]),
        (["nameserver 127.0.0.53\n", "# real\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"], ["192.0.2.1", "192.0.2.2"]),
        (["nameserver 127.0.0.1\n", ""], []),
        (["nameserver ::1\nnameserver 2001:db8::53\n"], ["2001:db8::53"]),
    ],
)
def test_resolvers_are_real_ones(texts: list[str], found: list[str]) -> None:
    assert disk.resolvers([], texts) == found
    assert disk.resolvers(["192.0.2.99"], texts) == ["192.0.2.99"]


def image(tmp_path: Path) -> Path:
    root = tmp_path / "image"
    (root / "etc").mkdir(parents=True)
    (root / "root").mkdir(mode=0o700)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nold:x:1000:1000::/home/old:/bin/sh\n")
    for name in ("group", "shadow", "gshadow"):
        (root / "etc" / name).write_text("root:x:0:\n")
    return root


@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users are made by root")
def test_a_user_who_may_become_root(tmp_path: Path) -> None:
    upper = tmp_path / "upper"
    own = disk.Disk(upper, image(tmp_path))
    account = disk.ensure_user(own, "admin")
    disk.authorise(own, account, ["ssh-ed25519 AAAA me"])
    assert (account.uid, account.home) == (1001, "/home/admin")
    assert own.read("etc/passwd").splitlines()[-1] == "admin:x:1001:1001::/home/admin:/bin/bash"
    assert own.read("etc/shadow").splitlines()[-1].startswith("admin:*:")
    keys = upper / "home/admin/.ssh/authorized_keys"
    assert (keys.stat().st_uid, keys.stat().st_mode & 0o777) == (1001, 0o600)
    assert (upper / "etc/sudoers.d/90-sky-admin").stat().st_mode & 0o777 == 0o440
    assert disk.ensure_user(own, "root").home == "/root"
    assert own.folder("root").stat().st_mode & 0o777 == 0o700, "the image's mode is kept"


def rule(table: str, chain: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": table, "chain": chain, "expr": list(parts)}}


def chain(hook: str, policy: str = "accept", table: str = "filter") -> dict[str, Any]:
    return {"chain": {"family": "inet", "table": table, "name": hook, "type": "filter", "hook": hook, "policy": policy}}


def bridge_is(name: str) -> dict[str, Any]:
    return {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": name}}


ESTABLISHED = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}


@pytest.mark.parametrize(
    ("objects", "count"),
    [
        ([], 0),
        ([chain("forward")], 0),
        ([chain("forward", "drop")], 1),
        ([chain("forward", "drop", table="sky_other")], 0),
        ([chain("forward", "drop"), rule("filter", "forward", bridge_is("sky-lab"), {"accept": None})], 0),
        ([chain("forward", "drop"), rule("filter", "forward", bridge_is("sky-*"), {"accept": None})], 0),
        ([chain("forward", "drop"), rule("filter", "forward", bridge_is("virbr0"), {"accept": None})], 1),
        ([chain("forward"), rule("filter", "forward", {"counter": {}}, {"reject": {"type": "icmpx"}})], 1),
        ([chain("input", "drop"), rule("filter", "input", ESTABLISHED, {"accept": None})], 0),
        ([chain("input", "drop"), chain("output", "drop")], 2),
    ],
)
def test_firewalls_in_the_way_are_found(objects: list[dict[str, Any]], count: int) -> None:
    found = network.firewalls(objects, ZONE)
    assert len(found) == count, found
    assert all("sky-lab" in sentence and "nft insert rule inet filter" in sentence for sentence in found)


def test_rules_name_public_nodes() -> None:
    assert "elements = { 10.90.0.3, 10.90.0.4 }" in network.rules(ZONE, ["10.90.0.4", "10.90.0.3"])
    assert "elements" not in network.rules(ZONE, [])


def zone_in(tmp_path: Path) -> Zone:
    return Zone("lab", tmp_path / "state", ZONE.network)


def test_a_machine_that_is_not_prepared_is_told_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "lxcfs").touch(mode=0o755)
    first = check.shortages(zone_in(tmp_path), [1024], 1, 0, ["192.0.2.53"])[0]
    packages = "iproute2, lxc, mmdebstrap, mount, nftables, openssh-client"
    assert first == f"the machine lacks the packages {packages}: `./quickstart.sh --host` prepares the machine"


def test_what_goes_first_leaves_its_place_to_what_is_made(tmp_path: Path) -> None:
    zone = Zone("lab", tmp_path / "state", ipaddress.IPv4Network("10.90.0.0/30"))  # one address
    most = next(int(line.split()[1]) // 1024 for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    place = NodePlace(zone, "a-p-0")
    place.folder.mkdir(parents=True)
    records.save(place.record, record(memory=most, address="10.90.0.2"))
    found = check.shortages(zone, [most], 1, 0, ["192.0.2.53"])
    assert [words for words in found if "the new nodes need" in words or "has addresses for" in words] == found[-2:]
    freed = check.shortages(zone, [most], 1, 0, ["192.0.2.53"], ["a-p-0"])
    assert freed == [words for words in found if words not in found[-2:]]


def test_a_lock_is_held_by_a_process_that_lives(tmp_path: Path) -> None:
    zone = zone_in(tmp_path)
    lease = locks.take(zone, "a", "first", 60, os.getpid())
    with pytest.raises(HostError, match="first") as refused:
        locks.take(zone, "a", "second", 60, os.getpid())
    assert refused.value.kind == "locked"
    locks.release(zone, "a", "not its token")
    assert locks.holding(zone, "a")
    locks.release(zone, "a", lease["token"])
    assert not zone.path.exists(), "no empty folder is left"
    with subprocess.Popen(["sleep", "60"]) as other:
        locks.take(zone, "a", "dead", 60, other.pid)
        other.kill()
    assert locks.take(zone, "a", "third", 60, os.getpid())["broken"] == "dead"


def test_when_a_lock_was_taken_is_reported_where_it_was_noted() -> None:
    assert locks.since_text({"since": "2026-11-21T04:21:04+00:00"}) == "2026-11-21 04:21:04 UTC"
    assert locks.since_text({}) == ""


def test_a_process_is_not_another_of_the_same_number() -> None:
    me = Process.current()
    assert me.alive()
    assert not Process(me.pid, str(int(me.started) + 1), me.boot).alive()
    assert not Process(me.pid, me.started, "another boot").alive()


def test_a_folder_removed_while_waited_for_is_not_held(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "gone"):
        pass
    with locked(tmp_path / "made", make=True):
        assert (tmp_path / "made").is_dir()


def test_json_is_replaced_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "x", {"a": 1})
    write_json(tmp_path / "x", {"a": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    (tmp_path / f".x.json.{ended.pid}.abcdefgh").touch()
    (tmp_path / f".x.json.{os.getpid()}.abcdefgh").touch()
    (tmp_path / "x.json").touch()
    sweep(tmp_path, tmp_path / "not there")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".x.json.{os.getpid()}.abcdefgh", "x.json"]


def test_only_devices_of_lost_nodes_are_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = zone_in(tmp_path)
    (zone.nodes / "a-p-1").mkdir(parents=True)
    found = {str(zone.volumes / f"{name}.img"): f"/dev/{name}" for name in ("a-p-0-data", "a-p-1-data", "a-p-2-data")}
    freed: list[str] = []
    monkeypatch.setattr(loops, "attached", lambda _folder: found)
    monkeypatch.setattr(loops, "busy", lambda device: device == "/dev/a-p-2-data")
    monkeypatch.setattr(loops, "detach", lambda file: freed.append(file.stem))
    volumes.release(zone)
    assert freed == ["a-p-0-data"]
