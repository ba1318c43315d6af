# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_health: the output of systemd, disks and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.action.node_health import expected, last_line
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import REMOVABLE
from ansible_collections.sky.clusters.plugins.modules import node_health
from ansible_collections.sky.clusters.plugins.modules.node_health import (
    Disk,
    Limits,
    Memory,
    Unit,
    former_roles,
    is_new,
    look_at_disk,
    look_at_memory,
    look_at_units,
    other_failures,
    paragraphs,
)
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import ssh_message

LIMITS = Limits(full_percent=98, full_mib=64, memory_mib=64)
SHOWN = """\
Result=success
Id=spark-master.service
LoadState=loaded
ActiveState=active
SubState=running

Result=exit-code
Id=spark-history-server.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart

Result=success
Id=gone.service
LoadState=not-found
ActiveState=inactive
SubState=dead

Result=success
Id=stopped.service
LoadState=loaded
ActiveState=inactive
SubState=dead
"""


def test_units_have_a_state_and_a_reason() -> None:
    assert look_at_units(["spark-master", "spark-history-server", "gone", "stopped"], paragraphs(SHOWN)) == [
        Unit("spark-master", "active", "running", ""),
        Unit(
            "spark-history-server",
            "activating",
            "auto-restart",
            "spark-history-server is activating (exit-code); see 'journalctl -u spark-history-server' on the node",
        ),
        Unit("gone", "inactive", "dead", "gone is inactive (it is not installed); see 'journalctl -u gone' on the node"),
        Unit("stopped", "inactive", "dead", "stopped is inactive; see 'journalctl -u stopped' on the node"),
    ]


def test_a_systemd_that_does_not_respond_is_a_fault() -> None:
    (unit,) = look_at_units(["spark-worker"], {})
    assert (unit.state, unit.fault) == ("unknown", "spark-worker is unknown (systemd does not respond); see 'journalctl -u spark-worker' on the node")


def test_an_installed_unit_of_a_role_is_named_but_not_one_of_the_distribution() -> None:
    places = {"spark-worker": "/etc/systemd/system", "munged": "/usr/lib/systemd/system"}
    said = "\n\n".join(f"Id={name}.service\nFragmentPath={place}/{name}.service" for name, place in places.items())
    others = {"spark_worker": ["spark-worker"], "scheduler": ["munged"], "spark_master": ["spark-master"]}
    assert former_roles(others, paragraphs(said)) == ["spark_worker"]


def test_a_service_that_cannot_write_to_its_folders_is_faulty(tmp_path: Path) -> None:
    unit = tmp_path / "spark-worker.service"
    unit.write_text(f"[Service]\nUser=nobody\n[X-Sky]\nFolders=0750:{tmp_path} 0750:{tmp_path}/none\n")
    (found,) = look_at_units(["spark-worker"], {"spark-worker": {"ActiveState": "active", "FragmentPath": str(unit)}})
    assert found.fault == f"spark-worker cannot work: {tmp_path} belongs to {tmp_path.owner()} instead of nobody; {tmp_path}/none is missing"


def test_failed_units_that_are_reported_already_are_left_out() -> None:
    said = "backup.service    loaded failed failed Back up\nspark-worker.service loaded failed failed Spark worker\n"
    assert other_failures(said, ["spark-worker"]) == ["backup.service"]
    assert other_failures("", ["spark-worker"]) == []


def test_a_disk_with_free_space_has_no_fault() -> None:
    disk = look_at_disk("/", "", Limits(full_percent=101, full_mib=0, memory_mib=0))
    assert disk.mounted
    assert not disk.fault
    assert 0 < disk.free < disk.size


@pytest.mark.parametrize("limits", [Limits(0, 0, 0), Limits(101, 1 << 40, 0)])
def test_a_disk_is_full_by_percentage_or_by_free_space(limits: Limits) -> None:
    found = look_at_disk("/", "", limits)
    assert found.fault == f"its root disk is full: {found.free} of {found.size} MiB are free"
    assert look_at_disk("/proc", "spark", limits).fault.startswith("volume spark (/proc) is full: ")


def test_an_unmounted_volume_is_a_fault_even_if_its_folder_exists(tmp_path: Path) -> None:
    assert look_at_disk(str(tmp_path), "spark", LIMITS) == Disk(
        "spark", str(tmp_path), mounted=False, fault=f"volume spark is not mounted on {tmp_path}"
    )
    assert not look_at_disk(str(tmp_path / "absent"), "spark", LIMITS).mounted


