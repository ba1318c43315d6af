# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What local nodes are made from: names that are not known, and what differs between a node and a new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, NodeSpec, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import LxcCloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._host.nodes import Order
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc._options import Flavor, LxcOptions, Recipe

ARCHIVE = {"mark": "sky/1 me", "name": "own", "base": "own-1", "checksum": "sha256:1", "size": 1, "architecture": "x86_64", "created": ""}


def cloud(path: Path, **options: Any) -> LxcCloud:
    return LxcCloud("here", LxcOptions(zone="lab", path=str(path), **options), Scope("a"))


def spec(**more: Any) -> NodeSpec:
    known: dict[str, Any] = {"image": "debian-12", "flavor": "small"}
    return NodeSpec(Mark("me", "a", "p", 0), **(known | more))


def put_node(path: Path, made: LxcCloud, asked: NodeSpec, **more: Any) -> None:
    """The record that the host program writes of a node."""
    order = Order.read(made._order(asked) | {"resolvers": []})
    record = {key: getattr(order, key) for key in ("mark", "flavor", "image", "cores", "memory", "user", "public", "extra", "parts")}
    record |= {"id": "1", "created": "", "base": "x", "address": "10.90.0.7", "mac": "02:00:00:00:00:07", "cpus": [0]} | more
    folder = path / "lab" / "nodes" / asked.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sky.json").write_text(json.dumps(record))
    (path / "lab" / "zone.json").write_text(json.dumps({"network": made.options.network}))


def differences(now: LxcCloud, asked: NodeSpec) -> dict[str, tuple[str, str]]:
    (node,) = now.listing().nodes
    (definition,) = now.definitions([asked])
    assert definition.unknown == ()
    assert node.made.keys() >= definition.parts.keys() or not node.made.get("resolvers")  # of this version every part is known
    return {name: (node.made[name], value) for name, value in definition.parts.items() if node.made.get(name, value) != value}


def test_a_node_as_the_file_describes_it_differs_in_nothing(tmp_path: Path) -> None:
    here = cloud(tmp_path, packages=("curl",), resolvers=("192.0.2.1",))
    asked = spec(extra={"lxc.environment": "A=b"}, public_ip=True, ssh_user="ada")
    put_node(tmp_path, here, asked)
    assert differences(here, asked) == {}


@pytest.mark.parametrize(
    ("options", "change", "expected"),
    [
        ({"flavors": {"small": Flavor(1, 768)}}, {}, {"memory": ("1024", "768")}),
        ({"flavors": {"small": Flavor(2, 1024)}}, {}, {"cores": ("1", "2")}),
        ({"images": {"debian-12": Recipe("trixie")}}, {}, {"suite of the image": ("bookworm", "trixie")}),
        ({"images": {"debian-12": Recipe("bookworm", ("curl",))}}, {}, {"packages of the image": ("none", "curl")}),
        ({"packages": ("curl", "vim")}, {}, {"packages of the image": ("none", "curl, vim")}),
        ({"resolvers": ("192.0.2.1",)}, {}, {"resolvers": ("the machine's", "192.0.2.1")}),
        ({"network": "10.91.7.0/24"}, {}, {"network": ("10.92.1.0/24", "10.91.7.0/24")}),
        ({}, {"extra": {"lxc.environment": "A=b"}}, {"extra": ("none", 'lxc.environment: "A=b"')}),
        ({}, {"public_ip": True}, {"public_ip": ("no", "yes")}),
        ({}, {"ssh_user": "ada"}, {"ssh_user": ("root", "ada")}),
    ],
)
def test_whatever_is_fixed_at_birth_shows(
    tmp_path: Path, options: dict[str, Any], change: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    put_node(tmp_path, cloud(tmp_path, network="10.92.1.0/24"), spec())
    now = cloud(tmp_path, **({"network": "10.92.1.0/24"} | options))
    assert differences(now, spec(**change)) == expected


def test_an_image_that_was_added_again_with_other_content_shows(tmp_path: Path) -> None:
    record = tmp_path / "image-cache" / "own.json"
    record.parent.mkdir()
    record.write_text(json.dumps(ARCHIVE))
    put_node(tmp_path, cloud(tmp_path), spec(image="own"))
    assert differences(cloud(tmp_path), spec(image="own")) == {}
    record.write_text(json.dumps(ARCHIVE | {"checksum": "sha256:2"}))
    assert differences(cloud(tmp_path), spec(image="own")) == {"content of the image": ("sha256:1", "sha256:2")}


def test_a_node_of_an_older_version_shows_what_its_record_has_always_held_and_nothing_else(tmp_path: Path) -> None:
    put_node(tmp_path, cloud(tmp_path), spec(), parts={})
    now = cloud(tmp_path, packages=("curl",), resolvers=("192.0.2.1",), flavors={"small": Flavor(1, 768)})
    assert differences(now, spec()) == {"memory": ("1024", "768")}


def test_names_that_are_not_known_are_all_reported(tmp_path: Path) -> None:
    (found,) = cloud(tmp_path).definitions([spec(flavor="smal", image="debian-1")])
    assert [sentence.split(";")[0] for sentence in found.unknown] == ["unknown image 'debian-1'", "unknown flavor 'smal'"]
    assert found.parts == {}


def test_a_zone_is_one_place_whatever_its_entry_says_besides(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert cloud(tmp_path).place() == cloud(tmp_path / "link", network="10.91.7.0/24").place() != LxcCloud("b", LxcOptions(), Scope("a")).place()
