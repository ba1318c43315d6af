# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock, in a security group that changes under it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Holding, Lease, Locked, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import NETWORK, Api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._lock import Lock
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._options import OpenStackOptions
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud, Request, record, recorded

MARK = "sky/1 skyg skyg"
ME, OTHER = "ada@here (process 1)", "bob@there (process 2)"
NOON = datetime(2031, 5, 6, 12, 0, 0, tzinfo=UTC)
PATH = "/security-groups/g"


class Group:
    """A security group as Neutron keeps it: with a revision, and a description of at most 255 characters."""

    def __init__(self, cloud: LittleCloud, api: Api, now: Callable[[], datetime]) -> None:
        self.cloud = cloud
        self.description = MARK
        self.revision = 3
        self.loses = 0  # answers to changes that are made
        self.meanwhile: list[Callable[[], None]] = []  # what others do between a look and a change
        self.there = True
        self._now = now
        cloud.reacts("GET", NETWORK, PATH, self._shown)
        cloud.reacts("PUT", NETWORK, PATH, self._changed)
        self.lock = Lock(api, "g", MARK)

    @property
    def puts(self) -> list[Request]:
        return self.cloud.asked("PUT", NETWORK)

    def _shown(self, _request: Request) -> Answer:
        if not self.there:
            return recorded("neutron_404")
        group = record("security_groups")["standing"]
        return Answer({"security_group": group | {"id": "g", "description": self.description, "revision_number": self.revision}})

    def _changed(self, request: Request) -> Answer:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if not self.there:
            return recorded("neutron_404")
        if request.headers["If-Match"] != f"revision_number={self.revision}":
            return recorded("neutron_412")
        text = request.body["security_group"]["description"]
        if len(text) > 255:
            return recorded("neutron_400")
        self.write(text)
        self.loses -= 1
        return Answer(reset=True) if self.loses >= 0 else self._shown(request)

    def write(self, text: str) -> None:
        self.description = text
        self.revision += 1

    def touch(self) -> None:
        self.write(self.description)


