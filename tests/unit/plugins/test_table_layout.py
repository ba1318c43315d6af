# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that are wider than the screen: the widest cells go on in further lines of their columns, and nothing is left out."""

from __future__ import annotations

import re

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._views._summary import table
from ansible_collections.sky.clusters.plugins.plugin_utils._table_layout import fitted_tables

STATUS = ("node", "state", "roles", "configured", "health")
NODES = [
    ("twalk-batch-0", "running", "nfs_server,torque_server", "yes", "ok"),
    ("twalk-worker-0", "running", "spark_worker,nfs_client,torque_node", "yes", "spark-worker failed"),
]
JOBS = ("job", "name", "user", "state", "since (UTC)", "for")


def shown(lines: list[str], width: int = 80) -> list[str]:
    found = fitted_tables(lines, width)
    return [piece for number, line in enumerate(lines) for piece in found.get(number, [line])]


def cells(lines: list[str], columns: int) -> list[str]:
    """Everything in a column, from top to bottom, without the places where it was cut."""
    starts = [match.start() for match in re.finditer(r"\S+(?: \S+)*", lines[0])]
    ends = [*starts[1:], None]
    return ["".join(line[start:end].strip() for line in lines) for start, end in zip(starts, ends, strict=True)][:columns]


def test_the_roles_of_a_node_go_on_below_each_other() -> None:
    assert shown(table(STATUS, NODES)) == [
        "node            state    roles                   configured  health",
        "twalk-batch-0   running  nfs_server,             yes         ok",
        "                         torque_server",
        "twalk-worker-0  running  spark_worker,           yes         spark-worker failed",
        "                         nfs_client,torque_node",
    ]


def test_a_table_that_fits_is_as_it_was() -> None:
    assert fitted_tables(table(STATUS, NODES[:1]), 80) == {}


@pytest.mark.parametrize("width", [80, 72])
@pytest.mark.parametrize(
    ("headings", "rows"),
    [
        (STATUS, NODES),
        (JOBS, [("sky-submit-3f9a01bc", "org.example.analytics.DailyReportOfAllCustomers", "ada", "running", "2026-11-21 04:21", "2 h 12 min")]),
        (JOBS, [("app-20261121042104-0003", f"a report of {'x' * 90}", "ada", "exit code 137", "2026-11-21 04:21", "12 s")]),
        (
            ("node", "system", "distribution packages", "archives", "python packages", "jars"),
            [("a-cluster-of-20-chars-worker-10", "Debian GNU/Linux 12", "312", "4", "17", "310")],
        ),
    ],
)
def test_every_table_fits_and_keeps_all_that_it_says(headings: tuple[str, ...], rows: list[tuple[str, ...]], width: int) -> None:
    whole = [f"  {line}" for line in table(headings, rows)]
    pieces = shown(whole, width)
    assert max(map(len, whole)) > width
    assert max(map(len, pieces)) <= width
    blanks = re.compile(r"\s+")
    assert [blanks.sub("", cell) for cell in cells(pieces, len(headings))] == [blanks.sub("", cell) for cell in cells(whole, len(headings))]
    assert all(row[0] in "\n".join(pieces) for row in rows) or width < 80  # what people copy gives way last


def test_lines_around_a_table_and_other_tables_are_not_touched() -> None:
    lines = ["run in progress: ada", *table(STATUS, NODES), "services:  two blanks are no table", *table(("user", "address"), [("ada", "10.0.0.4")])]
    assert sorted(fitted_tables(lines, 80)) == [1, 2, 3]
    assert len(shown(lines)) == len(lines) + 2


@pytest.mark.parametrize(
    "line",
    [
        f"  ssh -F /home/ada/.ansible/sky/demo.conf  {'-L 8080:10.0.0.4:8080 ' * 4}",
        f"  + demo-worker-3  create in here (a-flavor, {'an image of a cloud, ' * 4})",
        f"    | a  log  line  {'x' * 80}",
    ],
)
def test_what_only_looks_like_a_table_is_none(line: str) -> None:
    assert fitted_tables([line, line], 80) == {}


def test_a_table_with_too_many_columns_for_the_screen_stays_whole() -> None:
    assert fitted_tables(table(JOBS, [("a" * 30, "b" * 30, "c" * 30, "d" * 30, "e" * 30, "f" * 30)]), 40) == {}


def test_without_a_screen_tables_stay_whole() -> None:
    assert fitted_tables(table(STATUS, NODES), 0) == {}
