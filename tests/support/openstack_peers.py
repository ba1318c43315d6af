# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection openstack.cloud, in a Python environment of its own, and programs timed beside it on the test cloud."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.counting_proxy import CountingProxy

# The same ansible-core as ours. The inventory plugin of openstack.cloud 2.5.0 does not start with an openstacksdk newer than this one.
WANTED = ("ansible==12.3.0", "openstacksdk==4.4.0")
SECONDS = 3600.0  # that a program may take


@dataclass(frozen=True)
class Timed:
    """A program that ended well."""

    seconds: float
    cpu: float  # s of this machine's processors that the program itself took, which the load of others hardly changes
    calls: Counter[str]
    output: str


def peers() -> Path:
    """The folder of the peers' programs; installed at the first use, which takes minutes."""
    cache = Path(os.environ.get("SKY_CACHE") or Path("~/.cache/sky-clusters").expanduser())
    folder = cache / "peers" / "-".join(word.replace("==", "-") for word in WANTED)
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", *WANTED], check=True)
        (folder / "complete").touch()
    return folder / "bin"


def timed(proxy: CountingProxy, folder: Path, environment: Mapping[str, str], *command: str) -> Timed:
    """Run a program that must end well, with what it asks of the cloud counted."""
    proxy.calls.clear()
    own = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", **environment, **proxy.environment}
    began, cpu = time.monotonic(), _cpu()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | own, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    return Timed(seconds, _cpu() - cpu, Counter(proxy.calls), done.stdout)


def _cpu() -> float:
    """What all children that ended have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
