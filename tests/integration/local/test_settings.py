# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user whose settings, made for other hosts, would each lead a run astray: of ssh, of Ansible, of the group `all`. Checks 39 to 41."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.sky.clusters.tests.support.accounts import key_of, sudoer
from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, folders, nodes_folder
from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE = "tset"
USER = "skysettings"
LONG = "a-home-whose-name-is-too-long-for-the-control-sockets-of-ssh-and-then-some"
SSH_CONFIG = """\
Host *
  ProxyJump nowhere.invalid
  Port 2222
  User nobody
  RequestTTY force
  RemoteCommand /bin/false
  LocalForward 127.0.0.1:1 127.0.0.1:1
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  IdentityFile ~/.ssh/none
"""
SETTINGS = {
    "ANSIBLE_ANY_ERRORS_FATAL": "True",
    "ANSIBLE_BECOME": "True",
    "ANSIBLE_BECOME_USER": "nobody",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_REMOTE_PORT": "2222",
    "ANSIBLE_REMOTE_USER": "nobody",
    "ANSIBLE_SSH_ARGS": "-o StrictHostKeyChecking=no",
    "ANSIBLE_SSH_COMMON_ARGS": "-o StrictHostKeyChecking=no",
    "ANSIBLE_SSH_CONTROL_PATH_DIR": "/proc/none",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_TRANSPORT": "local",
}
OF_ALL = {
    "ansible_become": True,
    "ansible_become_user": "nobody",
    "ansible_connection": "local",
    "ansible_python_interpreter": "/nowhere/python3",
    "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -J nowhere.invalid",
    "ansible_ssh_host_key_checking": False,
    "ansible_ssh_port": 2222,
    "ansible_user": "nobody",
}


@pytest.fixture(scope="module")
def stranger() -> Iterator[Path]:
    """A user of this machine, with such settings; gives the home."""
    with sudoer(USER) as home:
        long = home / LONG
        long.mkdir()
        shutil.chown(long, USER, USER)
        key_of(USER, long)
        (home / ".ssh").mkdir()
        (home / ".ssh" / "config").write_text(SSH_CONFIG, encoding="ascii")
        subprocess.run(["chown", "--recursive", f"{USER}:", str(home / ".ssh")], check=True)
        yield home


