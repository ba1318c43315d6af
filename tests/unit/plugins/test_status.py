# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a cluster, as data and as lines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark import SPARK
from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Seen
from ansible_collections.sky.clusters.plugins.plugin_utils._findings import unproved
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import color_of, fitted_lines
from ansible_collections.sky.clusters.plugins.plugin_utils._status import Status


def node(name: str, pool: str, role: str, **more: Any) -> dict[str, Any]:
    fixed = {"cloud": "here", "state": "running", "address": "10.0.0.4", "flavor": "small", "ready_hash": "8d96"}
    return {"name": name, "pool": pool, "roles": [role]} | fixed | more


MASTER = node("demo-master-0", "master", "spark_master")
WORKERS = [node(f"demo-worker-{index}", "worker", "spark_worker") for index in (10, 2)]
WORKING = ["hdfs_datanode", "spark_worker", "nfs_client", "torque_node"]
WELL = {"health": "ok", "faults": []}
CHANGED = "its settings, software or peers have changed"
SICK = {"health": "disk full", "faults": ["its root disk is full"]}


def status(health: dict[str, Any] | None = None, looked: bool = True, **changed: Any) -> dict[str, Any]:
    """A ready cluster, except for what is given."""
    info: dict[str, Any] = {
        "nodes": [MASTER, *WORKERS], "pools": {"master": {"count": 1, "min_count": 1}, "worker": {"count": 2, "min_count": 2}}, "volumes": [],
        "kept_volumes": [], "runs": [], "changes": [], "plan": [], "drift": [], "refusals": [], "notes": [], "estimate": [],
    }  # fmt: skip
    seen = {each["name"]: WELL for each in info["nodes"]} | (health or {})
    faults = [f"{name}: {sentence}" for name, found in seen.items() for sentence in found["faults"]]
    findings: dict[str, Any] = {
        "sick": {},
        "repair": [],
        "idle": [],
        "former": {},
        "added": {},
        "nodes": seen,
        "services": [],
        "shares": [],
        "faults": faults,
        "notes": [],
        "systems": {},
    }
    visits: dict[str, Any] = {"names": [], "later": [], "drains": {}, "reasons": {name: ["changed"] for name in changed.get("names", [])}}
    for key, value in changed.items():
        next(part for part in (info, findings, visits) if key in part)[key] = value
    return Status("demo", info, findings, visits, looked).plain()


def test_a_ready_cluster() -> None:
    found = status()
    assert (found["ready"], found["reasons"], found["visits"]) == (True, [], [])
    assert found["summary"] == [
        "node            cloud  state    address   roles         configured  health",
        "demo-master-0   here   running  10.0.0.4  spark_master  yes         ok",
        "demo-worker-2   here   running  10.0.0.4  spark_worker  yes         ok",
        "demo-worker-10  here   running  10.0.0.4  spark_worker  yes         ok",
        "a run would: change nothing",
        "ready: yes",
    ]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"health": {"demo-worker-2": SICK}}, "pools.worker: 1 fit node(s) where at least 2 are needed (demo-worker-2: disk full)"),
        ({"nodes": [MASTER, WORKERS[0]]}, "pools.worker: 1 fit node(s) where at least 2 are needed"),
        ({"nodes": [MASTER, WORKERS[0], WORKERS[1] | {"state": "stopped"}]}, "(demo-worker-2 is stopped)"),
        ({"nodes": [MASTER, WORKERS[0], WORKERS[1] | {"ready_hash": ""}]}, "(demo-worker-2 is not configured yet)"),
        ({"nodes": []}, "no node exists"),
        ({"looked": False}, "the health of the nodes was not checked (sky_look is false)"),
    ],
)
def test_why_a_cluster_is_not_ready(changed: dict[str, Any], reason: str) -> None:
    found = status(**changed)
    assert not found["ready"]
    assert found["reasons"][0].endswith(reason)
    assert found["summary"][-1] == f"ready: no: {found['reasons'][0]}"


def test_a_node_that_was_not_checked_is_not_fit() -> None:
    """It is in the cloud's list, and was not in that which the nodes to look at were taken from."""
    late = node("demo-worker-3", "worker", "spark_worker")
    found = status(nodes=[MASTER, WORKERS[0], late])
    assert found["reasons"] == ["pools.worker: 1 fit node(s) where at least 2 are needed (the health of demo-worker-3 was not checked)"]


def test_enough_fit_nodes_are_enough() -> None:
    found = status({"demo-worker-2": SICK}, pools={"master": {"count": 1, "min_count": 1}, "worker": {"count": 2, "min_count": 1}})
    assert found["ready"]
    assert "fault: demo-worker-2: its root disk is full" in found["summary"]


