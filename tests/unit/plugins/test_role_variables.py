# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of roles at a site: misspelt names and invalid values."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.sky.clusters.plugins.plugin_utils._role_variables import (
    beyond_node,
    dotted,
    doubled,
    faults,
    known,
    misplaced,
    missing,
    of_role,
    sources,
    strangers,
)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("spark_worker_memmory", "2g", "no such variable; did you mean 'spark_worker_memory'?"),
        ("spark_verison", "4.3.0", "no such variable; did you mean 'spark_version'?"),
        ("node_usr", "ada", "no such variable; did you mean 'node_user'?"),
        ("spark_worker_memory", "2g", "must be of type int, got '2g'"),
        ("spark_worker_memory", 0, "must be 1 or more, got 0"),
        ("spark_worker_drain_seconds", -1, "must be 0 or more, got -1"),
        ("spark_port", 99999, "must be a port from 1 to 65535, got 99999"),
        ("spark_java_version", 11, "must be one of 17, 21, got 11"),
        ("spark_java_version", None, "must not be empty"),
        ("spark_io_encryption", "perhaps", "must be of type bool, got 'perhaps'"),
        ("node_user", "root", "'root' is a user or a group of the system; choose another name"),
        ("node_user", "daemon", "'daemon' is a user or a group of the system; choose another name"),
        ("node_user", "sudo", "'sudo' is a user or a group of the system; choose another name"),
        ("node_user", "Ada", "must be a user name"),
        ("node_user", "1a", "must be a user name"),
        ("node_user", "a" * 33, "must be a user name"),
        ("node_user", "", "must be a user name"),
        ("node_user_uid", 0, "must be from 1000 to 59999"),
        ("node_user_uid", 65534, "must be from 1000 to 59999"),
        ("node_user_uid", "many", "must be of type int, got 'many'"),
        ("node_users", [{"name": "ada"}], "entry 0 ('ada'): 'uid' is missing"),
        ("node_users", ["ada"], "entry 0 must be a mapping, got 'ada'"),
        ("node_users", [{"name": "ada", "uid": 2001, "sh_keys": []}], "entry 0 ('ada'): unknown key 'sh_keys'; did you mean 'ssh_keys'?"),
        ("node_users", [{"name": "ada", "uid": "x"}], "entry 0 ('ada'): 'uid' must be of type int, got 'x'"),
        ("node_users", [{"name": "ada", "uid": 2001}, {"name": "bob", "uid": 2001}], "ada and bob have the same id 2001"),
        ("node_users", [{"name": "ada", "uid": 2001}, {"name": "ada", "uid": 2002}], "'ada' is listed twice"),
        ("node_users", [{"name": "root", "uid": 2001}], "root: 'root' is a user or a group of the system"),
        ("node_users", [{"name": "ada", "uid": 7}], "ada: must be from 1000 to 59999"),
        (
            "torque_server_queues",
            [{"name": "long", "max_walltim": "1:00"}],
            "entry 0 ('long'): unknown key 'max_walltim'; did you mean 'max_walltime'?",
        ),
        ("torque_engine", "openpbs", "'openpbs' cannot be installed: OpenPBS is in no Debian release; slurm offers the same commands"),
        ("s3a_endpoint", "http://rgw:7480", "must begin with https://, got http://rgw:7480: over plain http"),
        ("s3a_endpoint", "rgw", "must be an address such as https://rgw.example.org:7443, got 'rgw'"),
        ("s3a_bucket", "My_Bucket", "must be the name of a bucket"),
        ("s3a_sha256", "12", "must be a SHA-256, which has 64 hexadecimal digits, got '12'"),
        ("s3a_ca_file", "none/ca.pem", "no such file on the controller: none/ca.pem"),
        ("cephfs_export", "/lab", "must be monitors and a folder, such as"),
        ("cephfs_client", "client.lab", "must be the name of a client without 'client.', such as lab, got 'client.lab'"),
        ("cephfs_name", "a b", "must be the name of a file system, such as cephfs, got 'a b'"),
        ("cephfs_key", "CANARY", "must be the key of a client, which has 40 characters and ends with ="),
        ("cephfs_mount", "shared", "must be an absolute path without spaces, such as /shared, got 'shared'"),
        ("cephfs_wait", 0, "must be from 1 to 3600, got 0"),
        ("cephfs_mode", "rwx", "must be a mode in quotes, such as \"1777\", got 'rwx'"),
        ("torque_engine", "pbs", "must be one of slurm, torque, openpbs, got 'pbs'"),
        ("torque_server_queues", [], "must name a queue"),
        ("torque_server_queues", [{"name": "a"}, {"name": "a"}], "'a' is listed twice"),
        ("torque_server_queues", [{"name": "my queue"}], "entry 0 ('my queue'): 'name' must be letters, digits, _ and -, a letter first"),
        ("torque_server_queues", [{"name": "a", "max_walltime": 86400}], "entry 0 ('a'): 'max_walltime' must be [[days-]hours:]minutes:seconds"),
        (
            "torque_server_queues",
            [{"name": "a", "max_walltime": "1:00:00", "default_walltime": "1-0:00:00"}],
            "entry 0 ('a'): 'default_walltime' must not be more than 'max_walltime', got 1-0:00:00 and 1:00:00",
        ),
        ("torque_server_queues", [{"name": "a", "max_nodes": 0}], "entry 0 ('a'): 'max_nodes' must be 1 or more, got 0"),
        ("torque_server_queues", [{"name": "a", "priority": 65534}], "entry 0 ('a'): 'priority' must be from 0 to 65533, got 65534"),
        ("torque_server_queues", [{"name": "a", "property": "big mem"}], "entry 0 ('a'): 'property' must be letters, digits"),
        ("torque_node_properties", ["big mem"], "must be names of letters, digits, _, - and ., a letter first, got 'big mem'"),
        ("torque_server_shares", {"ada": 0}, "ada: must be a whole number, 1 or more, got 0"),
        ("torque_server_half_life", 0, "must be 1 or more, got 0"),
        ("torque_server_reservations", [{"name": "a", "start": "2026-12-01T08:00"}], "entry 0 ('a'): 'end' is missing"),
        (
            "torque_server_reservations",
            [{"name": "a", "start": "tomorrow", "end": "2026-12-01T08:00"}],
            "entry 0 ('a'): 'start' must be a time such as 2026-12-01T08:00, got 'tomorrow'",
        ),
        (
            "torque_server_reservations",
            [{"name": "a", "start": "2026-12-01T08:00", "end": "2026-12-01T10:00Z"}],
            "entry 0 ('a'): 'end' must be a time on the clock of the server, without a time zone",
        ),
        (
            "torque_server_reservations",
            [{"name": "a", "start": "2026-12-01T08:00", "end": "2026-12-01T07:00"}],
            "entry 0 ('a'): 'end' must be after 'start'",
        ),
        ("hdfs_replication", 0, "must be from 1 to 512, got 0"),
        ("hdfs_replication", 513, "must be from 1 to 512, got 513"),
        ("hdfs_client_replication", 0, "must be from 1 to 512, got 0"),
        ("hdfs_heap", "512", "must be a size in MiB or GiB, such as 512m or 2g, got '512'"),
        ("hdfs_heap", "lots", "must be a size in MiB or GiB, such as 512m or 2g, got 'lots'"),
        ("hdfs_sha256", "12", "must be a SHA-256, which has 64 hexadecimal digits, got '12'"),
        ("hdfs_settings", {"dfs.replication": 0}, "dfs.replication: set hdfs_replication instead"),
        ("hdfs_client_namenode", "hdfs://10.0.0.4:8020", "must be an address and a port, such as 10.0.0.4:8020, got 'hdfs://10.0.0.4:8020'"),
        ("hdfs_namenode_folders", [{"path": "/sets", "ownr": "ada"}], "entry 0: unknown key 'ownr'; did you mean 'owner'?"),
        ("hdfs_namenode_folders", [{"owner": "ada"}], "entry 0: 'path' is missing"),
        ("hdfs_namenode_folders", [{"path": "sets"}], "entry 0: 'path' must be a path in HDFS, such as /sets, got 'sets'"),
        ("hdfs_namenode_folders", [{"path": "/sets", "mode": 0o775}], "entry 0 ('/sets'): 'mode' must be a mode in quotes, such as \"755\", got 509"),
        ("spark_uid", 33, "must be from 1000 to 59999"),
        ("node_user_shell", "bash", "must be the path of a program, got 'bash'"),
    ],
)
def test_an_invalid_role_variable_is_reported_with_its_place(name: str, value: Any, sentence: str) -> None:
    (found,) = faults("group worker", {name: value, "site_rack": object()})
    assert found.startswith(f"{name} (group worker): {sentence}")
    (bare,) = faults("", {name: value})
    assert bare.startswith(f"{name}: {sentence}")


