# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters on this machine in a world of others: tampered with, looked at from elsewhere, shared. Checks 20 to 24 of docs/reliability.md."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.accounts import key_of, sudoer
from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, containers, ids, is_whole, nodes_folder
from ansible_collections.sky.clusters.tests.support.site import STATE, Site

pytestmark = pytest.mark.real

ZONE = "towner"
COLLEAGUE = "skycolleague"


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def standing(lasting: Site) -> Site:
    """Two nodes with a volume each; those of the test before, where it left them."""
    lasting.content = bare(ZONE, "ta", 2, volumes={"v": 1})
    lasting.must("cluster")
    return lasting


def test_what_was_deleted_from_outside_is_made_again_and_the_others_stay(standing: Site) -> None:
    before = ids(standing)
    # a container
    output("lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", "ta-box-1", "-f")
    assert "ta-box-1: create in here" in standing.must("cluster").output
    is_whole(standing, ZONE, boxes("ta", 0, 1))
    made_again = ids(standing)
    assert made_again["ta-box-0"] == before["ta-box-0"]
    assert made_again["ta-box-1"] != before["ta-box-1"]
    # the network's rules, as when somebody loads the machine's own anew
    rules = output("nft", "list", "table", "ip", f"sky_{ZONE}")
    output("nft", "delete", "table", "ip", f"sky_{ZONE}")
    repair = f"repair table sky_{ZONE}"
    assert f"~ cloud here  {repair}" in standing.must("cluster", "--check").output
    assert f"cloud here: {repair}" in standing.must("cluster").output
    assert output("nft", "list", "table", "ip", f"sky_{ZONE}") == rules
    # the network itself: the nodes run on and are connected again
    output("ip", "link", "delete", f"sky-{ZONE}")
    standing.must("cluster")
    assert ids(standing) == made_again
    assert "ta-box-0" in standing.ssh("ta-box-0", "hostname")
    is_whole(standing, ZONE, boxes("ta", 0, 1))


def test_a_volume_that_is_gone_is_made_again_where_no_node_has_it_and_else_told(standing: Site) -> None:
    volume = STATE / ZONE / "volumes" / "ta-box-1-v"
    standing.ssh("ta-box-1", "touch /data/v/still-here && sync")
    before = ids(standing)
    for suffix in (".json", ".img"):
        volume.with_suffix(suffix).unlink()
    told = standing.play("cluster")
    assert told.code != 0
    assert "volume ta-box-1-v was deleted by hand while ta-box-1 has it" in told.last(14), told.output
    assert ids(standing) == before
    assert standing.ssh("ta-box-1", "ls /data/v").split() == ["lost+found", "still-here"]
    standing.must("cluster", "-e", '{"sky_counts": {"box": 1}}')
    standing.must("cluster")
    assert standing.ssh("ta-box-1", "ls /data/v").split() == ["lost+found"]
    assert ids(standing)["ta-box-0"] == before["ta-box-0"]
    is_whole(standing, ZONE, boxes("ta", 0, 1))


def fingerprint(*places: Path) -> dict[str, tuple[str, float]]:
    """What is in these files and folders, and when it was written."""
    files = [path for place in places for path in (place, *place.rglob("*")) if path.is_file()]
    return {str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime) for path in files}


