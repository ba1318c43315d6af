# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of systemctl. Sent to the nodes with the modules that run there: the standard library alone."""

from __future__ import annotations

import subprocess

SECONDS = 10.0  # that systemd may take to answer a query


class SystemdError(Exception):
    """A command failed; the message is one sentence."""


def query(*arguments: str, seconds: float = SECONDS) -> str:
    """The answer of systemctl to a query, whatever its exit code; empty if systemd does not answer."""
    try:
        done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def systemctl(*arguments: str) -> str:
    """Run a command of systemctl; its output.

    Raises:
        SystemdError: the command failed.
    """
    command = ["systemctl", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemdError(f"'{' '.join(command)}' failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
