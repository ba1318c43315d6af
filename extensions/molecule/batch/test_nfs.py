# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles nfs_server and nfs_client: whose the shared folders are, and who may do what with them."""

from __future__ import annotations

import pytest
from testinfra.backend.base import CommandResult
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.batch.support import refused_by_ssh

ADA = 2001

testinfra_hosts = ["ansible://nfs_client"]


@pytest.mark.parametrize("share", ["home-sky", "home-ada", "software"])
def test_the_folders_are_mounted_now_and_at_boot(host: Host, share: str) -> None:
    unit = host.service(f"sky-share-{share}")
    assert unit.is_running
    assert unit.is_enabled


@pytest.mark.parametrize("folder", ["/home/sky", "/home/ada", "/software"])
def test_the_mounts_are_remote_and_give_no_rights_by_files(host: Host, folder: str) -> None:
    mount = host.mount_point(folder)
    assert ":" in mount.device
    assert {"nosuid", "nodev"} <= set(mount.options)


def test_the_key_of_the_node_is_for_root_alone(host: Host) -> None:
    key = host.file("/etc/sky/nfs-key")
    assert (key.user, key.mode) == ("root", 0o600)


def test_the_key_opens_no_shell(host: Host) -> None:
    known = host.file("/etc/sky/nfs-known").content_string.split()[0]
    command = "ssh -i /etc/sky/nfs-key -o IdentitiesOnly=yes -o UserKnownHostsFile=/etc/sky/nfs-known -o BatchMode=yes -o HostbasedAuthentication=no"
    assert "uid=" not in host.run(f"{command} sky@{known} id < /dev/null").stdout
    assert refused_by_ssh(host, f"{command} root@{known} id")


def nfs(host: Host, command: str, path: str, user: int) -> CommandResult:
    """A command of a client in user space: these kernels have no NFS."""
    server = host.file("/etc/sky/nfs-known").content_string.split()[0]
    return host.run(f"{command} 'nfs://{server}/data/nfs/{path}?version=4&uid={user}&gid={user}'")


def test_nfs_serves_the_same_folders_and_root_of_a_client_is_not_root_there(host: Host) -> None:
    host.check_output("runuser -u ada -- sh -c 'umask 077; echo by ada > /home/ada/by-nfs'")
    assert nfs(host, "nfs-cat", "home/ada/by-nfs", ADA).stdout == "by ada\n"
    assert nfs(host, "nfs-cat", "home/ada/by-nfs", 0).rc != 0
    assert nfs(host, "nfs-cp /etc/hostname", "home/ada/of-ada", ADA).rc == 0
    assert nfs(host, "nfs-cp /etc/hostname", "home/ada/of-root", 0).rc != 0
    written = host.file("/home/ada/of-ada")
    assert (written.user, written.content_string) == ("ada", "mol-batch-node-0\n")


def test_what_a_user_writes_belongs_to_that_user(host: Host) -> None:
    host.check_output("runuser -u ada -- sh -c 'echo mine > /home/ada/from-node; chmod 600 /home/ada/from-node'")
    written = host.file("/home/ada/from-node")
    assert (written.user, written.mode, written.content_string) == ("ada", 0o600, "mine\n")
    assert host.run("runuser -u sky -- cat /home/ada/from-node").rc != 0
