# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's secret, made by the very lines of the role."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import yaml

from ansible_collections.sky.clusters.tests.support import tree

SETTINGS = "/etc/spark/spark-daemons.conf"


def made(file: Path, check: bool = False, settings: Path = Path("/nonexistent")) -> subprocess.CompletedProcess[str]:
    """Run the role's script, with the user's own umask as open as can be."""
    tasks = yaml.safe_load((tree.ROOT / "roles/spark/tasks/configure.yml").read_text(encoding="utf-8"))
    (script,) = [task["ansible.builtin.shell"] for task in tasks if "secret, made" in task["name"]]
    script = script.replace("{{ spark_secret_file | quote }}", shlex.quote(str(file))).replace("{{ ansible_check_mode }}", str(check))
    assert "{{" not in script
    assert SETTINGS in script
    script = script.replace(SETTINGS, str(settings))
    return subprocess.run(["sh", "-c", f"umask 000\n{script}"], capture_output=True, text=True, check=False)


def test_it_is_for_its_owner_alone_and_made_once(tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "spark"
    first, second = made(file), made(file)
    assert (first.stderr, second.stderr) == ("made\n", "")
    assert first.stdout == second.stdout == file.read_text()
    assert len(first.stdout.strip()) == 64
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_two_clusters_have_two(tmp_path: Path) -> None:
    assert made(tmp_path / "a").stdout != made(tmp_path / "b").stdout


def test_one_that_was_lost_is_taken_from_the_settings_of_the_daemons(tmp_path: Path) -> None:
    settings = tmp_path / "spark-daemons.conf"
    settings.write_text(f"spark.authenticate true\nspark.authenticate.secret {'5d' * 32}\nspark.x y\n")
    assert made(tmp_path / "secret", settings=settings).stdout == f"{'5d' * 32}\n"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_check_mode_makes_none(tmp_path: Path) -> None:
    assert made(tmp_path / "secrets" / "spark", check=True).returncode != 0
    assert not (tmp_path / "secrets").exists()
