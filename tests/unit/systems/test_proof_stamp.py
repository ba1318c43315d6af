# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp of a proof: what it is a proof of, and when it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._proof_stamp import FAILURE, SUCCESS, ProofStamp


@pytest.fixture
def stamp(tmp_path: Path) -> ProofStamp:
    settings = tmp_path / "settings"
    settings.write_text("a", encoding="ascii")
    return ProofStamp(tmp_path / "proof/stamp.json", settings)


def test_a_success_holds_for_its_nodes_and_settings(stamp: ProofStamp) -> None:
    assert not stamp.holds(["b", "a"])
    stamp.write(["b", "a"], SUCCESS, result=1)
    assert stamp.holds(["a", "b"])
    assert not stamp.holds(["a"])
    assert stamp.seen()["result"] == 1
    stamp.settings.write_text("b", encoding="ascii")
    assert not stamp.holds(["a", "b"])
    assert stamp.seen()["current"] is False


def test_a_failure_does_not_hold(stamp: ProofStamp) -> None:
    stamp.write(["a"], FAILURE, why="no")
    assert not stamp.holds(["a"])


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_broken_stamp_is_none(stamp: ProofStamp, content: str) -> None:
    stamp.path.parent.mkdir()
    stamp.path.write_text(content, encoding="ascii")
    assert (stamp.read(), stamp.seen()) == ({}, {})
