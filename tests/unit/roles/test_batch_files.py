# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of the batch system and of the shared folders run on nodes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import pwd
import re
import subprocess
import sys
import time
from pathlib import Path
from string import Template
from typing import Any

import jinja2
import pytest
import yaml

from ansible_collections.sky.clusters.plugins.lookup.hardening import LookupModule
from ansible_collections.sky.clusters.plugins.module_utils._systems._nfs import CLIENT, NFS, SERVER
from ansible_collections.sky.clusters.roles.nfs_client.files import look
from ansible_collections.sky.clusters.roles.nfs_server.files import admit as admit_clients
from ansible_collections.sky.clusters.roles.nfs_server.files import folders
from ansible_collections.sky.clusters.roles.torque.files import admit, install, names
from ansible_collections.sky.clusters.roles.torque_node.files import forget

CONFIGURATION = """ClusterName=demo
NodeName=demo-node-1 NodeAddr=10.0.0.2 CPUs=2
NodeName=demo-node-10 NodeAddr=10.0.0.3 CPUs=2
PartitionName=batch Nodes=ALL
# sky member demo-node-1 10.0.0.2 ssh-ed25519 AAAA1
# sky member demo-node-10 10.0.0.3 ssh-ed25519 AAAA2
"""
HOSTS = "# Written by sky.clusters\n127.0.0.1 localhost\n10.0.0.2 demo-node-1\n10.0.0.9 demo-old-7\n10.9.0.1 other-node-3\n192.0.2.1 my.site my\n"


def test_a_node_that_has_left_is_forgotten_and_none_whose_name_begins_alike() -> None:
    assert "demo-node-1 " not in forget.without(CONFIGURATION, {"demo-node-1"})
    assert forget.without(CONFIGURATION, {"demo-node-1"}).count("demo-node-10") == 2
    assert forget.without(CONFIGURATION, {"demo-node"}) == CONFIGURATION
    emptied = forget.without(CONFIGURATION, {"demo-node-1", "demo-node-10"})
    assert [line for line in emptied.splitlines() if line.startswith("NodeName=")] == [
        "NodeName=sky-none NodeAddr=127.0.0.1 Port=9 CPUs=1024 RealMemory=16777216 State=DOWN"
    ]
    assert forget.without(emptied, {"demo-node-1"}) == emptied


def test_a_server_that_does_not_start_again_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").write_text(CONFIGURATION)
    monkeypatch.setattr(forget, "CONFIGURATION", tmp_path / "conf")
    monkeypatch.setattr(subprocess, "run", lambda command, **_more: subprocess.CompletedProcess(command, 1, "", "Job failed.\nSee journalctl.\n"))
    with pytest.raises(forget.ForgetError, match=r"'systemctl restart slurmctld\.service' failed: Job failed\. See journalctl\."):
        forget.main({"demo-node-1"})


@pytest.mark.parametrize("step", ["systemctl restart slurmctld.service", "scontrol reconfigure", "names.py"])
def test_a_step_that_failed_is_done_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    told: list[str] = []
    failing = [step]

    def run(command: list[str], **_more: object) -> subprocess.CompletedProcess[str]:
        told.append(" ".join(command))
        fails = bool(failing) and failing[0] in told[-1]
        return subprocess.CompletedProcess(command, int(fails), "Slurmctld(primary) at n-0 is UP", "no")

    (tmp_path / "slurm.conf").write_text(CONFIGURATION)
    monkeypatch.setattr(forget, "CONFIGURATION", tmp_path / "slurm.conf")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(forget.ForgetError):
        forget.main({"demo-node-1"})
    failing.clear()
    told.clear()
    assert forget.main({"demo-node-1"})
    assert [line.split("/")[-1].split()[0] for line in told] == ["systemctl", "scontrol", "scontrol", "slurm.conf"]
    assert not forget.main({"demo-node-1"})


