# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines for people on a screen: no wider than it, and in colour where they name a fault."""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ansible import constants
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.plugin_utils._table_layout import fitted_tables

COLORS: Any = constants  # defines its names as it is imported
WIDEST = 100  # columns
RUNNER = "AWX_ISOLATED_DATA_DIR"  # set by ansible-runner, as in AWX: its terminal is nobody's screen
HANGING = "  "  # what the rest of a line is indented by
# Stays whole, to be copied: a command, a setting of a profile; so does a line of a log
COMMAND = re.compile(r"(?:ssh|ansible-playbook|look:|\|)(?: |$)|\w+ = ")
COLUMNS = re.compile(r"\S {2,}\S")  # stays whole: a row of a table
CHANGE = re.compile(r"(?:\+|~|-|-/\+) ")  # but not a line of a plan, whose last column is a sentence
NODES = r"[\w.-]+(?:, [\w.-]+)*(?: and [\w.-]+)?"
FAULT = re.compile(rf"ready: no\b|whole: no\b|fault: |a run would refuse: |{NODES} (?:failed|could not be) ")
GOOD = ("ready: yes", "whole: yes")


@functools.cache
def screen_width() -> int:
    """The columns of the terminal, or of the variable COLUMNS; 0 without any: what goes into a file or a pipe is searched, and stays in whole lines.

    It is first called in the main process: the workers of Ansible, where actions run, have no terminal, and inherit what was found.
    """
    screen = os.environ.get("COLUMNS", "").isdigit() or (sys.stdout.isatty() and RUNNER not in os.environ)
    return min(shutil.get_terminal_size().columns, WIDEST) if screen else 0


def show(lines: Iterable[str], color: str | None = None) -> None:
    """Print lines as the collection prints its own, indented by two blanks."""
    parts = [(part, color or color_of(line)) for line in lines for part in f"  {line}".rstrip().split("\n")]
    for (_part, shown), pieces in zip(parts, fitted_lines([part for part, _color in parts], screen_width()), strict=True):
        for piece in pieces:
            Display().display(piece, color=shown)


def color_of(line: str) -> str | None:
    """The colour of a line, by its first words."""
    if FAULT.match(line.lstrip()):
        return str(COLORS.COLOR_ERROR)
    return str(COLORS.COLOR_OK) if line.startswith(GOOD) else None


def fitted_lines(lines: Sequence[str], width: int) -> Iterator[list[str]]:
    """The pieces of each line, of a screen's width; the rows of a table in columns that fit, as far as that is possible.

    Args:
        width: 0 for any.
    """
    rows = fitted_tables(lines, width)
    yield from (rows.get(number) or fitted(line, width) for number, line in enumerate(lines))


def fitted(line: str, width: int) -> list[str]:
    """A line in pieces of a screen's width. What is copied from the screen, and a row without its table, stay whole.

    Args:
        width: 0 for any.
    """
    text = line.lstrip()
    is_row = COLUMNS.search(text) and not CHANGE.match(text)
    return [line] if not width or len(line) <= width or COMMAND.match(text) or is_row else wrapped(line, width, hanging=HANGING)


def wrapped(text: str, width: int, indent: str = "", hanging: str = "") -> list[str]:
    """Wrapped at blanks only, so that a path or a command stays whole where it is copied from.

    Args:
        indent: before each line.
        hanging: before each line after the first, too.
    """
    lead = indent + text[: len(text) - len(text.lstrip())]
    wrapper = textwrap.TextWrapper(width, lead, lead + hanging, break_long_words=False, break_on_hyphens=False)
    return wrapper.wrap(text.strip()) or [""]
