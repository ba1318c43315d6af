# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch cluster on this machine: used as its users do, resized under load, broken and rebuilt."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.tests.integration.torque.commands import PRELUDE, SCENARIOS, Scenario
from ansible_collections.sky.clusters.tests.integration.torque.corpus import JOBS, REFUSALS, Case
from ansible_collections.sky.clusters.tests.support.bare import nodes_folder
from ansible_collections.sky.clusters.tests.support.batch import UNPROVED, USER, Cluster, batch
from ansible_collections.sky.clusters.tests.support.interruptions import until
from ansible_collections.sky.clusters.tests.support.site import Played, Site, machine_state

pytestmark = [pytest.mark.real, pytest.mark.chained, pytest.mark.usefixtures("built")]

ZONE = "tbatch"
HERE = Path(__file__).parent
VARIABLES = {
    "torque_server_queues": [
        {"name": "batch"},
        {"name": "short", "max_walltime": "00:10:00", "max_nodes": 1},
        {"name": "own", "max_ppn": 1, "max_memory": 200, "default_walltime": "00:05:00", "priority": 9, "property": "node", "groups": ["sky"]},
    ],
    "node_users": [{"name": "ada", "uid": 2001}],
    "torque_server_node_timeout": 15,
    "torque_server_settings": {"MaxStepCount": 12345},
}
SAVED = 7  # s after which the server has saved a job: it does so every 5 s
# A program that queues mail as most do: with the rights of another group, below /var/spool
MAIL = """install -d -g mail -m 0770 /var/spool/mailed
cp /usr/bin/tee /usr/local/bin/queue-mail; chgrp mail /usr/local/bin/queue-mail; chmod 2755 /usr/local/bin/queue-mail
printf '#!/bin/sh\\necho "$@" | /usr/local/bin/queue-mail /var/spool/mailed/$$\\n' > /usr/local/bin/mail; chmod 755 /usr/local/bin/mail
"""
SHARES = "sshare -a -n -P -o user,rawshares | grep -v root | grep '^[a-z]'"
Figure = Callable[[str], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One cluster for the whole file: each test takes it as the one before left it."""
    before = machine_state(ZONE)
    folder = tmp_path_factory.mktemp("batch")
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(json.dumps(VARIABLES), encoding="utf-8")
    made = Site(folder, ZONE, batch(ZONE, 2))
    yield made
    made.must("destroy", *made.with_data)
    assert machine_state(ZONE) == before


@pytest.fixture(scope="module")
def building(site: Site) -> tuple[Played, float]:
    """The first run, and the seconds that it took."""
    began = time.monotonic()
    return site.must("torque_cluster"), time.monotonic() - began


@pytest.fixture(scope="module")
def built(building: tuple[Played, float]) -> Played:
    return building[0]


@pytest.fixture(scope="module")
def cluster(site: Site, built: Played) -> Cluster:  # noqa: ARG001  # there has to be a cluster
    return Cluster(site)


def nodes(count: int) -> tuple[str, str]:
    """Another size for one run."""
    return "-e", json.dumps({"sky_counts": {"node": count}})


def test_it_is_built_and_proved_by_an_mpi_job(building: tuple[Played, float], figure: Figure) -> None:
    built, seconds = building
    assert f"The batch system is ready: 2 node(s), server {ZONE}-server-0" in built.output
    assert "proved by a job: MPI on 2 node(s)" in built.output
    figure(f"from nothing to a finished MPI job on 2 nodes: {seconds:.0f} s")


def test_a_second_run_changes_nothing(site: Site, figure: Figure) -> None:
    began = time.monotonic()
    again = site.must("torque_cluster")
    assert set(again.changed.values()) == {0}, again.output
    assert "proved by a job at " in again.output
    figure(f"a second run of a batch cluster takes {time.monotonic() - began:.0f} s")


def test_status_shows_queues_jobs_and_nodes(site: Site, cluster: Cluster) -> None:
    held = cluster.qsub("true", "-h", "-N", "waits")
    path = site.folder / "status.json"
    said = site.must("status", "-e", f"sky_status_file={path}")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["ready"], found["reasons"]
    view = found["systems"]["torque"]
    assert (view["facts"]["queue batch"], view["facts"]["nodes"]) == ("0 running, 0 waiting, 1 held", "idle 2")
    assert [(job["id"], job["name"], job["user"], job["state"]) for job in view["work"]] == [(held, "waits", USER, "H")]
    assert {member["address"] for member in view["members"]} == {node["address"] for node in found["nodes"] if node["pool"] == "node"}
    assert "torque: proved at" in said.output
    cluster.at(cluster.server, f"qdel {held}")


def test_the_home_is_shared_and_root_of_a_node_has_no_rights_there(cluster: Cluster) -> None:
    cluster.at(f"{ZONE}-node-0", "umask 077; echo from a node > ~/mine")
    assert cluster.at(cluster.server, "cat ~/mine; stat -c '%U %a' ~/mine") == f"from a node\n{USER} 600\n"
    assert cluster.at(f"{ZONE}-node-1", "cat ~/mine; echo software > /software/tool") == "from a node\n"
    assert cluster.at(cluster.server, "cat /software/tool") == "software\n"
    cluster.at(cluster.server, "touch /home/ada/of-root; chmod 600 /home/ada/of-root", user="root")
    assert cluster.at(
        f"{ZONE}-node-0", "cat /home/ada/of-root 2>&1; touch /home/sky/by-root; stat -c %U /home/sky/by-root", user="root"
    ).splitlines() == [
        "cat: /home/ada/of-root: Permission denied",
        USER,
    ]
    assert "Permission denied" in cluster.at(f"{ZONE}-node-1", "ls /home/ada 2>&1", check=False)


def test_another_user_with_a_fixed_id_runs_jobs(cluster: Cluster) -> None:
    shown = cluster.at(
        cluster.server, "id -u; echo 'id -u; pwd' | qsub -o out; for _ in $(seq 60); do [ -s out ] && break; sleep 0.5; done; cat out", user="ada"
    )
    assert shown.splitlines()[0] == "2001"
    assert shown.splitlines()[2:] == ["2001", "/home/ada"]


def test_the_key_of_munge_is_the_same_everywhere_and_nowhere_on_the_controller(site: Site, cluster: Cluster, built: Played) -> None:
    everyone = [cluster.server, f"{ZONE}-node-0", f"{ZONE}-node-1"]
    found = {cluster.at(node, "base64 -w 0 /etc/munge/munge.key; stat -c ' %U %a' /etc/munge/munge.key", user="root") for node in everyone}
    assert len(found) == 1
    key, user, mode = found.pop().split()
    assert (user, mode) == ("munge", "400")
    assert key not in built.output
    assert not [path for path in site.folder.rglob("*") if path.is_file() and key in path.read_text(encoding="utf-8", errors="replace")]


def filled(text: str, number: str, values: dict[str, str]) -> str:
    return re.sub(r"\$(NODE0|NODE1|SERVER|USER|JOB)\b", lambda found: (values | {"JOB": number})[found[1]], text)


def same(wanted: str, got: str | None) -> bool:
    if got is None:
        return False
    return re.fullmatch(wanted[3:], got, re.DOTALL) is not None if wanted.startswith("re:") else got == wanted


def faults(case: Case, found: dict[str, Any], values: dict[str, str]) -> list[str]:
    """How a case ended otherwise than it must."""
    if case.refused:
        return [] if found["code"] != 0 and filled(case.refused, "", values) in found["said"] else [f"not refused in these words: {found}"]
    if found["code"] != 0 or case.silent:
        return [] if case.silent and not found["job"] and found["code"] == 0 else [f"qsub: {found}"]
    wrong = [f"status {found.get('status')}: {found}"] if found.get("status") != case.status else []
    for stream in ("out", "err"):
        wanted = getattr(case, stream)
        if wanted is not None and not same(filled(wanted, found["number"], values), found.get(stream)):
            wrong.append(f"{stream}: {found.get(stream)!r} instead of {wanted!r}; {found.get('err')!r}")
    return wrong + ([f"check: {found['check_said']}"] if found.get("checked") else [])


def corpus(cluster: Cluster) -> list[str]:
    """Run all scripts; what went wrong."""
    cases = (*JOBS, *REFUSALS)
    values = {"NODE0": f"{ZONE}-node-0", "NODE1": f"{ZONE}-node-1", "SERVER": cluster.server, "USER": USER}
    root = f"/home/{USER}/corpus"
    cluster.put(cluster.server, f"{root}/runner.py", (HERE / "runner.py").read_text(encoding="utf-8"))
    cluster.put(cluster.server, f"{root}/mpi.c", (HERE / "mpi.c").read_text(encoding="utf-8"))
    cluster.at(cluster.server, f"cd {root} && mpicc -o mpi mpi.c")
    given = {"root": root, "values": values, "cases": [dataclasses.asdict(case) for case in cases], "seconds": 300}
    found = cluster.json(cluster.server, f"{root}/runner.py", given)
    return [f"{case.name}: {bad}" for case in cases if (bad := faults(case, found[case.name], values))]


def scenario(cluster: Cluster, each: Scenario) -> str:
    """Run one; what went wrong."""
    text = f"{PRELUDE}\nexport TESTER={USER}\nmkdir -p /home/{USER}/scenarios/{each.name}\ncd /home/{USER}/scenarios/{each.name}\n{each.text}"
    try:
        cluster.at(cluster.server, text, user="root" if each.operator else USER)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return f"{each.name}: {error}"
    return ""


def test_scripts_and_commands_as_people_write_them(cluster: Cluster, figure: Figure) -> None:
    """At the same time: the longest wait for time limits."""
    began = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        scripts = pool.submit(corpus, cluster)
        wrong = [*filter(None, pool.map(lambda each: scenario(cluster, each), [each for each in SCENARIOS if not each.operator]))]
        wrong += scripts.result()
    wrong += [bad for each in SCENARIOS if each.operator and (bad := scenario(cluster, each))]
    assert not wrong, "\n\n".join(wrong)
    figure(f"{len(JOBS)} scripts, {len(REFUSALS)} refusals and {len(SCENARIOS)} uses of commands in {time.monotonic() - began:.0f} s")


def test_a_script_of_the_controller_is_run_and_its_output_comes_back(site: Site) -> None:
    (site.folder / "job.pbs").write_text(
        '#PBS -N remote\ncd $PBS_O_WORKDIR\ncat data.txt\necho "$1" $PBS_NUM_NODES\ntouch result\n', encoding="utf-8"
    )
    (site.folder / "data.txt").write_text("some data\n", encoding="utf-8")
    wanted = {"sky_files": ["data.txt"], "sky_qsub": '["-l", "nodes=2"]', "sky_arguments": '["word"]'}  # two as the form of AWX sends them
    played = site.must("torque_submit", "-e", "sky_script=job.pbs", "-e", json.dumps(wanted))
    assert re.search(r"^  some data$", played.output, re.MULTILINE)
    assert re.search(r"^  word 2$", played.output, re.MULTILINE)
    assert re.search(r"the job has left files in /home/sky/sky-jobs/\d+ of ", played.output)


def test_the_exit_status_of_a_script_comes_back(site: Site, cluster: Cluster) -> None:
    (site.folder / "bad.pbs").write_text("echo it is broken >&2\nexit 9\n", encoding="utf-8")
    played = site.play("torque_submit", "-e", "sky_script=bad.pbs")
    assert played.code == 2
    assert "bad.pbs ended with exit status 9: it is broken" in played.output
    (site.folder / "array.pbs").write_text("#PBS -t 1-3\ntrue\n", encoding="utf-8")
    refused = site.play("torque_submit", "-e", "sky_script=array.pbs")
    assert refused.code == 2
    assert "qsub: -t: is for jobs that are submitted by hand" in refused.output
    assert cluster.at(cluster.server, "ls -d sky-jobs/job-* 2> /dev/null || true") == ""
    missing = site.play("torque_submit", "-e", "sky_script=nowhere.pbs")
    assert "sky_script: no such file nowhere.pbs" in missing.output


def test_a_link_in_a_home_leads_root_nowhere(site: Site, cluster: Cluster) -> None:
    owner = "stat -c '%U %a' /etc; ls -d /etc/job-* /etc/authorized_keys 2> /dev/null || true"
    cluster.at(cluster.server, "mv sky-jobs kept-jobs; ln -s /etc sky-jobs")
    cluster.at(cluster.server, "rm -r .ssh; ln -s /etc .ssh", user="ada")
    refused = site.play("torque_submit", "-e", "sky_script=bad.pbs")
    assert refused.code == 2
    assert re.search(r"sky cannot write to /home/sky/sky-jobs/job-\w+: Permission denied", refused.output), refused.last(10)
    visited = site.play("torque_cluster", "-e", "sky_full=true", *UNPROVED)
    assert "/home/ada/.ssh is not a folder" in visited.output, visited.last(10)
    assert cluster.at(cluster.server, owner, user="root") == "root 755\n"
    cluster.at(cluster.server, "rm sky-jobs; mv kept-jobs sky-jobs")
    cluster.at(cluster.server, "rm .ssh", user="ada")
    site.must("torque_cluster", "-e", "sky_full=true", *UNPROVED)
    assert cluster.at(cluster.server, "stat -c '%U %a' .ssh/authorized_keys", user="ada") == "ada 600\n"


def test_output_of_a_job_that_its_user_may_not_read_is_not_shown(site: Site) -> None:
    (site.folder / "nosy.pbs").write_text("rm -f $PBS_O_WORKDIR/said; ln -s /etc/shadow $PBS_O_WORKDIR/said; exit 3\n", encoding="utf-8")
    played = site.play("torque_submit", "-e", "sky_script=nosy.pbs", "-e", '{"sky_qsub": ["-j", "oe", "-o", "said"]}')
    assert "root:" not in played.output


def test_many_short_jobs(cluster: Cluster, figure: Figure) -> None:
    began = time.monotonic()
    cluster.at(
        cluster.server, 'mkdir -p many; cd many; for i in $(seq 500); do echo "echo $i" | qsub -N many -j oe -o $i.out > /dev/null; done', seconds=500
    )
    submitted = time.monotonic() - began
    waiting = "for _ in $(seq 600); do [ $(squeue -h -n many | wc -l) = 0 ] && exit 0; sleep 0.5; done; exit 1"
    cluster.at(cluster.server, waiting, seconds=400)
    seconds = time.monotonic() - began
    assert cluster.at(cluster.server, "cd many; cat *.out | sort -n | uniq | wc -l").strip() == "500"
    figure(f"500 short jobs on 2 nodes: {seconds:.0f} s, of which {submitted:.0f} s to submit them")


def test_nodes_are_visited_during_maintenance_and_while_a_job_waits_for_all_of_them(site: Site, cluster: Cluster) -> None:
    state = "scontrol show node --oneliner | grep -o ' State=[^ ]*'"
    # Slurm plans for the large job only if it knows when the other one ends
    busy = cluster.qsub("sleep 600", "-l", "nodes=1,walltime=15:00", "-N", "busy")
    cluster.wait([busy], "R")
    large = cluster.qsub("true", "-l", "nodes=2:ppn=2,walltime=5:00", "-N", "large")
    cluster.at(cluster.server, f"for _ in $(seq 120); do {state} | grep -q PLANNED && exit 0; sleep 0.5; done; {state}; exit 1")
    site.must("torque_cluster", "-e", "sky_full=true", *UNPROVED)
    now = "ReservationName=now Users=root Flags=MAINT,IGNORE_JOBS StartTime=now Duration=60 Nodes=ALL"
    cluster.at(cluster.server, f"scontrol create reservation {now}", user="root")
    cluster.at(cluster.server, f"for _ in $(seq 120); do {state} | grep -q MAINT && exit 0; sleep 0.5; done; {state}; exit 1")
    site.must("torque_cluster", "-e", "sky_full=true", *UNPROVED)
    cluster.at(cluster.server, "scontrol delete ReservationName=now", user="root")
    cluster.at(cluster.server, f"qdel {busy}")
    cluster.wait([busy, large])


def test_it_grows_and_shrinks_under_load(site: Site, cluster: Cluster, figure: Figure) -> None:
    load = cluster.qsub("sleep 3; echo done", "-t", "0-119", "-N", "load", "-j", "oe")
    began = time.monotonic()
    site.must("torque_cluster", *nodes(4), *UNPROVED)
    figure(f"2 nodes more, under load: {time.monotonic() - began:.0f} s")
    assert cluster.at(cluster.server, "pbsnodes -l up | wc -l").strip() == "4"
    # the other nodes know the new ones without a visit
    assert cluster.at(f"{ZONE}-node-0", f"ssh {ZONE}-node-3 hostname").strip() == f"{ZONE}-node-3"
    script = "until [ -e go ]; do sleep 1; ls >/dev/null; done; echo ended"
    last = cluster.qsub(script, "-l", f"nodes={ZONE}-node-3", "-p", "1000", "-j", "oe", "-N", "last")
    cluster.wait([last], "R")
    # by name: where the load has ended already, idle nodes would leave before the one that is busy
    run = site.start("torque_cluster", "-e", f"sky_remove={ZONE}-node-2,{ZONE}-node-3", *UNPROVED)
    until(run, rf"{ZONE}-node-3: draining, \d+ jobs? still runs? \(.*\b{last}\b.*\), at most \d+ s more")
    cluster.at(cluster.server, "touch go")
    rest, _errors = run.communicate(timeout=300)
    assert run.returncode == 0, rest[-3000:]
    assert cluster.output(f"last.o{last}") == "ended\n"
    assert cluster.at(cluster.server, "pbsnodes -l all | wc -l").strip() == "2"
    assert "-node-3" not in cluster.at(f"{ZONE}-node-0", "cat /etc/hosts /etc/ssh/ssh_known_hosts2", user="root")
    cluster.wait([f"{load}[{index}]" for index in range(120)])
    assert cluster.output("load.o*").count("done\n") == 120


def test_jobs_of_a_pool_that_loses_the_role_or_is_dropped_end_or_run_elsewhere(site: Site, cluster: Cluster) -> None:
    """Both in one run: a job ends within the bound, and one that does not is queued again."""
    pools, own, going = site.content["pools"], (f"{ZONE}-node-0", f"{ZONE}-node-1"), (f"{ZONE}-former-0", f"{ZONE}-dropped-0")
    for name in ("former", "dropped"):
        pools[name] = {"cloud": "here", "count": 1, "roles": ["nfs_client", "torque_node"]}
    site.must("torque_cluster", *UNPROVED)
    ending = "until [ -e let ]; do sleep 1; ls > /dev/null; done; hostname"
    ends = [cluster.qsub(ending, "-l", f"nodes={node}", "-j", "oe", "-N", "ends") for node in going]
    cluster.wait(ends, "R")
    cluster.at(cluster.server, f"pbsnodes -o {' '.join(own)}", user="root")  # what may run anywhere begins on the cores that the others have left
    lasting = "hostname >> ran-$PBS_JOBID; [ $(wc -l < ran-$PBS_JOBID) -gt 1 ] || sleep 600; echo ended"
    lasts = [cluster.qsub(lasting, "-j", "oe", "-N", "lasts") for _node in going]
    cluster.wait(lasts, "R")
    cluster.at(cluster.server, f"pbsnodes -c {' '.join(own)}", user="root")
    pools["former"]["roles"] = ["nfs_client"]
    del pools["dropped"]
    given = ("-e", "torque_node_drain_seconds=20", *UNPROVED)
    run = site.start("torque_cluster", "-e", f"sky_confirm={ZONE}", *given)
    said = until(run, rf"{going[0]}: draining, 2 jobs still run \(.*\), at most \d+ s more")
    cluster.at(cluster.server, "touch let")
    said += run.communicate(timeout=300)[0]
    assert run.returncode == 0, said[-3000:]
    cluster.wait([*ends, *lasts])
    assert [cluster.output(f"ends.o{job}").strip() for job in ends] == list(going)
    ran = [cluster.output(f"ran-{job}*").split() for job in lasts]
    assert sorted(first for first, _second in ran) == sorted(going)
    assert {second for _first, second in ran} <= set(own)
    assert [cluster.output(f"lasts.o{job}").splitlines()[-1] for job in lasts] == ["ended", "ended"]
    assert cluster.at(cluster.server, "pbsnodes -l all | wc -l").strip() == "2"
    left = cluster.at(going[0], "systemctl is-active slurmd munge sky-share-software", user="root", check=False)
    assert left.split() == ["inactive", "active", "active"]
    assert set(site.must("torque_cluster", *given).changed.values()) == {0}
    del pools["former"]
    site.must("torque_cluster", "-e", f"sky_confirm={ZONE}", *UNPROVED)


def test_jobs_of_a_dead_node_run_elsewhere(site: Site, cluster: Cluster, figure: Figure) -> None:
    job = cluster.qsub("hostname >> ran; sleep 20; echo ended", "-j", "oe", "-N", "moved")
    cluster.at(cluster.server, "for _ in $(seq 120); do [ -s ran ] && exit 0; sleep 0.5; done; squeue; exit 1")
    victim = cluster.at(cluster.server, f"squeue -h -j {job} -o %N").strip()
    began = time.monotonic()
    subprocess.run(["lxc-stop", "-P", str(nodes_folder(ZONE)), "-n", victim, "-k"], check=True, capture_output=True)
    other = next(name for name in (f"{ZONE}-node-0", f"{ZONE}-node-1") if name != victim)
    cluster.at(
        cluster.server, f"for _ in $(seq 300); do [ $(squeue -h -j {job} -t R -o %N) = {other} ] && exit 0; sleep 0.5; done; squeue; sinfo; exit 1"
    )
    figure(f"a job of a node that died runs on another after {time.monotonic() - began:.0f} s")
    cluster.wait([job])
    assert cluster.output("ran").split() == [victim, other]
    site.must("torque_cluster", *UNPROVED)
    cluster.at(cluster.server, 'for _ in $(seq 120); do [ -z "$(pbsnodes -l)" ] && exit 0; sleep 0.5; done; pbsnodes -l; exit 1')


def test_nodes_that_are_made_again_are_members_like_those_before_them(site: Site, cluster: Cluster) -> None:
    """Lost ones, which have other keys under the same names, and ones that are drained and replaced."""
    own = (f"{ZONE}-node-0", f"{ZONE}-node-1")
    subprocess.run(["lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", own[0], "-f"], check=True, capture_output=True)
    site.must("torque_cluster", "-e", f"sky_replace={own[1]}", "-e", f"sky_confirm={ZONE}")
    assert cluster.at(cluster.server, "pbsnodes -l up | wc -l").strip() == "2"
    for one, other in ((own[0], own[1]), (own[1], own[0]), (cluster.server, own[0])):
        assert cluster.at(one, f"ssh {other} hostname").strip() == other
    job = cluster.qsub("mpirun hostname", "-l", "nodes=2", "-j", "oe", "-N", "again")
    cluster.wait([job])
    assert sorted(cluster.output(f"again.o{job}").split()) == sorted(own)


def test_queue_and_running_jobs_survive_a_restart_of_the_server(cluster: Cluster) -> None:
    running = cluster.qsub(f"sleep {SAVED + 8}; echo ended", "-j", "oe", "-N", "through")
    waiting = cluster.qsub("echo started", "-h", "-j", "oe", "-N", "later")
    cluster.wait([running], "R")
    time.sleep(SAVED)
    cluster.at(cluster.server, "systemctl kill -s KILL slurmctld; sleep 8; systemctl is-active slurmctld", user="root")
    cluster.at(cluster.server, f"for _ in $(seq 60); do qrls {waiting} && exit 0; sleep 0.5; done; exit 1")
    cluster.wait([running, waiting])
    assert (cluster.output(f"through.o{running}"), cluster.output(f"later.o{waiting}")) == ("ended\n", "started\n")


def test_jobs_begin_where_their_home_is_also_after_a_reboot_of_all_nodes(cluster: Cluster, figure: Figure) -> None:
    names = [cluster.server, f"{ZONE}-node-0", f"{ZONE}-node-1"]
    cluster.at(names[1], "systemctl stop sky-share-home-sky", user="root")
    early = cluster.qsub("cat mine", "-l", f"nodes={names[1]}", "-j", "oe", "-N", "early")
    cluster.wait([early], "R")
    waiting = cluster.qsub("cat mine", "-h", "-j", "oe", "-N", "kept")
    time.sleep(SAVED)
    assert cluster.states()[early] == "R"
    cluster.at(names[1], "systemctl start sky-share-home-sky", user="root")
    cluster.wait([early])
    began = time.monotonic()
    for name in names:
        cluster.at(name, "touch /run/before; systemctl --no-block reboot", user="root")
    for name in names:
        cluster.until(name, "[ ! -e /run/before ]")
    cluster.until(names[0], f"qrls {waiting}")
    cluster.wait([waiting])
    figure(f"a queued job after a reboot of all nodes of a batch cluster: ended {time.monotonic() - began:.0f} s after it")
    assert [cluster.output(f"early.o{early}"), cluster.output(f"kept.o{waiting}")] == ["from a node\n"] * 2


def test_a_proof_asks_for_no_more_than_the_queues_allow(site: Site) -> None:
    queues = [{"name": "batch", "max_walltime": "00:02:00", "max_nodes": 1}]
    played = site.must("torque_cluster", "-e", json.dumps({"torque_server_queues": queues}))
    assert "; by 2 jobs of at most 1 node(s), as the queues allow (batch)" in played.output, played.last(10)


def test_users_can_be_given_shares_and_mail_later(site: Site, cluster: Cluster) -> None:
    variables, shared = site.folder / "group_vars/all.yml", VARIABLES | {"torque_fair_share": True, "torque_server_shares": {"ada": 3}}
    variables.write_text(json.dumps(shared | {"torque_mail_program": "/usr/local/bin/mail"}), encoding="utf-8")
    cluster.at(cluster.server, MAIL, user="root")
    site.must("torque_cluster")
    job = cluster.qsub("exit 3", "-m", "abe", "-M", "ada@example.org", "-N", "mailed")
    assert set(site.must("torque_cluster").changed.values()) == {0}
    assert cluster.at(cluster.server, SHARES).split() == ["ada|3", "sky|1"]
    cluster.wait([job])
    cluster.until(cluster.server, "[ $(ls /var/spool/mailed | wc -l) -ge 2 ]")
    mails = cluster.at(cluster.server, "cat /var/spool/mailed/*", user="root").splitlines()
    assert all(re.match(rf"-s .*Job_id={job} Name=mailed (Began|Failed|Ended).* ada@example.org$", mail) for mail in mails), mails
    variables.write_text(json.dumps(shared), encoding="utf-8")


def test_queue_homes_and_accounting_survive_the_loss_of_the_server(site: Site, cluster: Cluster) -> None:
    past = cluster.qsub("exit 6", "-N", "past")
    cluster.wait([past])
    waiting = cluster.qsub("echo survived", "-h", "-j", "oe", "-N", "kept")
    running = cluster.qsub("until [ -e /home/sky/go-on ]; do sleep 1; done; hostname > /home/sky/went-on; exit 4", "-j", "oe", "-N", "lasts")
    cluster.wait([running], "R")
    time.sleep(SAVED)
    subprocess.run(["lxc-destroy", "-P", str(nodes_folder(ZONE)), "-n", cluster.server, "-f"], check=True, capture_output=True)
    site.must("torque_cluster")
    assert cluster.at(cluster.server, "cat ~/mine") == "from a node\n"
    assert "exit_status = 6" in cluster.at(cluster.server, f"qstat -x -f {past}")
    cluster.at(cluster.server, f"qrls {waiting}; touch go-on")
    cluster.wait([waiting, running])
    assert cluster.output(f"kept.o{waiting}") == "survived\n"
    assert "exit_status = 4" in cluster.at(cluster.server, f"qstat -f {running}; cat went-on")
    assert cluster.at(cluster.server, SHARES).split() == ["ada|3", "sky|1"]
    assert int(cluster.at(cluster.server, f"sacct -n -P -X -o jobid -j {past} | wc -l", user="root")) == 1


def test_homes_are_not_split_by_another_folder(site: Site, cluster: Cluster) -> None:
    refused = site.play("torque_cluster", "-e", "nfs_server_data=/srv/other", *UNPROVED)
    assert refused.code != 0
    assert "nfs_server_data: this node serves /data/nfs, and /srv/other would take its place" in refused.output, refused.last(10)
    assert cluster.at(cluster.server, "ls -d /srv/other 2> /dev/null; cat ~/mine", user=USER) == "from a node\n"
    site.must("torque_cluster", *UNPROVED)


def test_bad_settings_are_refused_before_anything_is_changed(site: Site) -> None:
    for content, sentence in (
        ({"node_users": [{"name": "ada", "uid": 2001}, {"name": "bob", "uid": 2001}]}, "node_users: ada and bob have the same id 2001"),
        ({"node_users": [{"name": "root", "uid": 2001}]}, "node_users: root: 'root' is a user or a group of the system"),
        ({"torque_server_queues": [{"name": "batch", "max_wall": "1:00"}]}, "torque_server_queues: entry 0 ('batch'): unknown key 'max_wall'"),
    ):
        refused = site.play("torque_cluster", "-e", json.dumps(content))
        assert refused.code != 0
        assert sentence in refused.output, refused.last(10)
    two = copy.deepcopy(site.content)
    two["pools"]["server"]["count"] = 2
    refused = Site(site.folder, "two", two).play("torque_cluster")
    assert refused.code != 0
    assert "pools.server.count: NFS needs exactly one nfs_server, got 2" in refused.output, refused.last(10)
