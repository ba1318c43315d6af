# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that loads a node's firewall: what it hands to nftables, and when."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _firewall
from ansible_collections.sky.clusters.plugins.modules import firewall

RULES = "table inet sky {\n}"  # as a look-up of a file returns it: without its last line break


class Node:
    """A node whose programs only note how they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[str, ...], str]] = []
        self.chains: list[dict[str, str]] = []
        self.table = "table inet sky {\n}\n"

    def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.calls.append((words, stdin))
        said = json.dumps({"nftables": [{"metainfo": {}}, *({"chain": chain} for chain in self.chains)]}) if "chains" in words else ""
        return subprocess.CompletedProcess(words, 3 if "is-active" in words else 0, said, "")

    def said(self, program: str) -> list[str]:
        return [stdin for words, stdin in self.calls if words[0] == program and stdin]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    found = Node()
    for name in ("RULES", "NEW", "BACK", "SETS", "UNIT", "LIST", "LOADED"):
        monkeypatch.setattr(firewall, name, tmp_path / name.lower())
    (tmp_path / "list").write_text("{}")
    monkeypatch.setattr(firewall, "run", found)
    monkeypatch.setattr(firewall, "PATIENCE", 0.0)
    monkeypatch.setattr(_firewall, "shown", lambda: found.table)
    monkeypatch.setattr(_firewall, "pending", lambda: True)
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


def test_rules_that_stand_are_not_loaded_and_those_that_somebody_has_changed_are(node: Node) -> None:
    module: Any = None
    load(RULES)
    firewall.confirmed(module)
    assert load(RULES) == {"changed": False, "pending": False}
    node.table = "table inet sky {\n  accept\n}\n"
    assert load(RULES) == {"changed": True, "pending": True}


def test_chains_of_others_that_drop_are_named(node: Node) -> None:
    ours = {"family": "inet", "table": "sky", "name": "input", "hook": "input", "policy": "drop"}
    other = {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "policy": "drop"}
    node.chains = [
        ours,
        other,
        other | {"name": "FORWARD", "hook": "forward"},
        other | {"policy": "accept"},
        {"family": "ip", "table": "nat", "name": "x"},
    ]
    assert firewall.drops() == ["ip filter INPUT"]
    node.chains = []
    assert firewall.drops() == []


def test_ufw_is_active_where_it_is_enabled_and_installed(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UFW", "UFW_CONF"):
        monkeypatch.setattr(firewall, name, tmp_path / name.lower())
    (tmp_path / "ufw_conf").write_text("ENABLED=yes\n")
    assert firewall.other_firewall() == ""  # its package was removed
    (tmp_path / "ufw").touch()
    assert firewall.other_firewall().startswith("ufw is active")
    (tmp_path / "ufw_conf").write_text("ENABLED=no\n")
    assert firewall.other_firewall() == ""
    assert node.calls != []
