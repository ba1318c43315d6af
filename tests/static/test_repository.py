# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a forge and contributors expect of the repository is there, and works."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ansible_collections.sky.clusters.tests.proof.parts import CHECKS, NAMES
from ansible_collections.sky.clusters.tests.support import tree

WORKFLOWS = sorted((tree.ROOT / ".github/workflows").glob("*.yml"))


def load(path: str) -> Any:
    return yaml.safe_load((tree.ROOT / path).read_text(encoding="utf-8"))


def test_workflows_use_nothing_that_others_can_change() -> None:
    assert WORKFLOWS
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        assert [action for action in re.findall(r"uses: *(\S+)", text) if not re.search(r"@[0-9a-f]{40}$", action)] == []
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_workflows_run_the_proof() -> None:
    jobs = {name: job for path in WORKFLOWS for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()}
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "test.sh" in step["run"]]
    assert "./test.sh --all" in runs
    words = {word for run in runs for word in run.split()[1:] if not word.startswith("--")}
    assert words <= {*NAMES, *CHECKS}
    assert all("timeout-minutes" in job for job in jobs.values())


def test_hooks_run_what_exists() -> None:
    """They use the environment of the clone, so that there is one set of versions; ./test.sh runs the same programs."""
    hooks = [hook for repository in load(".pre-commit-config.yaml")["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in load(".pre-commit-config.yaml")["repos"]} == {"local"}
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert (tree.ROOT / program).exists(), program
        assert any(program.removeprefix(".venv/bin/") in command[0] for command in CHECKS.values()) or hook["id"] == "yaml", program


def test_issue_forms_are_whole() -> None:
    for name in ("bug", "feature"):
        form = load(f".github/ISSUE_TEMPLATE/{name}.yml")
        assert {"name", "description", "body"} <= set(form)
        assert all({"type", "id", "attributes"} <= set(field) and field["attributes"].get("label") for field in form["body"])
    assert all((tree.ROOT / name).is_file() for name in ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"))
