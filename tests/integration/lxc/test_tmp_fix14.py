from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.tests.support.bare import bare
from ansible_collections.sky.clusters.tests.support.site import Site, machine_state
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real]


def test_it(tmp_path: Path) -> None:
    before = machine_state("trunc")
    content = bare("trunc", "trun", 1)
    content["pools"] = {"master": {"cloud": "here", "count": 1}, "worker": {"cloud": "here", "count": 2}}
    site = Site(tmp_path, "trun", content)
    try:
        site.must("provision")
        for changed in (True, False):
            given = {"ssh_hostbased": True, "user": "jane"}
            command = site.command(
                "ansible-playbook", "-i", str(site.file), str(ROOT / "inventories/stratuslab/run_cluster.yml"), "-e", json.dumps(given)
            )
            done = subprocess.run(command, cwd=site.folder, env=os.environ | site.variables, capture_output=True, text=True, check=False)
            print(done.stdout[-3000:], done.stderr[-500:])
            assert done.returncode == 0
            assert ("changed=0" in done.stdout) is not changed
        print(
            site.ssh(
                "trun-master-0",
                "ssh -o BatchMode=yes worker-1 'id -un; hostname'; runuser -u jane -- ssh -o BatchMode=yes worker-0 'id -un; hostname'; cat /tmp/cluster_nodelist /etc/hosts; sshd -T -C user=root | grep -i rhosts; sshd -T -C user=jane | grep -i rhosts",
            )
        )
        assert site.ssh("trun-master-0", "ssh -o BatchMode=yes worker-1 'id -un; hostname'").split() == ["root", "trun-worker-1"]
        assert site.ssh("trun-worker-1", "ssh -o BatchMode=yes master 'id -un; hostname'").split() == ["root", "trun-master-0"]
    finally:
        site.must("destroy")
    assert machine_state("trunc") == before