@pytest.fixture(scope="module")
def agent(stranger: Path) -> Iterator[Path]:
    """The user's ssh agent, which holds keys for other hosts: more than sshd lets anybody try."""
    place = stranger / "agent"
    as_user = ["sudo", "--user", USER, "--"]
    process = subprocess.Popen([*as_user, "ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL)
    while not place.exists():
        time.sleep(0.05)
    for number in range(8):
        key = stranger / f"other{number}"
        subprocess.run([*as_user, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        subprocess.run([*as_user, "env", f"SSH_AUTH_SOCK={place}", "ssh-add", "-q", str(key)], check=True)
    yield place
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture(scope="module")
def standing(stranger: Path, agent: Path) -> Iterator[Site]:
    """Two nodes, made and seen by that user; and a machine that is as it was when they are gone."""
    before = machine_state(ZONE)
    folder = stranger / "site"
    (folder / "group_vars").mkdir(parents=True)
    (folder / "group_vars" / "all.yml").write_text(yaml.safe_dump(OF_ALL), encoding="ascii")
    key = (stranger / LONG / ".ssh" / "id_ed25519.pub").read_text(encoding="ascii").strip()
    content = bare(ZONE, "ta", 2) | {"ssh_keys": [key], "cache": True, "cache_plugin": "jsonfile", "cache_connection": str(stranger / "cache")}
    site = Site(folder, "ta", content, SETTINGS | {"HOME": str(stranger / LONG), "SSH_AUTH_SOCK": str(agent)}, USER)
    yield site
    site.must("destroy", *site.with_data)
    assert machine_state(ZONE) == before


@pytest.fixture
def anew(standing: Site) -> Iterator[Site]:
    """The same from a machine that has no connection open."""
    before = standing.environment
    with tempfile.TemporaryDirectory(prefix="sky-") as own:  # in no folder that only root may enter
        shutil.chown(own, USER, USER)
        standing.environment = before | {"ANSIBLE_HOME": own}
        yield standing
    standing.environment = before


def on_node(name: str, script: str) -> None:
    """Do something on a node as from its console."""
    subprocess.run(["lxc-attach", "-P", str(nodes_folder(ZONE)), "-n", name, "--clear-env", "--", "/bin/sh", "-c", script], check=True)


def said(site: Site, program: str, *args: str) -> Played:
    done = subprocess.run(
        site.command(program, *args), cwd=site.folder, env=os.environ | site.variables, capture_output=True, text=True, check=False, timeout=120
    )
    return Played(done.returncode, done.stdout + done.stderr)


def test_nodes_are_made_and_reached_whatever_is_set_for_other_hosts(standing: Site) -> None:
    standing.must("cluster")
    assert set(standing.must("cluster").changed.values()) == {0}
    assert [standing.ssh(name, "hostname; id -un").split() for name in boxes("ta", 0, 1)] == [[name, "root"] for name in boxes("ta", 0, 1)]
    assert standing.must("status").last(30).count("ready: yes") == 1


@pytest.mark.parametrize("more", [(), ("-e", "sky_look=false", "-e", "sky_full=true")])
def test_tasks_of_a_node_stop_on_another_machine(standing: Site, more: tuple[str, ...]) -> None:
    name = socket.gethostname()
    played = standing.play("cluster", "-e", "ansible_connection=local", *more)
    assert played.code != 0
    assert f"ran on another machine, {name}; it stopped before changing anything" in played.output
    assert socket.gethostname() == name
    assert set(played.changed.values()) == {0}


@pytest.mark.parametrize("broken", [True, False])
def test_a_second_cluster_file_ends_every_program(standing: Site, broken: bool) -> None:
    before = folders(ZONE)
    other = standing.folder / "other" / "more.sky.yml"
    other.parent.mkdir(exist_ok=True)
    other.write_text("plugin: [\n" if broken else yaml.safe_dump(bare(ZONE, "tb", 1)), encoding="ascii")
    both = ("-i", str(standing.file), "-i", str(other.parent))
    for program, *args in (
        ("ansible-playbook", *both, "sky.clusters.destroy"),
        ("ansible-inventory", *both, "--list"),
        ("ansible", *both, "all", "-m", "ansible.builtin.ping"),
    ):
        played = said(standing, program, *args)
        assert played.code != 0
        assert played.output.count("the inventory contains another cluster file") == 1
    shutil.rmtree(other.parent)
    assert folders(ZONE) == before


@pytest.mark.parametrize("options", [("--limit", "ta-box-0"), ("--tags", "x"), ("--skip-tags", "all"), ("--start-at-task", "x")])
def test_a_part_of_a_run_is_refused(standing: Site, options: tuple[str, ...]) -> None:
    played = standing.play("destroy", *options)
    assert played.code != 0
    assert f"sky.clusters.destroy cannot be run in part: with {options[0]}" in " ".join(played.output.split())
    assert folders(ZONE) == boxes("ta", 0, 1)


def test_what_is_cached_decides_nothing(standing: Site) -> None:
    assert standing.hosts("all") == boxes("ta", 0, 1)
    standing.must("cluster", "-e", '{"sky_counts": {"box": 3}}')
    assert standing.hosts("all") == boxes("ta", 0, 1, 2)
    standing.must("cluster", "-e", "sky_counts=")
    assert "ready: yes" in standing.must("status").output
    assert standing.hosts("all") == boxes("ta", 0, 1)


def test_a_wrong_host_key_is_refused_under_every_setting(anew: Site, figure: Callable[[str], None]) -> None:
    keep = "mkdir /root/kept; cp -a /etc/ssh/ssh_host_* /root/kept; rm /etc/ssh/ssh_host_*; ssh-keygen -q -A; systemctl restart ssh"
    on_node("ta-box-0", keep)
    try:
        played = said(anew, "ansible", "-i", str(anew.file), "all", "-m", "ansible.builtin.ping")
        status = anew.play("status")
    finally:
        on_node("ta-box-0", "cp -a /root/kept/* /etc/ssh/; rm -r /root/kept; systemctl restart ssh")
    assert "ta-box-1 | SUCCESS" in played.output
    assert "ta-box-0 | UNREACHABLE" in played.output
    assert "Host key verification failed" in played.output
    assert "Host key verification failed" in status.output, status.output
    figure(f"38 a wrong host key under {len(SETTINGS)} settings of Ansible's, those of a group and of ssh: refused, and the reason said")


def test_the_last_lines_come_when_no_node_can_be_reached(anew: Site) -> None:
    for name in boxes("ta", 0, 1):
        on_node(name, "systemctl stop ssh ssh.socket 2>/dev/null || systemctl stop ssh")
    try:
        played = anew.play("cluster", "-e", "sky_full=true")
    finally:
        for name in boxes("ta", 0, 1):
            on_node(name, "systemctl start ssh")
    assert played.code != 0
    for name in boxes("ta", 0, 1):
        assert f"{name} could not be reached by ssh and was skipped: connect to host" in played.last(20)
    assert "Connection refused" in played.last(20)
    assert "next: make ssh to these nodes work" in played.last(20)
    assert "s in total" in played.last(20)
    anew.must("cluster", "-e", "sky_full=true")
