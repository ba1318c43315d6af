# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of bare nodes on this machine, from birth to nothing left. Checks 7, 8 and 25 of docs/reliability.md."""

from __future__ import annotations

import re

import pytest

from ansible_collections.sky.clusters.tests.support.bare import bare, boxes, ids
from ansible_collections.sky.clusters.tests.support.site import STATE, Site, machine_state

pytestmark = pytest.mark.real

ZONE = "tlife"


def test_a_second_run_changes_nothing_and_check_mode_foretells(site: Site) -> None:
    foretold = site.must("cluster", "--check", "--diff").output
    assert site.hosts("pool_box") == []
    assert all(re.search(rf"^  \+ {name} +create in here", foretold, re.MULTILINE) for name in boxes("ta", 0, 1)), foretold
    assert foretold.count("+flavor: tiny") == 2
    assert "ta-box-0: create" not in foretold
    site.must("cluster")
    second = site.must("cluster")
    assert set(second.changed.values()) == {0}
    assert "TASK [Drain the node]" not in second.output, "no node leaves"
    assert "a run would: change nothing" in site.must("status").output


def test_check_mode_names_an_image_that_is_to_be_built_and_builds_none(site: Site) -> None:
    before = sorted(path.name for path in (STATE / "image-cache").glob("*"))
    site.content = bare(ZONE, "ta", 1, {"images": {"odd": {"suite": "bookworm", "packages": ["tree", "sl"]}}, "image": "odd"})
    foretold = site.must("cluster", "--check").output
    assert re.search(r"^  \+ image odd +fetch or build in here, before its first node$", foretold, re.MULTILINE), foretold
    assert all(re.search(rf"^  \+ {kind} \S+ +create in here$", foretold, re.MULTILINE) for kind in ("bridge", "table")), foretold
    assert "plan: 4 to create" in foretold
    assert sorted(path.name for path in (STATE / "image-cache").glob("*")) == before


def test_check_mode_of_destroy_shows_what_would_go_and_changes_nothing(site: Site) -> None:
    site.content = bare(ZONE, "ta", 2, volumes={"v": 1})
    site.must("cluster")
    site.must("cluster", "-e", '{"sky_counts": {"box": 1}}')  # its volume is kept without a node
    before = (ids(site), machine_state(ZONE))
    kept = site.must("destroy", "--check").output
    assert re.search(r"^  - ta-box-0 +delete \(running\) in here; ta-box-0-v \(1 GiB\) is kept$", kept, re.MULTILINE), kept
    assert all(re.search(rf"^  - {kind} \S+ +delete in here$", kept, re.MULTILINE) for kind in ("bridge", "table")), kept
    assert "plan: 3 to delete" in kept
    assert "  check mode: nothing was changed\n" in kept
    assert "kept: 2 data volume(s), 2 GiB in all" in kept
    gone = site.must("destroy", "--check", *site.with_data).output
    assert re.search(r"^  - ta-box-0 +delete \(running\) in here$", gone, re.MULTILINE), gone
    assert all(re.search(rf"^  - {name}-v +delete with its data in here \(1 GiB\)$", gone, re.MULTILINE) for name in boxes("ta", 0, 1)), gone
    assert "kept" not in gone
    assert (ids(site), machine_state(ZONE)) == before
    assert site.ssh("ta-box-0", "findmnt -n -o TARGET /data/v").strip() == "/data/v"
    site.must("destroy")
    assert site.hosts("all") == []
    again = site.must("destroy", "--check").output
    assert "nothing to delete" in again
    assert "kept: 2 data volume(s), 2 GiB in all" in again


def test_growth_and_shrinking_keep_ids_and_data(site: Site) -> None:
    site.content = bare(ZONE, "ta", 2, volumes={"v": 1})
    site.must("cluster")
    first = ids(site)
    site.ssh("ta-box-1", "findmnt -n /data/v && sha256sum /etc/hostname > /data/v/proof && sync")
    proof = site.ssh("ta-box-1", "cat /data/v/proof")
    site.must("cluster", "-e", '{"sky_counts": {"box": 4}}')
    assert {name: id for name, id in ids(site).items() if name in first} == first
    assert site.hosts("pool_box") == boxes("ta", 0, 1, 2, 3)
    shrunk = site.must("cluster", "-e", '{"sky_counts": {"box": 1}}').output
    assert "kept: 3 data volume(s), 3 GiB in all" in shrunk
    assert "3 deleted" in shrunk
    assert site.hosts("pool_box") == ["ta-box-0"]
    status = site.must("status").output
    assert "kept: 3 data volume(s), 3 GiB in all" in status
    assert re.search(r"^    \+ ta-box-1  create in here", status, re.MULTILINE)
    grown = site.must("cluster").output
    assert "kept: 2 data volume(s), 2 GiB in all" in grown
    assert "    ta-box-1-v 1 GiB" not in grown
    assert site.ssh("ta-box-1", "cat /data/v/proof") == proof
    assert site.ssh("ta-box-0", "findmnt -n -o TARGET /data/v").strip() == "/data/v"
