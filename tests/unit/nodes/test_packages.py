# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of a node. The system's own dpkg-query answers; apt-get and systemctl are programs that write down how they were called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._nodes._packages import PackageError, install, mask, missing, unmasked

THERE, ABSENT = "dpkg", "sky-no-such-package"


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="the tests' machine is no Debian")
def test_what_is_not_installed_is_missing(tmp_path: Path) -> None:
    (tmp_path / "jdk-17").mkdir()
    assert missing([THERE, ABSENT, ABSENT], {}) == [ABSENT]
    assert missing([THERE], {}) == []
    assert missing([ABSENT], {ABSENT: f"{tmp_path}/jdk-*"}) == []
    assert missing([ABSENT], {ABSENT: f"{tmp_path}/jre-*"}) == [ABSENT]
    assert missing([], {}) == []


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the programs write down their calls; `fault` beside it is what apt-get install says when it fails."""
    for program in ("apt-get", "systemctl"):
        path = tmp_path / program
        path.write_text(
            f'#!/bin/sh\necho "{program} $*" >> {tmp_path}/calls\n'
            f'if [ "{program} $1" = "apt-get install" ] && [ -e {tmp_path}/fault ]; then cat {tmp_path}/fault >&2; exit 100; fi\n',
            encoding="ascii",
        )
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_units_are_masked_and_packages_installed(calls: Path) -> None:
    mask(["haproxy.service"])
    install(["haproxy"])
    said = calls.read_text(encoding="ascii").splitlines()
    assert [line.split()[:2] for line in said] == [["systemctl", "mask"], ["systemctl", "is-active"], ["apt-get", "update"], ["apt-get", "install"]]
    assert said[-1].endswith(" haproxy")


def test_a_unit_is_masked_once(tmp_path: Path) -> None:
    (tmp_path / "masked.service").symlink_to("/dev/null")
    (tmp_path / "other.service").symlink_to("/usr/lib/systemd/system/other.service")
    assert unmasked(["masked.service", "other.service", "none.service"], tmp_path) == ["other.service", "none.service"]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("Reading...\nE: Unable to locate package x\n", "apt-get install failed: E: Unable to locate package x"),
        ("no space\n", "apt-get install failed: no space"),
        ("", "apt-get install failed: it said nothing"),
    ],
)
def test_a_failure_is_told_in_the_words_of_apt(calls: Path, fault: str, sentence: str) -> None:
    calls.with_name("fault").write_text(fault, encoding="ascii")
    with pytest.raises(PackageError) as caught:
        install(["x"])
    assert str(caught.value) == sentence
