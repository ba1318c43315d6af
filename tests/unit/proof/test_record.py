# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of the proof: what is written is read again, and what no run wrote is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.proof.parts import NAMES
from ansible_collections.sky.clusters.tests.proof.record import HEADING, Line, RecordError, read, write

LINE = Line("survival", "0123abcd", "2026-11-28T03:37:47Z", 812, "71 tests")
ROW = "survival\t0123abcd\t2026-11-28T03:37:47Z\t812\t71 tests"


def test_lines_are_sorted_and_one_a_part(tmp_path: Path) -> None:
    path = tmp_path / "proved.tsv"
    for part, seconds in (("survival", 1), ("host", 2), ("survival", 3)):
        write(path, Line(part, "ab", LINE.date, seconds, "-"))
    assert {part: line.seconds for part, line in read(path).items()} == {"host": 2, "survival": 3}
    assert path.read_text(encoding="utf-8").splitlines()[0] == HEADING
    assert [row.split("\t")[0] for row in path.read_text(encoding="utf-8").splitlines()[1:]] == ["host", "survival"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "proved.tsv", LINE)
    assert read(tmp_path / "proved.tsv") == {"survival": LINE}


@pytest.mark.parametrize("part", NAMES)
def test_every_part_can_be_recorded(part: str, tmp_path: Path) -> None:
    line = replace(LINE, part=part)
    write(tmp_path / "proved.tsv", line)
    assert read(tmp_path / "proved.tsv") == {part: line}


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert read(tmp_path / "proved.tsv") == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "proved.tsv:1: must be the heading"),
        (f"{HEADING}\n<<<<<<< HEAD\n{ROW}\n", "proved.tsv:2: is not a line that a run wrote: '<<<<<<< HEAD'; delete it"),
        (f"{HEADING}\n{ROW}\n{ROW}\n", "proved.tsv:3: part 'survival' is there twice"),
        (f"{HEADING}\n{ROW.replace('812', 'soon')}\n", "proved.tsv:2: is not a line that a run wrote"),
        (f"{HEADING}\n{ROW.replace('2026-11-28', 'today')}\n", "proved.tsv:2: is not a line that a run wrote"),
        (f"{HEADING}\n{ROW}\tmore\n", "proved.tsv:2: is not a line that a run wrote"),
        (f"{HEADING}\n\n{ROW}\n", "proved.tsv:2: is not a line that a run wrote: ''"),
    ],
)
def test_a_damaged_record_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "proved.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordError) as refusal:
        read(path)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_bytes_that_are_no_text_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "proved.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match=r"proved\.tsv cannot be read"):
        read(tmp_path / "proved.tsv")
