# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this scenario ask of nodes and pages."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

from testinfra.host import Host


def listeners(host: Host) -> set[tuple[str, int]]:
    """Address and port of everything that takes connections."""
    found = set()
    for line in host.check_output("ss -Hlnt").splitlines():
        address, _colon, port = line.split()[3].rpartition(":")
        found.add((address.strip("[]").removeprefix("::ffff:"), int(port)))
    return found


def page(address: str, port: int, path: str = "/json/") -> Any:
    """A page of a daemon, as data."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}:{port}{path}", timeout=20) as answer:
        return json.load(answer)


def eventually(look: Callable[[], Any], seconds: float = 40) -> Any:
    """What somebody sees at last; as it is when the time is over."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.5)
    return found
