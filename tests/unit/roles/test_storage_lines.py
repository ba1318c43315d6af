# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many copies of a file HDFS keeps, for its NameNode and in the last lines of a run, and the folders that a run creates in it; what the last
lines say of an object store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import ansible.template
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from jinja2 import Environment

ROOT = Path(__file__).parents[3]
HEAD = "demo-master-0"
RUN = {
    "inventory_hostname": HEAD,
    "sky_address": "10.0.0.4",
    "groups": {"hdfs_datanode": [HEAD], "spark_worker": [HEAD]},
    "hostvars": {
        "localhost": {
            "sky_nodes": {"members": [HEAD]},
            "sky_ssh": {"logins": {HEAD: {"ssh": "ssh", "node": "demo"}}},
            "sky_findings": {"systems": {}},
        }
    },
}


def trusted(text: str) -> Any:
    return getattr(ansible.template, "trust_as_template", str)(text)  # which ansible-core 2.18 does not have


def rendered(text: str, variables: dict[str, Any]) -> Any:
    return ansible.template.Templar(loader=DataLoader(), variables=variables).template(trusted(text))


def lines(system: str, until: str, **variables: Any) -> list[str]:
    """The first of a system's last lines."""
    text = (ROOT / f"playbooks/templates/{system}_next_steps.j2").read_text(encoding="utf-8").partition(until)[0]
    return str(rendered(text, RUN | variables)).splitlines()


def test_the_namenode_waits_for_hdfs_replication_and_is_not_restarted_when_datanodes_are_added() -> None:
    properties = yaml.safe_load((ROOT / "roles/hdfs_namenode/vars/main.yml").read_text(encoding="utf-8"))["__hdfs_namenode_properties"]
    heads = [{"copies": 1, "failed": False}, {"copies": 2, "failed": False}, {"failed": True}]
    assert [int(rendered(properties["dfs.replication"], {"hdfs_client_head": head, "hdfs_replication": 2})) for head in heads] == [2, 2, 2]


TEMPLATE = Environment(autoescape=False).from_string((ROOT / "roles/hdfs/templates/site.xml.j2").read_text(encoding="utf-8"))


def written(copies: int, item: str = "hdfs-site") -> str:
    """What a visit writes for clients where so many copies are kept."""
    return TEMPLATE.render(item=item, ansible_managed="", properties={"fs.defaultFS": "hdfs://10.0.0.4:8020", "dfs.replication": copies})


def test_nodes_that_are_not_visited_get_what_a_visit_would_have_written_when_more_copies_are_kept() -> None:
    tasks = yaml.safe_load((ROOT / "roles/hdfs_namenode/tasks/ready.yml").read_text(encoding="utf-8"))
    (change,) = [task["ansible.builtin.replace"] for task in tasks if "ansible.builtin.replace" in task]
    assert change["path"] == "/etc/hadoop/hdfs-site.xml"
    fresh = rendered(change["replace"], {"hdfs_client_head": {"copies": 3, "replication": 1}})
    assert re.sub(change["regexp"], fresh, written(1)) == written(3) != written(1)


def test_what_a_datanode_writes_for_others_has_all_copies_whenever_it_was_started() -> None:
    """By WebHDFS. It is not restarted when DataNodes are added; until there are enough of them, such a file lacks copies."""
    properties = yaml.safe_load((ROOT / "roles/hdfs_datanode/vars/main.yml").read_text(encoding="utf-8"))["__hdfs_datanode_properties"]
    known = {"hdfs_replication": 3, "hdfs_client_replication": 1, "hdfs_client_head": {"copies": 1}}
    assert int(rendered(properties["dfs.replication"], known)) == 3


def test_datanodes_follow_the_namenode_of_their_own_cluster() -> None:
    own = yaml.safe_load((ROOT / "roles/hdfs_datanode/vars/main.yml").read_text(encoding="utf-8"))
    known = {name: trusted(own[name]) for name in ("__hdfs_datanode_head",)}
    cluster = {"sky_heads": {"hdfs_namenode": HEAD}, "hostvars": {HEAD: {"sky_address": "fd00::4"}}, "hdfs_client_namenode": "10.9.9.9:8020"}
    assert rendered(own["__hdfs_datanode_properties"]["fs.defaultFS"], known | cluster) == "hdfs://[fd00::4]:8020"


