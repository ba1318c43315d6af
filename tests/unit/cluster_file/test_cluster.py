# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster file: accepted, or refused with every fault, each with its path."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import (
    DEADLINES,
    RESERVED_GROUPS,
    Cluster,
    ClusterFileError,
    DataVolume,
    Timeouts,
    file_schema,
    parse,
    parse_parts,
)
from ansible_collections.sky.clusters.plugins.module_utils._systems._table import ROLES, SYSTEMS
from ansible_collections.sky.clusters.tests.support.clusters import PROVIDERS

SCHEMA = file_schema(PROVIDERS)
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ ada"


def file(**more: Any) -> dict[str, Any]:
    """A small file that is accepted."""
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": "demo",
        "clouds": {"one": {"provider": "memory", "path": "/x"}},
        "pools": {"master": pool(roles=["spark_master"]), "worker": pool(count=2, roles=["spark_worker"])},
    } | more


def pool(**more: Any) -> dict[str, Any]:
    return {"cloud": "one", "count": 1} | more


def faults(data: Any) -> list[str]:
    with pytest.raises(ClusterFileError) as caught:
        parse(data, PROVIDERS)
    assert str(caught.value) == "\n".join(caught.value.faults)
    return caught.value.faults


# examples


def test_a_small_file_is_accepted() -> None:
    cluster = parse(file(), PROVIDERS)
    assert (cluster.name, list(cluster.pools), cluster.pools["worker"].count) == ("demo", ["master", "worker"], 2)
    assert cluster.pools["worker"].roles == ("spark_worker",)
    assert cluster.clouds["one"].options == PROVIDERS["memory"](path="/x")
    assert (cluster.clouds["one"].provider, cluster.pools_of("one")) == ("memory", ["master", "worker"])


def test_a_count_below_nought_is_answered_with_the_exact_sentence() -> None:
    data = file()
    data["pools"]["worker"]["count"] = -1
    assert faults(data) == ["pools.worker.count: must be 0 or more, got -1"]


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    data = {
        "plugin": "sky.clusters.clouds",
        "cluster": "Demo",
        "pols": {},
        "owner": "a b",
        "admin_cidrs": ["10.0.0.1/8"],
        "ssh_keys": ["AAAA"],
        "timeouts": {"boot": 5},
        "clouds": {"one": {"provider": "memry"}, "two": {"path": "/x"}, "three": {"provider": "memory", "pth": "/x"}, "4": 5},
        "pools": {
            "worker": {"cloud": "on", "count": "2", "roles": ["spark_wroker"], "volumes": {"hdfs": 0, "Tmp": {"fs": "zfs"}}},
            "data_1": {"count": 1, "public_ip": "yes"},
        },
    }
    assert sorted(faults(data)) == sorted(
        [
            "pols: unknown key; did you mean 'pools'?",
            "cluster: must be lower-case letters, digits and inner dashes, starting with a letter, got 'Demo'",
            "owner: must be letters, digits and any of . _ @ -, got 'a b'",
            "admin_cidrs[0]: must be a network such as 192.0.2.0/24, got '10.0.0.1/8' (10.0.0.1/8 has host bits set)",
            "ssh_keys[0]: must be a public ssh key on one line, such as 'ssh-ed25519 AAAA... me', got 'AAAA'",
            "timeouts.boot: unknown key; did you mean 'booted'?",
            "clouds.one.provider: unknown provider 'memry'; did you mean 'memory'?",
            "clouds.two.provider: is required; known: memory",
            "clouds.three.pth: unknown key; did you mean 'path'?",
            "clouds.three.path: is required",
            "clouds.4: must be lower-case letters and digits, starting with a letter, got '4'",
            "clouds.4: must be a mapping, got 5",
            "pools.worker.cloud: no cloud 'on' under clouds; did you mean 'one'?",
            "pools.worker.count: must be a whole number, 0 or more, got '2'",
            "pools.worker.roles[0]: unknown role 'spark_wroker'; did you mean 'spark_worker'?",
            "pools.worker.volumes.hdfs: must be 1 or more, got 0",
            "pools.worker.volumes.Tmp: must be lower-case letters and digits, starting with a letter, got 'Tmp'",
            "pools.worker.volumes.Tmp.fs: unknown file system 'zfs'; did you mean 'xfs'?",
            "pools.worker.volumes.Tmp.size: is required",
            "pools.data_1: must be lower-case letters and digits, starting with a letter, got 'data_1'",
            "pools.data_1.cloud: is required",
            "pools.data_1.public_ip: must be true or false, got 'yes'",
        ]
    )