def test_a_further_user_is_not_the_cluster_user() -> None:
    ada = {"node_users": [{"name": "ada", "uid": 2001}]}
    assert list(doubled("group all", ada, {})) == []
    assert list(doubled("", ada, {"node_user_uid": "2001"})) == ["node_users: sky (node_user) and ada have the same id 2001"]
    (named,) = doubled("group all", ada | {"node_user": "ada"}, {})
    assert named.startswith("node_users (group all): 'ada' is the cluster's user (node_user)")
    assert list(doubled("", {"node_users": [{"name": "sky", "uid": 2001}]}, {"node_user": "ada"})) == []
    # what is wrong in itself, or is not known before the nodes are, is the business of others
    assert list(doubled("", {"node_users": [{"name": "sky"}]}, {})) == []
    assert list(doubled("", {"node_users": "{{ people }}"}, {})) == []


def test_a_batch_node_offers_no_more_memory_than_it_has() -> None:
    node = {"sky_roles": ["torque_node"], "sky_memory": 1024, "torque_node_memory": 2048, "torque_node_cores": 64, "sky_cores": 2}
    assert beyond_node("n-0", node) == ["torque_node_memory: 2048 is more than n-0 has (1024)"]


def test_valid_role_variables_are_accepted() -> None:
    good = {
        "spark_worker_memory": "2048", "spark_port": 7077, "spark_io_encryption": "yes", "node_user": "ada", "node_user_uid": 1000,
        "node_user_shell": "/bin/zsh", "spark_worker_cores": "{{ sky_cores - 1 }}", "spark_daemon_settings": {"a": "{{ b }}"},
        "spark_worker_batch": None, "hdfs_heap": "2G", "hdfs_client_namenode": "[fd00::4]:8020", "hdfs_settings": {"dfs.blocksize": "64m"},
        "hdfs_namenode_folders": [{"path": "/sets", "owner": "ada", "mode": "1777"}, {"path": "/in"}],
        "torque_server_shares": {"ada": "3"}, "torque_node_properties": ["big", "x86-64.v3"],
        "torque_server_queues": [{"name": "batch", "max_walltime": "2-00:00:00", "default_walltime": "30:00", "priority": 5}],
        "torque_server_reservations": [{"name": "update", "start": datetime.datetime(2026, 12, 1, 8), "end": "2026-12-01T10:00", "nodes": ["n-0"]}],
    }  # fmt: skip
    assert list(faults("", good)) == []
    assert list(strangers("", good)) == []


