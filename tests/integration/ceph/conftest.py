# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ceph that the tests of this folder share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.clouds.ceph import main as ceph


def command(word: str) -> None:
    subprocess.run([str(ceph.HERE / word)], check=True, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="session")
def store() -> Iterator[dict[str, Any]]:
    """How a Ceph is used; one that ran before goes on."""
    ran = ceph.USE.exists()
    command("up")
    yield dict(json.loads(ceph.USE.read_text()))
    if not ran:
        command("down")
