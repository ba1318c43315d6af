# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records -> nodes, volumes, strays: whose is whose, told from files alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import MarkError, Scope, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud, LxcOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.processes import Process, boot_id


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "lab"


def cloud(state: Path, cluster: str = "a") -> LxcCloud:
    return LxcCloud("here", LxcOptions(zone="lab", path=str(state.parent)), Scope(cluster))


def put_node(state: Path, name: str, mark: str | None = None, **more: Any) -> None:
    cluster, pool, index = name.rsplit("-", 2)
    record = {
        "mark": f"sky/1 me {cluster} {pool} {index}" if mark is None else mark,
        "id": f"id-{name}",
        "created": "2026-01-01T00:00:00+00:00",
        "flavor": "small",
        "image": "debian-12",
        "base": "x",
        "cores": 1,
        "memory": 512,
        "address": "10.90.0.7",
        "mac": "02:00:00:00:00:07",
        "cpus": [0],
        "user": "root",
        "boot": "another boot",
    } | more
    place = state / "nodes" / name
    place.mkdir(parents=True)
    (place / "sky.json").write_text(json.dumps(record))


def put_volume(state: Path, name: str, mark: str, gib: int = 1) -> None:
    (state / "volumes").mkdir(parents=True, exist_ok=True)
    (state / "volumes" / f"{name}.json").write_text(json.dumps({"mark": mark, "id": f"id-{name}", "created": ""}))
    with (state / "volumes" / f"{name}.img").open("wb") as file:
        file.truncate(gib << 30)


def test_a_zone_that_was_never_used_is_empty(state: Path) -> None:
    listing = cloud(state).listing()
    assert (listing.nodes, listing.volumes, listing.strays) == ((), (), ())


def test_clusters_whose_names_begin_alike(state: Path) -> None:
    for name in ("a-p-0", "a-p-10", "a1-p-0", "a-b-p-0"):
        put_node(state, name)
        put_volume(state, f"{name}-data", "sky/1 me {} {} {}".format(*name.rsplit("-", 2)))
    for cluster, names in {"a": ["a-p-0", "a-p-10"], "a1": ["a1-p-0"], "a-b": ["a-b-p-0"], "b": []}.items():
        listing = cloud(state, cluster).listing()
        assert [node.name for node in listing.nodes] == names
        assert [volume.name for volume in listing.volumes] == [f"{name}-data" for name in names]
        assert listing.strays == ()


def test_another_owner_is_listed(state: Path) -> None:
    put_node(state, "a-p-0", "sky/1 somebody a p 0")
    assert cloud(state).listing().nodes[0].mark.owner == "somebody"


def test_volumes_and_who_has_them(state: Path) -> None:
    put_node(state, "a-p-0", volumes=["data"])
    put_volume(state, "a-p-0-data", "sky/1 me a p 0", 3)
    put_volume(state, "a-p-0-kept", "sky/1 me a p 0")
    put_volume(state, "a-p-1-data", "sky/1 me a p 1")
    volumes = {volume.name: (volume.size, volume.attached, volume.device) for volume in cloud(state).listing().volumes}
    assert volumes == {"a-p-0-data": (3, "a-p-0", "/dev/sky/data"), "a-p-0-kept": (1, "", ""), "a-p-1-data": (1, "", "")}


@pytest.mark.parametrize(("mark", "reason"), [("", "it has no mark"), ("sky/1 me a p 1", "it has the mark 'sky/1 me a p 1'")])
def test_strays(state: Path, mark: str, reason: str) -> None:
    put_node(state, "a-p-0", mark)
    put_volume(state, "a-p-0-data", mark)
    listing = cloud(state).listing()
    assert (listing.nodes, listing.volumes) == ((), ())
    strays = [(stray.kind, stray.name, stray.reason) for stray in listing.strays]
    assert strays == [("node", "a-p-0", reason), ("volume", "a-p-0-data", reason)]


def test_a_copied_mark_under_another_name_is_a_stray(state: Path) -> None:
    put_node(state, "other-p-0", "sky/1 me a p 0")
    listing = cloud(state).listing()
    assert listing.nodes == ()
    assert [(stray.name, stray.reason) for stray in listing.strays] == [("other-p-0", "it has the mark 'sky/1 me a p 0'")]


def test_a_file_without_record_is_a_stray(state: Path) -> None:
    put_volume(state, "a-p-0-data", "sky/1 me a p 0")
    (state / "volumes" / "a-p-0-data.json").unlink()
    assert [stray.reason for stray in cloud(state).listing().strays] == ["its file has no mark"]


@pytest.mark.parametrize("text", ["{", "[]", '{"mark": "sky/2 me a p 0"}', '{"mark": "sky/1 me a"}', '{"mark": "sky/1 me a p 0"}'])
def test_what_cannot_be_understood_stops_its_cluster_and_no_other(state: Path, text: str) -> None:
    put_node(state, "a-p-0")
    (state / "nodes" / "a-p-0" / "sky.json").write_text(text)
    with pytest.raises(MarkError, match="node a-p-0"):
        cloud(state).listing()
    assert cloud(state, "b").listing().nodes == ()


def test_folders_on_their_way_are_not_nodes(state: Path) -> None:
    put_node(state, "a-p-0")
    (state / "nodes" / "a-p-0").rename(state / "nodes" / ".gone-a-p-0-12345678")
    assert cloud(state).listing().nodes == ()


@pytest.mark.parametrize(
    ("more", "expected", "fault"),
    [
        ({"boot": "another boot"}, State.STOPPED, ""),
        ({"boot": boot_id(), "ready": "abc"}, State.STOPPED, ""),
        ({"boot": boot_id()}, State.FAILED, "its init ended before the node was ready"),
        ({"boot": "", "maker": dataclasses.asdict(Process.current())}, State.BUILDING, ""),
        (
            {"boot": "", "maker": {"pid": 1, "started": "0", "boot": "x"}},
            State.STOPPED,
            "the run that was creating it ended before the node was started",
        ),
    ],
)
def test_states_of_nodes_that_do_not_run(state: Path, more: dict[str, Any], expected: State, fault: str) -> None:
    put_node(state, "a-p-0", **more)
    node = cloud(state).listing().nodes[0]
    assert (node.state, node.fault) == (expected, fault)


def test_the_clouds_in_use_and_records_that_are_older_than_them(state: Path) -> None:
    put_node(state, "a-p-0", clouds=["here", "there"])
    put_node(state, "a-p-1")
    assert [node.clouds for node in cloud(state).listing().nodes] == [("here", "there"), ()]


def test_public_nodes_have_a_public_address(state: Path) -> None:
    put_node(state, "a-p-0", public=True)
    put_node(state, "a-p-1")
    public, private = cloud(state).listing().nodes
    assert public.address(public=True) == public.address() == "10.90.0.7"
    assert (private.address(public=True), private.address()) == ("", "10.90.0.7")