class Time:
    """The cloud's clock."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock(api: Api, monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(api, "now", found)
    return found


@pytest.fixture
def group(cloud: LittleCloud, api: Api, clock: Time) -> Group:
    return Group(cloud, api, clock)


def test_it_is_taken_renewed_and_released(group: Group, clock: Time) -> None:
    lease = group.lock.take(ME, 60)
    token = lease.token
    assert lease == Lease(ME, token, "")
    assert group.description == f"{MARK} locked {token} until 2031-05-06T12:01:00Z since 2031-05-06T12:00:00Z by {ME}"
    clock.passes(20)
    group.lock.renew(lease, 60)
    assert group.description == f"{MARK} locked {token} until 2031-05-06T12:01:20Z since 2031-05-06T12:00:00Z by {ME}"
    group.lock.release(lease)
    assert group.description == MARK


def test_who_holds_it_is_seen_without_a_change(group: Group, clock: Time) -> None:
    assert group.lock.holding() is None
    group.lock.take(ME, 60)
    clock.passes(59)
    before = len(group.puts)
    assert group.lock.holding() == Holding(ME, "2031-05-06 12:00:00 UTC")
    clock.passes(1)
    assert group.lock.holding() is None  # it is stale
    assert len(group.puts) == before


def test_what_a_real_cloud_kept_of_a_lock_is_read(group: Group, clock: Time) -> None:
    group.description = record("security_groups")["locked"]["description"]
    clock.now = datetime(2026, 11, 21, 13, 47, 28, tzinfo=UTC)
    with pytest.raises(Locked, match=r"^the cluster is being changed by ada@here \(process 1\), since 2026-11-21 13:46:29 UTC$"):
        group.lock.take(OTHER, 60)
    assert group.puts == []
    clock.passes(1)
    assert group.lock.take(OTHER, 60).broken == "ada@here (process 1), since 2026-11-21 13:46:29 UTC"


def test_it_is_held_until_it_ends(group: Group, clock: Time) -> None:
    lease = group.lock.take(ME, 60)
    clock.passes(59)
    with pytest.raises(Locked, match="ada@here"):
        group.lock.take(OTHER, 60)
    clock.passes(1)
    theirs = group.lock.take(OTHER, 60)
    assert theirs.broken == f"{ME}, since 2031-05-06 12:00:00 UTC"
    with pytest.raises(Locked, match=r"^the lock was lost to bob@there \(process 2\), since 2031-05-06 12:01:00 UTC$"):
        group.lock.renew(lease, 60)
    before = group.description
    group.lock.release(lease)
    assert group.description == before  # not ours any more


def test_one_that_is_late_keeps_it_where_nobody_came(group: Group, clock: Time) -> None:
    lease = group.lock.take(ME, 60)
    clock.passes(600)
    group.lock.renew(lease, 60)
    with pytest.raises(Locked):
        group.lock.take(OTHER, 60)


def test_what_was_released_cannot_be_renewed(group: Group) -> None:
    lease = group.lock.take(ME, 60)
    group.lock.release(lease)
    with pytest.raises(Locked, match=r"^the lock was lost$"):
        group.lock.renew(lease, 60)
    group.lock.release(lease)
    assert len(group.puts) == 2


# lost answers


def test_who_lost_the_answer_takes_it_again(group: Group) -> None:
    group.loses = 1
    with pytest.raises(Unavailable):
        group.lock.take(ME, 60)
    assert group.description.endswith(f" by {ME}")
    with pytest.raises(Locked):
        group.lock.take(OTHER, 60)
    lease = group.lock.take(ME, 60)
    assert lease.broken == ""
    group.lock.renew(lease, 60)


def test_a_renewal_whose_answer_is_lost_is_renewed_again(group: Group) -> None:
    lease = group.lock.take(ME, 60)
    group.loses = 1
    with pytest.raises(Unavailable):
        group.lock.renew(lease, 60)
    group.lock.renew(lease, 60)
    group.lock.release(lease)
    assert group.description == MARK


# others who change the group at the same time


def test_who_comes_second_sees_who_was_first(group: Group, clock: Time) -> None:
    def theirs() -> None:
        group.write(f"{MARK} locked token until {clock.now + timedelta(seconds=60):%Y-%m-%dT%H:%M:%SZ} since 2031-05-06T12:00:00Z by {OTHER}")

    group.meanwhile = [theirs]
    with pytest.raises(Locked, match="bob@there"):
        group.lock.take(ME, 60)
    assert group.description.endswith(OTHER)


def test_changes_of_something_else_are_no_loss(group: Group) -> None:
    group.meanwhile = [group.touch] * 4
    lease = group.lock.take(ME, 60)
    group.meanwhile = [group.touch] * 4
    group.lock.renew(lease, 60)
    group.meanwhile = [group.touch] * 4
    group.lock.release(lease)
    assert group.description == MARK


def test_who_is_always_second_asks_again_later(group: Group) -> None:
    group.meanwhile = [group.touch] * 5
    with pytest.raises(Unavailable, match="several runs are taking the lock"):
        group.lock.take(ME, 60)
    lease = group.lock.take(ME, 60)
    group.meanwhile = [group.touch] * 5
    with pytest.raises(Unavailable, match="could not be renewed"):
        group.lock.renew(lease, 60)


def test_of_many_who_take_it_at_once_one_has_it(group: Group, options: Callable[..., OpenStackOptions], monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(8)

    def take(number: int) -> str:
        api = Api(options())
        monkeypatch.setattr(api, "now", lambda: NOON)
        api.access()
        together.wait(30)
        try:
            return Lock(api, "g", MARK).take(f"run {number}", 60).holder
        except (Locked, Unavailable):
            return ""

    with ThreadPoolExecutor(8) as pool:
        holders = list(filter(None, pool.map(take, range(8))))
    assert len(holders) == 1
    assert group.description.endswith(f" by {holders[0]}")


# what else may be wrong


def test_a_group_that_went_took_its_lock_along(group: Group) -> None:
    lease = group.lock.take(ME, 60)
    group.meanwhile = [lambda: setattr(group, "there", False)]
    group.lock.release(lease)  # gone between the look and the change
    group.lock.release(lease)  # gone before
    with pytest.raises(CloudError, match="does not exist"):
        group.lock.renew(lease, 60)


def test_a_text_that_somebody_wrote_there_is_no_lock(group: Group) -> None:
    for text in ("", MARK, f"{MARK} hands off!", f"{MARK} locked by hand", "something else"):
        group.write(text)
        group.lock.release(group.lock.take(ME, 60))
        assert group.description == MARK


def test_a_damaged_lock_is_reported_or_broken_and_no_crash(group: Group) -> None:
    group.write(f"{MARK} locked token until tomorrow since yesterday by {OTHER}")
    try:
        assert group.lock.take(ME, 60).holder == ME
    except CloudError as error:
        assert "tomorrow" in str(error) or "lock" in str(error)


@pytest.mark.parametrize("owner", ["ada", "o" * 64])
def test_long_names_fit_and_are_distinguished(cloud: LittleCloud, api: Api, clock: Time, owner: str) -> None:
    """Two runs of one user on one machine differ in the last letters of what they call themselves."""
    group = Group(cloud, api, clock)
    mark = f"sky/1 {owner} {'c' * 20}"
    group.description = mark
    lock = Lock(api, "g", mark)
    machine = f"{'u' * 32}@{'h' * 64}"
    first, second = f"{machine} (process 1234567)", f"{machine} (process 1234568)"
    lease = lock.take(first, 60)
    assert len(group.description) <= 255
    with pytest.raises(Locked):
        lock.take(second, 60)
    lock.renew(lock.take(first, 60), 60)
    with pytest.raises(Locked):
        lock.renew(lease, 60)  # its holder took it anew


def test_who_may_not_change_the_group_is_reported(cloud: LittleCloud, api: Api, clock: Time) -> None:
    cloud.answers("PUT", NETWORK, PATH, recorded("neutron_403"))
    with pytest.raises(Denied, match=r"^network PUT /security-groups/g: "):
        Group(cloud, api, clock).lock.take(ME, 60)


def test_each_change_names_the_revision_that_was_seen(group: Group) -> None:
    group.lock.release(group.lock.take(ME, 60))
    headers: list[Any] = [request.headers["If-Match"] for request in group.puts]
    assert headers == ["revision_number=3", "revision_number=4"]