def test_what_a_run_would_do_is_reported() -> None:
    new = {"sign": "+", "name": "demo-worker-3", "text": "create in here"}
    lines = status(plan=[new], names=["demo-worker-10", "demo-worker-3"])["summary"]
    assert lines[-5:] == [
        "a run would:",
        "  + demo-worker-3   create in here",
        "  ~ demo-worker-10  configure: its settings, software or peers have changed",
        "  plan: 1 to create, 1 to change",
        "ready: yes",
    ]


def test_the_plan_as_data_has_all_that_its_lines_have() -> None:
    new = {"sign": "+", "name": "demo-worker-3", "text": "create in here"}
    steps = [{"role": "spark_worker", "tasks": "leave"}, {"role": "spark_worker", "tasks": "remove"}]
    found = status(
        plan=[new],
        names=["demo-master-0", "demo-worker-10"],
        later=["demo-worker-3"],
        reasons={"demo-master-0": ["changed"], "demo-worker-10": ["changed"], "demo-worker-3": ["new"]},
        drains={"demo-worker-10": ["spark_worker"]},
        former={"demo-worker-2": steps},
        added={"demo-master-0": ["hdfs_namenode"]},
    )
    assert found["plan"] == [
        {"action": "create", "reason": "", "drain": "never", "adds": [], "removes": [], **new},
        {
            "sign": "~", "name": "demo-worker-2", "text": "drain, remove spark_worker", "action": "configure", "reason": "", "drain": "first",
            "adds": [], "removes": ["spark_worker"],
        },
        {
            "sign": "~", "name": "demo-master-0", "text": "configure: add hdfs_namenode", "action": "configure", "reason": CHANGED, "drain": "never",
            "adds": ["hdfs_namenode"], "removes": [],
        },
        {
            "sign": "~", "name": "demo-worker-10", "text": f"configure: {CHANGED}; drained first if a daemon restarts", "action": "configure",
            "reason": CHANGED, "drain": "on_restart", "adds": [], "removes": [],
        },
    ]  # fmt: skip
    assert [line.split("  ", 2)[-1].lstrip() for line in found["summary"][-6:-2]] == [row["text"] for row in found["plan"]]
    assert found["totals"] == {"create": 1, "change": 3, "replace": 0, "delete": 0}
    assert found["visits"] == ["demo-master-0", "demo-worker-10", "demo-worker-3"]
    assert (status()["plan"], sum(status()["totals"].values())) == ([], 0)


def test_a_visit_that_repairs_names_the_fault() -> None:
    failed = {"health": "spark-worker failed", "faults": ["spark-worker is failed (exit-code); see 'journalctl -u spark-worker' on the node"]}
    lines = status({"demo-worker-2": failed}, names=["demo-worker-2"], reasons={"demo-worker-2": ["faulty"]})["summary"]
    assert "  ~ demo-worker-2  configure: spark-worker is failed (exit-code)" in lines
    both = status({"demo-worker-2": failed}, names=["demo-worker-2"], reasons={"demo-worker-2": ["faulty", "changed"]})["summary"]
    assert "  ~ demo-worker-2  configure: spark-worker is failed (exit-code); its settings, software or peers have changed" in both
    new = status(names=["demo-worker-2"], reasons={"demo-worker-2": ["new"]})["summary"]
    assert "  ~ demo-worker-2  configure: it was never configured" in new


def test_what_the_file_costs_is_reported() -> None:
    assert "1.00 EUR per hour" in status(estimate=["1.00 EUR per hour"])["summary"]


def test_a_role_that_would_be_removed_is_reported() -> None:
    steps = [{"role": "spark_worker", "tasks": "leave"}, {"role": "spark_worker", "tasks": "remove"}, {"role": "spark", "tasks": "remove"}]
    found = status({"demo-worker-2": {"health": "former spark_worker", "faults": []}}, former={"demo-worker-2": steps}, names=["demo-worker-2"])
    assert found["summary"][-4:] == ["a run would:", "  ~ demo-worker-2  drain, remove spark_worker, spark", "  plan: 1 to change", "ready: yes"]


PROOF = {"ended": "2026-11-28T03:40:05Z", "nodes": ["a", "b"], "current": True}
DONE = PROOF | {"outcome": "success", "words": "a job ran on 1 worker(s) in 10.5 s"}
FAILED = PROOF | {"outcome": "failure", "why": "The cluster cannot run a job: its log ends with: X"}
VIEW: dict[str, Any] = {"answers": True, "page": "http://10.0.0.4:8080", "members": [], "work": [], "facts": {}}
SEEN = [Seen("demo-master-0", "10.0.0.4", ("spark_master",), {}), Seen("demo-worker-0", "10.0.0.5", ("spark_worker",), {})]