def test_ssh_reads_what_a_run_wrote_that_ended_before_it_could(tmp_path: Path) -> None:
    tasks = yaml.safe_load((Path(admit.__file__).parents[1] / "tasks/trust.yml").read_text(encoding="utf-8"))
    (script,) = (task["ansible.builtin.shell"] for task in tasks if task["name"] == "Allow users to log in from node to node")
    for folder in ("sshd_config.d", "ssh_config.d", "bin"):
        (tmp_path / folder).mkdir()
    program = tmp_path / "bin/systemctl"
    program.write_text(f"#!/bin/sh\n[ -e {tmp_path}/works ] && echo reload >> {tmp_path}/told\n")
    program.chmod(0o755)

    def play() -> subprocess.CompletedProcess[str]:
        text = re.sub(r"\{\{.*?\}\}", "demo-node-*", script).replace("/etc/ssh/", f"{tmp_path}/")
        environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
        return subprocess.run(["/bin/sh", "-c", text], capture_output=True, text=True, check=False, env=environment)

    assert play().returncode != 0
    (tmp_path / "works").touch()
    assert (play().stdout, (tmp_path / "told").read_text()) == ("changed\nchanged\n", "reload\nreload\n")
    assert (play().stdout, (tmp_path / "told").read_text()) == ("", "reload\nreload\n")
    assert sorted(path.name for path in tmp_path.glob("ssh*/*")) == ["20-sky-torque.conf"] * 2


GOOD = """IDLE MIXED ALLOCATED COMPLETING IDLE+DRAIN MIXED+DRAIN ALLOCATED+DRAIN
IDLE+PLANNED MIXED+PLANNED ALLOCATED+COMPLETING IDLE+MAINTENANCE+RESERVED MIXED+MAINTENANCE IDLE+DRAIN+PLANNED"""
BAD = "DOWN DOWN* DOWN+DRAIN RESERVED+DOWN UNKNOWN UNKNOWN* FAIL FUTURE IDLE* IDLE*+DRAIN IDLE+NOT_RESPONDING IDLE+DRAIN+INVALID_REG"


@pytest.mark.parametrize(("state", "counts"), [*((state, True) for state in GOOD.split()), *((state, False) for state in ["", *BAD.split()])])
def test_a_visit_ends_well_if_the_server_can_give_the_node_jobs(tmp_path: Path, state: str, counts: bool) -> None:
    tasks = yaml.safe_load((Path(forget.__file__).parents[1] / "tasks/main.yml").read_text(encoding="utf-8"))[0]["block"]
    (script,) = (task["ansible.builtin.shell"] for task in tasks if task["name"] == "Wait until the server accepts the node")
    for program, text in (
        ("scontrol", f"echo NodeName=n-0 CPUTot=2 State={state} ThreadsPerCore=1"),
        ("sleep", ":"),
        ("journalctl", "echo it waits"),
    ):
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    text = script.replace("{{ torque_node_seconds }}", "2").replace("{{ inventory_hostname }}", "n-0")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/bash", "-c", text], capture_output=True, text=True, check=False, env=environment)
    words = f"the server reports it {state or 'unknown'}; the node's journal ends with: it waits"
    assert (done.returncode, done.stderr.strip()) == ((0, "") if counts else (1, words))


def test_the_hosts_file_holds_the_members_and_what_others_wrote() -> None:
    members = {"demo-node-1": "10.0.0.2", "demo-node-10": "10.0.0.3"}
    text = names.hosts(HOSTS, members, "demo-node-1", {"demo-node-1", "demo-old-7"})
    others = "# Written by sky.clusters\n127.0.0.1 localhost\n10.0.0.2 demo-node-1\n10.9.0.1 other-node-3\n192.0.2.1 my.site my\n"
    assert text == f"{others}{names.ADDED}10.0.0.3 demo-node-10\n"
    assert names.hosts(text, members, "demo-node-1", set(members)) == text
    assert names.hosts(text, {"demo-node-1": "10.0.0.2"}, "demo-node-1", set(members)) == others
    below = f"{text}# of somebody\n10.0.0.3 alias\n"
    assert names.hosts(below, members, "demo-node-1", set(members)) == f"{others}{names.ADDED}# of somebody\n10.0.0.3 alias\n10.0.0.3 demo-node-10\n"


