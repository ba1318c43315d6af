# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role node: what it made, after it was applied twice and the node was started anew."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.hardening import EVERY_TEST, WITHOUT_EXCEPTIONS, lynis

testinfra_hosts = ["ansible://pool_box"]
ADDED = "other@example.org"  # ends the key that the scenario adds
MODERN = {
    "kexalgorithms": "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org",
    "macs": "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com",
}


@pytest.fixture(scope="module")
def sshd(host: Host) -> dict[str, str]:
    """The settings that sshd goes by."""
    return dict(line.split(" ", 1) for line in host.check_output("sshd -T").splitlines() if " " in line)


def ssh(variables: dict[str, Any], user: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Log in as somebody, through a connection of its own."""
    known = shlex.split(variables["ansible_ssh_common_args"])
    command = ["ssh", "-o", "ControlPath=none", *known, *options, f"{user}@{variables['ansible_host']}", "id", "-un"]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False)


# --- names


def test_it_knows_its_name(host: Host, variables: dict[str, Any]) -> None:
    assert variables["inventory_hostname"] == "mol-node-box-0"
    assert host.check_output("hostnamectl hostname") == "mol-node-box-0"
    assert host.check_output("hostname") == "mol-node-box-0"
    assert host.file("/etc/hostname").content_string == "mol-node-box-0\n"


def test_names_are_found(host: Host, variables: dict[str, Any]) -> None:
    assert host.addr("mol-node-box-0").ipv4_addresses == [variables["sky_address"]]
    assert host.addr("mol-other-0").ipv4_addresses == ["192.0.2.7"]
    assert host.addr("localhost").is_resolvable


# --- the cluster's user


def test_the_user_is_the_same_everywhere_and_has_no_password(host: Host) -> None:
    user = host.user("sky")
    assert (user.uid, user.gid, user.group, user.home, user.shell) == (1500, 1500, "sky", "/home/sky", "/bin/bash")
    assert user.password == "*"


def test_keys_are_the_users_own(host: Host) -> None:
    assert (host.file("/home/sky/.ssh").user, host.file("/home/sky/.ssh").mode) == ("sky", 0o700)
    for owner, home in (("sky", "/home/sky"), ("root", "/root")):
        keys = host.file(f"{home}/.ssh/authorized_keys")
        assert (keys.user, keys.group, keys.mode) == (owner, owner, 0o600)
        lines = keys.content_string.splitlines()
        assert lines[0].startswith("#")
        assert len(lines) >= 3
        assert lines[-1].endswith(ADDED)


@pytest.mark.parametrize("user", ["sky", "root"])
def test_a_key_lets_in(variables: dict[str, Any], user: str) -> None:
    done = ssh(variables, user)
    assert (done.returncode, done.stdout) == (0, f"{user}\n"), done.stderr


# --- ssh


def test_only_a_key_lets_in(sshd: dict[str, str]) -> None:
    wanted = {"passwordauthentication": "no", "kbdinteractiveauthentication": "no", "permitrootlogin": "without-password", "x11forwarding": "no"}
    assert {name: sshd[name] for name in wanted} == wanted


@pytest.mark.parametrize("user", ["sky", "root"])
def test_a_password_is_not_asked_for(variables: dict[str, Any], user: str) -> None:
    done = ssh(variables, user, "-oPubkeyAuthentication=no", "-oPreferredAuthentications=password,keyboard-interactive")
    assert done.returncode == 255
    assert "Permission denied (publickey)" in done.stderr


def test_many_may_log_in_at_once(sshd: dict[str, str]) -> None:
    assert (sshd["maxstartups"], sshd["maxsessions"]) == ("100:30:200", "100")


def test_algorithms_are_modern(sshd: dict[str, str], variables: dict[str, Any]) -> None:
    assert {name: sshd[name] for name in MODERN} == MODERN
    assert not {name for name in sshd["ciphers"].split(",") if "cbc" in name or "3des" in name}
    done = ssh(variables, "root", "-oKexAlgorithms=diffie-hellman-group14-sha256")
    assert done.returncode == 255
    assert "no matching key exchange method found" in done.stderr


def audit(variables: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    """What ssh-audit says of the node. It is not asked about throttling: a run opens as many connections as it has forks."""
    program = str(Path(sys.executable).with_name("ssh-audit"))
    command = [program, "--no-colors", "--skip-rate-test", *options, variables["ansible_host"]]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_ssh_audit_finds_no_failure(variables: dict[str, Any]) -> None:
    done = audit(variables, "--json")
    kinds = ("kex", "key", "enc", "mac")
    notes = [(found["algorithm"], level) for kind in kinds for found in json.loads(done.stdout)[kind] for level in found["notes"] if level != "info"]
    # which OpenSSH 8.5 to 8.9 need
    assert notes == [("curve25519-sha256", "warn"), ("curve25519-sha256@libssh.org", "warn")], done.stdout


def test_the_policy_of_ssh_audit_is_passed(variables: dict[str, Any]) -> None:
    done = audit(variables, "--policy", str(Path(__file__).with_name("ssh-audit.policy")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout


# --- data volumes, after the node was started anew


def test_both_volumes_are_mounted(host: Host, variables: dict[str, Any]) -> None:
    volumes = {volume["name"]: volume for volume in variables["sky_volumes"]}
    assert {name: (each["mount"], each["fs"]) for name, each in volumes.items()} == {"data": ("/data/data", "ext4"), "logs": ("/srv/logs", "xfs")}
    for volume in volumes.values():
        mount = host.mount_point(volume["mount"])
        assert mount.exists
        assert mount.filesystem == volume["fs"]
        assert host.check_output("blkid -p -s LABEL -o value %s", mount.device) == volume["label"]


def test_volumes_have_their_size(host: Host, variables: dict[str, Any]) -> None:
    for volume in variables["sky_volumes"]:
        device = host.mount_point(volume["mount"]).device
        assert int(host.check_output("blockdev --getsize64 %s", device)) == volume["size"] << 30
        assert int(host.check_output("df --output=size -B1 %s | tail -n 1", volume["mount"])) > 0.9 * (volume["size"] << 30)


def test_what_was_written_is_on_the_right_volume(host: Host, variables: dict[str, Any]) -> None:
    for volume in variables["sky_volumes"]:
        assert host.file(f"{volume['mount']}/before").content_string == f"{volume['label']}\n"


def test_units_mount_them_at_boot(host: Host, variables: dict[str, Any]) -> None:
    for volume in variables["sky_volumes"]:
        unit = host.service(f"sky-volume@{volume['name']}.service")
        assert unit.is_enabled
        assert unit.is_running
    assert host.check_output("systemctl is-system-running || true") == "running"


# --- data volumes, before the node is deleted


def data_volumes(host: Host, **options: Any) -> dict[str, Any]:
    """What the module says, also where it fails."""
    found: dict[str, Any] = host.backend.run_ansible("sky.clusters.data_volumes", json.dumps(options), check=False)
    return found


@pytest.fixture
def holder(host: Host) -> Iterator[str]:
    """A process that has a file of a volume open, in a mount namespace of its own, as services have; its id."""
    host.check_output("systemd-run --quiet --collect --unit=holder --service-type=exec --property=PrivateTmp=yes tail -f /data/data/before")
    pid = host.check_output("systemctl show --property=MainPID --value holder")
    host.check_output("until ls -l /proc/%s/fd | grep -q /data/data/before; do sleep 0.1; done", pid)
    yield pid
    host.check_output("systemctl stop holder")


def test_a_volume_in_use_stays_mounted_and_its_user_is_named(host: Host, holder: str) -> None:
    said = data_volumes(host, state="unmounted")["msg"]
    assert f"volume data: /data/data is in use by tail ({holder}): end them and run again" in said
    assert host.mount_point("/data/data").exists
    assert host.service("sky-volume@data.service").is_enabled


def test_volumes_are_let_go_of_and_come_back_with_what_they_hold(host: Host, variables: dict[str, Any]) -> None:
    assert len(data_volumes(host, state="unmounted")["actions"]) == 2
    for volume in variables["sky_volumes"]:
        assert not host.mount_point(volume["mount"]).exists
        assert not host.service(f"sky-volume@{volume['name']}.service").is_enabled
        assert not host.service(f"sky-volume@{volume['name']}.service").is_running
    assert data_volumes(host, state="unmounted")["changed"] is False
    assert host.check_output("systemctl is-system-running || true") == "running"
    data_volumes(host, volumes=variables["sky_volumes"])
    test_both_volumes_are_mounted(host, variables)
    test_what_was_written_is_on_the_right_volume(host, variables)
    test_units_mount_them_at_boot(host, variables)


# --- hardening


def test_a_strict_node_limits_ssh_core_dumps_and_modules(host: Host, sshd: dict[str, str]) -> None:
    strict = {"allowagentforwarding": "no", "clientalivecountmax": "2", "compression": "no", "maxauthtries": "3", "tcpkeepalive": "no"}
    assert {name: sshd[name] for name in strict} == strict
    assert host.check_output("su sky -s /bin/sh -c 'ulimit -H -c'") == "0"
    assert "install sctp /bin/false" in host.file("/etc/modprobe.d/sky.conf").content_string
    assert "kernel.kptr_restrict = 2" in host.file("/etc/sysctl.d/90-sky.conf").content_string
    assert "Storage=none" in host.file("/etc/systemd/coredump.conf.d/sky.conf").content_string
    assert host.file("/etc/issue.net").content_string.startswith("Access to this system is for authorised users only.")


def test_a_shell_ends_after_an_hour_at_its_prompt_and_a_script_does_not(host: Host) -> None:
    assert host.check_output("su - sky -s /bin/bash -c 'echo ${TMOUT-none}'") == "none"
    assert host.check_output("bash -lic 'echo $TMOUT' 2>/dev/null") == "3600"


# --- lynis, the last: it is installed for this alone


def test_lynis_has_the_figures_of_the_guide(host: Host) -> None:
    every, rest = lynis(host)
    assert every >= EVERY_TEST
    assert rest >= WITHOUT_EXCEPTIONS
