# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of systemctl, with the programs of this machine in its place: what matters is how it ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError, query, systemctl


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that is called as systemctl; none at first."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "systemctl"


def replace_by(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_the_output_of_a_command_is_returned(program: Path) -> None:
    replace_by(program, "echo $@")
    assert systemctl("enable", "a.service") == "enable a.service\n"


def test_a_failed_command_is_reported_with_its_message(program: Path) -> None:
    replace_by(program, "echo 'Unit a.service not found.' >&2; exit 5")
    with pytest.raises(SystemdError, match=r"^'systemctl stop a.service' failed: Unit a.service not found.$"):
        systemctl("stop", "a.service")


def test_a_query_is_answered_whatever_the_exit_code(program: Path) -> None:
    replace_by(program, "echo inactive; exit 3")
    assert query("is-active", "a") == "inactive\n"


def test_a_query_to_a_systemd_that_hangs_has_an_end(program: Path) -> None:
    replace_by(program, "exec sleep 60")
    begun = time.monotonic()
    assert query("is-active", "a", seconds=0.2) == ""
    assert time.monotonic() - begun < 10
