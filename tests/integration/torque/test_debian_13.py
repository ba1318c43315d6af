# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch cluster of Debian 13 on this machine, whose users have shares, while that of the other file works beside it."""

from __future__ import annotations

import datetime
import json
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.sky.clusters.tests.support.batch import UNPROVED, Cluster, batch
from ansible_collections.sky.clusters.tests.support.site import BIN, Site, machine_state
from ansible_collections.sky.clusters.tests.support.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.chained]

ZONE = "tdebian"  # no name that begins with that of another zone: they run side by side
VARIABLES = {"node_users": [{"name": "ada", "uid": 2001}], "torque_fair_share": True, "torque_server_shares": {"ada": 3}}
DAY = datetime.date.today() + datetime.timedelta(days=30)
RESERVATION = {"name": "update", "start": f"{DAY}T08:00", "end": f"{DAY}T12:00"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = machine_state(ZONE)
    folder = tmp_path_factory.mktemp("debian")
    made = Site(folder, ZONE, batch(ZONE, 1, suite="trixie"))
    (folder / "group_vars").mkdir()
    put_variables(made)
    yield made
    made.must("destroy", *made.with_data)
    assert machine_state(ZONE) == before


def put_variables(site: Site, **more: object) -> None:
    (site.folder / "group_vars/all.yml").write_text(json.dumps(VARIABLES | more), encoding="utf-8")


def test_it_is_built_and_proved(site: Site, figure: Callable[[str], None]) -> None:
    began = time.monotonic()
    built = site.must("torque_cluster")
    figure(f"a batch cluster of Debian 13, its image included: {time.monotonic() - began:.0f} s")
    assert "proved by a job: MPI on 1 node(s)" in built.output
    assert set(site.must("torque_cluster").changed.values()) == {0}


def audit(site: Site, *options: str) -> subprocess.CompletedProcess[str]:
    """What ssh-audit says of the node."""
    address = site.inventory()["_meta"]["hostvars"][f"{ZONE}-node-0"]["ansible_host"]
    command = [str(BIN / "ssh-audit"), "--no-colors", "--skip-rate-test", *options, address]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_its_ssh_offers_what_is_safe_from_quantum_computers_first(site: Site) -> None:
    done = audit(site, "--json")
    assert json.loads(done.stdout)["kex"][0]["algorithm"] == "mlkem768x25519-sha256", done.stdout
    done = audit(site, "--policy", str(ROOT / "extensions/molecule/node/ssh-audit.policy"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_knows_its_own_nodes_and_runs_its_own_jobs(site: Site) -> None:
    cluster = Cluster(site)
    assert cluster.at(cluster.server, "pbsnodes -l all").split()[0] == f"{ZONE}-node-0"
    job = cluster.qsub("hostname; sleep 1; exit 3", "-o", "there", "-j", "oe", "-l", "nodes=1:ppn=2,walltime=60")
    cluster.wait([job])
    assert cluster.output("there") == f"{ZONE}-node-0\n"
    assert "exit_status = 3" in cluster.at(cluster.server, f"qstat -f {job}")


def test_the_user_who_has_used_less_of_a_share_goes_first(site: Site) -> None:
    """Within a minute: Slurm calculates that often."""
    cluster = Cluster(site)
    waiting = "sleep 100", "-l", "nodes=1:ppn=2,walltime=5:00"
    running = cluster.qsub(*waiting)
    cluster.wait([running], "R")
    whole = "nodes=1:ppn=2,walltime=1:00"  # of the node, so that one waits for the other
    mine = cluster.qsub("date +%s%N > mine", "-l", whole, "-p", "1000")
    others = cluster.at(cluster.server, f"echo 'date +%s%N > others' | qsub -l {whole}", user="ada").partition(".")[0]
    first = f"[ $(squeue -h -j {others} -o %Q) -gt $(squeue -h -j {mine} -o %Q) ]"
    cluster.at(cluster.server, f"for _ in $(seq 180); do {first} && exit 0; sleep 0.5; done; squeue -o '%i %u %Q'; sshare -a; exit 1")
    cluster.at(cluster.server, f"qdel {running}")
    cluster.wait([mine, others])
    assert int(cluster.at(cluster.server, "cat others", user="ada")) < int(cluster.output("mine"))


def test_the_account_of_a_job_is_shown_beside_its_share(site: Site) -> None:
    cluster = Cluster(site)
    job = cluster.qsub("true", "-A", "theory", "-p", "5", "-h")
    shown = cluster.at(cluster.server, f"qstat -f {job}; qselect -A theory")
    assert "Account_Name = theory\n" in shown
    assert "Priority = 5\n" in shown
    assert shown.splitlines()[-1].startswith(f"{job}.")
    cluster.at(cluster.server, f"qdel {job}")


def test_what_users_have_used_is_shown_by_month(site: Site) -> None:
    path = site.folder / "usage.json"
    month = time.strftime("%Y-%m")
    played = site.must("usage", "-e", f"sky_month={month}", "-e", f"sky_usage_file={path}")
    written = json.loads(path.read_text(encoding="utf-8"))
    (total,) = written["totals"]["cluster"]
    assert 0 < total["node_hours"] < 24
    used = {row["user"]: row for row in written["usage"]["torque"]}
    assert used.keys() == {"ada", "sky"}
    assert used["ada"] == {"user": "ada", "month": month, "jobs": 1, "failed": 0, "core_hours": 0.0}
    assert used["sky"]["failed"] >= 1
    assert used["sky"]["core_hours"] > 0
    assert f"{month}  ada" in played.output
    only = site.must("usage", "-e", "sky_user=ada")
    assert f"{month}  ada" in only.output
    assert f"{month}  sky" not in only.output
    refused = site.play("usage", "-e", "sky_month=2026-13")
    assert refused.code != 0
    assert "month: must be a year and a month such as 2026-11, got '2026-13'" in refused.output


def test_nodes_are_kept_free_for_maintenance(site: Site) -> None:
    """A job that may not have ended until then waits. When the reservation is taken back, it runs."""
    cluster = Cluster(site)
    put_variables(site, torque_server_reservations=[RESERVATION])
    site.must("torque_cluster")
    assert set(site.must("torque_cluster").changed.values()) == {0}
    assert f"reservation update {DAY}T08:00:00 to {DAY}T12:00:00, 1 node(s)" in site.must("status").output
    endless = cluster.qsub("true", "-N", "endless")
    short = cluster.qsub("true", "-l", "walltime=1:00")
    cluster.wait([short])
    assert "Reserved for maintenance" in cluster.at(cluster.server, f"qstat -s {endless}")
    put_variables(site)
    site.must("torque_cluster")
    cluster.wait([endless])
    assert "0 reservations located" in cluster.at(cluster.server, "showres")


def test_jobs_wait_while_there_is_no_node(site: Site) -> None:
    cluster = Cluster(site)
    held = cluster.qsub("true", "-h")
    emptied = site.must("torque_cluster", "-e", json.dumps({"sky_counts": {"node": 0}}))
    assert "The batch system is ready: 0 node(s)" in emptied.output
    waiting = cluster.qsub("true")
    assert {held: "H", waiting: "Q"}.items() <= cluster.states().items()
    site.must("torque_cluster", *UNPROVED)
    cluster.at(cluster.server, f"qrls {held}")
    cluster.wait([held, waiting])
