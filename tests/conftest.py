# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures and profiles of all tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader()  # before anything of the collection is imported, or Ansible does not know it as one

from ansible_collections.sky.clusters.tests.support.world import World  # noqa: E402

hypothesis.settings.register_profile(
    "sky", deadline=None, derandomize=True, database=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("sky")

# A worker of xdist has it, where no test has a screen: lines would be cut to its columns
os.environ.pop("COLUMNS", None)

FIGURE = "figure"  # name of the property of a test that holds one


FAILED = pytest.StashKey[str]()  # of a file whose tests are chained: the one that failed


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    if call.excinfo is not None and item.parent is not None and item.get_closest_marker("chained"):
        item.parent.stash.setdefault(FAILED, item.name)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What a failed test left would let those after it wait for what cannot come, for minutes each."""
    failed = item.parent.stash.get(FAILED, "") if item.parent is not None else ""
    if failed:
        pytest.fail(f"not begun: {failed} failed before it, on the same cluster", pytrace=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world with a clock of its own."""
    return World(tmp_path / "world")


@pytest.fixture(scope="module")
def fast_folder() -> Iterator[Path]:
    """A folder for thousands of small files: in memory where the machine offers that, and outside the process all the same."""
    with tempfile.TemporaryDirectory(prefix="sky-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes a sentence with a figure, to be printed at the end."""
    return lambda sentence: request.node.user_properties.append((FIGURE, sentence))  # which other processes of pytest hand over, too


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, whatever -q says."""
    reports = [report for group in terminalreporter.stats.values() for report in group if getattr(report, "when", "") == "call"]
    figures = [sentence for report in reports for name, sentence in report.user_properties if name == FIGURE]
    if figures:
        terminalreporter.section("figures")
        for sentence in figures:
            terminalreporter.write_line(sentence)
