# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that leads from nothing to a job: its commands and its job, as a test runs them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from ansible_collections.sky.clusters.tests.support.tree import ROOT

PAGE = ROOT / "docs/docsite/rst/guide_first_job.rst"
FIRST, LAST = "./quickstart.sh", "./quickstart.sh --remove"


@dataclass(frozen=True)
class Page:
    """What the page tells its reader to do, and to expect."""

    commands: tuple[str, ...]
    job: str  # the content of job.py
    answer: str  # the last word of the job's output

    @property
    def between(self) -> str:
        """The commands between the first and the last one, as a script."""
        assert (self.commands[0], self.commands[-1]) == (FIRST, LAST)
        return "\n".join(self.commands[1:-1])


def page() -> Page:
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^   \$ (.+)$", text, re.MULTILINE)
    (job,) = re.findall(r"^\.\. first job\n\n\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text, re.MULTILINE)
    (answer,) = re.findall(r"^     sum of the squares: (\d+)$", text, re.MULTILINE)
    return Page(tuple(commands), textwrap.dedent(job).strip() + "\n", answer)