@pytest.mark.parametrize("data", [None, [], "cluster: demo", 5])
def test_a_file_that_is_no_mapping(data: Any) -> None:
    (fault,) = faults(data)
    assert fault.startswith("the cluster file must be a mapping, got ")


def test_an_empty_file_names_all_that_is_required() -> None:
    assert faults({}) == ["cluster: is required", "clouds: is required", "pools: is required"]


@pytest.mark.parametrize("name", ["a", "a-b", "a" * 20, "a1"])
def test_good_names_of_clusters(name: str) -> None:
    assert parse(file(cluster=name), PROVIDERS).name == name


@pytest.mark.parametrize("name", ["a" * 21, "a-", "-a", "1a", "a_b", "A", "", "a\n"])
def test_bad_names_of_clusters(name: str) -> None:
    (fault,) = faults(file(cluster=name))
    assert fault.startswith("cluster: must be ")


def test_no_two_volumes_and_nodes_share_a_name() -> None:
    for bad in ("a-b", "a_b", "1", "a" * 11, ""):
        assert any(fault.startswith("pools.") for fault in faults(file(pools={bad: pool()})))
        assert any(fault.startswith("pools.p.volumes.") for fault in faults(file(pools={"p": pool(volumes={bad: 1})})))


def test_what_single_keys_cannot_know_is_checked() -> None:
    data = file(
        pools={
            "a": pool(min_count=2),
            "b": pool(public_ip=True),
            "c": pool(groups=["ok", "pool_a", "all", "spark_worker", "sky_x"]),
            "d": pool(volumes={"x": {"size": 1, "mount": "/data/y"}, "y": 1}),
        }
    )
    assert faults(data) == [
        "pools.a.min_count: must be at most count (1), got 2",
        "admin_cidrs: is required: pools.b has public_ip, so list the networks that may connect with ssh",
        "pools.c.groups[1]: 'pool_a' is reserved; choose another name",
        "pools.c.groups[2]: 'all' is reserved; choose another name",
        "pools.c.groups[3]: 'spark_worker' is reserved; choose another name",
        "pools.c.groups[4]: 'sky_x' is reserved; choose another name",
        "pools.d.volumes: two volumes are mounted at /data/y",
    ]


def test_a_fault_in_admin_cidrs_is_not_reported_as_its_absence() -> None:
    assert faults(file(admin_cidrs=["x"], pools={"b": pool(public_ip=True)})) == ["admin_cidrs[0]: must be a network such as 192.0.2.0/24, got 'x'"]


def test_the_open_internet_must_be_written_out() -> None:
    assert parse(file(admin_cidrs=["0.0.0.0/0"], pools={"b": pool(public_ip=True)}), PROVIDERS).settings.admin_cidrs == ("0.0.0.0/0",)


def test_volumes_in_both_forms() -> None:
    cluster = parse(file(pools={"d": pool(volumes={"x": 5, "y": {"size": 6, "type": "fast", "fs": "xfs", "mount": "/srv"}})}), PROVIDERS)
    assert cluster.pools["d"].volumes == {"x": DataVolume(5), "y": DataVolume(6, "fast", "xfs", "/srv")}


def test_deadlines_of_the_pool_stand_over_those_of_cloud_file_and_table() -> None:
    data = file(timeouts={"made": 1, "booted": 2}, pools={"p": pool(timeouts={"made": 4}), "q": pool()})
    data["clouds"]["one"]["timeouts"] = {"made": 3, "reachable": 5}
    cluster = parse(data, PROVIDERS)
    assert cluster.deadlines("p") == Timeouts(made=4, booted=2, reachable=5, deleted=DEADLINES.deleted)
    assert cluster.deadlines("q") == Timeouts(made=3, booted=2, reachable=5, deleted=DEADLINES.deleted)


def test_least() -> None:
    cluster = parse(file(pools={"p": pool(count=3), "q": pool(count=3, min_count=1), "r": pool(count=3, min_count=0)}), PROVIDERS)
    assert [cluster.pools[name].least for name in "pqr"] == [3, 1, 0]
    assert cluster.with_counts({"q": 0}).pools["q"].least == 0


# counts of one run


