# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every action does with its arguments."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence, listed
from ansible_collections.sky.clusters.tests.support import tree


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('["10", "a, b"]', ["10", "a, b"]),
        (" [1]\n", [1]),
        ("a,b", "a,b"),
        ("[not JSON", "[not JSON"),
        (["a, b"], ["a, b"]),
        ("", ""),
    ],
)
def test_a_list_may_be_json_text(value: Any, read: Any) -> None:
    assert listed(value) == read


def test_a_failure_is_its_own_sentence() -> None:
    @in_one_sentence
    def run() -> dict[str, Any]:
        failure = AnsibleActionFail("no space")
        failure.result["exception"] = "Traceback"  # as core 2.18 does
        raise failure

    with pytest.raises(AnsibleActionFail, match="no space") as caught:
        run()
    assert "exception" not in caught.value.result


@pytest.mark.parametrize("name", sorted(path.stem for path in (tree.ROOT / "plugins/action").glob("*.py") if path.stem != "torque_submit"))
def test_every_action_fails_with_its_own_sentence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.sky.clusters.plugins.action.{name}")

    def fails(*_: Any) -> dict[str, Any]:
        failure = AnsibleActionFail("no space")
        failure.result["exception"] = "Traceback"
        raise failure

    monkeypatch.setattr(ActionBase, "run", fails)
    action = object.__new__(module.ActionModule)
    action._task = Task()
    with pytest.raises(AnsibleActionFail) as caught:
        action.run(None, {})
    assert "exception" not in caught.value.result
