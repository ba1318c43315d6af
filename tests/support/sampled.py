# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of this machine, its nodes' included, show of themselves in the list of processes while something else runs."""

from __future__ import annotations

import threading
from pathlib import Path


class Sampled:
    """Reads how every process was called, again and again, until told to end."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> set[bytes]:
        self._thread.start()
        return self.seen

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(0.05):
            for path in Path("/proc").glob("[1-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except (FileNotFoundError, ProcessLookupError):
                    continue
