# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the agent loads the firewall again, and when it leaves it alone. With nftables: tests/integration/network/test_plain.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent import _firewall, _host
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._firewall import Firewall
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._known import Known
from ansible_collections.sky.clusters.plugins.module_utils._nodes._agent._list import Envelope, Member, NodeList

RULES = "table inet sky {\n  set cluster_v4 { type ipv4_addr; } # agent\n}\n"


@dataclass
class Node:
    """A node whose nftables shows what was loaded last, one thing after the other."""

    table: str = ""
    loads: list[str] = field(default_factory=list)
    pending: bool = False

    def run(self, *words: str, stdin: str = "", check: bool = True) -> str:
        del check
        if words[1] == "-f":
            self.loads.append(stdin)
            self.table = stdin if stdin.startswith("table") else self.table.split("flush", maxsplit=1)[0] + stdin
        return self.table


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    found = Node()
    monkeypatch.setattr(_host, "run", found.run)
    monkeypatch.setattr(_firewall, "pending", lambda: found.pending)
    monkeypatch.setattr(_firewall, "AGAIN", 0.0)  # looked at each time
    return found


def listed(serial: int, *addresses: str) -> NodeList:
    nodes = tuple(Member(f"a-{place}", place, "a", address, addresses=(address,)) for place, address in enumerate(addresses))
    return NodeList("demo", serial, None, 7999, 256, 52000, 12288, nodes)


@pytest.fixture
def firewall(node: Node, tmp_path: Path) -> Firewall:
    """One that is loaded."""
    found = Firewall(Known("a-0", listed(5, "10.0.0.5", "10.0.0.6"), Envelope("", "")), str(tmp_path / "rules.nft"), str(tmp_path / "sets.nft"))
    Path(found.ruleset).write_text(RULES, encoding="utf-8")
    found.keep()
    assert "add element inet sky cluster_v4 { 10.0.0.5, 10.0.0.6 }" in node.table
    node.loads.clear()
    return found


def test_what_nobody_has_changed_is_left_alone(node: Node, firewall: Firewall) -> None:
    firewall.keep()
    assert node.loads == []
    Firewall(firewall.known, firewall.ruleset, firewall.sets).keep()  # the agent was restarted
    assert [text.startswith("flush set") for text in node.loads] == [True]


def open_up(node: Node) -> None:
    node.table = node.table.replace("{\n", "{\n  accept\n", 1)


def empty_a_set(node: Node) -> None:
    node.table = RULES


def flush(node: Node) -> None:
    node.table = ""


@pytest.mark.parametrize("act", [open_up, empty_a_set, flush])
@pytest.mark.parametrize("restarted", [False, True])
def test_what_somebody_has_changed_is_loaded_again(act: Callable[[Node], None], restarted: bool, node: Node, firewall: Firewall) -> None:
    before = node.table
    act(node)
    assert node.table != before
    (Firewall(firewall.known, firewall.ruleset, firewall.sets) if restarted else firewall).keep()
    assert node.table == before
    assert len(node.loads) == 1  # in one step: with empty sets, members would be shut out


def test_rules_that_are_yet_to_be_confirmed_are_left_alone(node: Node, firewall: Firewall) -> None:
    node.table, node.pending = "table inet sky {\n  # a visit tries these\n}\n", True
    firewall.keep()
    firewall.known.use(listed(6, "10.0.0.5"), Envelope("", ""))
    firewall.keep()
    assert node.loads == []
    node.pending = False  # and they were not confirmed
    firewall.keep()
    assert node.table == RULES + "flush set inet sky cluster_v4\nadd element inet sky cluster_v4 { 10.0.0.5 }\n"


def test_rules_that_were_confirmed_stay(node: Node, firewall: Firewall) -> None:
    new = RULES.replace("}\n", "  accept\n}\n")
    node.table = new + Path(firewall.sets).read_text(encoding="utf-8")
    Path(firewall.ruleset).write_text(new, encoding="utf-8")
    _firewall.record(firewall.recorded, new)
    firewall.keep()
    assert not any(text.startswith("table") for text in node.loads)
    assert "accept" in node.table


def test_sets_follow_the_list(node: Node, firewall: Firewall) -> None:
    firewall.known.use(listed(6, "10.0.0.5"), Envelope("", ""))
    firewall.keep()
    assert node.loads == ["flush set inet sky cluster_v4\nadd element inet sky cluster_v4 { 10.0.0.5 }\n"]
    assert Path(firewall.sets).read_text(encoding="utf-8") == node.loads[0]
    node.loads.clear()
    firewall.keep()
    assert node.loads == []


def test_a_node_without_a_firewall_gets_none(node: Node, tmp_path: Path) -> None:
    Firewall(Known("a-0", listed(5, "10.0.0.5"), Envelope("", "")), str(tmp_path / "none"), str(tmp_path / "sets.nft")).keep()
    assert node.loads == []