@pytest.mark.parametrize(
    ("available", "fault"),
    [(65536, ""), (65535, "it is short of memory: 63 of 1536 MiB are available"), (0, "it is short of memory: 0 of 1536 MiB are available")],
)
def test_memory(available: int, fault: str) -> None:
    text = f"MemTotal:        1572864 kB\nMemFree:            1024 kB\nMemAvailable:    {available} kB\nHugePages_Total:       0\n"
    assert look_at_memory(text, LIMITS) == Memory(1536, available // 1024, fault)


# --- the action -----------------------------------------------------------------------------------------------------------------------------


def test_expectations_follow_from_roles_and_volumes() -> None:
    volumes: list[dict[str, Any]] = [
        {"name": "spark", "mount": "/data/spark", "size": 4, "label": "sky1", "device": "/dev/x", "fs": "xfs"},
        {"name": "new", "mount": "/data/new", "device": "", "fs": "ext4"},
    ]
    services = {name: list(role.services) for name, role in REMOVABLE.items() if role.services}
    own = ("spark_master", "spark_worker")
    assert expected(own, volumes) == {
        "units": ["spark-master", "spark-history-server", "spark-worker"],
        "others": {name: units for name, units in services.items() if name not in own},
        "volumes": [
            {"name": "spark", "mount": "/data/spark", "fs": "xfs", "attached": True},
            {"name": "new", "mount": "/data/new", "fs": "ext4", "attached": False},
        ],
    }
    assert expected([], []) == {"units": [], "others": services, "volumes": []}
    networked = expected([], [], networked=True)
    assert networked["units"] == services["overlay"]
    assert networked["others"] == {name: units for name, units in services.items() if name != "overlay"}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "Failed to connect to the host via ssh: ssh: connect to host 10.0.0.5 port 22: Connection refused",
            "connect to host 10.0.0.5 port 22: Connection refused",
        ),
        (
            "Failed to connect to the host via ssh: Warning: a\nssh: connect to host a port 22: No route to host\n",
            "connect to host a port 22: No route to host",
        ),
        (
            'Data could not be sent to remote host "a". Make sure it can be reached: ssh: connect to host a port 22: timed out',
            "connect to host a port 22: timed out",
        ),
        ("Failed to connect to the host via ssh: Host key verification failed.", "Host key verification failed."),
        ("", "no reason was given"),
    ],
)
def test_why_ssh_did_not_answer(message: str, reason: str) -> None:
    assert ssh_message(message) == reason


def test_the_last_line_of_a_crashed_module() -> None:
    assert (
        last_line({"msg": "MODULE FAILURE", "module_stderr": "Traceback\nOSError: No space left on device\n"}) == "OSError: No space left on device"
    )
    assert last_line({}) == "no reason was given"


def test_a_used_name_or_id_is_reported() -> None:
    assert list(node_health.taken({"name": "daemon", "uid": 1500})) == [
        "node_user: user 'daemon' with id 1 exists on this node, so 'daemon' with id 1500 cannot be created",
        "node_user: group 'daemon' with id 1 exists on this node, so 'daemon' with id 1500 cannot be created",
    ]
    assert len(list(node_health.taken({"name": "nobody-else", "uid": 0}))) == 2
    assert list(node_health.taken({"name": "root", "uid": 0})) == list(node_health.taken({"name": "nobody-else", "uid": 54321})) == []


def test_another_file_system_than_in_the_file_is_reported() -> None:
    volumes = [{"name": name, "mount": f"/data/{name}", "fs": fs} for name, fs in (("a", "xfs"), ("b", "ext4"), ("c", "xfs"), ("d", ""))]
    mounts = "/dev/x /data/a ext4 rw 0 0\n/dev/y /data/b ext4 rw 0 0\n/dev/z /data/d xfs rw 0 0\nodd\n"
    assert list(node_health.other_file_systems(volumes, mounts)) == [
        "volume a has ext4, the file says xfs; a file system is created only on a blank volume"
    ]


def test_a_volume_that_is_new_in_the_file_is_new_and_a_lost_one_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_health, "AT_BOOT", str(tmp_path))
    (tmp_path / "lost").touch()
    for name, mount, attached, to_come in (
        ("new", "/data/new", False, True),
        ("lost", "/data/lost", False, False),  # it was mounted here before
        ("held", "/proc", False, False),  # it is mounted still
        ("here", "/data/here", True, False),  # it is attached, and is not mounted
    ):
        assert is_new({"name": name, "mount": mount, "attached": attached}) is to_come
