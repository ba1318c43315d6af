# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of OpenSSH, and rsync, as a user calls them with the configuration of a cluster, from a home without any settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.sky.clusters.tests.support.browser import free_port, listens

SECONDS = 60  # that a command may take on a busy machine


@dataclass(frozen=True)
class Logins:
    """What a user types.

    Attributes:
        config: the configuration that a run has written.
        folder: where the user works.
    """

    config: Path
    folder: Path

    def call(self, *command: str) -> str:
        """What a command prints, which must end well."""
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def ssh(self, node: str, command: str, *options: str) -> str:
        return self.call("ssh", "-F", str(self.config), *options, node, command)

    def scp(self, source: str, target: str) -> None:
        self.call("scp", "-q", "-F", str(self.config), source, target)

    def rsync(self, source: str, target: str) -> None:
        if not shutil.which("rsync"):
            subprocess.run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "rsync"], check=True, stdout=subprocess.DEVNULL)
        self.call("rsync", "-e", f"ssh -F {self.config}", "--recursive", source, target)

    @contextmanager
    def held(self, node: str, option: str, value: str) -> Iterator[int]:
        """A connection that only forwards; the port of this machine that it listens on, which stands first in the value of its option."""
        port = free_port()
        command = ["ssh", "-F", str(self.config), "-N", "-o", "ExitOnForwardFailure=yes", option, f"{port}{value}", node]
        with subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL) as process:
            try:
                end = time.monotonic() + SECONDS
                while not listens(port):
                    assert process.poll() is None, f"{command} has ended"
                    assert time.monotonic() < end, f"{command} does not listen"
                    time.sleep(0.1)
                yield port
            finally:
                process.terminate()

    def page(self, url: str, *options: str) -> str:
        """A web page by curl, which knows no proxy but that of its options."""
        settings = [word for name in os.environ if name.lower().endswith("_proxy") for word in ("-u", name)]
        return self.call("env", *settings, "curl", "--silent", "--show-error", "--fail", "--noproxy", "", *options, url)
