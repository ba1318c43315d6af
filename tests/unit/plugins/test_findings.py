# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging the health of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._systems._system import Member, Seen, View
from ansible_collections.sky.clusters.plugins.plugin_utils._findings import Verdict, judge, notes, services, shares

WORKER, MASTER = ("spark_worker",), ("spark_master",)
PAGE = "http://10.0.0.4:8080"
REFUSED = {"reachable": False, "failed": False, "why": "connect to host 10.0.0.5 port 22: Connection refused"}


def unit(name: str = "spark-worker", state: str = "active") -> dict[str, str]:
    return {"name": name, "state": state, "detail": "", "fault": "" if state == "active" else f"{name} is {state}"}


def disk(fault: str = "", volume: str = "", mounted: bool = True) -> dict[str, Any]:
    return {"volume": volume, "mount": f"/data/{volume}" if volume else "/", "mounted": mounted, "fault": fault}


def health(*units: dict[str, str], disks: tuple[dict[str, Any], ...] = (), memory: str = "", **more: Any) -> dict[str, Any]:
    """A node that was reached; its services run unless they are given."""
    parts = [*(units or (unit(),)), *(disks or (disk(),)), {"fault": memory}]
    faults = [str(part["fault"]) for part in parts if part["fault"]]
    found = {"reachable": True, "units": list(units or (unit(),)), "disks": list(disks or (disk(),)), "memory": {"fault": memory}}
    return found | {"failed_units": [], "faults": faults} | more


def master(*states: str, answers: bool = True, busy: bool = True) -> View:
    """A master that knows workers of 10.0.0.5 in these states; one that is ALIVE if none is given."""
    members = tuple(Member("10.0.0.5", state, state == "ALIVE", busy) for state in states or ("ALIVE",))
    return View(asked=True, answers=answers, page=PAGE, members=members)


NO_WORKER = View(asked=True, answers=True, page=PAGE)
SILENT = View(asked=True, page=PAGE)
NOT_ASKED = View()


def verdict(found: dict[str, Any], view: View | None = None, roles: tuple[str, ...] = WORKER) -> Verdict:
    return judge([Seen("demo-worker-0", "10.0.0.5", roles, found)], {"spark": master() if view is None else view})["demo-worker-0"]


def test_a_healthy_node() -> None:
    assert verdict(health()) == Verdict()
    assert verdict(health()).health == "ok"


def test_a_node_that_was_not_checked_has_no_faults() -> None:
    unseen = verdict({}, NOT_ASKED)
    assert (unseen.health, unseen.faults, unseen.sick, unseen.repair) == ("-", [], "", False)


# --- not reached ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [master("DEAD"), master("UNKNOWN"), NO_WORKER])
def test_a_node_that_neither_ssh_nor_the_master_reaches_is_replaced(view: View) -> None:
    found = verdict(REFUSED, view)
    assert found.health == "lost"
    assert found.sick == "it cannot be reached by ssh (connect to host 10.0.0.5 port 22: Connection refused), and its systems report it as lost"


def test_an_unreachable_node_with_a_working_worker_is_not_replaced() -> None:
    found = verdict(REFUSED)
    assert not found.sick
    assert found.faults[0].endswith("but its systems report that it works: not replaced")


@pytest.mark.parametrize("view", [NOT_ASKED, SILENT, master("UNKNOWN", answers=False)])
def test_an_unreachable_node_is_not_replaced_if_no_master_answers(view: View) -> None:
    found = verdict(REFUSED, view)
    assert (found.health, found.sick) == ("no ssh", "")


@pytest.mark.parametrize("roles", [(), MASTER, ("spark_master", "spark_worker")])
def test_a_node_with_data_of_its_own_is_never_replaced(roles: tuple[str, ...]) -> None:
    assert not verdict(REFUSED, master("DEAD"), roles).sick
    full = verdict(health(disks=(disk("its root disk is full"),)), roles=roles)
    assert (full.sick, full.faults[0]) == ("", "its root disk is full")


# --- disks ----------------------------------------------------------------------------------------------------------------------------------


def test_a_worker_with_a_full_root_disk_is_replaced() -> None:
    found = verdict(health(disks=(disk("its root disk is full: 3 of 900 MiB are free"),)))
    assert (found.health, found.sick) == ("disk full", "its root disk is full: 3 of 900 MiB are free")


def test_a_full_volume_is_reported_and_its_node_not_replaced() -> None:
    found = verdict(health(disks=(disk(), disk("volume spark (/data/spark) is full", "spark"))))
    assert (found.health, found.sick, found.repair) == ("volume spark full", "", False)