def test_a_hosts_file_that_names_all_members_stays_as_the_role_node_wrote_it() -> None:
    text = "10.0.0.3 demo-a-0\n10.0.0.2 demo-node-1\n10.0.0.4 demo-node-10\n10.0.0.5 demo-worker-0\n"
    assert names.hosts(text, {"demo-node-10": "10.0.0.4", "demo-a-0": "10.0.0.3"}, "demo-node-1", set()) == text


def test_a_member_with_another_address_has_only_that_one() -> None:
    text = names.hosts("10.0.0.2 demo-node-1\n10.0.0.8 demo-a-0\n", {"demo-a-0": "10.0.0.3"}, "demo-node-1", set())
    assert text == f"10.0.0.2 demo-node-1\n{names.ADDED}10.0.0.3 demo-a-0\n"


def test_the_role_node_keeps_the_names_that_were_added() -> None:
    written = yaml.safe_load((Path(names.__file__).parents[2] / "node/vars/main.yml").read_text(encoding="utf-8"))
    assert f"{written['__node_hosts']['keep_below']}\n" == names.ADDED


def test_names_and_keys_come_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTS", "KNOWN", "TRUSTED"):
        monkeypatch.setattr(names, name, tmp_path / name)
    (tmp_path / "HOSTS").write_text(HOSTS)
    (tmp_path / "conf").write_text(CONFIGURATION)
    assert names.main(tmp_path / "conf", "demo-node-1")
    assert not names.main(tmp_path / "conf", "demo-node-1")
    assert "demo-node-10,10.0.0.3 ssh-ed25519 AAAA2\n" in (tmp_path / "KNOWN").read_text()
    assert (tmp_path / "TRUSTED").read_text().splitlines()[1:] == ["demo-node-1", "demo-node-10"]


def test_a_configuration_without_members_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("ClusterName=demo\n")
    assert not names.main(tmp_path / "conf", "demo-node-1")


def test_the_key_of_munge_is_made_once_and_reaches_only_the_node_that_asks(tmp_path: Path) -> None:
    private = tmp_path / "join.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", private], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    key, made = admit.secret(tmp_path / "secrets/munge")
    assert (len(key), made) == (admit.LENGTH, True)
    assert admit.secret(tmp_path / "secrets/munge") == (key, False)
    assert (tmp_path / "secrets/munge").stat().st_mode & 0o777 == 0o600
    sealed = base64.b64decode(admit.letter(key, base64.b64encode(public).decode()))
    assert key not in sealed
    options = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"]
    opened = subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", private, *options], input=sealed, check=True, capture_output=True).stdout
    assert hashlib.sha256(opened).digest() == hashlib.sha256(key).digest()


def test_nodes_whose_clock_or_version_differs_are_turned_away_in_words() -> None:
    shown = {"a-0": ["", "", "", "1000", "22.05", "no"], "b-0": ["", "", "", "5000", "22.05", "no"], "c-0": ["", "", "", "1000", "24.11", "no"]}
    assert admit.strangers(shown, "22.05", 1100.0) == {
        "b-0": "the clock of b-0 is 3900 s from the server's, and munge allows 300 s: set it right",
        "c-0": "c-0 has Slurm 24.11 and the server 22.05: all nodes need the same release of their distribution",
    }


def test_a_node_that_is_turned_away_keeps_no_other_one_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = str(int(time.time()))
    shown = {name: [f"pub-{name}", "", f"key-{name}", now, "22.05" if name == "a-0" else "24.11", "yes"] for name in ("a-0", "b-0", "c-0")}
    members = {name: f"10.0.0.{number}" for number, name in enumerate(shown, 2)}
    (tmp_path / "members.json").write_text(json.dumps({"c-0": {"address": "10.0.0.4", "key": "old"}}))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"members": members, "shown": shown})))
    monkeypatch.setattr(subprocess, "run", lambda command, **_more: subprocess.CompletedProcess(command, 0, "22.05.8-4\n", ""))
    monkeypatch.setattr(admit, "letter", lambda _key, public: f"for {public}")
    found = admit.main(tmp_path / "key", tmp_path / "members.json")
    assert (found["letters"], sorted(found["strangers"])) == ({"a-0": "for pub-a-0"}, ["b-0", "c-0"])
    assert {name: (member["key"], member["confines"]) for name, member in found["members"].items()} == {
        "a-0": ("key-a-0", True),
        "b-0": ("", False),
        "c-0": ("old", False),
    }


