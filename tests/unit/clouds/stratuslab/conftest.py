# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A StratusLab site in this process, and recorded answers of the real services."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Mark, NodeSpec, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import PLAIN, Site
from ansible_collections.sky.clusters.tests.support.stratuslab_bench import options_of
from ansible_collections.sky.clusters.tests.support.stratuslab_peers import SiteProxy, proxied

RECORDS = Path(__file__).parent / "records"


@pytest.fixture(scope="session")
def record() -> Callable[[str], str]:
    """A recorded answer of the real services."""
    return lambda name: (RECORDS / name).read_text(encoding="utf-8").rstrip("\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with one image; its machines exist in its lists only."""
    made = Site(tmp_path_factory.mktemp("site"))
    made.start()
    made.publish(PLAIN)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def proxy(small: Site) -> Iterator[SiteProxy]:
    """Where faults happen, before the site of the test's own file."""
    with proxied(small) as found:
        yield found


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user who runs the tests."""
    for name in [name for name in os.environ if name.startswith("STRATUSLAB_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def opened(site: Site) -> Iterator[Callable[..., StratusLabCloud]]:
    """Opens a cluster on the site; its machines and templates are gone after the test."""

    def opening(cluster: str = "a", user: str = "alice", **more: Any) -> StratusLabCloud:
        return StratusLabCloud("lal", options_of(site, user, **more), Scope(cluster))

    yield opening
    for vm in list(site.oned.vms.values()):
        if vm.living:
            site.oned.call("one.vm.action", ["oneadmin:password", "finalize", vm.id])
    site.oned.documents.clear()
    site.pdisk.disks.clear()
    site.oned.injected.deploys.clear()
    for user in site.oned.users.values():
        user.quota.clear()


def spec(cloud: StratusLabCloud, index: int = 0, **more: Any) -> NodeSpec:
    """A node of pool ``p``."""
    known = {"image": cloud.options.image, "flavor": cloud.options.flavor, "ssh_keys": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGm8 me",)}
    return NodeSpec(mark=Mark(cloud.owner, cloud.scope.cluster, "p", index), **(known | more))