def test_an_unmounted_volume_is_fixed_by_a_visit() -> None:
    found = verdict(health(disks=(disk(), disk("volume spark is not mounted", "spark", mounted=False))))
    assert (found.health, found.sick, found.repair) == ("no volume spark", "", True)


# --- services and memory --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["failed", "inactive", "activating", "unknown"])
def test_a_stopped_service_is_fixed_by_a_visit(state: str) -> None:
    found = verdict(health(unit(state=state)), master("DEAD"))
    assert (found.health, found.repair, found.sick) == (f"spark-worker {state}", True, "")
    assert found.faults == [f"spark-worker is {state}"]


@pytest.mark.parametrize(("view", "word"), [(master("DEAD"), "DEAD"), (master("DECOMMISSIONED"), "DECOMMISSIONED"), (NO_WORKER, "unknown")])
def test_a_running_worker_that_its_master_has_lost_is_reported(view: View, word: str) -> None:
    found = verdict(health(), view)
    assert (found.faults, found.sick, found.repair) == ([f"its worker runs, but the master reports it {word}"], "", False)


def test_of_two_workers_with_one_address_the_living_one_counts() -> None:
    assert verdict(health(), master("ALIVE", "DEAD")) == verdict(health(), master("DEAD", "ALIVE")) == Verdict()


def test_a_running_master_that_does_not_answer_is_reported() -> None:
    found = verdict(health(unit("spark-master"), unit("spark-history-server")), SILENT, MASTER)
    assert found.faults == ["its master runs but does not answer at http://10.0.0.4:8080"]


def test_a_dead_master_is_reported_once() -> None:
    found = verdict(health(unit("spark-master", "failed"), unit("spark-history-server")), SILENT, MASTER)
    assert (found.faults, found.repair) == (["spark-master is failed"], True)


def test_short_memory_is_reported() -> None:
    found = verdict(health(memory="it is short of memory: 9 of 900 MiB are available"))
    assert (found.health, found.sick, found.repair) == ("memory short", "", False)


def test_all_faults_of_a_node_are_reported() -> None:
    found = verdict(health(unit(state="failed"), disks=(disk("its root disk is full"),), memory="it is short of memory"))
    assert found.health == "disk full, spark-worker failed, memory short"
    assert len(found.faults) == 3


def test_a_failed_health_check_is_reported() -> None:
    found = verdict({"reachable": True, "faults": ["its health cannot be checked: no python"]})
    assert (found.health, found.faults) == ("?", ["its health cannot be checked: no python"])


# --- the others -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "idle"),
    [(master(busy=False), True), (master(), False), (master("DEAD", busy=False), False), (master(answers=False, busy=False), False)],
)
def test_a_worker_without_executors_is_idle(view: View, idle: bool) -> None:
    assert verdict(health(), view).idle is idle


def test_services_and_notes_are_those_of_reachable_nodes() -> None:
    nodes = [
        Seen("a-worker-0", "10.0.0.5", WORKER, health(unit(state="failed"), failed_units=["backup.service"])),
        Seen("a-worker-1", "10.0.0.6", WORKER, REFUSED),
        Seen("a-worker-2", "10.0.0.7", WORKER, {}),
    ]
    assert services(nodes) == [{"node": "a-worker-0", "unit": "spark-worker", "state": "failed"}]
    assert notes(nodes) == ["a-worker-0: backup.service has failed; it is not managed by this collection"]


def test_a_shared_folder_is_reported_or_its_fault() -> None:
    full, silent = ({"mount": "/shared", "size": size, "free": 0, "used_percent": 0, "fault": fault} for size, fault in ((9, ""), (0, "no answer")))
    nodes = [Seen(f"a-worker-{number}", "10.0.0.5", (), health(shares=[share])) for number, share in enumerate((full, silent))]
    assert shares(nodes) == [{"node": "a-worker-0"} | full]
    assert [verdict.faults for verdict in judge(nodes, {}).values()] == [[], ["no answer"]]


def test_a_role_whose_services_are_not_installed_is_one_that_the_pool_has_got() -> None:
    fault = "spark-worker is inactive (it is not installed); see 'journalctl -u spark-worker' on the node"
    absent = unit("spark-worker", "inactive") | {"fault": fault}
    of_master = [unit("spark-master"), unit("spark-history-server")]
    assert verdict(health(*of_master, absent), roles=(*MASTER, *WORKER)).added == WORKER
    assert verdict(health(*of_master, unit("spark-worker", "failed")), roles=(*MASTER, *WORKER)).added == ()