ADMISSION = """
- name: Ask to be taken in
  hosts: all
  gather_facts: false
  vars_files: [$roles/torque/vars/main.yml, $roles/nfs_client/vars/main.yml, $roles/torque_server/vars/main.yml]
  vars:
    sky_heads: {torque_server: server, nfs_server: server}
    torque_server_confine: auto
  tasks:
    - name: Ask
      block:
        - name: Fail before the question
          ansible.builtin.fail:
          when: inventory_hostname == 'early'

        - name: Show something, or fail meanwhile
          ansible.builtin.shell: |
            echo '$answer'; [ {{ inventory_hostname }} != late ]
          register: __torque_shown

        - name: Look, or fail meanwhile
          ansible.builtin.shell: |
            [ {{ inventory_hostname }} != later ] && echo '$answer'
          register: __nfs_client_looked

        - name: Write who asks
          ansible.builtin.copy:
            content: "{{ [__torque_requests, __nfs_client_requests] | to_json }}"
            dest: asked.json
            mode: "0600"
          run_once: true

        - name: Write whether jobs are confined, beside a node that was never taken in, if all others can do that, or one cannot
          ansible.builtin.copy:
            content: "{{ __torque_server_confines }}"
            dest: "{{ item }}.txt"
            mode: "0600"
          vars:
            one: {key: public, confines: true}
            members: {early: "{{ one }}", late: {key: '', confines: false}, later: "{{ one }}", other: {key: public, confines: "{{ item == 'can' }}"}}
            __torque_admitted: {stdout: "{{ {'members': members} | to_json }}"}
          loop: [can, cannot]
          run_once: true
      rescue:
        - name: Leave the run
          ansible.builtin.fail:
"""


def test_a_node_that_has_failed_keeps_no_other_one_from_asking(tmp_path: Path) -> None:
    names = ("early", "late", "later", "other", "server")
    answer = json.dumps({"key": "public"})
    (tmp_path / "site.yml").write_text(Template(ADMISSION).substitute(answer=answer, roles=Path(admit.__file__).parents[2]))
    common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {name: common | {"sky_address": f"10.0.0.{number}"} for number, name in enumerate(names)}
    groups = {"torque_node": names[:4], "nfs_client": names[:4], "torque_server": names[4:], "nfs_server": names[4:]}
    children = {group: {"hosts": dict.fromkeys(members)} for group, members in groups.items()}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": children}}))
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    environment = os.environ | {"ANSIBLE_HOME": str(tmp_path / "home")}
    done = subprocess.run([program, "-i", "hosts.yml", "site.yml"], cwd=tmp_path, env=environment, text=True, capture_output=True, check=False)
    assert (tmp_path / "cannot.txt").is_file(), done.stdout + done.stderr
    requests, clients = json.loads((tmp_path / "asked.json").read_text())
    assert requests == {"other": [answer], "server": [answer], "later": [answer]}
    assert clients["keys"] == {"other": "public"}
    assert sorted(clients["members"]) == ["early", "late", "later", "other"]
    assert [(tmp_path / f"{name}.txt").read_text() for name in ("can", "cannot")] == ["True", "False"]


def test_files_and_commands_are_installed_and_old_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "BIN", tmp_path)
    folder = tmp_path / "lib"
    wanted = {"pbs": "#!/bin/sh\n", "package/a.py": "A = 1\n"}
    (folder / "package").mkdir(parents=True)
    (folder / "package/old.py").touch()
    assert install.put(folder, wanted, ["qsub"])
    assert not (folder / "package/old.py").exists()
    assert (tmp_path / "qsub").resolve() == folder / "pbs"
    assert [(folder / name).stat().st_mode & 0o777 for name in wanted] == [0o755, 0o644]
    assert not install.put(folder, wanted, ["qsub"])


