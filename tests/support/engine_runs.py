# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engine on a cloud, as the playbooks' actions make them, in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Node
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan_model import Wishes
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Outcome, Refused, Run

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8vXoFCSkGx2EIq9TqtKlWMVjBWRxUN4HYaBZVYjzZ tests"


def probe(nodes: Sequence[Node], _gateway: object = None) -> dict[str, str]:
    """Ssh answers at every node that has started."""
    return {node.name: "" for node in nodes}


def wishes(run: Run) -> Wishes:
    return Wishes(ssh_keys=(KEY,), confirm=run.cluster.name)


def present(run: Run) -> Outcome:
    """What a playbook's run does to the nodes: make, drain and delete, mark as ready. All its faults are in the outcome."""
    outcome = run.present(wishes(run))
    gone = run.delete(outcome.leaving) if outcome.leaving else None
    run.set_ready(dict.fromkeys(outcome.members, "hash"))
    return replace(outcome, faults=[*outcome.faults, *(gone.faults if gone else [])])


def ended(run: Run, what: str = "present", data: bool = True) -> str:
    """How a run ended: nothing, or its sentences. Anything but the run's own errors is a defect."""
    try:
        outcome = present(run) if what == "present" else run.absent(data)
    except (Refused, FleetError, CloudError) as error:
        return str(error) or "an error without a sentence"
    return "\n".join(outcome.faults)