def test_counts_of_a_run() -> None:
    cluster = parse(file(), PROVIDERS)
    other = cluster.with_counts({"worker": "5"})
    assert (other.pools["worker"].count, other.pools["master"].count) == (5, 1)
    assert cluster.with_counts({"worker": 0}).pools["worker"].count == 0
    assert sum(pool.count for pool in cluster.with_counts({"worker": 0, "master": 0}).pools.values()) == 0
    assert cluster.pools["worker"].count == 2
    assert cluster.with_counts({}) == cluster


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"wroker": 1, "master": -1}, ["sky_counts.wroker: no such pool; did you mean 'worker'?", "sky_counts.master: must be 0 or more, got -1"]),
        ({"worker": "two"}, ["sky_counts.worker: must be a whole number, 0 or more, got 'two'"]),
        ({"worker": "\u00b2"}, ["sky_counts.worker: must be a whole number, 0 or more, got '\u00b2'"]),
        ({"worker": True}, ["sky_counts.worker: must be a whole number, 0 or more, got True"]),
        ({"worker": 10001}, ["sky_counts.worker: must be at most 10000, got 10001"]),
        ({"worker": None}, ["sky_counts.worker: must be a whole number, 0 or more, got None"]),
        ({"master": 0}, ["sky_counts.master: Spark needs exactly one spark_master, got 0"]),
        ({"master": 3, "worker": 1}, ["sky_counts.master: Spark needs exactly one spark_master, got 3"]),
        ("worker=4", ["sky_counts: must be a mapping from pool to count, got 'worker=4'"]),
    ],
)
def test_wrong_counts_of_a_run(counts: Any, expected: list[str]) -> None:
    with pytest.raises(ClusterFileError) as caught:
        parse(file(), PROVIDERS).with_counts(counts)
    assert caught.value.faults == expected


def test_the_variables_of_the_inventory_make_the_same_cluster() -> None:
    data = file(owner="ada", admin_cidrs=["192.0.2.0/24"])
    parts = {k: data[k] for k in ("cluster", "clouds", "pools")} | {"settings": {"owner": "ada", "admin_cidrs": ["192.0.2.0/24"]}}
    assert parse_parts(parts, PROVIDERS) == parse(data, PROVIDERS)
    with pytest.raises(ClusterFileError, match="settings: must be a mapping, got 'x'"):
        parse_parts(parts | {"settings": "x"}, PROVIDERS)


# what a system needs


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ({"master": pool(count=2, roles=["spark_master"])}, ["pools.master.count: Spark needs exactly one spark_master, got 2"]),
        ({"node": pool(count=3, roles=["spark_master", "spark_worker"])}, ["pools.node.count: Spark needs exactly one spark_master, got 3"]),
        ({"w": pool(roles=["spark_worker"])}, ["pools.w.roles: Spark needs exactly one spark_master, and no pool has this role"]),
        (
            {"m": pool(count=0, roles=["spark_master"]), "w": pool(roles=["spark_worker"])},
            ["pools.m.count: Spark needs exactly one spark_master, got 0"],
        ),
        (
            {"a": pool(roles=["spark_master"]), "b": pool(roles=["spark_master"]), "c": pool(count=0, roles=["spark_master"])},
            ["pools.b.count: Spark needs exactly one spark_master, got 2 in pools a, b, c"],
        ),
        (
            {"server": pool(count=2, roles=["torque_server"]), "node": pool(roles=["torque_node"])},
            ["pools.server.count: Torque needs exactly one torque_server, got 2"],
        ),
        ({"server": pool(count=2, roles=["nfs_server"])}, ["pools.server.count: NFS needs exactly one nfs_server, got 2"]),
        # a head that cannot be read is not missing as well
        ({"m": pool(roles=["spark_master"], sise=1), "w": pool(roles=["spark_worker"])}, ["pools.m.sise: unknown key; known: "]),
    ],
)
def test_a_system_has_exactly_one_head(pools: dict[str, Any], expected: list[str]) -> None:
    found = faults(file(pools=pools))
    assert len(found) == len(expected)
    assert all(fault.startswith(start) for fault, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    "pools",
    [
        {"bare": pool(count=3)},
        {"node": pool(roles=["spark_master", "spark_worker"])},
        {"m": pool(roles=["spark_master"]), "w": pool(count=0, roles=["spark_worker"])},
        {"m": pool(count=0, roles=["spark_master"]), "w": pool(count=0, roles=["spark_worker"])},
        {"a": pool(count=0, roles=["spark_master"]), "b": pool(roles=["spark_master"])},
    ],
)
def test_what_needs_no_further_head_is_accepted(pools: dict[str, Any]) -> None:
    assert parse(file(pools=pools), PROVIDERS).pools.keys() == pools.keys()


# whatever is written


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["one", "spark_worker", "memory", KEY])
WORDS = st.sampled_from([*SCHEMA["properties"], "provider", "path", "cloud", "count", "roles", "volumes", "public_ip", "extra", "size", "fs", "made"])
KEYS = WORDS | st.text(max_size=6) | st.integers() | st.none() | st.booleans()
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25)