def test_clients_are_let_in_from_their_addresses_and_for_files_alone() -> None:
    clients = {"demo-node-0": {"address": "10.0.0.2", "key": "ssh-ed25519 AAAA1"}, "demo-node-1": {"address": "10.0.0.3", "key": ""}}
    assert admit_clients.authorised(clients).splitlines()[1:] == [
        'from="10.0.0.2",restrict,command="internal-sftp" ssh-ed25519 AAAA1 demo-node-0',
    ]


def test_folders_are_exported_to_these_addresses_with_root_squashed() -> None:
    text = admit_clients.exports(["/data/home"], ["10.0.0.2", "10.0.0.3"])
    options = "rw,sync,no_subtree_check,root_squash"
    assert text.splitlines()[1:] == [f"/data/home 10.0.0.2({options}) 10.0.0.3({options})"]
    assert admit_clients.exports(["/data/home"], []).splitlines()[1:] == []
    block = admit_clients.ganesha(["/data/home"], ["10.0.0.2"])
    assert "Access_Type = None;" in block
    assert "CLIENT { Clients = 10.0.0.2; Access_Type = RW; Squash = Root_Squash; }" in block


class Server:
    """A node that serves folders: what its services are told, and which of them run; a command can fail once."""

    def __init__(self, engine: str) -> None:
        self.settings = {"engine": engine, "data": "/data/nfs"}
        self.running: set[str] = set()
        self.enabled: set[str] = set()
        self.told: list[str] = []
        self.fails = ""

    def run(self, command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        verb, unit = command[-2:]
        if "--quiet" in command:
            return subprocess.CompletedProcess(command, int(unit not in (self.running if verb == "is-active" else self.enabled)), "", "")
        self.told.append(" ".join(command))
        if self.fails and self.fails in command:
            self.fails = ""
            assert more["check"]
            raise subprocess.CalledProcessError(1, command, "", "no")
        if "enable" in command:
            self.enabled.add(unit)
        if command[0] == "systemctl" and verb != "reload":
            self.running.add(unit)
        return subprocess.CompletedProcess(command, 0, "", "")

    def serve(self) -> bool:
        self.told.clear()
        return admit_clients.serve(self.settings, ["10.0.0.2"])


@pytest.fixture(params=sorted(admit_clients.ENGINES))
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(request.param)
    monkeypatch.setattr(admit_clients, "EXPORTS", tmp_path / "exports")
    monkeypatch.setattr(admit_clients, "GANESHA", tmp_path / "ganesha.conf")
    monkeypatch.setattr(subprocess, "run", made.run)
    return made


def test_a_server_that_does_not_run_is_started_although_nothing_else_has_changed(server: Server) -> None:
    unit = admit_clients.ENGINES[server.settings["engine"]]
    assert server.serve()
    assert (server.running, server.enabled) == ({unit}, {unit})
    assert not server.serve()
    server.running.clear()
    assert server.serve()
    assert f"systemctl enable --now {unit}" in server.told
    server.enabled.clear()
    assert server.serve()
    assert (server.running, server.enabled) == ({unit}, {unit})


KERNELS = [("kvm", "nodev\tnfsd\n\tnfs4\n", True), ("kvm", "ext4\n", False), ("lxc", "nodev\tnfsd\n\tnfs4\n", False)]


@pytest.mark.parametrize(("machine", "file_systems", "kernel"), KERNELS)
def test_nfs_of_the_kernel_is_used_where_the_kernel_is_the_nodes_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, file_systems: str, kernel: bool
) -> None:
    for program, code in (("systemd-detect-virt", int(machine != "lxc")), ("modprobe", 1)):
        (tmp_path / program).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / program).chmod(0o755)
    (tmp_path / "filesystems").write_text(file_systems)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(look, "FILE_SYSTEMS", tmp_path / "filesystems")
    assert look.kernel_has_nfs() is kernel
    tasks = yaml.safe_load((Path(admit_clients.__file__).parents[1] / "tasks/serve.yml").read_text(encoding="utf-8"))
    script = tasks[0]["ansible.builtin.shell"].replace("{{ nfs_server_engine | quote }}", "auto")
    script = script.replace("/proc/filesystems", f"{tmp_path}/filesystems")
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ("kernel" if kernel else "sftp")


