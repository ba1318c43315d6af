# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository of a test's own, with a part or two."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

FILES = {
    "plugins/module_utils/_engine/_plan.py": "plan",
    "plugins/module_utils/_clouds/lxc/_client.py": "lxc",
    "plugins/module_utils/_clouds/openstack/_api.py": "openstack",
    "plugins/module_utils/_clouds/stratuslab/_api.py": "stratuslab",
    "roles/node/README.md": "what it does",
    "docs/design.md": "words",
    "tests/contract/test_contract.py": "contract",
    "tests/integration/local/test_nodes.py": "nodes",
    "tests/integration/openstack/test_runs.py": "runs",
    "README.md": "read me",
}


def git(root: Path, *words: str) -> None:
    own = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(root), *own, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root)
    return root


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=all")
