# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Screens: what real runs print on 80 columns, held as text files.

`SKY_RENEW_SCREENS=1` writes the files anew, to be read before they are committed. What differs from run to run and from machine to machine is
replaced by words, or left out: times, addresses, identifiers and sizes, what is fetched once only, and steps that have a line only because they took
long. Those are the ones without a colour; a plain screen, which does not tell them apart, is held without its steps.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.sky.clusters.plugins.plugin_utils._progress import WORDS
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import COLUMNS, COMMAND, HANGING, fitted
from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.site import Site

RENEW = "SKY_RENEW_SCREENS"
WIDTH = 80
# Variables of a run with the settings that the collection ships; a screen without a terminal
PLAIN = {"ANSIBLE_CONFIG": str(tree.ROOT / "ansible.cfg"), "COLUMNS": str(WIDTH), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0"}
COLOUR = PLAIN | {"ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1"}

COLORED = re.compile(r"\x1b\[([\d;]+)m(.*)\x1b\[0m")
RUNNING = re.compile(r"  \S.* \.\.\. \d+ s(?:, \d+ nodes? done)?")  # a step that takes long
RIGHT = re.compile(r"(?: {2,}(?P<count>\d+ nodes?))?(?: {2,}\d+ s)?$")  # what ends the line of a step
TASK = re.compile(r"^\s*- name: [\"']?(.+?)[\"']?(?:\s+#.*)?$", re.MULTILINE)
ONCE = re.compile(r"  (?:Fetch|Pack|Build|Make) the \S+")  # of steps whose result is kept on the controller
EVENT = re.compile(rf"  (\S+) +({'|'.join(WORDS.values())}) +[\d.]+ s(?:  .*)?")
BLOCK = re.compile(r"  (?:\S.* (?:is|are) ready:|The homes of )")  # what begins the next steps of a system
FACTS = re.compile(r"  \w+: (?:\w+://)?ADDRESS\b.*")  # what a system says of itself in `status`
# Of a job, whose output is shown as it is
LOG = re.compile(r"(?:\d\d/\d\d/\d\d \d\d:\d\d:\d\d|DAY TIME) [A-Z]+ |Using Spark's default log4j profile: ")
VARYING = (
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "ADDRESS"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:Z| UTC|\+00:00)?"), "TIME"),
    (re.compile(r"\b\d\d/\d\d/\d\d \d\d:\d\d:\d\d\b"), "DAY TIME"),
    (re.compile(r"\b(sky-submit-|sky_submission=|sky_stop=)[0-9a-f]{8}\b"), r"\1ID"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\bapp-\d{14}-\d{4,}\b"), "APPLICATION"),
    (re.compile(r"\b([Pp]i (?:is roughly )?)\d\.\d+"), r"\1N"),
    (re.compile(r"\b(?:\d+ h )?\d+ min\b"), "N s"),
    (re.compile(r"\b\d+(?:\.\d+)? s\b"), "N s"),
    (re.compile(r"\b\d+ %"), "N %"),
    (re.compile(r"\b\d+ MiB (in use|free)"), r"N MiB \1"),
)


@dataclass(frozen=True)
class Line:
    """One line, with the code of its colour."""

    text: str
    color: str = ""

    @classmethod
    def of(cls, shown: str) -> Line:
        match = COLORED.fullmatch(shown)
        return cls(match[2].rstrip(), match[1]) if match else cls(shown.rstrip())

    def __str__(self) -> str:
        return f"\x1b[{self.color}m{self.text}\x1b[0m" if self.color else self.text


def seen(site: Site, look: Mapping[str, str], **more: str) -> Site:
    """The same site on a screen, plain or in colour."""
    return replace(site, environment={**site.environment, **look, **more})


def lines(output: str) -> list[Line]:
    return [Line.of(shown) for shown in output.splitlines()]


def whole(shown: Iterable[Line]) -> list[Line]:
    """Lines as they were before they were wrapped: a line goes on where its next word had no room."""
    joined: list[Line] = []
    last, lead = "", ""
    for line in shown:
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        word = line.text.split(maxsplit=1)[:1]
        cut = bool(joined and word and last) and len(last) + 1 + len(word[0]) > WIDTH and line.color == joined[-1].color
        if cut and indent == lead + HANGING and not COMMAND.match(line.text.lstrip()):
            joined[-1] = Line(f"{joined[-1].text} {line.text.lstrip()}", line.color)
        else:
            joined.append(line)
            lead = indent
        last = line.text
    return joined


def unwrapped(output: str) -> str:
    """An output in whole lines, without colours, to be searched for sentences."""
    return "\n".join(line.text for line in whole(lines(output))) + "\n"


def too_wide(output: str) -> list[str]:
    """The lines that do not fit, rows of tables among them, but for what is copied from the screen or is one word."""
    return [line.text for line in lines(output) if len(line.text) > WIDTH and _could_fit(line.text)]


def _could_fit(text: str) -> bool:
    shown = text.lstrip()
    return not COMMAND.match(shown) and not LOG.match(shown) and (bool(COLUMNS.search(shown)) or fitted(text, WIDTH) != [text])


def _fitted(text: str) -> list[str]:
    return [text] if LOG.match(text.lstrip()) else fitted(text, WIDTH)


def normal(output: str, own: Mapping[str, str]) -> str:
    """An output as it is on every machine.

    Args:
        own: what this run calls otherwise than the next one, such as its folder, with the word for it.
    """
    shown = whole(lines(output))
    plain = not any(line.color for line in shown)
    kept = [line for line in shown if not _is_of_this_run(line, plain)]
    replaced = [_replaced(line, own) for line in _blocks_in_order(list(_in_order(kept)))]
    pieces = [Line(piece, line.color) for line in replaced for piece in _fitted(line.text)]
    return "".join(f"{piece}\n" for piece in pieces)


def _is_of_this_run(line: Line, plain: bool) -> bool:
    """Whether only slow machines show it, or only those that have no cache yet. A step that has changed something has a colour where there is any."""
    if RUNNING.fullmatch(line.text) or ONCE.match(line.text):
        return True
    return is_step(line.text) and (plain or not line.color)


def is_step(text: str) -> bool:
    """Whether a line is about a task."""
    name = RIGHT.sub("", text.removeprefix("  "))
    if not text.startswith("  ") or not name or name[0] == " ":
        return False
    start = name.removesuffix("...")
    return any(start == task if start == name else task.startswith(start) for task in tasks()) or name.startswith(rendered_tasks())


@functools.cache
def tasks() -> frozenset[str]:
    """The names of all tasks of the collection."""
    files = [path for folder in ("playbooks", "roles") for path in (tree.ROOT / folder).rglob("*.yml")]
    return frozenset(name for path in files for name in TASK.findall(path.read_text(encoding="utf-8")))


@functools.cache
def rendered_tasks() -> tuple[str, ...]:
    """How those begin whose names hold a value."""
    return tuple(name.partition("{{")[0] for name in tasks() if "{{" in name[1:] and len(name.partition("{{")[0]) > 1)


def _in_order(shown: Iterable[Line]) -> Iterator[Line]:
    """Nodes that are made, and systems that are proved, at the same time report in any order: here one after the other."""
    for is_ordered, group in itertools.groupby(shown, lambda line: _place(line.text) is not None):
        found = list(group)
        yield from sorted(found, key=_ranked) if is_ordered else found


def _blocks_in_order(shown: list[Line]) -> list[Line]:
    """The next steps of one system after those of another: heads show them in the order in which the nodes were made."""
    starts = [at for at, line in enumerate(shown) if BLOCK.match(line.text)]
    if not starts:
        return shown
    end = next((at for at in range(starts[-1], len(shown)) if shown[at].text.startswith("finished ")), len(shown))
    blocks = [shown[start:stop] for start, stop in zip(starts, [*starts[1:], end], strict=True)]
    ordered = sorted((_without_end(block) for block in blocks), key=lambda block: block[0].text)
    return [*shown[: starts[0]], *itertools.chain.from_iterable([*block, Line("")] for block in ordered), *shown[end:]]


def _without_end(block: list[Line]) -> list[Line]:
    """A block without the empty lines after it."""
    return block[: max(at for at, line in enumerate(block) if line.text) + 1]


def _ranked(line: Line) -> tuple[str, int]:
    return _place(line.text) or ("", 0)


def _place(text: str) -> tuple[str, int] | None:
    """What orders a line among those about the same kind of work; nothing for any other line."""
    if match := EVENT.fullmatch(text):
        return match[1], list(WORDS.values()).index(match[2])
    return (text, 0) if text.startswith("  Prove ") else None


def _in_own_words(text: str, own: Mapping[str, str]) -> str:
    for mine in sorted(own, key=len, reverse=True):
        text = text.replace(mine, own[mine])
    return text


def _replaced(line: Line, own: Mapping[str, str]) -> Line:
    text = _in_own_words(line.text, own)
    if is_step(text):
        text = RIGHT.sub(lambda right: f"  {right['count']}" if right["count"] else "", text)
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    if FACTS.fullmatch(text):
        text = re.sub(r"\b\d+\b", "N", text)
    indent = text[: len(text) - len(text.lstrip())]
    return Line(indent + re.sub(r" {2,}", "  ", text.lstrip()).rstrip(), line.color)  # columns are as wide as what they hold


def fault(folder: Path, name: str, output: str, own: Mapping[str, str]) -> str:
    """Why an output is not the screen that the file of this name holds, on 80 columns; empty if it is."""
    if wide := too_wide(_in_own_words(output, own)):
        return "\n".join([f"{name}: wider than the screen:", *wide])
    file, shown = folder / f"{name}.txt", normal(output, own)
    if os.environ.get(RENEW):
        folder.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    if not file.exists():
        return f"{file} is missing: run this once with {RENEW}=1, read what it writes, and commit it"
    held = file.read_text(encoding="utf-8").splitlines()
    found = list(difflib.unified_diff(held, shown.splitlines(), str(file), "this run", lineterm=""))
    return "\n".join([f"{name}: another screen; if it is right, run this once with {RENEW}=1:", *found]) if found else ""
