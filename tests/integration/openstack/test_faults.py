# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the APIs of a real OpenStack may do to a run: checks 10 to 16 of docs/reliability.md.

The servers exist in the API only; how ssh is left out of it says `tests/support/campus_clusters.py`. They have a project of their own, since its
quotas are changed.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import _opening
from ansible_collections.sky.clusters.plugins.module_utils._engine._apply import Tools
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Backoff
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused, Run
from ansible_collections.sky.clusters.tests.clouds.openstack.furniture import people
from ansible_collections.sky.clusters.tests.support.campus_clusters import POLL, POOLS, Wanted, content, ids, must, of_campus, parts, run_of, said
from ansible_collections.sky.clusters.tests.support.engine_runs import present, probe, wishes
from ansible_collections.sky.clusters.tests.support.fault_proxy import (
    Action,
    Behind,
    FaultProxy,
    cut,
    edited,
    first,
    lost,
    lost_behind_504,
    lost_in_silence,
    refused,
    reset,
)
from ansible_collections.sky.clusters.tests.support.openstack_site import OpenStackSite

pytestmark = [pytest.mark.real, pytest.mark.openstack, pytest.mark.xdist_group("geology")]

USER, PROJECT = "erin", "geology"

PATIENT = Tools(backoff=Backoff(tries=25, first=0.1, longest=0.5, spread=lambda: 1.0), probe=probe, poll=POLL)  # where faults come by the dozen
CREATING = r"POST|add_router_interface"
SERVERS = r"/servers(/detail)?\?"  # the two lists of servers
LIMITED = ("instances", "cores", "ram")


@dataclass(frozen=True)
class Plain:
    """A run and a destroy without faults, in a network of the cluster's own."""

    kinds: Counter[str]  # of calls
    making: int  # calls until the last server was asked for
    parts: list[str]
    slowest: float  # s that a call took

    @property
    def creating(self) -> list[str]:
        return [kind for kind in self.kinds if re.search(CREATING, kind) and "/action" not in kind and "identity" not in kind]


@pytest.fixture(scope="module")
def plain(proxy: FaultProxy) -> Plain:
    file = content(POOLS, "zf", USER, network="")
    before = len(proxy.calls)
    must(file)
    making = until_asked(proxy, before)
    made = parts(file)
    assert said(file, "absent") == ""
    calls = proxy.since(before)
    return Plain(proxy.kinds(before), making, made, max(call.ended - call.began for call in calls))


def until_asked(proxy: FaultProxy, since: int) -> int:
    """Calls until the last server was asked for: those after that are looks, as many as the servers take time."""
    return max(place for place, call in enumerate(proxy.since(since), 1) if call.kind == "compute POST /servers")


def fail_each(proxy: FaultProxy, kinds: list[str], act: Action) -> None:
    """The first call of each kind goes wrong, all in one run."""
    for kind in kinds:
        service, verb, path = kind.split()
        exact = re.escape(path).replace(r"\*", "[0-9a-f-]+") if path != "/" else ""
        proxy.rule(act, service, verb, rf"{exact}(\?|$)" if exact else "")


