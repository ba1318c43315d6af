# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands by their names."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping

from .command import Command, Settings
from .values import PbsError, UsageError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "qsub": ("qsub", "main"),
    "qstat": ("look", "qstat"),
    "pbsnodes": ("look", "pbsnodes"),
    "showq": ("look", "showq"),
    "showres": ("look", "showres"),
    "qselect": ("look", "qselect"),
    "tracejob": ("look", "tracejob"),
    "checkjob": ("look", "checkjob"),
    "qusage": ("look", "qusage"),
    "qdel": ("act", "qdel"),
    "canceljob": ("act", "qdel"),
    "qhold": ("act", "qhold"),
    "qrls": ("act", "qrls"),
    "qrerun": ("act", "qrerun"),
    "qalter": ("act", "qalter"),
    "qmove": ("act", "qmove"),
    "qsig": ("act", "qsig"),
    "qmsg": ("act", "qmsg"),
    "pbsdsh": ("act", "pbsdsh"),
    "qmgr": ("manage", "qmgr"),
    "qenable": ("manage", "switch"),
    "qdisable": ("manage", "switch"),
    "qstart": ("manage", "switch"),
    "qstop": ("manage", "switch"),
}


def main(words: list[str]) -> int:
    """Run the command of this name; its exit code."""
    name = os.path.basename(words[0])
    if name not in COMMANDS:
        sys.stderr.write(f"{name}: no command of PBS\n")
        return 2
    file, function = COMMANDS[name]
    try:
        module = importlib.import_module(f"sky_pbs.{file}")
        return int(getattr(module, function)(Command(name, words[1:], Settings.read())))
    except PbsError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
