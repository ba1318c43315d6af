# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that its owner started, as by stratus-run-instance, is the master of a cluster, and is kept when the cluster is destroyed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Scope, State
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._vms import DONE, Vm, read
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import private_folder
from ansible_collections.sky.clusters.tests.clouds.stratuslab import main as site_of
from ansible_collections.sky.clusters.tests.support.site import Site
from ansible_collections.sky.clusters.tests.support.stratuslab_site import entry

pytestmark = [pytest.mark.real]

USER_FILE = site_of.STATE / "carol.cfg"
MASTER, WORKER = "tsown-master-0", "tsown-worker-0"
# What the client 14.06 sends for `stratus-run-instance -t t1.micro ID`
TEMPLATE = """CPU = 1
VCPU = 1
MEMORY = 512
RANK = "- RUNNING_VMS"
NAME = "slnode"
DISK = [ source = "{image}", target = "vda", save = no, readonly = "no", driver = "raw" ]
DISK = [ type = swap, size = 512, target = "vdb", readonly = "no" ]
NIC = [ network_uname=oneadmin,network = "public" ]
GRAPHICS = [ port = "-1", type = "vnc" ]
CONTEXT = [ public_key = "{keys}", target = "hdd" ]
"""


def cloud(lal: dict[str, Any]) -> StratusLabCloud:
    options = StratusLabOptions(image=lal["images"]["stratus-12"], user_file=str(USER_FILE), ca_file=lal["ca_file"])
    return StratusLabCloud("lal", options, Scope("tsown"))


def own_known_hosts() -> str:
    """What ssh has noted for the user who runs these tests."""
    file = Path("~/.ssh/known_hosts").expanduser()
    return file.read_text(encoding="utf-8") if file.exists() else ""


@pytest.fixture
def machine(lal: dict[str, Any]) -> Iterator[Vm]:
    """A machine that answers by ssh."""
    keys = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, check=True).stdout
    opened = cloud(lal)
    number = opened.one.allocate(TEMPLATE.format(image=opened.marketplace.url(lal["images"]["stratus-12"]), keys=keys))
    try:
        yield read(opened.one.vm(number))
    finally:
        opened.one.act("finalize", number)
        end = time.monotonic() + 30
        while read(opened.one.vm(number)).state != DONE:
            assert time.monotonic() < end
            time.sleep(0.2)


def test_a_machine_that_exists_is_the_master(lal: dict[str, Any], machine: Vm, tmp_path: Path, figure: Callable[[str], None]) -> None:
    pools = {
        "master": {"cloud": "lal", "count": 1, "public_ip": True, "volumes": {"data": 1}, "extra": {"machines": [machine.id]}},
        "worker": {"cloud": "lal", "count": 1},
    }
    content = {
        "plugin": "sky.clusters.clouds",
        "cluster": "tsown",
        "admin_cidrs": ["10.73.0.0/22"],
        "clouds": {"lal": entry(lal, "carol")},
        "pools": pools,
    }
    site = Site(tmp_path, "tsown", content)
    before = own_known_hosts()
    began = time.monotonic()
    try:
        site.must("cluster")
        figure(f"a cluster whose master is a machine that existed: {time.monotonic() - began:.0f} s")
        hosts = site.inventory()["_meta"]["hostvars"]
        assert sorted(hosts) == [MASTER, WORKER]
        assert hosts[MASTER]["sky_id"] == str(machine.id)
        # its host key is that of the first contact, and is noted where it is the collection's
        assert "StrictHostKeyChecking=accept-new" in hosts[MASTER]["ansible_ssh_common_args"]
        assert f"{MASTER}." in (Path(private_folder()) / "known_hosts").read_text(encoding="utf-8")
        assert own_known_hosts() == before
        assert site.ssh(MASTER, "hostname && echo kept >/data/data/file").split() == [MASTER]
        assert set(site.must("cluster").changed.values()) == {0}
        refused = site.play("destroy")
        assert refused.code != 0
        assert f"{MASTER} is a machine that is released and keeps running: set the count of pool master to 0" in refused.output
    finally:
        site.must("cluster", "-e", json.dumps({"sky_counts": {"master": 0, "worker": 0}}))
        site.must("destroy")
    assert read(cloud(lal).one.vm(machine.id)).contract_state is State.RUNNING
    # neither the volume nor the cluster's firewall is there any more
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    command = ["ssh", *options, f"root@{machine.nics[0]['IP']}", "findmnt /data/data || nft list tables | grep sky || echo released"]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.strip() == "released"
    assert cloud(lal).leftovers() == [f"volume {MASTER}-data"]
    site.must("destroy", *site.with_data)
    assert cloud(lal).leftovers() == []