def rendered(role: str, template: str, **given: Any) -> str:
    """A template of a role, with these variables."""
    templates = jinja2.Environment(trim_blocks=True, autoescape=False)
    templates.filters |= {"comment": str, "regex_replace": lambda text, found, new: re.sub(found, new, text, count=1)}
    text = (Path(admit.__file__).parents[2] / role / "templates" / template).read_text(encoding="utf-8")
    return templates.from_string(text).render(ansible_managed="", **given)


@pytest.mark.parametrize("engine", [*admit_clients.ENGINES, "sftp"])
def test_health_looks_at_a_unit_that_falls_with_the_server_or_with_a_mount(engine: str) -> None:
    shares = [("home-ada", "/home/ada", "/data/home/ada"), ("software", "/software", "/data/software")]
    lines = rendered("nfs_server", "engine.service.j2", __nfs_server_kind=engine, __nfs_server_shares=shares).splitlines()
    wanted = " ".join(["sky-nfs-home-ada.service", "sky-nfs-software.service", *filter(None, [admit_clients.ENGINES.get(engine)])])
    assert [line for line in lines if line.startswith(("BindsTo=", "After="))] == [f"BindsTo={wanted}", f"After={wanted}"]
    assert "sky-nfs-engine" in NFS.roles[SERVER].services


def test_health_looks_at_a_unit_that_falls_with_a_mount_of_a_client() -> None:
    lines = rendered("nfs_client", "all.service.j2", __nfs_client_units=["sky-share-home-ada", "sky-share-software"]).splitlines()
    wanted = "sky-share-home-ada.service sky-share-software.service"
    assert [line for line in lines if line.startswith(("BindsTo=", "After="))] == [f"BindsTo={wanted}", f"After={wanted}"]
    assert "sky-share-all" in NFS.roles[CLIENT].services


@pytest.mark.parametrize(
    ("units", "mounted", "waits"),
    [
        ((), "", ""),
        (("share-home-ada", "share-home-bob", "share-software"), "home/ada software", ""),
        (("share-home-ada", "share-software"), "software", "home/ada"),
        (("share-home-ada", "share-software"), "home/ada", "software"),
        (("nfs-home-ada", "nfs-software"), "", "home/ada"),
    ],
)
def test_a_job_begins_where_the_home_of_its_user_is(tmp_path: Path, units: tuple[str, ...], mounted: str, waits: str) -> None:
    for name in (*(f"sky-{unit}.service" for unit in units), *(f"{place.replace('/', '-')}.mounted" for place in mounted.split())):
        (tmp_path / name).touch()
    for program, text in (
        ("id", "echo ada"),
        ("sleep", f"echo >> {tmp_path}/slept"),
        ("mountpoint", f'shift; [ -e "{tmp_path}/$(echo "${{1#/}}" | tr / -).mounted" ]'),
        ("install", f"touch {tmp_path}/begun"),
        ("mkdir", ":"),
    ):
        (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / program).chmod(0o755)
    script = Path(admit.__file__).with_name("prolog").read_text(encoding="utf-8")
    script = script.replace("/etc/systemd/system/", f"{tmp_path}/").replace("seq 600", "seq 3")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_UID": "2001", "SLURM_JOB_ID": "7"}
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, (tmp_path / "begun").exists(), (tmp_path / "slept").exists()) == ((1, False, True) if waits else (0, True, False))
    assert done.stderr.startswith(f"/{waits} is not mounted: see 'journalctl -u sky-" if waits else "")