WAYS: dict[str, tuple[Action, bool]] = {  # and whether it is shown on creating calls only
    "lost": (lost, False),
    "504 though made": (lost_behind_504, False),
    "silence though made": (lost_in_silence, True),
    "reset": (reset, False),
    "500": (refused(500), False),
    "429": (refused(429, Retry_After="1"), False),
    "401": (refused(401), False),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_call_goes_wrong_once(
    proxy: FaultProxy, wanted: Wanted, plain: Plain, way: str, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    """In one run, and in one destroy: each is done in spite of all of them, with no doubles, and nothing is left."""
    act, creating = WAYS[way]
    if creating:
        monkeypatch.setattr(_opening, "SECONDS", max(2.0, 3 * plain.slowest))
    kinds = plain.creating if creating else list(plain.kinds)
    if way == "401":  # keystone says it of wrong credentials only, which no run goes on with
        kinds = [kind for kind in kinds if "identity" not in kind]
    file = wanted(POOLS, "zf", USER, network="")
    fail_each(proxy, kinds, act)
    outcome = present(run_of(file, PATIENT))
    assert outcome.faults == []
    assert {result.launches for result in outcome.result.nodes.values()} == {1}
    hit = [rule for rule in proxy.rules if rule.done]
    proxy.heal()
    assert parts(file) == plain.parts
    if not creating:
        fail_each(proxy, [kind for kind in kinds if kind not in plain.creating], act)
        assert run_of(file, PATIENT).absent(data=True).faults == []
        hit += [rule for rule in proxy.rules if rule.done]
        proxy.heal()
        assert parts(file) == []
    assert len(hit) >= len(kinds) - 2
    figure(f"10, 11, 16  {way}: {len(hit)} calls of a run and a destroy, one of each of {len(kinds)} kinds: done in spite of them, no doubles")


def test_a_cloud_that_asks_for_a_pause_is_given_it_and_costs_few_calls(
    proxy: FaultProxy, wanted: Wanted, plain: Plain, figure: Callable[[str], None]
) -> None:
    file = wanted(POOLS, "zf", USER, network="")
    before = len(proxy.calls)
    proxy.rule(refused(503, Retry_After="2"), "compute", "POST", "/servers$", nth=2)  # the last: no other server is asked for after it
    assert said(file) == ""
    tries = [call for call in proxy.since(before) if call.kind == "compute POST /servers"]
    (sent_away,) = [call for call in tries if call.told == 503]
    assert min(call.began for call in tries if call.began > sent_away.ended) - sent_away.ended >= 2
    share = until_asked(proxy, before) / plain.making
    assert share <= 1.5
    # one that never can
    proxy.rule(refused(429, Retry_After="1"), "compute", "GET", "/servers/detail", times=0)
    before = len(proxy.calls)
    told = said(file)
    assert "cloud campus cannot be listed: compute GET /servers/detail: the test says 429 (429)" in told
    asked = [call for call in proxy.since(before) if call.kind == "compute GET /servers/detail"]
    assert len(asked) == 6
    assert all(later.began - earlier.ended >= 1 for earlier, later in itertools.pairwise(asked))
    figure(f"11  one 503 with Retry-After 2 where a server is asked for: obeyed, {share:.2f} times the calls; one that never ends: 6 tries")


# 12 and 13: no room


@contextlib.contextmanager
def quotas(campus: OpenStackSite) -> Iterator[None]:
    """The project's quotas may be changed in here."""
    admin, project = campus.admin(), campus.project(PROJECT)
    try:
        yield
    finally:
        admin.delete_compute_quotas(project)
        admin.delete_volume_quotas(project)
        admin.delete_network_quotas(project)


def test_all_that_is_short_is_told_at_once_before_anything_is_made(campus: OpenStackSite, proxy: FaultProxy, wanted: Wanted) -> None:
    admin, project = campus.admin(), campus.project(PROJECT)
    file = wanted(POOLS, "zf", USER)
    with quotas(campus):
        admin.set_compute_quotas(project, instances=0, cores=0, ram=0)
        admin.set_volume_quotas(project, volumes=0, gigabytes=0)
        admin.set_network_quotas(project, port=0, floatingip=0)
        before = len(proxy.calls)
        with pytest.raises(Refused) as refusal:
            present(run_of(file))
    assert refusal.value.reasons[:-1] == [
        "cloud campus: quota of instances: 2 more needed, 0 of 0 left",
        "cloud campus: quota of cores: 2 more needed, 0 of 0 left",
        "cloud campus: quota of RAM in MiB: 1024 more needed, 0 of 0 left",
        "cloud campus: quota of ports: 2 more needed, 0 of 0 left",
        "cloud campus: quota of floating addresses: 1 more needed, 0 of 0 left",
        "cloud campus: quota of volumes: 1 more needed, 0 of 0 left",
        "cloud campus: quota of gigabytes of volumes: 1 more needed, 0 of 0 left",
    ]
    assert "nothing was changed" in refusal.value.reasons[-1]
    assert {call.verb for call in proxy.since(before) if call.service != "identity"} == {"GET"}


def test_a_quota_that_ends_in_the_middle_costs_one_node_only(
    campus: OpenStackSite, proxy: FaultProxy, wanted: Wanted, figure: Callable[[str], None]
) -> None:
    admin, project = campus.admin(), campus.project(PROJECT)
    file = wanted({"m": {"count": 3, "public_ip": True, "volumes": {"d": 1}}}, "zf", USER)

    def room_ends() -> None:
        """Somebody else takes what the preflight saw, once two nodes run: of three that are asked for at once nova may take all and fail some."""
        while (running := sum(server.status == "ACTIVE" for server in admin.compute.servers(all_tenants=True, project_id=project))) < 2:
            time.sleep(0.5)
        admin.set_compute_quotas(project, instances=running)

    with quotas(campus):
        proxy.rule(first(room_ends), "compute", "POST", "/servers$", nth=3)
        outcome = present(run_of(file))
        (failed,) = outcome.result.failed
        assert "Quota exceeded for instances" in failed.reason or "quota" in failed.reason.lower()
        assert failed.launches == 1
        assert outcome.faults == ["pools.m: 2 node(s) where at least 3 are needed"]
        kept = ids(file)
        assert sorted(kept) == sorted(f"{node}{part}" for node in outcome.members for part in ("", "-d"))
        assert Counter(part.split()[0] for part in parts(file)) == {"node": 2, "volume": 2, "port": 2, "floating": 2, "security": 1, "key": 1}
    must(file)
    after = ids(file)
    assert len(after) == 6
    assert kept.items() <= after.items()
    figure(f"12  a quota that ends at the third of 3 nodes: '{failed.reason}'; the next run, with room, finished")


@pytest.fixture
def huge(campus: OpenStackSite) -> Iterator[str]:
    """A flavor that no host has room for."""
    compute = campus.admin().compute
    made = compute.create_flavor(name="zf.huge", vcpus=100000, ram=512, disk=3, is_public=False)
    compute.flavor_add_tenant_access(made, campus.project(PROJECT))
    yield made.name
    compute.delete_flavor(made)


def test_a_node_that_no_host_can_take_is_tried_three_times_and_told(huge: str, wanted: Wanted, figure: Callable[[str], None]) -> None:
    file = wanted({**POOLS, "h": {"count": 1, "flavor": huge, "public_ip": True, "volumes": {"d": 1}}}, "zf", USER)
    outcome = present(run_of(file))
    (failed,) = outcome.result.failed
    assert failed.launches == 3
    assert "No valid host was found" in failed.reason
    assert outcome.faults == ["pools.h: 0 node(s) where at least 1 are needed"]
    assert sorted(outcome.members) == ["zf-m-0", "zf-w-0"]
    # its volume is kept, as that of every node that was made
    assert [part for part in parts(file) if "-h-" in part] == ["volume zf-h-0-d"]
    assert Counter(part.split()[0] for part in parts(file))["floating"] == 1
    figure(f"13  a node in ERROR ('{failed.reason}'): replaced twice, then told, cleaned")


# 14: lists that lag

LAG = 20.0  # s
UNHURRIED = Tools(backoff=Backoff(spread=lambda: 1.0), probe=probe, poll=POLL)  # with the pauses of a playbook's run
BEHIND = {"servers": ("compute", SERVERS), "ports": ("network", r"/ports\?"), "volumes": ("block-storage", r"/volumes/detail\?")}


def test_lists_that_lag_double_nothing_and_end(campus: OpenStackSite, proxy: FaultProxy, wanted: Wanted, figure: Callable[[str], None]) -> None:
    """Each thing is listed so late, and shown for so long after it is gone; from the first run to the last."""
    file = wanted(POOLS, "zf", USER)
    for key, (service, path) in BEHIND.items():
        proxy.rule(Behind(key, LAG), service, "GET", path, times=0)
    before = len(proxy.calls)
    made = [present(run_of(file, UNHURRIED)) for _time in range(2)]  # the second before all that the first one made is listed
    assert [outcome.faults for outcome in made] == [[], []]
    stands = sorted(thing for thing in of_campus(campus, "zf", PROJECT).values() if not thing.startswith("key pair"))
    assert stands == ["floating ip zf", "port zf-m-0", "port zf-w-0", "security group sky-zf", "server zf-m-0", "server zf-w-0", "volume zf-m-0-d"]
    asked = proxy.kinds(before)
    assert asked["compute POST /servers"] == 2
    assert asked["block-storage POST /volumes"] == 1
    file["pools"]["w"]["count"] = 2
    assert present(run_of(file, UNHURRIED)).faults == []
    assert run_of(file, UNHURRIED).absent(data=True).faults == []
    proxy.heal()
    assert of_campus(campus, "zf", PROJECT) == {}
    figure(f"14  servers, ports and volumes listed {LAG:.0f} s late: made, grown and destroyed, each asked for once, nothing left")


# 15: lists that lie


def without_last(key: str) -> Action:
    """A list that lacks its last thing, as one that lags may."""
    return edited(lambda page: page | {key: page[key][:-1]})


def nothing_of(key: str) -> Action:
    return edited(lambda page: page | {key: []})


def unmarked(page: Any) -> Any:
    return {"servers": [server | {"metadata": {}, "tags": []} for server in page["servers"]]}


LIES: dict[str, tuple[tuple[str, str], Action]] = {
    "servers: none": (("compute", SERVERS), nothing_of("servers")),
    "servers: one less": (("compute", SERVERS), without_last("servers")),
    "servers: no marks": (("compute", SERVERS), edited(unmarked)),
    "servers: cut short": (("compute", SERVERS), cut),
    "ports: none": (("network", r"/ports\?"), nothing_of("ports")),
    "volumes: none": (("block-storage", r"/volumes/detail\?"), nothing_of("volumes")),
    "everything: 503": (("", ""), refused(503)),
}


@pytest.fixture(scope="module")
def standing(proxy: FaultProxy) -> Iterator[dict[str, Any]]:
    """Three nodes that run."""
    file = content({"m": {"count": 1, "public_ip": True, "volumes": {"d": 1}}, "w": 2}, "zfl", USER)
    must(file)
    yield file
    proxy.heal()
    assert said(file, "absent") == ""


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies_harms_nothing(campus: OpenStackSite, proxy: FaultProxy, standing: dict[str, Any], lie: str) -> None:
    """A run ends with a sentence, or without; what stands stays, and nothing is made twice."""
    before = of_campus(campus, "zfl", PROJECT)
    (service, path), act = LIES[lie]
    proxy.rule(act, service, "GET", path, times=0)
    told = said(standing)
    proxy.heal()
    assert of_campus(campus, "zfl", PROJECT) == before, told
    assert said(standing) == ""
    assert of_campus(campus, "zfl", PROJECT) == before


# 16: credentials


def test_credentials_that_end_in_the_middle_stop_the_run_and_the_next_one_converges(
    proxy: FaultProxy, wanted: Wanted, plain: Plain, figure: Callable[[str], None]
) -> None:
    file = wanted(POOLS, "zf", USER, network="")
    for what, verb, point in (("present", "POST", 4), ("absent", "DELETE", 2), ("present", "POST", 9), ("absent", "DELETE", 4)):
        proxy.rule(first(lambda: proxy.rule(refused(401), times=0), refused(401)), "", verb, "^(?!/v3/auth)", nth=point)
        told = said(file, what)
        proxy.heal()
        assert "401" in told, told
        assert "Traceback" not in told
        assert said(file, what) == ""
        assert parts(file) == (plain.parts if what == "present" else [])
    figure(f"16  401 from the 4th and 9th creating call on, and from the 2nd and 4th deletion: '{told.splitlines()[0]}'; the next one converged")


def test_an_application_credential_is_enough(campus: OpenStackSite, proxy: FaultProxy, wanted: Wanted, tmp_path: Any, monkeypatch: Any) -> None:
    login = campus.connect(USER)
    keystone, own = people(login), str(login.current_user_id)
    made = keystone.create_application_credential(own, "sky-robot")
    try:
        auth = {"application_credential_id": made.id, "application_credential_secret": made.secret}
        robot = tmp_path / "robot.yaml"
        proxy.write(robot, robot={"auth_type": "v3applicationcredential", "auth": auth})
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(robot))
        file = content(POOLS, "zfr", user="robot")
        wanted(POOLS, "zfr", USER)  # whose it is says the user, who may take it away
        must(file)
        run: Run = run_of(file)
        assert not run.present(wishes(run)).plan.changes
        assert said(file, "absent") == ""
        assert parts(file) == []
    finally:
        keystone.delete_application_credential(own, made)
