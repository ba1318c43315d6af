# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages of the node's distribution, by apt. Sent to the nodes with the modules that run there: the standard library alone."""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ._systemd import query, systemctl

UNITS = Path("/etc/systemd/system")
LOCK = 300  # seconds that another run of apt may take, such as the node's own at its first boot
# Files are not flushed one by one: a node that dies while it is installed is installed again
OPTIONS = ("-qq", "--no-install-recommends", "-o", f"DPkg::Lock::Timeout={LOCK}", "-o", "DPkg::Options::=--force-unsafe-io")


class PackageError(Exception):
    """Packages could not be installed; the message is one sentence with apt's own words."""


def missing(names: Iterable[str], unless: Mapping[str, str]) -> list[str]:
    """The packages that are not installed, each once.

    Args:
        unless: by package, a path with wildcards; where it exists, the node has what the package holds from elsewhere.
    """
    wanted = [name for name in dict.fromkeys(names) if not (name in unless and glob.glob(unless[name]))]
    installed = _installed(wanted)
    return [name for name in wanted if name not in installed]


def _installed(names: Sequence[str]) -> set[str]:
    """Those that are completely installed. dpkg-query fails if one is unknown, and still answers for the others."""
    if not names:
        return set()
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {name for name, _space, status in (line.partition(" ") for line in done.stdout.splitlines()) if status == "installed"}


def unmasked(units: Iterable[str], folder: Path = UNITS) -> list[str]:
    """The units that are not masked."""
    return [unit for unit in units if os.path.realpath(folder / unit) != os.devnull]


def mask(units: Iterable[str]) -> None:
    """Keep units from running, also those of packages that are not installed yet, and stop those that run.

    Raises:
        SystemdError: a unit cannot be masked or stopped.
    """
    for unit in units:
        systemctl("mask", unit)
        if query("is-active", unit).strip() == "active":
            systemctl("stop", unit)


def install(names: Sequence[str]) -> None:
    """Install packages.

    Raises:
        PackageError: apt failed.
    """
    _apt("update", "-qq")
    _apt("install", *OPTIONS, *names)


def _apt(*words: str) -> None:
    done = subprocess.run(["apt-get", *words], capture_output=True, text=True, check=False, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if done.returncode != 0:
        raise PackageError(f"apt-get {words[0]} failed: {_reason(done.stderr or done.stdout)}")


def _reason(output: str) -> str:
    """The lines that begin with E:, which name the cause; else the last line."""
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return " ".join([line for line in lines if line.startswith("E:")] or lines[-1:] or ["it said nothing"])
