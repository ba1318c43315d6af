# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that loads a node's firewall: what it hands to nftables, and when."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.modules import firewall

RULES = "table inet sky {\n}"  # as a look-up of a file returns it: without its last line break


class Node:
    """A node whose programs only note how they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[str, ...], str]] = []

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.calls.append((words, stdin))
        return subprocess.CompletedProcess(words, 3 if "is-active" in words else 0, "", "")

    def said(self, program: str) -> list[str]:
        return [stdin for words, stdin in self.calls if words[0] == program and stdin]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    found = Node()
    for name in ("RULES", "NEW", "BACK", "SETS", "UNIT", "LIST"):
        monkeypatch.setattr(firewall, name, tmp_path / name.lower())
    (tmp_path / "list").write_text("{}")
    monkeypatch.setattr(firewall, "run", found)
    monkeypatch.setattr(firewall, "elements", lambda _rules, _name: "flush set inet sky cluster_v4\n")
    return found


def load(rules: str, *, check_mode: bool = False) -> dict[str, Any]:
    module: Any = SimpleNamespace(params={"ruleset": rules, "name": "demo-web-0", "seconds": 15}, check_mode=check_mode)
    return firewall.loaded(module)


def test_rules_and_the_elements_of_their_sets_are_checked_and_loaded_together(node: Node) -> None:
    assert load(RULES) == {"changed": True, "pending": True}
    text = "table inet sky {\n}\nflush set inet sky cluster_v4\n"
    assert node.said("nft") == [text, text]
    programs = [words[0] for words, _stdin in node.calls]
    assert programs.index("systemd-run") < len(programs) - 1 - programs[::-1].index("nft")  # the timer runs before the rules are loaded


def test_check_mode_loads_nothing(node: Node) -> None:
    assert load(RULES, check_mode=True) == {"changed": True, "pending": False}
    assert [words for words, _stdin in node.calls if words[0] == "nft" and "-c" not in words and "list" not in words] == []
