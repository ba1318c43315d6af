# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is going to run, and how long that takes."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.sky.clusters.tests.proof import hashes, plan
from ansible_collections.sky.clusters.tests.proof.parts import BUILD, CLOUD, ENVIRONMENT, MACHINE, NAMES, PARTS, Tier
from ansible_collections.sky.clusters.tests.proof.record import Line

QUICK = [part.name for part in PARTS if part.tier is Tier.QUICK]
LONG = [part.name for part in PARTS if part.tier is Tier.LONG]


def lines(root: Path, seconds: int = 100) -> dict[str, Line]:
    """The record of a run in which everything passed."""
    files = hashes.contents(root)
    return {part.name: Line(part.name, hashes.inputs_hash(part, files), "2026-11-28T03:37:47Z", seconds, "-") for part in PARTS}


def names(wanted: plan.Plan) -> list[str]:
    return [part.name for part in wanted.parts]


def test_the_quick_proof_is_what_runs_without_a_word() -> None:
    assert names(plan.quick({})) == QUICK == ["static", "contract", "unit", "mutants", "walk", "quickstart"]
    assert names(plan.everything({})) == list(NAMES)


def test_parts_run_in_the_order_of_the_table() -> None:
    assert names(plan.named(["quickstart", "survival", "unit"], {})) == ["unit", "survival", "quickstart"]


def test_a_long_part_runs_if_it_never_passed_or_its_inputs_changed(repository: Path) -> None:
    known = lines(repository)
    assert names(plan.unproved(known, hashes.contents(repository))) == QUICK
    (repository / "tests/integration/local/test_nodes.py").write_text("changed", encoding="utf-8")
    wanted = plan.unproved(known, hashes.contents(repository))
    assert set(names(wanted)) == {*QUICK, "survival"}
    assert "survival        100 s   recorded   its inputs changed since it passed at 2026-11-28T03:37:47Z" in wanted.lines()
    del known["molecule"]
    assert set(names(plan.unproved(known, hashes.contents(repository)))) == {*QUICK, "survival", "molecule"}


def test_the_sum_is_of_recorded_seconds_and_of_bounds_where_there_are_none(repository: Path) -> None:
    known = lines(repository, seconds=100)
    del known["unit"]
    wanted = plan.unproved(known, hashes.contents(repository))
    (unit,) = (part for part in PARTS if part.name == "unit")
    assert wanted.seconds == 100 * (len(QUICK) - 1) + unit.expected + ENVIRONMENT.allowed + MACHINE.allowed
    assert wanted.lines()[-1] == f"{'in all':<12} {wanted.seconds:6d} s   {-(-wanted.seconds // 60)} minutes"


def test_the_test_cloud_is_counted_where_a_part_needs_it() -> None:
    assert {BUILD, CLOUD} <= set(plan.named(["clouds"], {}).steps)
    assert plan.named(["unit"], {}).steps == [ENVIRONMENT]


def test_what_takes_too_long_for_ci_is_refused(repository: Path) -> None:
    known = lines(repository, seconds=100)
    known["survival"] = Line("survival", "ab", "2026-11-28T03:37:47Z", 6, "-")
    short = plan.unproved(known, hashes.contents(repository))
    assert short.refusal == ""
    known["survival"] = Line("survival", "ab", "2026-11-28T03:37:47Z", plan.MOST - short.seconds + 6, "-")
    assert plan.unproved(known, hashes.contents(repository)).refusal == ""
    known["survival"] = Line("survival", "ab", "2026-11-28T03:37:47Z", plan.MOST - short.seconds + 7, "-")
    assert plan.unproved(known, hashes.contents(repository)).refusal == (
        "this takes 76 minutes, more than the 75 minutes that there are; "
        "run long parts first, on a clean tree, and commit tests/proved.tsv: ./test.sh survival"
    )
