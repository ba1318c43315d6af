# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""./test.sh as it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof import __main__ as command_line
from ansible_collections.sky.clusters.tests.proof.parts import CHECKS, NAMES, PARTS
from ansible_collections.sky.clusters.tests.proof.plan import MOST
from ansible_collections.sky.clusters.tests.support.tree import ROOT


def listed(*words: str) -> list[str]:
    return [part.name for part in command_line.planned(command_line.parse(words)).parts]


def test_words_choose_parts_and_checks() -> None:
    assert listed("survival", "unit") == ["unit", "survival"]
    assert listed("ruff", "host") == ["checks", "host"]
    assert listed("--all") == list(NAMES)


@pytest.mark.parametrize("words", [("nothing",), ("unit", "--all"), ("--all", "--unproved"), ("--nothing",)])
def test_a_bad_call_is_shown_how_to_call(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.parse(words)
    assert ended.value.code == 2
    assert "Usage: ./test.sh" in capsys.readouterr().err


def test_help_names_every_part_and_check(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.parse(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert [word for word in (*NAMES, *CHECKS) if word not in shown] == []


def test_a_local_cloud_is_in_the_way_of_the_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/zone.json").touch()
    monkeypatch.setattr(command_line, "ZONES", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(command_line.Refusal, match="part quickstart needs a machine without local clouds, but there is: demo"):
        command_line.obstacles(PARTS)
    command_line.obstacles([part for part in PARTS if not part.bare])


def test_parts_that_make_nodes_are_refused_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(command_line.Refusal, match=r"contract, walk.*run as root"):
        command_line.obstacles(PARTS)
    command_line.obstacles([part for part in PARTS if not part.machine])


def called(*words: str) -> subprocess.CompletedProcess[str]:
    """As test.sh calls it: without site-packages."""
    command = [sys.executable, "-ESB", "-m", "tests.proof", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=10)


def test_a_plan_needs_no_environment_and_makes_nothing(tmp_path: Path) -> None:
    done = called("--list", "--record", str(tmp_path / "none.tsv"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("in all")
    assert list(tmp_path.iterdir()) == []


def test_a_proof_that_ci_would_cut_off_is_refused_at_once(tmp_path: Path) -> None:
    """A part whose inputs have changed counts with the seconds that it took."""
    heading = (ROOT / "tests/proved.tsv").read_text(encoding="utf-8").splitlines()[0]
    long_ago = "\t".join(["survival", "0" * 20, "2026-01-01T00:00:00Z", str(MOST), "42 tests"])
    (tmp_path / "record.tsv").write_text(f"{heading}\n{long_ago}\n", encoding="utf-8")
    done = called("--unproved", "--record", str(tmp_path / "record.tsv"))
    assert done.returncode == 2
    assert f"more than the {MOST // 60} minutes that there are" in done.stderr
    assert "=== environment" not in done.stdout


def test_a_damaged_record_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad.tsv").write_text("<<<<<<< HEAD\n", encoding="utf-8")
    done = called("--unproved", "--record", str(tmp_path / "bad.tsv"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "bad.tsv:1: must be the heading" in done.stderr
