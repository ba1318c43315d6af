# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch clusters on this machine, and what their users do there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.tests.support.site import STATE, Site

UNPROVED = ("-e", '{"torque_proof_nodes": []}')  # a run that is about something else leaves out the job that proves the cluster
USER = "sky"
PACKAGES = (
    "slurmctld", "slurmd", "slurm-client", "munge", "openssl", "openssh-client", "openmpi-bin", "libopenmpi-dev", "gcc", "libc6-dev", "sshfs",
    "wireguard-tools", "wireguard-go", "nftables",
)  # fmt: skip  # with those of an overlay, so that all clusters share one image
FLAVORS = {"head": {"cores": 1, "memory": 1024}, "node": {"cores": 2, "memory": 1024}}


def batch(zone: str, nodes: int, suite: str = "", **server: Any) -> dict[str, Any]:
    """A cluster file of a cluster that is called as its zone, with the pools ``server`` and ``node``.

    Args:
        suite: Debian release of the nodes; that of the local cloud if empty.
        server: options of the server's pool beside its count and roles.
    """
    cloud: dict[str, Any] = {"provider": "lxc", "zone": zone, "packages": list(PACKAGES), "flavors": FLAVORS, "flavor": "node"}
    if suite:
        cloud |= {"images": {"other": {"suite": suite}}, "image": "other"}
    own = {"cloud": "here", "count": 1, "flavor": "head", "roles": ["nfs_server", "torque_server"], "volumes": {"nfs": 1, "torque": 1}}
    return {
        "plugin": "sky.clusters.clouds",
        "cluster": zone,
        "clouds": {"here": cloud},
        "pools": {"server": own | server, "node": {"cloud": "here", "count": nodes, "roles": ["nfs_client", "torque_node"]}},
    }


class Cluster:
    """The nodes of a batch cluster, as its users see them.

    Commands run in the nodes' containers: an Ansible program for each would take a second.
    """

    def __init__(self, site: Site, pool: str = "server") -> None:
        """``pool``: that of the server."""
        self.site = site
        self.server = f"{site.cluster}-{pool}-0"

    def at(self, node: str, script: str, user: str = USER, seconds: float = 300, check: bool = True) -> str:
        """Run a script of bash on a node, in a login of a user."""
        place = STATE / self.site.cluster / "nodes"
        inside = ["/usr/sbin/runuser", "-l", user, "-c", "bash -s"] if user != "root" else ["/bin/bash", "-ls"]
        command = ["lxc-attach", "-P", str(place), "-n", node, "--clear-env", "--", *inside]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"{node}: {script[-600:]!r} ended with {done.returncode}:\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def put(self, node: str, path: str, content: str) -> None:
        """Write a file of a user's."""
        self.at(node, f"mkdir -p {shlex.quote(str(Path(path).parent))} && cat > {shlex.quote(path)} <<'END_OF_FILE'\n{content}\nEND_OF_FILE\n")

    def qsub(self, script: str, *options: str) -> str:
        """Submit a script from the home; the number of the job."""
        words = shlex.join(options)
        return self.at(self.server, f"qsub {words} <<'END_OF_FILE'\n{script}\nEND_OF_FILE\n").strip().partition(".")[0].partition("[")[0]

    def states(self) -> dict[str, str]:
        """The letter of each job, by its number."""
        shown = self.at(self.server, "qstat -t")
        return {re.split(r"\.", line.split()[0])[0]: line.split()[4] for line in shown.splitlines()[2:]}

    def wait(self, jobs: list[str], letter: str = "C", seconds: float = 180) -> None:
        """Until all of these jobs are in a state."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = self.states()
            if all(states.get(job) == letter for job in jobs):
                return
            time.sleep(0.5)
        raise AssertionError(
            f"after {seconds} s: { ({job: states.get(job) for job in jobs}) }, wanted {letter}\n{self.at(self.server, 'qstat -s; pbsnodes -l')}"
        )

    def until(self, node: str, condition: str, seconds: float = 180) -> None:
        """Until a command of root's succeeds on a node, which may be booting."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.at(node, condition, user="root")
            except AssertionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)
            else:
                return

    def output(self, pattern: str) -> str:
        """What files of the home hold."""
        return self.at(self.server, f"cat {pattern}")

    def json(self, node: str, script: str, given: Any) -> Any:
        """What a Python program on a node answers; both ways as JSON."""
        place = STATE / self.site.cluster / "nodes"
        command = ["lxc-attach", "-P", str(place), "-n", node, "--clear-env", "--", "/usr/sbin/runuser", "-l", USER, "-c", f"python3 {script}"]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=500)
        if done.returncode != 0:
            raise AssertionError(done.stderr[-3000:])
        return json.loads(done.stdout)
