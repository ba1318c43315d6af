# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole proof of small parts, in a repository of the test's own: what passes on a clean tree is recorded, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof import parts, plan, proving, record
from ansible_collections.sky.clusters.tests.proof.parts import Command, Part, Step, Tier

from .conftest import commit

Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the commands differ from those of a real proof: nothing is installed and no cloud is started."""
    for name in ("ENVIRONMENT", "MACHINE", "BUILD", "CLOUD", "CLOUD_DOWN"):
        step: Step = getattr(parts, name)
        replaced(monkeypatch, name, Step(step.name, 5, 0, ("echo", f"did {step.name}")))


def replaced(monkeypatch: pytest.MonkeyPatch, name: str, step: Step) -> None:
    for module in (parts, proving):
        monkeypatch.setattr(module, name, step, raising=False)


def part(*commands: Command, name: str = "survival", cloud: bool = False, bound: int = 20) -> Part:
    return Part(name, Tier.LONG, bound, bound, "", ("plugins", "tests"), commands, machine=False, cloud=cloud)


def prove(root: Path, *wanted: Part, file: Path | None = None) -> int:
    entries = tuple(plan.Entry(each, "named") for each in wanted)
    return proving.prove(root, plan.Plan(entries), file or root / record.PROVED)


def recorded(root: Path) -> dict[str, str]:
    """The counts by part."""
    return {name: line.counts for name, line in record.read(root / record.PROVED).items()}


PASSES = ("echo", "== 7 passed in 0.1s ==")


def test_a_part_that_passes_is_recorded_and_a_part_that_fails_is_not(repository: Path, capfd: Shown) -> None:
    assert prove(repository, part(PASSES), part(PASSES, ("false",), name="host")) == 1
    assert recorded(repository) == {"survival": "7 tests"}
    table = capfd.readouterr().out.partition("=== in all")[2]
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["environment", "survival", "host"]
    assert "FAILED   7 tests" in table


def test_a_line_is_written_only_for_the_commit(repository: Path, capfd: Shown) -> None:
    (repository / "plugins/new.py").write_text("", encoding="utf-8")
    assert prove(repository, part(PASSES)) == 0
    assert recorded(repository) == {}
    said = capfd.readouterr()
    assert "nothing is recorded in tests/proved.tsv: the tree has changes that are not committed: plugins/new.py" in said.err
    assert "ok   7 tests; not recorded: the tree has changes that are not committed: plugins/new.py" in said.out
    commit(repository)
    assert prove(repository, part(PASSES)) == 0
    assert recorded(repository) == {"survival": "7 tests"}


def test_what_changed_while_it_ran_is_not_recorded(repository: Path, capfd: Shown) -> None:
    changing = ("sh", "-c", f"echo more >> {repository}/plugins/module_utils/_plan.py")
    assert prove(repository, part(changing)) == 0
    assert recorded(repository) == {}
    assert "not recorded: the tree has changes that are not committed" in capfd.readouterr().out


def test_another_commit_while_it_ran_is_not_recorded(repository: Path, capfd: Shown) -> None:
    committing = (
        "echo more >> plugins/module_utils/_engine/_plan.py && git -c user.name=t -c user.email=t@localhost commit --quiet --all --message=more"
    )
    assert prove(repository, part(("sh", "-c", f"cd {repository} && {committing}"))) == 0
    assert recorded(repository) == {}
    assert "not recorded: its inputs changed while it ran" in capfd.readouterr().out


def test_the_record_may_be_of_another_clone(repository: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.tsv"
    assert prove(repository, part(PASSES), file=elsewhere) == 0
    assert list(record.read(elsewhere)) == ["survival"]
    assert recorded(repository) == {}


def test_a_part_over_its_bound_has_failed_and_the_next_one_runs(repository: Path, capfd: Shown) -> None:
    assert prove(repository, part(("sleep", "60"), bound=1), part(PASSES, name="host")) == 1
    assert recorded(repository) == {"host": "7 tests"}
    assert "FAILED   killed after 1 s, its bound" in capfd.readouterr().out


def test_pytest_has_time_to_clean_up_before_the_bound() -> None:
    assert proving.within(480, ("pytest", "-m", "real")) == ("pytest", "--session-timeout", "480", "-m", "real")
    assert proving.within(480, ("./quickstart.sh", "--undo-host")) == ("./quickstart.sh", "--undo-host")


def test_checks_alone_are_not_recorded(repository: Path) -> None:
    assert prove(repository, part(PASSES, name="checks")) == 0
    assert recorded(repository) == {}


def test_one_test_cloud_serves_all_parts_that_need_it(repository: Path, capfd: Shown) -> None:
    wanted = [part(PASSES, name="openstack", cloud=True), part(PASSES, name="clouds", cloud=True), part(PASSES, name="quickstart")]
    assert prove(repository, *wanted) == 0
    table = capfd.readouterr().out.partition("=== in all")[2].splitlines()[1:]
    order = ["environment", "build", "cloud", "openstack", "clouds", "cloud down", "quickstart"]
    assert [line[:12].strip() for line in table] == order


def test_parts_without_what_they_need_are_not_begun(repository: Path, capfd: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced(monkeypatch, "CLOUD", Step("cloud", 5, 0, ("false",)))
    assert prove(repository, part(PASSES, name="openstack", cloud=True), part(PASSES, name="host")) == 1
    assert recorded(repository) == {"host": "7 tests"}
    assert "FAILED   not begun: cloud failed" in capfd.readouterr().out


def test_without_an_environment_nothing_is_begun(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced(monkeypatch, "ENVIRONMENT", Step("environment", 5, 0, ("false",)))
    assert prove(repository, part(PASSES)) == 1
    assert recorded(repository) == {}
