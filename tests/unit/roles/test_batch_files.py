# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of the batch system and of the shared folders run on nodes."""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import subprocess
from pathlib import Path

import pytest
import yaml

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


def test_a_server_that_does_not_start_again_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").write_text(CONFIGURATION)
    monkeypatch.setattr(forget, "CONFIGURATION", tmp_path / "conf")
    monkeypatch.setattr(subprocess, "run", lambda command, **_more: subprocess.CompletedProcess(command, 1, "", "Job failed.\nSee journalctl.\n"))
    with pytest.raises(forget.ForgetError, match=r"'systemctl restart slurmctld\.service' failed: Job failed\. See journalctl\."):
        forget.main({"demo-node-1"})


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
    shown = {"a-0": ["", "", "", "1000", "22.05"], "b-0": ["", "", "", "5000", "24.11"]}
    assert admit.strangers(shown, "22.05", 1100.0) == [
        "the clock of b-0 is 3900 s from the server's, and munge allows 300 s: set it right",
        "b-0 has Slurm 24.11 and the server 22.05: all nodes need the same release of their distribution",
    ]


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


USER = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The homes of a node: one, of the user of the tests."""
    found = tmp_path / "of-node"
    (found / USER).mkdir(parents=True)
    (found / USER / ".profile").write_text("umask 027\n")
    monkeypatch.setattr(folders, "HOMES", found)
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


def test_a_home_with_files_is_not_hidden_by_the_shared_one(homes: Path, tmp_path: Path) -> None:
    assert list(look.hidden([USER, "nobody-yet"])) == []
    for name in ("d", "c", "b", "a"):
        (homes / USER / name).touch()
    (sentence,) = look.hidden([USER])
    assert sentence == f"{homes / USER} of this node is not empty, and the shared folder would hide a, b, c, ...: move them away"
    # it is shared already: what a job has written while it was not mounted must not stop a repair
    (tmp_path / f"sky-share-home-{USER}.service").touch()
    assert list(look.hidden([USER])) == []
