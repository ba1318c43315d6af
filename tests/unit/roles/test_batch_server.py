# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server of a batch system does about shares of users and reservations."""

from __future__ import annotations

import datetime
import io
import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.roles.torque_server.files import reserve, shares
from ansible_collections.sky.clusters.roles.torque_server.files.reserve import Reservation, ReservationError

NODES = {"n-0", "n-1"}
NOW = datetime.datetime(2026, 12, 1, 8)
UPDATE = {"name": "update", "start": "2026-12-01T10:00", "end": "2026-12-01T12:00"}


def hours(start: int, end: int, *nodes: str, name: str = "update") -> Reservation:
    return Reservation(name, NOW.replace(hour=start), NOW.replace(hour=end), frozenset(nodes or NODES), not nodes)


def planned(*wanted: Reservation, current: tuple[Reservation, ...] = (), own: tuple[str, ...] = ("update",)) -> list[str]:
    return [" ".join(words) for words in reserve.plan(wanted, {each.name: each for each in current}, own, NOW)]


def test_a_new_reservation_is_made_for_all_nodes_or_for_some() -> None:
    made = "create reservation ReservationName=update Users=root Flags=MAINT,IGNORE_JOBS StartTime=2026-12-01T10:00:00 EndTime=2026-12-01T12:00:00"
    assert planned(hours(10, 12), own=()) == [f"{made} Nodes=ALL"]
    assert planned(hours(10, 12, "n-1")) == [f"{made} Nodes=n-1"]


def test_one_that_is_as_it_should_be_stays() -> None:
    assert planned(hours(10, 12), current=(hours(10, 12),)) == []
    # it has begun, at a time that Slurm was not given
    assert planned(hours(6, 12), current=(hours(7, 12),)) == []


def test_one_that_differs_is_changed() -> None:
    changed = "update ReservationName=update StartTime=2026-12-01T10:00:00 EndTime=2026-12-01T12:00:00 Nodes=ALL"
    assert planned(hours(10, 12), current=(hours(9, 12),)) == [changed]
    # a node has joined
    assert planned(hours(10, 12), current=(hours(10, 12, "n-0"),)) == [changed]


def test_one_that_is_no_longer_listed_ends_and_one_made_by_hand_stays() -> None:
    by_hand = hours(10, 12, name="mine")
    assert planned(current=(hours(10, 12), by_hand)) == ["delete ReservationName=update"]
    with pytest.raises(ReservationError, match="mine: there is a reservation of this name that was made by hand"):
        planned(by_hand, current=(by_hand,))


def test_one_that_is_over_or_has_no_nodes_is_not_made() -> None:
    assert planned(hours(6, 7)) == []
    assert planned(Reservation("update", NOW, NOW.replace(hour=9), frozenset(), all=True)) == []


def test_a_node_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ReservationError, match="update: there is no node n-7; there are: n-0, n-1"):
        reserve.asked([{**UPDATE, "nodes": ["n-0", "n-7"]}], NODES)


def test_what_was_made_is_known_even_if_the_run_ends_before_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scontrol(*words: str) -> str:
        if words[0] == "create":
            raise ReservationError("killed")
        return "NodeName=n-0 State=IDLE\n" if words[1] == "node" else "No reservations in the system\n"

    monkeypatch.setattr(reserve, "scontrol", scontrol)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([{**UPDATE, "start": "2090-12-01T10:00", "end": "2090-12-01T12:00"}])))
    with pytest.raises(ReservationError):
        reserve.main(tmp_path / "record")
    assert json.loads((tmp_path / "record").read_text()) == ["update"]


def test_without_reservations_slurm_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("[]"))
    assert reserve.main(tmp_path / "record") is False
    assert not (tmp_path / "record").exists()


def test_a_new_cluster_gets_an_account_and_its_users() -> None:
    assert shares.changes("demo", {}, {"bob": 1, "ada": 3}) == [
        ["add", "cluster", "demo"],
        ["add", "account", "users", "cluster=demo"],
        ["add", "user", "ada", "account=users", "cluster=demo", "fairshare=3"],
        ["add", "user", "bob", "account=users", "cluster=demo", "fairshare=1"],
    ]


def test_only_shares_that_differ_are_changed() -> None:
    before = {("root", ""): 1, ("users", ""): 1, ("users", "ada"): 1, ("users", "old"): 1}
    assert shares.changes("demo", before, {"ada": 1}) == []
    (words,) = shares.changes("demo", before, {"ada": 2})
    assert " ".join(words) == "modify user where name=ada account=users cluster=demo set fairshare=2"


def test_the_accounting_may_take_a_moment_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(1, "", "connection refused"), (0, "root||1\nusers|ada|3\nusers|bob|parent\n", "")])

    def run(command: list[str], **_more: object) -> subprocess.CompletedProcess[str]:
        code, out, error = next(answers)
        return subprocess.CompletedProcess(command, code, out, error)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    assert shares.known("demo") == {("root", ""): 1, ("users", "ada"): 3, ("users", "bob"): 1}