HEADS = sorted(system.head for system in SYSTEMS.values() if system.head)
MEMBERS = sorted(ROLES.keys() - set(HEADS) - {"gateway"})
SHORT = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
WHOLE_VOLUME = st.fixed_dictionaries({"size": st.integers(1, 500)}, optional={"type": st.text(min_size=1), "fs": st.sampled_from(["ext4", "xfs"])})
VOLUMES = st.dictionaries(SHORT, st.integers(1, 500) | WHOLE_VOLUME, max_size=3)
TIMEOUTS = st.fixed_dictionaries({}, optional={name: st.integers(0, 86400) | st.none() for name in ("made", "booted", "reachable", "deleted")})
FREE_GROUP = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,20}", fullmatch=True).filter(
    lambda group: group not in RESERVED_GROUPS and group not in ROLES and not group.startswith(("pool_", "cloud_", "sky_"))
)
CLOUD = st.fixed_dictionaries(
    {"provider": st.just("memory"), "path": st.text(min_size=1, max_size=20)},
    optional={
        "flavor": st.text(min_size=1),
        "timeouts": TIMEOUTS,
        "extra": st.dictionaries(st.text(), st.integers()),
        "quota": st.integers(0),
    },
)
RULE = st.fixed_dictionaries(
    {"action": st.sampled_from(["allow", "block"]), "ports": st.lists(st.integers(100, 65535), unique=True, min_size=1, max_size=3)},
    optional={
        "direction": st.sampled_from(["in", "out"]),
        "protocol": st.sampled_from(["tcp", "udp"]),
        "peers": st.lists(st.sampled_from(["any", "cluster", "192.0.2.0/24", "2001:db8::1"]), unique=True, min_size=1),
    },
)
OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.from_regex(r"[A-Za-z0-9._@-]{1,64}", fullmatch=True) | st.none(),
        "ssh_keys": st.just([KEY]),
        "timeouts": TIMEOUTS,
        "firewall": st.lists(RULE, max_size=1),
        "names": st.dictionaries(st.from_regex(r"[a-z]{1,9}\.[a-z]{2,4}", fullmatch=True), st.just("192.0.2.7"), max_size=2),
        "keyed_groups": st.lists(st.text()),
        "cache": st.booleans(),
    },
)


def _mounted_at(volume: Any, names: Iterable[str]) -> bool:
    """Whether a volume is mounted where one of these would be."""
    return isinstance(volume, dict) and volume.get("mount") in {f"/data/{name}" for name in names}


@st.composite
def good_files(draw: st.DrawFn) -> dict[str, Any]:
    """Files of the grammar: every one must be accepted."""
    clouds = draw(st.dictionaries(SHORT, CLOUD, min_size=1, max_size=3))
    one_pool = st.fixed_dictionaries(
        {"cloud": st.sampled_from(sorted(clouds)), "count": st.integers(0, 10000)},
        optional={
            "roles": st.lists(st.sampled_from(MEMBERS), unique=True) | st.none(),
            "min_count": st.just(0) | st.none(),
            "groups": st.lists(FREE_GROUP, unique=True, max_size=3),
            "flavor": st.text(min_size=1),
            "image": st.text(min_size=1) | st.none(),
            "public_ip": st.booleans(),
            "volumes": VOLUMES,
            "timeouts": TIMEOUTS,
        },
    )
    pools = draw(st.dictionaries(SHORT, one_pool, min_size=1, max_size=3))
    if any(pool.get("roles") for pool in pools.values()):
        pools["thehead"] = {"cloud": min(clouds), "count": 1, "roles": HEADS + draw(st.lists(st.sampled_from(MEMBERS), unique=True))}
    pool: Any
    for pool in pools.values():
        needed = {ROLES[role].volume: 1 for role in pool.get("roles") or () if ROLES[role].volume}
        if needed:
            pool["volumes"] = needed | {volume: kind for volume, kind in (pool.get("volumes") or {}).items() if not _mounted_at(kind, needed)}
    name = draw(st.from_regex(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True))
    file = {"plugin": "sky.clusters.clouds", "cluster": name, "clouds": clouds, "pools": pools, "admin_cidrs": ["192.0.2.0/24"], **draw(OTHERS)}
    reached = any(pool.get("public_ip") and pool["count"] for pool in pools.values())
    overlay = draw(st.sampled_from([None, True, {"range": "10.50.0.0/16", "inside": "plain"}]) if reached else st.just(False))  # noqa: FBT003
    balances = [{"port": 80, "pool": "thehead", "target_port": 8080}] if "thehead" in pools else []
    return file | {"overlay": overlay, "load_balancer": balances} | ({"vpn_users": draw(st.sampled_from([[], ["ada", "bob"]]))} if overlay else {})


