# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables on a screen: cells that are too wide go on in further lines of their columns. No I/O.

Tables are found among the lines that are shown, whoever wrote them: what is returned as data, and what goes into files and pipes, stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

GAP = 2  # blanks between columns
LEAST = 8  # columns that a cell keeps
CELL = re.compile(r"\S+(?: \S+)*")
# What is no row: a command, a line of a log, a line of a plan, whose last column is a sentence
NO_ROW = re.compile(r"(?:ssh|ansible-playbook|look:|\||\+|~|-|-/\+)(?: |$)|\w+ = ")
# Where a cell is cut, the best places first: after a word, within it, anywhere
CUTS = (re.compile(r"[^\s,]+[\s,]*|[\s,]+"), re.compile(r"[^._/-]+[._/-]*|[._/-]+"), re.compile(r".", re.DOTALL))


def fitted_tables(lines: Sequence[str], width: int) -> dict[int, list[str]]:
    """The pieces of the rows that are shown otherwise than they are, by number of line. A table that no cut can fit stays whole.

    Args:
        width: of the screen; 0 for any.
    """
    found: dict[int, list[str]] = {}
    for first, starts, rows in _tables(lines):
        widths = _widths(rows, width - starts[0])
        if not width or max(map(len, lines[first : first + len(rows)])) <= width or not widths:
            continue
        for number, row in enumerate(rows, first):
            found[number] = [" " * starts[0] + piece for piece in _pieces(row, widths)]
    return {number: pieces for number, pieces in found.items() if pieces != [lines[number]]}


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, list[int], list[list[str]]]]:
    """Lines one below the other whose cells begin at the same columns: the number of the first, these columns, and the cells."""
    first = 0
    while first < len(lines):
        starts = [cell.start() for cell in CELL.finditer(lines[first])]
        end = first + 1
        if len(starts) > 1 and not NO_ROW.match(lines[first].lstrip()):
            while end < len(lines) and _is_row(lines[end], starts):
                end += 1
        if end - first > 1:
            yield first, starts, [_cells(line, starts) for line in lines[first:end]]
        first = end


def _is_row(line: str, starts: Sequence[int]) -> bool:
    begins = len(line) - len(line.lstrip()) == starts[0] and len(line) > starts[1]
    return begins and not NO_ROW.match(line.lstrip()) and all(not line[start - GAP : start].strip() for start in starts[1:])


def _cells(line: str, starts: Sequence[int]) -> list[str]:
    return [line[start:end].rstrip() for start, end in zip_longest(starts, starts[1:])]


def _widths(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """As wide as the cells are; the widest gives way first, and the first, which people copy, last. Empty if there is not enough room."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room -= GAP * (len(widths) - 1)
    for yielding in (range(1, len(widths)), range(1)):
        while sum(widths) > room and (wide := [number for number in yielding if widths[number] > LEAST]):
            widths[max(wide, key=lambda number: widths[number])] -= 1
    return widths if sum(widths) <= room else []


def _pieces(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The lines of a row, in columns of these widths."""
    columns = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        (" " * GAP).join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*columns, fillvalue="")
    ]


def _wrapped(cell: str, width: int) -> list[str]:
    """A cell in lines of this width."""
    parts = [cell]
    for cut in CUTS:
        parts = [piece for part in parts for piece in ([part] if len(part.rstrip()) <= width else cut.findall(part))]
    lines = [""]
    for part in parts:
        if lines[-1] and len(f"{lines[-1]}{part}".rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]