def test_every_default_of_the_roles_is_accepted() -> None:
    for name, spec in known().items():
        if "default" in spec:
            assert list(faults("", {name: spec["default"]})) == [], name


def test_a_name_that_resembles_no_variable_is_only_a_warning() -> None:
    assert list(faults("", {"node_rack_of_the_hall": 3, "sparkle": 1})) == []
    assert list(strangers("group a", {"node_rack_of_the_hall": 3, "sparkle": 1})) == [
        "node_rack_of_the_hall (group a): no role of this collection has this variable"
    ]


def test_dotted_names_and_pool_names_are_reported_with_the_right_syntax() -> None:
    pools: dict[str, Any] = {"worker": {}, "gpu": {}}
    extra = {"sky_counts.worker": "3", "worker": "3", "worker.count": 4, "spark_daemon_settings.x": "y", "other.thing": 1, "gpu": "a100"}
    assert list(dotted(extra, pools)) == [
        'sky_counts.worker: names of variables contain no dot; use JSON, such as -e \'{"sky_counts": {"worker": 3}}\'',
        'worker: is a pool, not a variable; to change its count use -e \'{"sky_counts": {"worker": 3}}\'',
        'worker.count: names of variables contain no dot; use JSON, such as -e \'{"worker": {"count": 4}}\'',
        'spark_daemon_settings.x: names of variables contain no dot; use JSON, such as -e \'{"spark_daemon_settings": {"x": "y"}}\'',
    ]


def test_a_value_that_exceeds_the_node_is_reported() -> None:
    having = {"sky_roles": ["spark_worker"], "sky_memory": 2048, "spark_worker_memory": "99999"}
    assert beyond_node("demo-worker-0", having) == ["spark_worker_memory: 99999 is more than demo-worker-0 has (2048)"]
    for fits in ({"spark_worker_memory": 2048}, {"sky_memory": 0}, {"sky_memory": 99999}, {"sky_roles": ["spark_master"]}):
        assert beyond_node("demo-worker-0", having | fits) == []
    assert beyond_node("localhost", {"spark_worker_memory": 1}) == []


def test_a_port_of_a_service_that_the_node_balances_too() -> None:
    node = {"sky_roles": ["spark_master"], "sky_balances": [{"port": 8080}, {"port": 80}]}
    assert beyond_node("demo-master-0", node) == ["spark_master_ui_port: port 8080 of demo-master-0 is one that it balances: choose another one"]
    assert beyond_node("demo-master-0", node | {"spark_master_ui_port": 8090}) == []