def test_what_is_somebody_elses_is_never_changed(standing: Site) -> None:
    """A machine with a name like ours, one with a copied mark, a volume with a name like ours: in the folders of the cloud itself.

    It comes before the tests that leave a volume of that name.
    """
    machine, copy, volume = nodes_folder(ZONE) / "ta-box-2", nodes_folder(ZONE) / "backup", STATE / ZONE / "volumes" / "ta-box-2-v.img"
    mark = (nodes_folder(ZONE) / "ta-box-0" / "sky.json").read_text(encoding="utf-8")
    for path, text in ((machine / "config", "lxc.uts.name = ta-box-2\n"), (copy / "sky.json", mark), (volume, "somebody's data")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = fingerprint(machine, copy, volume)
    try:
        for count in (4, 1):
            said = standing.play("cluster", "-e", f'{{"sky_counts": {{"box": {count}}}}}').output
            assert "node ta-box-2 in cloud here is left alone: it has no mark" in said
            assert "node backup in cloud here is left alone: it has the mark" in said
            assert "volume ta-box-2-v in cloud here is left alone: its file has no mark" in said
        destroyed = standing.play("destroy", *standing.with_data)
        assert destroyed.code != 0
        assert "still holds node ta-box-2" in destroyed.output
        assert fingerprint(machine, copy, volume) == before
    finally:
        shutil.rmtree(machine)
        shutil.rmtree(copy)
        volume.unlink()


def test_a_node_whose_mark_was_taken_off_is_told_and_neither_doubled_nor_deleted(standing: Site) -> None:
    record = nodes_folder(ZONE) / "ta-box-1" / "sky.json"
    kept = record.read_text(encoding="utf-8")
    record.write_text("{}", encoding="utf-8")
    told = "node ta-box-1 in cloud here is left alone: it has no mark"
    try:
        assert told in standing.must("status").output
        for count in (2, 3, 1):
            run = standing.play("cluster", "-e", f'{{"sky_counts": {{"box": {count}}}}}')
            assert told in run.output
            assert (run.code == 0) == (count == 1), run.output  # there is one node of ours fewer than is wanted, and that is said
            assert count == 1 or f"pools.box: {count - 1} node(s) where at least {count} are needed" in run.output
            assert containers(ZONE) == (boxes("ta", 0, 1, 2) if count == 3 else boxes("ta", 0, 1))
        destroyed = standing.play("destroy")
        assert destroyed.code != 0
        assert "cloud here still holds node ta-box-1" in destroyed.output
        assert containers(ZONE) == boxes("ta", 1)
    finally:
        record.write_text(kept, encoding="utf-8")
    standing.must("cluster")
    assert ids(standing)["ta-box-1"] == json.loads(kept)["id"]


def without_logins(site: Site) -> dict[str, Any]:
    """The inventory but for how this machine logs in: its keys, and its folder for shared connections."""
    shown = site.inventory()
    for variables in shown["_meta"]["hostvars"].values():
        for name in ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_control_path", "ansible_control_path_dir"):
            variables.pop(name, None)
    return shown


def test_from_a_fresh_machine_nothing_differs(standing: Site, tmp_path: Path) -> None:
    """Another home, another folder, the collection installed from its artifact: what is common is the file, the key and the cloud."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    collections = tree.install(tmp_path / "fresh")
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    homes = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME", "ANSIBLE_HOME")}
    fresh = Site(elsewhere, "ta", standing.content, variables | homes)
    assert without_logins(fresh) == without_logins(standing)
    foretold = fresh.must("cluster", "--check", "--diff").output
    assert "all nodes match the cluster file" in foretold
    is_whole(fresh, ZONE, boxes("ta", 0, 1))
    assert "a run would: change nothing" in fresh.must("status").output


@pytest.fixture
def colleague(standing: Site) -> Iterator[tuple[Site, str]]:
    """Somebody else on this machine, who was given the cluster file; and their public key."""
    with sudoer(COLLEAGUE) as home:
        key = key_of(COLLEAGUE, home)
        folder = home / "work"
        folder.mkdir()
        folder.chmod(0o755)
        yield Site(folder, "ta", standing.content, user=COLLEAGUE), key


def test_a_colleague_is_refused_and_once_named_works_on_the_cluster(standing: Site, colleague: tuple[Site, str]) -> None:
    theirs, key = colleague
    before = ids(standing)
    for playbook in ("cluster", "destroy"):
        refused = theirs.play(playbook)
        assert refused.code != 0
        assert "cluster ta in cloud here belongs to root, but you are skycolleague" in refused.output
        assert "put 'owner: root' in the cluster file" in refused.output
    assert ids(theirs) == before

    together: dict[str, Any] = standing.content | {"owner": "root", "ssh_keys": [*output("ssh-add", "-L").splitlines(), key]}
    standing.content = theirs.content = together
    standing.must("cluster")
    theirs.must("cluster", "-e", '{"sky_counts": {"box": 3}}')
    assert {name: id for name, id in ids(standing).items() if name in before} == before
    for site in (standing, theirs):
        assert [site.ssh(name, "hostname").strip() for name in boxes("ta", 0, 1, 2)] == boxes("ta", 0, 1, 2)
    theirs.must("cluster")
    is_whole(standing, ZONE, boxes("ta", 0, 1))


def test_two_clusters_one_the_prefix_of_the_other_live_side_by_side(standing: Site, tmp_path: Path) -> None:
    other = Site(tmp_path, "ta-b", bare(ZONE, "ta-b", 1))
    runs = [standing.start("cluster", "-e", '{"sky_counts": {"box": 3}}'), other.start("cluster")]
    outputs = [run.communicate(timeout=300)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert (standing.hosts("pool_box"), other.hosts("pool_box")) == (boxes("ta", 0, 1, 2), boxes("ta-b", 0))
    before = ids(other)
    standing.must("destroy")
    assert standing.hosts("all") == []
    assert ids(other) == before
    other.must("destroy")
