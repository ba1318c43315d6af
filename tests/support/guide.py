# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and playbooks of the guides, to be run as they are written there."""

from __future__ import annotations

import re
import shlex
import textwrap

from ansible_collections.sky.clusters.tests.support.tree import ROOT

PROMPT = "$ "
START = ["ansible-playbook", "-i", "demo.sky.yml"]


def command(guide: str, about: str) -> tuple[str, list[str]]:
    """The playbook of the one command of a guide that has a word, and its further arguments.

    Args:
        guide: name of the file, such as ``guide_spark``.
    """
    lines = (ROOT / f"docs/docsite/rst/{guide}.rst").read_text(encoding="utf-8").splitlines()
    (line,) = [line.strip() for line in lines if line.strip().startswith(PROMPT) and about in line]
    words = shlex.split(line.removeprefix(PROMPT))
    assert words[:3] == START, line
    return words[3].removeprefix("sky.clusters."), words[4:]


def file(guide: str, name: str) -> str:
    """The one YAML file of a guide whose first line is a comment with its name."""
    text = (ROOT / f"docs/docsite/rst/{guide}.rst").read_text(encoding="utf-8")
    (block,) = re.findall(rf"code-block:: yaml\n\n(   # {re.escape(name)}\n(?:   .*\n|\n)*)", text)
    return textwrap.dedent(block)