@pytest.mark.parametrize(
    ("proof", "ids", "missing"),
    [
        (DONE, ["b", "a"], ""),
        (DONE, ["a", "c"], "the members or the settings of Spark have changed since its proof of 2026-11-28 03:40 UTC"),
        (DONE | {"current": False}, ["a", "b"], "the members or the settings of Spark have changed since its proof of 2026-11-28 03:40 UTC"),
        (FAILED, ["a", "b"], "the proof of Spark of 2026-11-28 03:40 UTC failed: The cluster cannot run a job: its log ends with: X"),
        (PROOF | {"outcome": "postponed", "why": "'etl' holds it"}, ["a", "b"], "Spark is not proved yet: 'etl' holds it"),
        ({}, ["a", "b"], "no proof of Spark since a node was last changed"),
    ],
)
def test_a_cluster_is_ready_only_after_a_proof_that_still_holds(proof: dict[str, Any], ids: list[str], missing: str) -> None:
    others = Seen("demo-box-0", "10.0.0.6", (), {})
    named = dict(zip([node.name for node in SEEN], ids, strict=True)) | {others.name: "x"}
    assert unproved(SPARK, proof, [*SEEN, others], named) == missing
    view = VIEW | {"proof": proof | {"missing": missing}}
    found = status(systems={"spark": view})
    assert (found["ready"], found["reasons"]) == (not missing, [missing] if missing else [])
    assert missing not in status({"demo-worker-2": SICK}, systems={"spark": view})["reasons"]  # which says enough


def test_a_head_without_members_has_nothing_to_prove() -> None:
    assert unproved(SPARK, {}, SEEN[:1], {"demo-master-0": "a"}) == ""


def test_the_time_and_result_of_the_last_proof_are_reported() -> None:
    done = status(systems={"spark": VIEW | {"proof": DONE}})["summary"]
    assert "spark: proved at 2026-11-28 03:40 UTC: a job ran on 1 worker(s) in 10.5 s" in done
    failed = status(systems={"spark": VIEW | {"proof": FAILED}})["summary"]
    assert "spark: proof failure at 2026-11-28 03:40 UTC: The cluster cannot run a job: its log ends with: X" in failed


def test_a_run_that_would_refuse_visits_no_node() -> None:
    found = status(refusals=["cluster demo belongs to ada"], names=["demo-worker-2"])
    assert (found["visits"], found["plan"]) == ([], [])
    assert found["summary"][-2:] == ["a run would refuse: cluster demo belongs to ada", "ready: yes"]


def test_a_run_in_progress_is_reported_first() -> None:
    found = status(runs=[{"who": "ada@laptop (process 4242)", "since": "2026-11-28 03:24:00 UTC"}])
    assert found["summary"][0] == "run in progress: ada@laptop (process 4242) since 2026-11-28 03:24:00 UTC"
    assert found["runs"] == [{"who": "ada@laptop (process 4242)", "since": "2026-11-28 03:24:00 UTC"}]


def test_services_and_jobs_are_reported() -> None:
    services = [{"node": "demo-worker-2", "unit": "spark-worker", "state": state} for state in ("active", "failed")]
    worker = {"address": "10.0.0.5", "state": "ALIVE", "at_work": True, "busy": True, "detail": "1 of 2 cores"}
    job = {"id": "app-1", "name": "etl", "user": "sky", "state": "RUNNING", "size": "1 core(s)", "since": "2026-11-21T04:00:00+00:00"}
    members = [worker, worker | {"state": "DEAD", "at_work": False}]
    spark = {"answers": True, "page": "http://10.0.0.4:8080", "members": members, "work": [job], "facts": {"cores": 2, "cores in use": 1}}
    lines = status(services=services, systems={"spark": spark})["summary"]
    assert "services: spark-worker runs on 1 of 2" in lines
    assert "spark: http://10.0.0.4:8080, 1 member(s), 1 busy, cores 2, cores in use 1" in lines
    assert "  app-1 etl of sky: RUNNING, 1 core(s), since 2026-11-21T04:00:00+00:00" in lines
    silent = status(systems={"spark": spark | {"answers": False, "members": [], "work": [], "facts": {}}})["summary"]
    assert "spark: no answer at http://10.0.0.4:8080" in silent
    unready = status(systems={"spark": spark | {"answers": False, "work": [], "facts": {"cores": 2, "safe mode": "Safe mode is ON."}}})["summary"]
    assert "spark: http://10.0.0.4:8080, not ready, 1 member(s), 1 busy, cores 2, safe mode Safe mode is ON." in unready


