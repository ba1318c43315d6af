# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A unit is restarted if its settings have changed, and otherwise left alone; tests/integration/storage has it with systemd."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes import _unit
from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError
from ansible_collections.sky.clusters.plugins.module_utils._nodes._unit import Unit, UnitError


class Systemd:
    """Stands for systemctl: what it was asked, and the state of one unit."""

    def __init__(self, file: Path) -> None:
        self.calls: list[str] = []
        self.state = {"ActiveState": "active", "FragmentPath": str(file), "NeedDaemonReload": "no", "UnitFileState": "enabled"}
        self.fault = ""

    def __call__(self, *arguments: str) -> str:
        if arguments[0] == "show":
            return "\n".join(f"{key}={value}" for key, value in self.state.items())
        if self.fault:
            raise SystemdError(self.fault)
        self.calls.append(arguments[0])
        return ""


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    fake = Systemd(tmp_path / "acme.service")
    monkeypatch.setattr(_unit, "systemctl", fake)
    monkeypatch.setattr(_unit, "UNITS", tmp_path)
    monkeypatch.setattr(_unit, "RUNTIME", tmp_path / "run")
    return fake


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    """One that runs with the settings on the disk."""
    (tmp_path / "acme.service").write_text("[Service]\nExecStart=/bin/acme\n")
    (tmp_path / "acme.conf").write_text("a=1")
    digest = hashlib.sha256(b"[Service]\nExecStart=/bin/acme\na=1more\n").hexdigest()
    (tmp_path / "run/acme").mkdir(parents=True)
    (tmp_path / "run/acme/settings").write_text(f"{digest}  -\n")
    return Unit("acme", (tmp_path / "acme.conf",), "more\n")


@pytest.mark.usefixtures("systemd")
def test_what_runs_as_it_should_is_left_alone(unit: Unit) -> None:
    assert unit.start(check=False, pending=False) == []
    assert unit.start(check=True, pending=False) == []


def test_changed_settings_restart_it(unit: Unit, systemd: Systemd, tmp_path: Path) -> None:
    (tmp_path / "acme.conf").write_text("a=2")
    assert unit.start(check=True, pending=False) == ["restart"]
    assert systemd.calls == []
    systemd.state["NeedDaemonReload"] = "yes"
    assert unit.start(check=False, pending=False) == ["restart"]
    assert systemd.calls == ["daemon-reload", "restart"]


@pytest.mark.usefixtures("systemd")
def test_check_mode_foretells_what_an_earlier_task_would_cause(unit: Unit) -> None:
    assert unit.start(check=True, pending=True) == ["restart"]


def test_a_new_one_is_enabled_and_started(unit: Unit, systemd: Systemd) -> None:
    systemd.state |= {"ActiveState": "inactive", "UnitFileState": "disabled"}
    assert unit.start(check=False, pending=False) == ["enable", "start"]
    assert systemd.calls == ["enable", "restart"]


def test_a_file_that_takes_the_place_of_the_one_of_a_package_is_read(unit: Unit, systemd: Systemd) -> None:
    systemd.state |= {"ActiveState": "inactive", "FragmentPath": "/lib/systemd/system/acme.service"}
    assert unit.start(check=False, pending=False) == ["start"]
    assert systemd.calls == ["daemon-reload", "restart"]


def test_it_is_stopped_disabled_and_removed(unit: Unit, systemd: Systemd) -> None:
    assert unit.remove(check=True) == ["stop", "disable", "remove"]
    assert systemd.calls == []
    assert unit.remove(check=False) == ["stop", "disable", "remove"]
    assert systemd.calls == ["stop", "disable", "daemon-reload"]
    assert unit.remove(check=False) == unit.stop(check=False) == []


def test_a_failure_says_what_its_journal_ends_with(unit: Unit, systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Unit, "tail", lambda _self: "its journal ends with: no room")
    systemd.fault = "'systemctl restart acme.service' failed: exit code 1"
    systemd.state["ActiveState"] = "failed"
    with pytest.raises(UnitError, match="failed: exit code 1; its journal ends with: no room"):
        unit.start(check=False, pending=False)
