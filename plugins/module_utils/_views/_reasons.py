# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a run configures a node, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

NEW, CHANGED, FAULTY, FULL = "new", "changed", "faulty", "full"
WORDS = {
    NEW: "it was never configured",
    CHANGED: "its settings, software or peers have changed",
    FAULTY: "it needs repair",  # of a node whose faults are not known
    FULL: "asked for (sky_full)",
}


def visit_reasons(reasons: Mapping[str, Iterable[str]], nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The reasons of each visit in words.

    Args:
        reasons: those of M(sky.clusters.visit), by node.
        nodes: the health and the faults of nodes, as M(sky.clusters.findings) returns them.
    """
    return {name: "; ".join(text for why in each for text in _words(why, nodes.get(name, {}).get("faults", []))) for name, each in reasons.items()}


def _words(why: str, faults: Iterable[str]) -> list[str]:
    """Faults are told without what to do about them: the run does that."""
    found = [sentence.partition("; see ")[0] for sentence in faults] if why == FAULTY else []
    return found or [WORDS[why]]
