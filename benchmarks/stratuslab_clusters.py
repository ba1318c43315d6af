# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on a StratusLab site with many machines, compared with a loop of single calls as the old client made them, in one run.

    python benchmarks/stratuslab_clusters.py [--machines 1000] [--cluster 100] [--made 20]

Prints figures; judges nothing. The site is the test server in this process, whose machines exist in its lists only. As on the real one, every call
but the listing of a pool takes 0.17 s more, for the program that decides about rights and quotas.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ansible_collections.sky.clusters.benchmarks.figures import show, timed
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import list_all, owners
from ansible_collections.sky.clusters.plugins.module_utils._engine._plan import plan
from ansible_collections.sky.clusters.tests.clouds.stratuslab.oned import Settings
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import PLAIN, Plan, Site, running
from ansible_collections.sky.clusters.tests.support.engine_runs import present, wishes
from ansible_collections.sky.clusters.tests.support.stratuslab_peers import SiteProxy, cloud_of, content, proxied, run_of

T = TypeVar("T")
HELPER = 0.17  # s


def shown(calls: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(calls.items()))


class Measurement:
    def __init__(self, site: Site, proxy: SiteProxy, folder: Path) -> None:
        self._site = site
        self._proxy = proxy
        user = site.user_file(folder / "alice.cfg")
        self._options: dict[str, Any] = {"user_file": str(user), "flavor": "t1.micro", "image": site.marketplace.entries[0].identifier}

    def file(self, name: str, count: int) -> dict[str, Any]:
        return content(name, {"w": count}, **self._options, **self._proxy.endpoints())

    def counted(self, call: Callable[[], T]) -> tuple[float, T, Counter[str]]:
        before = len(self._proxy.calls)
        seconds, result = timed(call)
        return seconds, result, self._proxy.methods(before)

    def at_once(self, since: int) -> int:
        calls = self._proxy.since(since)
        return max(sum(other.began <= call.began < other.ended for other in calls) for call in calls)

    def _clear(self) -> None:
        self._site.oned.settings.helper = 0.0
        for vm in list(self._site.oned.vms.values()):
            self._site.oned.call("one.vm.action", ["oneadmin:password", "finalize", vm.id])

    def inventory(self, machines: int, count: int) -> None:
        """A cluster among many machines of the account."""
        self._clear()
        file = self.file("part", count)
        present(run_of(file))
        for _number in range(machines - count):
            self._site.oned.call("one.vm.allocate", [f"alice:{'a' * 40}", _filler()])
        self._site.oned.settings.helper = HELPER
        run = run_of(file)

        def looked() -> Any:
            listings = list_all(run.clouds)
            return plan(run.cluster, owners(run.clouds), listings, wishes(run)), run.clouds["lal"].definitions([])

        seconds, _planned, calls = self.counted(looked)
        show(f"inventory of {count} nodes among {machines} machines, and the plan", f"{seconds:6.2f} s, {sum(calls.values())} calls: {shown(calls)}")
        seconds, outcome, calls = self.counted(lambda: run_of(file, check=True).present(wishes(run)))
        show("the same by a whole run in check mode", f"{seconds:6.2f} s, {sum(calls.values())} calls: {shown(calls)}")
        if outcome.plan.changes:
            raise RuntimeError(f"a second run would change something: {outcome.plan}")

    def creation(self, count: int) -> None:
        """A new cluster, on an account without other machines."""
        self._site.oned.settings.helper = HELPER
        file = self.file("new", count)
        before = len(self._proxy.calls)
        seconds, outcome, calls = self.counted(lambda: present(run_of(file)))
        if outcome.faults:
            raise RuntimeError("; ".join(outcome.faults))
        show(
            f"{count} machines created and running", f"{seconds:6.2f} s, {sum(calls.values())} calls, {self.at_once(before)} at once: {shown(calls)}"
        )
        slow, _nothing, calls = self.counted(lambda: self._loop(count))
        show("a loop of single calls: allocate, then ask until it runs, one by one", f"{slow:6.2f} s, {sum(calls.values())} calls: {shown(calls)}")
        show("times faster", f"{slow / seconds:6.1f}")

    def _loop(self, count: int) -> None:
        cloud = cloud_of(run_of(self.file("loop", count)))
        for _number in range(count):
            number = cloud.one.allocate(_filler())
            while cloud.one.vm(number).findtext("LCM_STATE") != "3":
                time.sleep(1.0)  # as the old client waited


def _filler() -> str:
    keys = ", ".join(f'K{place} = "{"x" * 60}"' for place in range(80))
    return f'NAME = "other"\nCPU = 1\nMEMORY = 512\nNIC = [ NETWORK = "public" ]\nCONTEXT = [ {keys} ]\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--cluster", type=int, default=100)
    parser.add_argument("--made", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sky-bench-") as name, running(Path(name), Plan(settings=Settings(tick=0.2))) as site:
        site.publish(PLAIN)
        with proxied(site) as proxy:
            measurement = Measurement(site, proxy, Path(name))
            measurement.creation(asked.made)
            measurement.inventory(asked.machines, asked.cluster)


if __name__ == "__main__":
    main()
