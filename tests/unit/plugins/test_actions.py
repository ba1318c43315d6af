# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every action does with its arguments."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.plugin_utils._actions import in_one_sentence, listed
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain
from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.site import BIN


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


def itself(text: str) -> str:
    return text


class Unsafe(str):
    """As the text that core 2.18 marks as unsafe: it stays what it is."""

    __str__ = itself


class Tagged(float):
    """A number of a class of its own, as core 2.19 has them."""


def test_what_a_form_sends_is_written_as_yaml() -> None:
    sent = {Unsafe("a"): [Unsafe("b"), {Unsafe("c"): Unsafe("d")}], "e": Tagged(1.5), "f": True, "g": 3, "h": None}
    assert yaml.safe_load(yaml.safe_dump(plain(sent))) == {"a": ["b", {"c": "d"}], "e": 1.5, "f": True, "g": 3, "h": None}


def submit(folder: Path, options: Any, **more: Any) -> str:
    """What a run says that submits a script to a batch cluster, as far as it comes in check mode."""
    task = {"sky.clusters.torque_submit": {"script": "{{ script }}", "options": "{{ options }}"}}
    (folder / "site.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    (folder / "job.pbs").write_text("exit 0\n", encoding="utf-8")
    given = json.dumps({"script": "job.pbs", "options": options} | more)
    command = [str(BIN / "ansible-playbook"), "-i", "localhost,", "site.yml", "--check", "-e", given]
    done = subprocess.run(command, cwd=folder, env=os.environ | {"ANSIBLE_NOCOLOR": "1"}, text=True, capture_output=True, check=False, timeout=90)
    return done.stdout + done.stderr


@pytest.mark.parametrize("options", [["-l", "nodes=2", "-t"], '["-l", "nodes=2", "-t"]'])
def test_options_of_a_batch_job_may_be_json_text(tmp_path: Path, options: Any) -> None:
    assert "sky_qsub: -t is for jobs that are submitted by hand" in submit(tmp_path, options)


def test_a_refusal_fits_where_it_is_read(tmp_path: Path) -> None:
    assert "which script to submit: -e sky_script=job.pbs" in submit(tmp_path, [], script="")
    assert "which script to submit: sky_script: job.pbs" in submit(tmp_path, [], script="", awx_job_id=7)


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
