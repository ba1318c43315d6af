# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all scenarios share: their hosts are those of the scenario's cluster file, as its inventory shows them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host


def pytest_configure(config: pytest.Config) -> None:
    """Pass testinfra the current inventory as YAML: in JSON, Ansible wraps every string of a plugin, and testinfra does not unwrap it."""
    if config.option.ansible_inventory is None:
        raise pytest.UsageError("name the scenario's cluster file: --ansible-inventory extensions/molecule/SCENARIO.sky.yml")
    folder = tempfile.TemporaryDirectory(prefix="sky-molecule-")
    config.add_cleanup(folder.cleanup)
    listed = Path(folder.name) / "inventory.yml"
    subprocess.run(["ansible-inventory", "-i", config.option.ansible_inventory, "--list", "--yaml", "--output", str(listed)], check=True)
    config.option.ansible_inventory = str(listed)


@pytest.fixture(scope="module")
def variables(host: Host) -> dict[str, Any]:
    """The inventory's variables of the host."""
    return dict(host.ansible.get_variables())
