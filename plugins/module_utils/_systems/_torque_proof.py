# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp on the server of a batch system. Sent to the nodes: it uses only the standard library."""

from __future__ import annotations

from pathlib import Path

from ._proof_stamp import ProofStamp

STAMP = ProofStamp(Path("/var/lib/sky/proof/torque.json"), Path("/etc/slurm/slurm.conf"))
