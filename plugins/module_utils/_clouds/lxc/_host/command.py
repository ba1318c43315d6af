# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs, run so that their own last words become the error."""

from __future__ import annotations

import subprocess

from .errors import HostError


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def run(*words: str, stdin: str = "", timeout: float = 60) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        HostError: it is not there, did not end in time, or ended with an error.
    """
    try:
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
    except FileNotFoundError:
        raise HostError(f"the program '{words[0]}' is not installed") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"'{' '.join(words)}' did not end within {timeout:.0f} s") from None
    if done.returncode:
        raise HostError(f"'{' '.join(words)}' ended with {done.returncode}: {last_line(done.stderr) or last_line(done.stdout) or 'no output'}")
    return done.stdout


def succeeds(*words: str, timeout: float = 60) -> bool:
    """Whether a program ends well."""
    try:
        run(*words, timeout=timeout)
    except HostError:
        return False
    return True
