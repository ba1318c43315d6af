# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of a mount that failed, and what is not mounted over; tests/integration/ceph has it with a real CephFS."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._unit import Unit, UnitError
from ansible_collections.sky.clusters.plugins.modules import cephfs_mount
from ansible_collections.sky.clusters.plugins.modules.cephfs_mount import MountError, check_place, mount, reason, run, set_mode, use

# As ceph-fuse 16.2 and mount.ceph print them, with the lines of systemd after them
JOURNALS = {
    "Operation not permitted": """
ceph-fuse[301]: starting ceph client
ceph-fuse[301]: ceph mount failed with (1) Operation not permitted
sky-cephfs.service: Main process exited, code=exited, status=1/FAILURE
""",
    "No such file or directory": "mount error 2 = No such file or directory\nsky-cephfs.service: Failed with result 'exit-code'.",
    cephfs_mount.REFUSED_KEY: """
monclient(hunting): handle_auth_bad_method server allowed_methods [2] but i only support [2]
failed to fetch mon config (--no-mon-config to skip)
sky-cephfs.service: Main process exited, code=exited, status=1/FAILURE
""",
    cephfs_mount.MALFORMED_KEY: """
auth: error parsing file /etc/sky/cephfs.key: error setting modifier for [client.lab] type=key val=: Malformed input
monclient: keyring not found
failed to fetch mon config (--no-mon-config to skip)
""",
    # after an attempt with another fault, and with the same last words
    cephfs_mount.SILENCE: """
monclient(hunting): handle_auth_bad_method server allowed_methods [2] but i only support [2]
failed to fetch mon config (--no-mon-config to skip)
Starting sky-cephfs.service - Folder of CephFS at /shared...
monclient(hunting): authenticate timed out after 30
failed to fetch mon config (--no-mon-config to skip)
sky-cephfs.service: Failed with result 'exit-code'.
""",
    "something else": "first\n  something else\n\n",
    "": "\n",
}


@pytest.mark.parametrize("meaning", JOURNALS)
def test_the_reason_is_ceph_s_own(meaning: str) -> None:
    assert reason(JOURNALS[meaning]) == meaning


def test_a_refused_key_may_leave_but_one_line() -> None:
    """The line of the monitors comes at once, or the client has ended before."""
    said = "Starting sky-cephfs.service...\nfailed to fetch mon config (--no-mon-config to skip)\nsky-cephfs.service: Failed"
    assert reason(said) == cephfs_mount.REFUSED_KEY


def test_files_of_the_node_are_not_hidden(tmp_path: Path) -> None:
    check_place(tmp_path)
    check_place(tmp_path / "absent")
    (tmp_path / "precious").touch()
    with pytest.raises(MountError, match=f"cephfs_mount: {tmp_path} is not empty, and what it holds would be hidden"):
        check_place(tmp_path)


def test_nothing_else_that_is_mounted_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MountError, match="cephfs_mount: a file system of the type proc is mounted at /proc, and would be hidden: name another"):
        check_place(Path("/proc"))
    folder = tmp_path / "my data"
    folder.mkdir()
    (folder / "file").touch()  # of what is mounted
    place = str(folder).replace(" ", r"\040")
    monkeypatch.setattr(cephfs_mount, "MOUNTS", tmp_path / "mountinfo")
    for kind, allowed in (("ext4", False), ("ceph", True), ("fuse.ceph-fuse", True)):
        # in the shape of the kernel, the lowest first
        cephfs_mount.MOUNTS.write_text(f"36 25 0:31 / / rw shared:1 - ext4 /dev/vda rw\n37 36 0:32 / {place} rw shared:2 master:1 - {kind} from rw\n")
        if allowed:
            check_place(folder)
        else:
            with pytest.raises(MountError, match=f"a file system of the type {kind} is mounted at {folder}"):
                check_place(folder)


def test_a_place_is_checked_alone(tmp_path: Path) -> None:
    """Before the unit is written: one that names the place of something else would unmount it."""
    given = {"path": str(tmp_path), "state": "checked"}
    assert run(given, check=False) == []
    (tmp_path / "precious").touch()
    with pytest.raises(MountError, match="is not empty"):
        run(given, check=True)


def test_a_failed_mount_names_what_was_to_be_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(Unit):
        def start(self, check: bool, pending: bool) -> list[str]:  # noqa: ARG002
            raise UnitError(f"'systemctl restart sky-cephfs.service' failed: see systemctl status; its journal ends with: {cephfs_mount.REFUSED_KEY}")

    monkeypatch.setattr(cephfs_mount, "Unit", Failing)
    given = {"path": str(tmp_path), "folder": "10.0.0.5:6789:/lab", "client": "lab", "mode": "", "disruption": "drain", "user": "sky", "seconds": 5}
    with pytest.raises(MountError) as refused:
        mount(given, check=False)
    assert str(refused.value) == f"cephfs_export: 10.0.0.5:6789:/lab cannot be used as client.lab: {cephfs_mount.REFUSED_KEY}"


def test_a_user_writes_reads_and_removes_a_file(tmp_path: Path) -> None:
    use(tmp_path, getpass.getuser(), 20)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_a_user_cannot_write_to_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:2]:
        folder.chmod(0o755)
    with pytest.raises(MountError, match=r"nobody cannot use .*ermission denied.*with mode 0755 \(cephfs_mode changes it\)"):
        use(tmp_path, "nobody", 20)


def test_the_mode_is_changed_only_on_request(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert set_mode(tmp_path, "", check=False) == set_mode(tmp_path, "0755", check=False) == []
    assert set_mode(tmp_path, "1777", check=True) == ["mode"]
    assert set_mode(tmp_path, "1777", check=False) == ["mode"]
    assert (tmp_path.stat().st_mode & 0o7777) == 0o1777


def test_jobs_are_not_interrupted_against_the_user_s_will(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stale(Unit):
        def start(self, check: bool, pending: bool) -> list[str]:  # noqa: ARG002
            assert check, "it must not be restarted"
            return ["restart"]

    monkeypatch.setattr(cephfs_mount, "Unit", Stale)
    given = {"path": str(tmp_path), "folder": "10.0.0.5:6789:/lab", "client": "lab", "disruption": "refuse"}
    with pytest.raises(MountError, match=f"cephfs_mount: {tmp_path} must be mounted anew, which interrupts jobs that use it: set sky_disruption"):
        mount(given, check=False)
