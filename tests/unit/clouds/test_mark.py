# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark: whose an object is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, MarkError, volume_label

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
CLUSTERS = st.from_regex(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True)
OWNERS = st.from_regex(r"[A-Za-z0-9._@-]{1,64}", fullmatch=True)


@given(OWNERS, CLUSTERS, NAMES, st.integers(0, 10**6))
def test_what_is_written_is_read(owner: str, cluster: str, pool: str, index: int) -> None:
    mark = Mark(owner, cluster, pool, index)
    assert Mark.parse(str(mark)) == mark
    assert Mark.parse(f"  {mark}\n") == mark


def test_its_text_and_its_names() -> None:
    mark = Mark("ada", "demo", "worker", 3)
    assert str(mark) == "sky/1 ada demo worker 3"
    assert mark.node_name == "demo-worker-3"
    assert mark.volume_name("data") == "demo-worker-3-data"


@pytest.mark.parametrize("text", ["", "   ", "a node of ours", "sky", "skyline/1 a b c 1", "sky/x a b c 1", "sky/-1 a b c 1", "my sky/1 a b c 1"])
def test_what_has_no_sign_of_ours_is_no_mark(text: str) -> None:
    assert Mark.parse(text) is None


@pytest.mark.parametrize("text", ["sky/1", "sky/1 ada demo worker", "sky/1 ada demo worker x", "sky/1 a demo worker 1 2", "sky/1 a demo worker -1"])
def test_a_damaged_mark_stops_everything(text: str) -> None:
    with pytest.raises(MarkError, match="damaged"):
        Mark.parse(text)


def test_a_newer_mark_stops_everything_whatever_it_looks_like() -> None:
    for text in ("sky/2 ada demo worker 3", "sky/99 something else"):
        with pytest.raises(MarkError, match=r"newer.*update the collection"):
            Mark.parse(text)


@given(st.text())
def test_any_text_is_a_mark_or_none_or_refused(text: str) -> None:
    try:
        mark = Mark.parse(text)
    except MarkError:
        return
    assert mark is None or text.split() == str(mark).split() or text.split(maxsplit=1)[0] == "sky/0" or not text.isascii()


@given(st.tuples(OWNERS, CLUSTERS, NAMES), st.tuples(OWNERS, CLUSTERS, NAMES))
def test_labels_fit_every_file_system_and_tell_volumes_apart(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assert len(volume_label(*one)) <= 12
    assert (volume_label(*one) == volume_label(*other)) == (one == other)