def test_what_writes_the_names_of_nodes_is_kept_in_a_sandbox(tmp_path: Path) -> None:
    lookup = {"sky.clusters.hardening": lambda *folders: LookupModule().run(list(folders))[0]}
    unit = tmp_path / "sky-torque-names.service"
    given = {"lookup": lambda name, *terms: lookup[name](*terms), "__torque_node_conf": "/dev/null"}
    made = rendered("torque_node", "sky-torque-names.service.j2", **given)
    unit.write_text(made.replace("/usr/local/lib/sky-pbs/names.py", "/bin/true"), encoding="utf-8")
    words = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=25", str(unit)]  # 2.5, as molecule requires
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ReadWritePaths=/etc\n" in made + "\n"


@pytest.mark.parametrize("fails", ["enable", "restart", "exportfs"])
def test_what_a_run_did_not_finish_is_done_by_the_next(server: Server, fails: str) -> None:
    server.fails = fails
    with contextlib.suppress(subprocess.CalledProcessError):
        server.serve()
    told = {"kernel": "exportfs -ra", "ganesha": "systemctl restart nfs-ganesha.service"}[server.settings["engine"]]
    if fails in told:
        server.serve()
        assert told in server.told
    server.serve()
    assert server.running == server.enabled == {admit_clients.ENGINES[server.settings["engine"]]}
    assert not server.serve()


def test_the_keys_of_clients_count_also_if_ssh_could_not_be_reloaded_at_first(tmp_path: Path, server: Server) -> None:
    server.fails = "reload"
    given = (tmp_path / "sshd.conf", "Match all\n", "systemctl", "reload", "ssh.service")
    with pytest.raises(subprocess.CalledProcessError):
        admit_clients.apply(*given)
    assert admit_clients.apply(*given)
    assert server.told == ["systemctl reload ssh.service"] * 2
    assert not admit_clients.apply(*given)
    assert [path.name for path in tmp_path.iterdir()] == ["sshd.conf"]


USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The homes of a node: one, of the user of the tests."""
    found = tmp_path / "of-node"
    (found / USER).mkdir(parents=True)
    (found / USER / ".profile").write_text("umask 027\n")
    (tmp_path / "mountinfo").touch()
    monkeypatch.setattr(folders, "HOMES", found)
    monkeypatch.setattr(folders, "UNITS", tmp_path)
    monkeypatch.setattr(folders, "MOUNTS", tmp_path / "mountinfo")
    monkeypatch.setattr(folders, "SHARED_SOFTWARE", tmp_path / "software-of-node")
    monkeypatch.setattr(look, "HOMES", found)
    monkeypatch.setattr(look, "UNITS", tmp_path)
    monkeypatch.setattr(look, "SOFTWARE", tmp_path / "software-of-node")
    return found


@pytest.mark.usefixtures("homes")
def test_homes_are_brought_to_an_empty_folder_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "lost+found").mkdir(parents=True)
    (data / "home").mkdir()
    (data / "home" / f".{USER}.new").mkdir()  # a run has ended there
    (data / ".sky-nfs").touch()
    assert folders.make(data, "demo", [USER])
    assert (data / "home" / USER / ".profile").read_text() == "umask 027\n"
    assert [(data / name).stat().st_mode & 0o7777 for name in ("home", f"home/{USER}", "software")] == [0o755, 0o700, 0o2775]
    (data / "home" / USER / ".profile").unlink()
    assert not folders.make(data, "demo", [USER])
    assert not (data / "home" / USER / ".profile").exists()


@pytest.mark.usefixtures("homes")
@pytest.mark.parametrize(
    ("made", "content", "sentence"),
    [
        (".sky-nfs", "other\n", "{data} holds the shared folders of the cluster 'other'"),
        ("thesis.tex", "mine", "{data} is not empty, and what it holds is not this cluster's: empty it, or name another folder"),
        ("home/someone/thesis.tex", "mine", "{data} is not empty, and what it holds is not this cluster's: empty it, or name another folder"),
    ],
)
def test_a_folder_of_somebody_else_is_refused_and_stays_as_it_is(tmp_path: Path, made: str, content: str, sentence: str) -> None:
    data = tmp_path / "data"
    (data / made).parent.mkdir(parents=True)
    (data / made).write_text(content)
    with pytest.raises(folders.FolderError) as error:
        folders.make(data, "demo", [USER])
    assert str(error.value) == f"nfs_server_data: {sentence.format(data=data)}"
    assert [path for path in data.rglob("*") if path.is_file()] == [data / made]
    assert (data / made).read_text() == content


@pytest.mark.usefixtures("homes")
def test_a_home_that_belongs_to_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    folders.make(data, "demo", [USER])
    own = pwd.getpwnam(USER)
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: pwd.struct_passwd((*own[:2], 2002, *own[3:])))
    with pytest.raises(folders.FolderError, match=f"{data}/home/{USER} belongs to the user with id {own.pw_uid}, and {USER} has the id 2002"):
        folders.make(data, "demo", [USER])


SERVED = (Path(folders.__file__).parents[1] / "templates/share.service.j2").read_text(encoding="utf-8")


@pytest.fixture
def serving(homes: Path, tmp_path: Path) -> Path:
    """A node that serves a folder, with its mounts, which here are links."""
    data = tmp_path / "old"
    folders.make(data, "demo", [USER])
    (data / "home" / USER / "thesis.tex").touch()
    for share, place, inside in ((f"home-{USER}", homes / USER, f"home/{USER}"), ("software", tmp_path / "software-of-node", "software")):
        text = SERVED.replace("{{ item.1 }}", str(place)).replace("{{ item.2 }}", f"{data}/{inside}")
        (tmp_path / f"sky-nfs-{share}.service").write_text(text)
        mount(tmp_path, place, data / inside)
    return data


def mount(tmp_path: Path, place: Path, source: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        place.rename(tmp_path / f"under-{place.name}")
    place.unlink(missing_ok=True)
    place.symlink_to(source)
    with (tmp_path / "mountinfo").open("a") as file:
        file.write(f"36 35 98:0 /x {place} rw - ext4 /dev/sda rw\n")


def test_another_folder_does_not_take_the_place_of_the_one_that_is_served(serving: Path, tmp_path: Path) -> None:
    assert not folders.make(serving, "demo", [USER])
    for unit in tmp_path.glob("sky-nfs-*"):
        unit.write_text(unit.read_text().replace(f"{serving}/", f"{serving}//"))  # of a name that ends with a slash
    assert not folders.make(serving, "demo", [USER])
    new = tmp_path / "new"
    said = f"^nfs_server_data: this node serves {serving}, and {new} would take its place .*: nothing was changed; .*cp -a {serving}/. {new}"
    with pytest.raises(folders.FolderError, match=said):
        folders.make(new, "demo", [USER])
    assert not new.exists()
    (tmp_path / "mountinfo").write_text("")
    with pytest.raises(folders.FolderError, match=said):  # nor a copy of what a mount that is missing has hidden
        folders.make(new, "demo", [USER])
    subprocess.run(["cp", "-a", f"{serving}/.", new], check=True)
    assert not folders.make(new, "demo", [USER])
    assert (new / "home" / USER / "thesis.tex").exists()


def test_folders_that_were_split_by_an_earlier_version_are_named(serving: Path, homes: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", f"{serving}/.", tmp_path / "new"], check=True)
    mount(tmp_path, homes / USER, tmp_path / "new/home" / USER)
    with pytest.raises(folders.FolderError, match=rf"{homes}/{USER} of this node is not {serving}/home/{USER}, which clients see: put into"):
        folders.make(serving, "demo", [USER])


def test_a_home_with_files_is_not_hidden_by_the_shared_one(homes: Path, tmp_path: Path) -> None:
    assert list(look.hidden([USER, "nobody-yet"])) == []
    for name in ("d", "c", "b", "a"):
        (homes / USER / name).touch()
    (sentence,) = look.hidden([USER])
    assert sentence == f"{homes / USER} of this node is not empty, and the shared folder would hide a, b, c, ...: move them away"
    # it is shared already: what a job has written while it was not mounted must not stop a repair
    (tmp_path / f"sky-share-home-{USER}.service").touch()
    assert list(look.hidden([USER])) == []