@pytest.mark.parametrize(
    ("size", "given", "reserved", "refused"),
    [(1, {}, 128, False), (20, {}, 1024, False), (1, {"hdfs_datanode_reserved": 921}, 921, True), (1, {"hdfs_datanode_reserved": "920"}, 920, False)],
)
def test_a_volume_that_leaves_no_room_for_files_is_refused(size: int, given: dict[str, Any], reserved: int, refused: bool) -> None:
    default = yaml.safe_load((ROOT / "roles/hdfs_datanode/defaults/main.yml").read_text(encoding="utf-8"))["hdfs_datanode_reserved"]
    first = yaml.safe_load((ROOT / "roles/hdfs_datanode/tasks/main.yml").read_text(encoding="utf-8"))[0]
    known = {"hdfs_datanode_reserved": trusted(default), "__hdfs_datanode_size": size, "hdfs_ceph_volume": "hdfs", "inventory_hostname": HEAD} | given
    assert int(rendered("{{ hdfs_datanode_reserved }}", known)) == reserved
    assert rendered(f"{{{{ {first['when']} }}}}", known) == refused
    said = f"hdfs_datanode_reserved: {reserved} MiB are kept free on the volume 'hdfs' of {HEAD}, which has only {size} GiB: nothing would be left"
    assert rendered(first["ansible.builtin.fail"]["msg"], known).startswith(said)


@pytest.mark.parametrize(("copies", "misplaced"), [([], []), (["/data/backup"], []), (["/data/hdfs", "backup"], ["/data/hdfs", "backup"])])
def test_the_namenode_keeps_copies_on_further_volumes_only(copies: list[str], misplaced: list[str]) -> None:
    own = yaml.safe_load((ROOT / "roles/hdfs_namenode/vars/main.yml").read_text(encoding="utf-8"))
    mounts = {"hdfs_ceph_mount": "/data/hdfs", "sky_volumes": [{"mount": "/data/hdfs"}, {"mount": "/data/backup"}]}
    known = {"__hdfs_namenode_places": trusted(own["__hdfs_namenode_places"]), "hdfs_namenode_copies": copies} | mounts
    assert list(rendered(own["__hdfs_namenode_misplaced"], known)) == misplaced


def folders(**variables: Any) -> list[tuple[str, str, str]]:
    """Those that a run creates: path, owner and mode of each."""
    own = yaml.safe_load((ROOT / "roles/hdfs_namenode/vars/main.yml").read_text(encoding="utf-8"))
    known = {name: trusted(value) if isinstance(value, str) else value for name, value in own.items()}
    found = rendered("{{ __hdfs_namenode_folders }}", known | {"hdfs_namenode_folders": []} | variables)
    return [(folder["path"], folder.get("owner", "hdfs"), folder.get("mode", "755")) for folder in found]


USUAL = [("/tmp", "hdfs", "1777"), ("/user", "hdfs", "755")]


def test_every_user_of_the_nodes_has_a_home() -> None:
    assert folders() == [*USUAL, ("/user/sky", "sky", "750")]
    users = [{"name": "bob", "uid": 2002}, {"name": "ada", "uid": 2001}]
    homes = [(f"/user/{name}", name, "750") for name in ("ada", "bob", "lab")]
    assert folders(node_user="lab", node_users=users) == [*USUAL, *homes]
    assert folders(node_user="lab", node_users=None) == [*USUAL, homes[-1]]


def test_a_site_adds_folders_and_has_the_last_word_on_the_usual_ones() -> None:
    """A folder is created before those in it."""
    own = [{"path": "/user/sky/in", "owner": "sky"}, {"path": "/user", "mode": "711"}, {"path": "/sets"}]
    assert folders(hdfs_namenode_folders=own) == [
        ("/sets", "hdfs", "755"), USUAL[0], ("/user", "hdfs", "711"), ("/user/sky", "sky", "750"), ("/user/sky/in", "sky", "755"),
    ]  # fmt: skip


def test_the_last_lines_say_how_many_copies_are_kept() -> None:
    said = "files are kept in 1 copy (hdfs_replication 3, 1 DataNode(s))"
    assert said in lines("hdfs", "use it on", hdfs_client_head={"copies": 1})
    assert said not in lines("hdfs", "use it on", hdfs_client_head={"failed": True})


def test_the_certificate_of_an_object_store_is_looked_for_where_the_run_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = yaml.safe_load((ROOT / "roles/s3a/tasks/configure.yml").read_text(encoding="utf-8"))
    (source,) = [task["ansible.builtin.copy"]["src"] for task in tasks if "ansible.builtin.copy" in task]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    found = {given: rendered(source, {"s3a_ca_file": given}) for given in ("ca.pem", "~/ca.pem", "/etc/ca.pem")}
    assert found == {"ca.pem": f"{tmp_path}/ca.pem", "~/ca.pem": "/home/ada/ca.pem", "/etc/ca.pem": "/etc/ca.pem"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"s3a_endpoint": "https://rgw:7443"}, True),
        ({"s3a_endpoint": "https://rgw:7443", "s3a_bucket": "lab"}, False),
        ({}, False),
    ],
)
def test_the_last_lines_say_that_an_object_store_without_a_bucket_is_not_proved(given: dict[str, str], said: bool) -> None:
    assert ("the object store is not proved: s3a_bucket is not set" in lines("spark", "submit an application", **given)) == said