def test_variables_are_found_in_every_place_of_a_site(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[worker]\nw1 spark_port=0\n[worker:vars]\nspark_verison=1\n")
    for folder, name, text in (("group_vars", "all", "node_usr: a\n"), ("host_vars", "w1", "spark_worker_memmory: 1\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yml").write_text(text)
    loader = DataLoader()
    loader.set_basedir(str(tmp_path / "elsewhere"))
    inventory = InventoryManager(loader, sources=[str(tmp_path / "hosts.ini")])
    found = [sentence for place, variables in sources(loader, inventory) for sentence in faults(place, variables)]
    assert sorted(sentence.split(":")[0] for sentence in found) == [
        "node_usr (group all)", "spark_port (host w1)", "spark_verison (group worker)", "spark_worker_memmory (host_vars)",
    ]  # fmt: skip


KEYS = {"s3a_access_key": "a", "s3a_secret_key": "{{ vaulted }}"}
CEPHFS = {"cephfs_export": "10.0.0.5:6789:/lab", "cephfs_client": "lab"}


@pytest.mark.parametrize(
    ("roles", "places", "sentences"),
    [
        (["spark_master"], [{"s3a_endpoint": "https://rgw"}], ["s3a_access_key and s3a_secret_key: are required with s3a_endpoint"]),
        (["spark_master"], [{"s3a_endpoint": "https://rgw"}, {"s3a_access_key": "a"}], ["s3a_secret_key: is required with s3a_endpoint"]),
        (["spark_master"], [{"s3a_endpoint": "https://rgw"}, KEYS], []),
        (["spark_master"], [{"s3a_endpoint": ""}], []),
        (["spark_master"], [{"s3a_archive": "jars.tar"}], ["s3a_sha256: is required with s3a_archive"]),
        (["hdfs_namenode"], [{"hdfs_archive": "jars.tar"}], ["hdfs_sha256: is required with hdfs_archive"]),
        (["cephfs"], [CEPHFS], ["cephfs_key: is required by the role cephfs, unless cephfs_share is set"]),
        (["cephfs"], [{"cephfs_share": "data"}], []),
        (["cephfs"], [CEPHFS | {"cephfs_key": "{{ vaulted }}"}, {"cephfs_share": "data"}], []),  # of two pools
        (["cephfs"], [CEPHFS | {"cephfs_key": "{{ vaulted }}", "cephfs_cloud": "campus"}], ["cephfs_share: is required with cephfs_cloud"]),
        (["cephfs"], [CEPHFS, {"cephfs_key": "{{ vaulted }}"}], []),
        (["spark_worker"], [], []),
    ],
)
def test_variables_that_others_need_are_asked_for(roles: list[str], places: list[dict[str, Any]], sentences: list[str]) -> None:
    assert list(missing(roles, [("", place) for place in places])) == sentences


def test_a_variable_of_clusters_without_a_role_is_refused_with_it() -> None:
    """DataNodes would follow the NameNode of another cluster."""
    places = [("group all", {"hdfs_client_namenode": "10.0.0.4:8020"}), ("", {"hdfs_client_namenode": ""})]
    assert list(misplaced(["spark_master"], places)) == []
    assert list(misplaced(["spark_master", "hdfs_namenode"], places)) == [
        "hdfs_client_namenode (group all): is for clusters without the role hdfs_namenode"
    ]


def test_a_role_checks_the_values_that_its_node_has() -> None:
    assert of_role("s3a", {"s3a_endpoint": "", "s3a_archive": "", "spark_port": 99999}) == []
    assert of_role("s3a", {"s3a_endpoint": "https://rgw", "s3a_access_key": "a", "s3a_secret_key": ""}) == [
        "s3a_secret_key: is required with s3a_endpoint"
    ]
    assert of_role("cephfs", CEPHFS | {"cephfs_key": ""}) == ["cephfs_key: is required by the role cephfs, unless cephfs_share is set"]
    assert of_role("cephfs", {"cephfs_share": "data", "cephfs_cloud": "campus", "cephfs_key": ""}) == []
    assert of_role("cephfs", {"cephfs_share": "data", "cephfs_export": "10.0.0.5:6789:/lab"}) == [
        "cephfs_export: comes from cephfs_share, which is set too: leave one of them out"
    ]
    assert of_role("cephfs", CEPHFS | {"cephfs_key": "short"}) == ["cephfs_key: must be the key of a client, which has 40 characters and ends with ="]
