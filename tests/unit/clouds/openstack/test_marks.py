# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks and names on OpenStack objects."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Mark, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import _marks

CLOUD_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,19}", fullmatch=True)
ALIKE = ("a", "a1", "a-b", "ab", "a-b-c", "a-p", "a-p-0", "a-1")
CLUSTERS = st.one_of(
    st.sampled_from(ALIKE),
    st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=4).map("-".join),
)
POOLS = st.one_of(st.sampled_from(["p", "b", "b0"]), st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True))


@given(st.lists(CLOUD_NAMES, max_size=60, unique=True))
def test_clouds_are_read_as_they_were_written(clouds: list[str]) -> None:
    written = _marks.written_clouds(clouds)
    assert _marks.read_clouds(written) == tuple(clouds)
    assert all(len(value) <= 255 for value in written.values())
    assert len(written) <= 8
    assert _marks.CLOUDS in written  # an empty list is written, too


def test_sixty_of_the_longest_names_fit() -> None:
    clouds = [f"c{place:019}" for place in range(60)]
    assert _marks.read_clouds(_marks.written_clouds(clouds)) == tuple(clouds)


def test_what_cannot_fit_is_refused() -> None:
    """Eight values of twelve names of 20 characters."""
    longest = ["c" * 20] * 96
    assert _marks.read_clouds(_marks.written_clouds(longest)) == tuple(longest)
    with pytest.raises(CloudError, match=r"^the names of 97 clouds do not fit into the metadata of a server$"):
        _marks.written_clouds([*longest, "c" * 20])


def test_values_of_the_shape_that_nova_takes() -> None:
    keys = [_marks.MARK, _marks.READY, _marks.HOST_KEY, _marks.IMAGE, _marks.FLAVOR, _marks.PUBLIC, *_marks.written_clouds(["c" * 20] * 96)]
    assert all(re.fullmatch(r"[a-zA-Z0-9-_:. ]{1,255}", key) for key in keys)
    assert len(set(keys)) == len(keys) == 14


@given(CLUSTERS, CLUSTERS, POOLS, st.integers(0, 99999))
def test_names_of_another_cluster_s_nodes_never_match(ours: str, theirs: str, pool: str, index: int) -> None:
    name = Mark("ada", theirs, pool, index).node_name
    pattern = _marks.node_names(ours)
    assert bool(re.fullmatch(pattern, name)) == (ours == theirs)
    assert bool(re.search(pattern, name)) == (ours == theirs)  # which is how Nova looks


def test_names_of_clusters_that_look_alike_are_distinguished() -> None:
    nodes = {Mark("ada", cluster, pool, index).node_name: cluster for cluster in ALIKE for pool in ("p", "b", "b0") for index in (0, 1, 10)}
    for ours in ALIKE:
        assert {name for name in nodes if re.search(_marks.node_names(ours), name)} == {name for name, cluster in nodes.items() if cluster == ours}


@pytest.mark.parametrize("name", ["a-p-0-data", "xa-p-0", "a-p-", "a-p", "a-0", "a--0", "a-P-0", "a-p-0x", "a-p-0\n"])
def test_other_names_do_not_match(name: str) -> None:
    assert re.fullmatch(_marks.node_names("a"), name) is None


def test_the_marks_of_a_cluster_s_objects() -> None:
    scope = Scope("demo", "ada")
    assert _marks.description(scope, "ada") == "sky/1 ada demo"
    assert _marks.shared_name("demo") == "sky-demo"
    assert _marks.tag("demo") == "sky:demo"
