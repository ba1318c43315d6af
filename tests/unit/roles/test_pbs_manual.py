# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of TORQUE's manual: nothing is said that no test on a real cluster shows."""

from __future__ import annotations

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import main, options, resources
from ansible_collections.sky.clusters.tests.integration.torque import manual
from ansible_collections.sky.clusters.tests.integration.torque.commands import SCENARIOS
from ansible_collections.sky.clusters.tests.integration.torque.corpus import JOBS, REFUSALS
from ansible_collections.sky.clusters.tests.integration.torque.manual import MANUAL, Verdict, is_covered


def test_what_works_or_differs_is_shown_on_a_real_cluster() -> None:
    covers = {name for case in (*JOBS, *REFUSALS) for name in case.covers} | {name for scenario in SCENARIOS for name in scenario.covers}
    bare = [item.name for items in MANUAL.values() for item in items if item.verdict is not Verdict.ABSENT and not is_covered(item, covers)]
    assert bare == []


def test_what_is_refused_is_refused_on_a_real_cluster() -> None:
    covers = {name for case in REFUSALS for name in case.covers}
    bare = [item.name for items in MANUAL.values() for item in items if item.note.startswith("refused") and not is_covered(item, covers)]
    assert bare == []


def test_every_option_is_in_the_table() -> None:
    letters = {f"-{letter}" for letter in options.LETTERS.replace(":", "")}
    assert {item.name for item in manual.OPTIONS} == letters


def test_every_resource_that_is_read_is_in_the_table() -> None:
    named = {item.name.removeprefix("-l ") for item in manual.RESOURCES}
    assert {"nodes", *resources.READERS} - {"hostlist"} <= named


def test_every_command_is_in_the_table() -> None:
    named = {item.name for item in manual.COMMANDS if item.verdict is not Verdict.ABSENT}
    assert set(main.COMMANDS) - {"qsub", "canceljob", "qusage"} == named


def test_the_corpus_is_large() -> None:
    names = [case.name for case in (*JOBS, *REFUSALS)]
    assert len(JOBS) >= 60
    assert len(names) == len(set(names))