def spots(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a file."""
    if not isinstance(data, (dict, list)):
        return []
    items = list(data.items()) if isinstance(data, dict) else list(enumerate(data))
    return [(data, key) for key, _value in items] + [spot for _key, value in items for spot in spots(value)]


@st.composite
def spoilt_files(draw: st.DrawFn) -> Any:
    """Files of the grammar with some changes: values replaced, keys dropped, misspelt or added."""
    data = copy.deepcopy(draw(good_files()))
    for _time in range(draw(st.integers(1, 4))):
        found = spots(data)
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        how = draw(st.sampled_from(["value", "drop", "rename", "add"]))
        if how == "value" or isinstance(container, list):
            container[key] = draw(ANYTHING)
        elif how == "add":
            container[draw(KEYS)] = draw(ANYTHING)
        else:
            value = container.pop(key)
            if how == "rename":
                container[f"{key}x"] = value
    return data


def accepted(data: Any) -> Cluster | None:
    """The cluster; None where it was refused as it should be."""
    before = repr(data)
    try:
        cluster = parse(data, PROVIDERS)
    except ClusterFileError as error:
        assert error.faults
        for fault in error.faults:
            assert "\n" not in fault
            assert fault.startswith("the cluster file must be a mapping") or re.fullmatch(r"\S.*?: \S.*", fault), fault
        cluster = None
    assert repr(data) == before  # it is read, not changed
    return cluster


@settings(max_examples=150)
@given(good_files())
def test_every_file_of_the_grammar_is_accepted_and_by_the_schema_too(data: dict[str, Any]) -> None:
    assert accepted(data) is not None
    VALIDATOR.validate(data)


@settings(max_examples=300)
@given(spoilt_files())
def test_a_spoilt_file_is_refused_with_its_faults_or_is_a_good_one(data: Any) -> None:
    if accepted(data) is not None and all(isinstance(key, str) for container, key in spots(data) if isinstance(container, dict)):
        data["plugin"] = "sky.clusters.clouds"  # what names the plugin is Ansible's to check
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors(data)]
        assert errors == []


@settings(max_examples=300)
@given(ANYTHING)
def test_anything_at_all_is_a_cluster_or_refused_with_its_faults(data: Any) -> None:
    accepted(data)
    accepted({"cluster": "demo", "clouds": data, "pools": data})
    accepted(file(pools={"p": data}))
    accepted(file(clouds={"one": data}))


@given(ANYTHING)
def test_any_counts_are_counts_or_refused(data: Any) -> None:
    try:
        cluster = parse(file(), PROVIDERS).with_counts(data)
    except ClusterFileError as error:
        assert all(re.fullmatch(r"sky_counts.*: \S.*", fault) for fault in error.faults)
    else:
        assert all(0 <= p.count <= 10000 for p in cluster.pools.values())


def test_a_file_that_holds_itself_is_refused() -> None:
    data: dict[str, Any] = file()
    data["pools"]["worker"] = data["pools"]
    data["clouds"]["one"]["extra"] = data
    assert accepted(data) is None


def test_the_schema_of_the_file_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["required"] == ["plugin", "cluster", "clouds", "pools"]
    VALIDATOR.validate(file())
    for bad in (file(cluster="A"), file(pool={}), file(pools={}), file(pools={"p": pool(count=-1)}), file(clouds={"one": {"provider": "x"}})):
        assert not VALIDATOR.is_valid(bad)


def test_a_role_that_keeps_data_needs_its_volume() -> None:
    store = {"d": pool(roles=["hdfs_namenode", "hdfs_datanode"], volumes={"spark": 1})}
    assert faults(file(pools=store)) == [
        "pools.d.volumes: hdfs_namenode keeps its data on a volume named 'hdfs', such as hdfs: 20",
        "pools.d.volumes: hdfs_datanode keeps its data on a volume named 'hdfs', such as hdfs: 20",
    ]


def test_the_owner_of_a_volume() -> None:
    whole = {"size": 5, "owner": "sky", "group": "spark", "mode": "2775"}
    found = parse(file(pools={"d": pool(volumes={"x": whole})}), PROVIDERS).pools["d"].volumes["x"]
    assert (found.owner, found.group, found.mode) == ("sky", "spark", "2775")
    wrong = {"size": 5, "owner": "two words", "mode": "rwx"}
    assert faults(file(pools={"d": pool(volumes={"x": wrong})})) == [
        "pools.d.volumes.x.owner: must be the name of a user or a group, got 'two words'",
        "pools.d.volumes.x.mode: must be 3 or 4 octal digits in quotes, got 'rwx'",
    ]
