# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run's lock: a queue of tickets that nobody jumps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Locked, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, _lock
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.support.stratuslab_bench import options_of
from ansible_collections.sky.clusters.tests.support.stratuslab_race import doubles, race, summary

Opened = Callable[..., StratusLabCloud]


@pytest.mark.slow
def test_processes_that_race_never_hold_it_twice(site: Site, figure: Callable[[str], None]) -> None:
    """For ten seconds; the long part does it for two minutes."""
    options = options_of(site)
    holds = race(options.user_file, options.ca_file, 10.0)
    figure(f"8 processes race for a lock for 10 s: {summary(holds)}")
    site.oned.documents.clear()  # the ticket of the last one that crashed
    assert doubles(holds) == []
    assert len(holds) >= 3


def tickets(site: Site) -> list[str]:
    return [document.name.rpartition(".")[0] for document in site.oned.documents.values()]


def test_who_is_refused_leaves_no_ticket(site: Site, opened: Opened) -> None:
    lease = opened().lock("ada", 60)
    with pytest.raises(Locked, match="ada, since 20"):
        opened().lock("bob", 60)
    assert tickets(site) == ["skylock.a"]
    opened().unlock(lease)
    assert tickets(site) == []


def test_a_ticket_that_is_renewed_while_it_is_watched_is_not_broken(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's clock may be wrong: only a count that does not change for a ticket's whole time matters."""
    ada, bob = opened(), opened()
    lease = ada.lock("ada", 2.0)
    monkeypatch.setattr(bob._lock, "_left", lambda ticket: 1.0 if ticket.beat else -1.0)  # as if the server's clock had jumped
    beats = threading.Timer(1.0, lambda: ada.renew(lease, 2.0))
    beats.start()
    with pytest.raises(Locked):
        bob.lock("bob", 2.0)
    beats.join()
    ada.renew(lease, 2.0)
    ada.unlock(lease)
    assert tickets(site) == []


def test_a_site_that_does_not_date_its_answers_has_a_lock_too(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = opened(), opened()
    for cloud in (ada, bob):
        monkeypatch.setattr(cloud.one, "now", lambda: None)
    lease = ada.lock("ada", 2.0)
    beats = threading.Timer(0.7, lambda: ada.renew(lease, 2.0))
    beats.start()
    with pytest.raises(Locked, match="ada"):
        bob.lock("bob", 2.0)
    beats.join()
    assert bob.locked_by() is not None
    assert "ada" in bob.lock("bob", 60).broken  # once nobody renews it


def test_a_stale_ticket_is_watched_for_its_whole_time(opened: Opened) -> None:
    opened().lock("ada", 1.0)
    time.sleep(2.5)
    began = time.monotonic()
    assert "ada" in opened().lock("bob", 60).broken
    assert time.monotonic() - began >= 1.0 + _lock.GRACE


def test_a_lease_that_was_confirmed_too_late_is_lost(opened: Opened) -> None:
    cloud = opened()
    lease = cloud.lock("ada", 0.3)
    time.sleep(0.4)
    with pytest.raises(Locked, match="its time had passed"):
        cloud.renew(lease, 60)


def test_an_old_ticket_of_ones_own_is_not_taken_again_when_it_may_be_broken(site: Site, opened: Opened) -> None:
    opened().lock("ada", 1.0)
    time.sleep(2.5)
    lease = opened().lock("ada", 60)
    assert len(tickets(site)) == 1
    assert int(lease.token) == max(site.oned.documents)
    assert lease.broken == ""


def test_a_renewal_that_comes_too_late_does_not_extend_the_lease(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    lease = cloud.lock("ada", 0.5)
    real = cloud.one.write_document

    def late(number: int, text: str) -> None:
        time.sleep(0.6)
        real(number, text)

    monkeypatch.setattr(cloud.one, "write_document", late)
    for _time in range(2):
        with pytest.raises(Locked, match="the lock was lost"):
            cloud.renew(lease, 60)


def test_a_ticket_whose_answer_was_lost_is_found(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = opened()
    real = cloud.one.add_document

    def lost(text: str) -> int:
        real(text)
        raise Unavailable("the answer is lost")

    monkeypatch.setattr(cloud.one, "add_document", lost)
    lease = cloud.lock("ada", 60)
    assert tickets(site) == ["skylock.a"]
    cloud.unlock(lease)
    assert tickets(site) == []


def test_tickets_of_killed_runs_go_with_the_cluster(site: Site, opened: Opened) -> None:
    cloud = opened()
    lease = cloud.lock("ada", 60)
    cloud.one.add_document(cloud._lock._text("skylock.a.left", "bob", 0, -10.0, 1.0))
    cloud.dismantle()
    assert tickets(site) == ["skylock.a"]
    cloud.unlock(lease)
    assert tickets(site) == []


def test_locks_of_clusters_whose_names_begin_alike_are_different_ones(opened: Opened) -> None:
    for name in ("a", "a1", "a-b"):
        assert opened(name).lock("ada", 60).broken == ""


FOREIGN = 'NAME = "skylock.a.123"\nHOLDER = "host1 4711"\nBEAT = {}\n'


def test_a_ticket_of_another_client_is_respected_while_its_count_changes(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "DEFAULT", 5.0)
    other = opened()
    ticket = other.one.add_document(FOREIGN.format(3))
    beat = threading.Timer(1.0, lambda: other.one.write_document(ticket, FOREIGN.format(4)))
    beat.start()
    with pytest.raises(Locked, match="host1 4711"):
        opened().lock("ada", 60)
    beat.join()


def test_a_ticket_of_another_client_that_was_killed_is_broken(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says neither how long it lasts nor until when."""
    monkeypatch.setattr(_lock, "DEFAULT", 1.0)
    opened().one.add_document(FOREIGN.format(3))
    assert opened().locked_by() is not None
    began = time.monotonic()
    assert opened().lock("ada", 60).broken.startswith("host1 4711")
    assert time.monotonic() - began >= 1.0 + _lock.GRACE
    assert len(tickets(site)) == 1


def test_a_ticket_from_before_the_clock_of_the_site_was_set_back_is_broken(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time would be up in a day."""
    monkeypatch.setattr(site.services, "ahead", 86400.0)
    opened().lock("ada", 1.0)
    monkeypatch.setattr(site.services, "ahead", 0.0)
    assert "ada" in opened().lock("bob", 60).broken
