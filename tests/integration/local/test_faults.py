# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook ends with the reason, and not with success, where the cluster file or a cloud cannot be used. No node is made here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.tree import ROOT

# those that a user runs; the others are imported by them
CHECKS = ("sky.clusters.inventory_check", "import_playbook: provision.yml")
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml")}
PLAYBOOKS = sorted(name for name, text in TEXTS.items() if any(check in text for check in CHECKS))

GOOD: dict[str, Any] = {
    "plugin": "sky.clusters.clouds",
    "cluster": "faulty",
    "clouds": {"here": {"provider": "lxc", "zone": "faulty"}},
    "pools": {"worker": {"cloud": "here", "count": 1}},
}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_faulty_file_ends_the_run_with_every_fault(playbook: str, tmp_path: Path) -> None:
    content = GOOD | {"pools": {"worker": {"cloud": "here", "count": -1}, "master": {"cloud": "here", "count": 1, "roles": ["spark_mster"]}}}
    played = Site(tmp_path, "faulty", content).play(playbook)
    assert played.code != 0
    assert "pools.worker.count: must be 0 or more, got -1" in played.last(12)
    assert "pools.master.roles[0]: unknown role 'spark_mster'; did you mean 'spark_master'?" in played.last(12)


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder for a cloud: tmp_path is longer than the provider takes."""
    with tempfile.TemporaryDirectory(prefix="sky-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_cloud_that_cannot_be_listed_ends_the_run_with_its_words(playbook: str, state: Path, tmp_path: Path) -> None:
    node = state / "faulty" / "nodes" / "faulty-worker-0"
    node.mkdir(parents=True)
    (node / "sky.json").write_text('{"mark": "sky/99 somebody faulty worker 0"}', encoding="utf-8")
    content = GOOD | {"clouds": {"here": {"provider": "lxc", "zone": "faulty", "path": str(state)}}}
    played = Site(tmp_path, "faulty", content).play(playbook)
    assert played.code != 0
    assert "cloud here cannot be listed" in played.last(12)
    assert "faulty-worker-0" in played.last(12)


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_cluster_file_at_all_is_said(playbook: str, tmp_path: Path) -> None:
    played = Site(tmp_path, "faulty", GOOD).play(playbook, inventory="localhost,")
    assert played.code != 0
    assert "no cluster file in the inventory" in played.last(6)


def test_counts_of_a_run_are_checked_like_the_file(tmp_path: Path) -> None:
    played = Site(tmp_path, "faulty", GOOD).play("provision", "-e", '{"sky_counts": {"wroker": 2}}')
    assert played.code != 0
    assert "sky_counts.wroker: no such pool; did you mean 'worker'?" in played.last(6)


def test_what_roles_need_is_asked_for_only_where_they_are_applied(state: Path, tmp_path: Path) -> None:
    """Who deletes a cluster or looks at it may not have its keys."""
    pools = {"box": {"cloud": "here", "count": 1, "roles": ["cephfs"]}}
    content = GOOD | {"clouds": {"here": {"provider": "lxc", "zone": "faulty", "path": str(state)}}, "pools": pools}
    site = Site(tmp_path, "faulty", content)
    refused = site.play("cluster")
    assert refused.code != 0
    assert "cephfs_key: is required by the role cephfs" in refused.last(6)
    assert list(state.iterdir()) == []
    site.must("destroy")
    site.must("status")


@pytest.mark.parametrize(
    ("playbook", "given", "sentence"),
    [
        ("cluster", "sky_disruption=bogus", "sky_disruption: must be one of drain, refuse, force, got 'bogus'"),
        ("cluster", '{"sky_counts": 3}', "sky_counts: must be a mapping in JSON, got 3"),
        ("cluster", "sky_ssh_config=/no/demo.ssh", "sky_ssh_config: /no/demo.ssh cannot be written: No such file or directory"),
        ("cluster", "sky_status_file=/tmp", "sky_status_file: /tmp cannot be written: Is a directory"),
        ("cluster", "sky_look=maybe", "sky_look: must be true or false, got 'maybe'"),
        ("destroy", "sky_destroy_data=true", "sky_destroy_data: must be the name of the cluster, faulty, to delete its data, too, got 'true'"),
    ],
)
def test_a_variable_that_cannot_be_used_ends_the_run_before_anything_is_made(
    playbook: str, given: str, sentence: str, state: Path, tmp_path: Path
) -> None:
    content = GOOD | {"clouds": {"here": {"provider": "lxc", "zone": "faulty", "path": str(state)}}}
    played = Site(tmp_path, "faulty", content).play(playbook, "-e", given)
    assert played.code != 0
    assert f'"msg": "{sentence}"' in played.last(5)
    assert list(state.iterdir()) == []