def test_how_full_shared_folders_are_is_reported() -> None:
    full = {"mount": "/shared", "size": 256, "free": 64, "used_percent": 75, "fault": ""}
    found = status(shares=[{"node": "demo-worker-1"} | full, {"node": "demo-worker-2"} | full, {"node": "demo-master-0"} | full | {"size": 512}])
    assert "folder /shared: 75 % of 256 MiB in use, 64 MiB free, on 2 node(s)" in found["summary"]
    assert "folder /shared: 75 % of 512 MiB in use, 64 MiB free, on 1 node(s)" in found["summary"]
    assert [share["node"] for share in found["shares"]] == ["demo-worker-1", "demo-worker-2", "demo-master-0"]


def test_kept_volumes_drift_and_notes_are_reported() -> None:
    lines = status(kept_volumes=[{"name": "demo-worker-3-spark", "size": 4}], drift=["demo-worker-2: flavor is small"], notes=["look"])["summary"]
    assert lines[-6:-1] == [
        "kept: 1 data volume(s), 4 GiB in all",
        "  demo-worker-3-spark 4 GiB",
        "a run would: change nothing",
        "differs: demo-worker-2: flavor is small",
        "note: look",
    ]


def test_the_lines_fit_80_columns() -> None:
    wide = [MASTER | {"roles": ["spark_master", "spark_worker"], "address": "10.188.100.100"}, *WORKERS]
    for nodes in ([MASTER, *WORKERS], wide):
        assert [line for line in status(nodes=nodes)["summary"] if len(line) > 78] == []


def test_all_lines_of_a_full_status_fit_80_columns() -> None:
    """With services, systems, folders, faults, a plan and everything else that a status may have."""
    facts = {"workers alive": 2, "cores": 8, "cores in use": 4, "memory MiB": 16384, "memory in use MiB": 8192}
    job = {
        "id": "app-20261121042104-0003",
        "name": "a long name of a job",
        "user": "ada",
        "state": "RUNNING",
        "size": "4 cores",
        "since": "2026-11-21T04:21:00Z",
    }
    proof = {
        "outcome": "success",
        "ended": "2026-11-21T04:21:00Z",
        "words": "a job ran on 2 worker(s) in 12.3 s",
        "missing": "Spark has changed since its last proof",
    }
    spark = {
        "answers": True,
        "page": "http://10.0.0.4:8080",
        "members": [{"at_work": True, "busy": True}],
        "facts": facts,
        "work": [job],
        "proof": proof,
    }
    units = ("spark-master", "spark-worker", "spark-history", "hdfs-namenode", "hdfs-datanode", "yarn-nodemanager")
    several = [MASTER | {"roles": ["nfs_server", "spark_master", "torque_server"]}, *(each | {"roles": WORKING} for each in WORKERS)]
    found = status(
        {
            "demo-worker-2": {
                "health": "spark-worker failed",
                "faults": ["its root disk is full, and its data volume spark is not mounted at /data/spark"],
            }
        },
        nodes=several,
        services=[{"unit": unit, "state": "active"} for unit in units],
        systems={"spark": spark},
        shares=[{"mount": "/software", "size": 1024 * 1024, "used_percent": 40, "free": 600 * 1024}],
        kept_volumes=[{"name": "demo-worker-3-data", "size": 5}],
        plan=[{"sign": "+", "name": "demo-worker-3", "text": "create in here (a-flavor-of-a-cloud, an-image-of-a-cloud-with-a-long-name)"}],
        names=["demo-worker-10"],
        drift=["demo-worker-2: flavor is small in the cloud and large in the cluster file; it is replaced by -e sky_replace=demo-worker-2"],
        notes=["demo-master-0: its host key has changed since the last run; -e sky_full=true records the new one and configures it again"],
        runs=[{"who": "ada on a-host-with-a-long-name.example.org, process 12345, of ansible-playbook", "since": "2026-11-21T04:21:00Z"}],
        estimate=["1.00 EUR per hour for what the cluster file describes, of which 0.50 EUR are for nodes that do not exist yet"],
    )
    lines = [f"  {line}" for line in found["summary"]]
    pieces = [piece for parts in fitted_lines(lines, 80) for piece in parts]
    assert max(map(len, lines)) > 120
    assert [piece for piece in pieces if len(piece) > 80] == []
    colored = [line.split(":")[0] for line in found["summary"] if color_of(line)]
    assert colored == ["fault", "ready"]


def test_each_name_in_the_data_has_one_meaning() -> None:
    found = status(nodes=[MASTER, WORKERS[0], WORKERS[1] | {"ready_hash": ""}])
    ready = {node["name"]: (node["ready"], node["ready_hash"]) for node in found["nodes"]}
    assert ready == {MASTER["name"]: (True, "8d96"), WORKERS[0]["name"]: (True, "8d96"), WORKERS[1]["name"]: (False, "")}
    assert found["pools"] == {"master": {"count": 1, "min_count": 1}, "worker": {"count": 2, "min_count": 2}}
    assert datetime.fromisoformat(found["time"]).tzinfo is not None
