# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a playbook of this collection was called with an option that skips a part of it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMESPACE = "sky.clusters."
PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
LISTS = ("listhosts", "listtasks", "listtags", "syntax")  # these run nothing


def refusal(options: Mapping[str, Any]) -> str:
    """Why a run is refused; empty if it is not.

    Args:
        options: the command line, as parsed by Ansible.
    """
    if any(options.get(name) for name in LISTS) or isinstance(options.get("args"), str):  # the program ansible has a pattern of hosts there
        return ""
    called = [str(playbook) for playbook in options.get("args") or ()]
    ours = [playbook for playbook in called if _is_ours(playbook)]
    # A playbook that imports one of ours may have tags and steps of its own. A limit would skip our plays on localhost.
    given = [option for option in _given(options) if ours or option == "--limit"]
    if not called or not given:
        return ""
    return f"{(ours or called)[0]} cannot be run in part: with {' and '.join(given)} Ansible would skip some or all of it and still report success"


def _is_ours(playbook: str) -> bool:
    return playbook.startswith(NAMESPACE) or PLAYBOOKS.resolve() in Path(playbook).resolve().parents


def _given(options: Mapping[str, Any]) -> Iterator[str]:
    if options.get("subset"):
        yield "--limit"
    if "all" not in (options.get("tags") or ["all"]) and "untagged" not in options["tags"]:
        yield "--tags"
    if {"all", "untagged", "always"} & set(options.get("skip_tags") or ()):
        yield "--skip-tags"
    if options.get("start_at_task"):
        yield "--start-at-task"
    if options.get("step"):
        yield "--step"
