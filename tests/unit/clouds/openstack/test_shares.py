# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares in Manila: what is asked, what is believed, and what is left of it. The answers are those of its API reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Invalid, Share, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackCloud, _shares
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import SHARE
from ansible_collections.sky.clusters.plugins.module_utils._engine import _share
from ansible_collections.sky.clusters.tests.unit.clouds.openstack import little_manila
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import Answer, LittleCloud, Request
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_manila import DATA, EXPORT, HOMES, KEY, KNOWN, Manila

MARK = "sky/1 skyg skyg"
ACTION = f"/shares/{DATA['id']}/action"

Open = Callable[..., OpenStackCloud]


@pytest.fixture
def manila(project: LittleCloud, monkeypatch: pytest.MonkeyPatch) -> Manila:
    monkeypatch.setattr(_shares, "PAUSE", 0.0)
    return Manila(project)


def given(cloud: LittleCloud) -> list[Any]:
    return [asked.body for asked in cloud.asked("POST", SHARE) if "allow_access" in asked.body]


def denied(cloud: LittleCloud) -> list[str]:
    return [asked.body["deny_access"]["access_id"] for asked in cloud.asked("POST", SHARE) if "deny_access" in asked.body]


def test_a_share_is_found_by_its_name_and_by_its_identifier(manila: Manila, opened: Open) -> None:
    found = opened().share("data", "cephfs")
    assert found == Share("data", DATA["id"], "cephfs", EXPORT)
    assert opened().share(DATA["id"], "cephfs") == found
    assert {asked.headers["X-OpenStack-Manila-API-Version"] for asked in manila.cloud.asked("GET", SHARE)} == {"2.45"}
    assert manila.cloud.asked("POST", SHARE) == []


def test_a_share_says_which_file_system_it_is_a_part_of(manila: Manila, opened: Open) -> None:
    manila.cloud.stored[SHARE, "shares"][0]["metadata"] = {"__mount_options": "fs=lab-fs"}
    assert opened().share("data", "cephfs").file_system == "lab-fs"


@pytest.mark.parametrize(
    ("wanted", "change", "said"),
    [
        ("dato", {}, "unknown share 'dato'; did you mean 'data'?"),
        ("c0ffee", {}, "unknown share 'c0ffee'; known: data, homes"),
        ("homes", {}, "share 'homes' has the protocol NFS, not CEPHFS"),
        ("data", {"status": "creating"}, f"share 'data' ({DATA['id']}) is in state 'creating', not 'available'"),
    ],
)
def test_a_share_that_cannot_be_used_is_refused(manila: Manila, opened: Open, wanted: str, change: dict[str, Any], said: str) -> None:
    manila.cloud.stored[SHARE, "shares"][0].update(change)
    with pytest.raises(Invalid) as error:
        opened().share(wanted, "cephfs")
    assert str(error.value) == said


def test_a_name_of_two_shares_is_refused(manila: Manila, opened: Open) -> None:
    manila.cloud.holds(SHARE, "shares", DATA | {"id": "second"})
    with pytest.raises(Invalid, match=rf"^2 shares have the name 'data': use the identifier of one \({DATA['id']}, second\)$"):
        opened().share("data", "cephfs")


def test_a_share_without_a_place_to_mount_it_from_is_refused(manila: Manila, opened: Open) -> None:
    path = f"/shares/{DATA['id']}/export_locations"
    manila.cloud.reactions.pop(("GET", SHARE, path))
    manila.cloud.answers("GET", SHARE, path, Answer({"export_locations": KNOWN["export_locations"][:1]}))
    with pytest.raises(Invalid, match=r"^share 'data' \(.*\) has no export location$"):
        opened().share("data", "cephfs")


def test_a_cloud_without_shares_says_so_and_is_asked_nothing(project: LittleCloud, opened: Open) -> None:
    with pytest.raises(Invalid) as error:
        opened().share("data", "cephfs")
    assert str(error.value) == "share 'data': the cloud has no shares: its catalogue has no service of the type shared-file-system (Manila)"
    with pytest.raises(Invalid, match="shared-file-system"):
        opened().share_access(Share("data", "some-id", "cephfs", EXPORT))
    opened().dismantle()
    assert opened().leftovers() == []
    assert all(not project.asked(verb, SHARE) for verb in ("GET", "POST"))


def test_an_older_manila_is_refused_in_its_own_words(manila: Manila, opened: Open) -> None:
    words = "Version 2.45 is not supported by the API. Minimum is 2.0, and maximum is 2.42."
    manila.cloud.first.append(lambda _request: Answer({"computeFault": {"code": 406, "message": words}}, 406))
    with pytest.raises(CloudError, match=r"Version 2\.45 is not supported by the API.*\(406\)"):
        opened().share("data", "cephfs")


def test_an_answer_that_is_no_list_decides_nothing(manila: Manila, opened: Open) -> None:
    manila.cloud.first.append(lambda request: Answer({"else": 1}) if request.path == "/shares/detail" else None)
    with pytest.raises(Unavailable, match="the answer is not a list of shares"):
        opened().share("data", "cephfs")
    with pytest.raises(Unavailable, match="the answer is not a list of shares"):
        opened().leftovers()


def test_shares_are_listed_to_the_end_however_few_come_at_once(manila: Manila, opened: Open) -> None:
    manila.most = 1
    manila.cloud.holds(SHARE, "shares", *(DATA | {"id": f"s-{number}", "name": f"n{number}"} for number in range(3)))
    with pytest.raises(Invalid, match=r"known: data, homes, n0, n1, n2$"):
        opened().share("absent", "cephfs")


def test_access_is_given_once_with_the_mark_in_the_call_that_creates_it(manila: Manila, opened: Open) -> None:
    cloud = opened()
    share = cloud.share("data", "cephfs")
    first = cloud.share_access(share)
    assert (first.key, first.made) == (KEY, True)
    (body,) = given(manila.cloud)
    assert body == {"allow_access": {"access_type": "cephx", "access_to": first.client, "access_level": "rw", "metadata": {"sky": MARK}}}
    again = opened().share_access(share)
    assert (again.client, again.key, again.made) == (first.client, KEY, False)
    assert len(given(manila.cloud)) == 1


@pytest.mark.usefixtures("manila")
def test_the_key_is_in_no_text_of_the_access(opened: Open) -> None:
    cloud = opened()
    assert KEY not in repr(cloud.share_access(cloud.share("data", "cephfs")))


@pytest.mark.usefixtures("manila")
def test_clients_of_other_clusters_and_owners_have_other_names(opened: Open) -> None:
    share = opened().share("data", "cephfs")
    names = {opened(cluster, owner).share_access(share).client for cluster, owner in (("skyg", ""), ("skyh", ""), ("skyg", "eve"))}
    assert len(names) == 3
    assert all(name.startswith("sky-sky") and "." not in name for name in names)  # Manila takes no dots


def test_the_rule_of_a_run_before_is_waited_for(manila: Manila, opened: Open) -> None:
    cloud = opened()
    share = cloud.share("data", "cephfs")
    client = cloud._shares._client
    manila.holds(access_to=client, metadata={"sky": MARK}, steps=["applying", "applying", "active"])
    assert cloud.share_access(share).made is False
    assert given(manila.cloud) == []


def test_access_that_is_being_taken_back_is_given_again_when_it_is_gone(manila: Manila, opened: Open) -> None:
    cloud = opened()
    share = cloud.share("data", "cephfs")
    manila.holds(access_to=cloud._shares._client, metadata={"sky": MARK}, steps=["queued_to_deny", "denying"])
    assert cloud.share_access(share).made is True
    assert len(given(manila.cloud)) == 1


def test_a_rule_in_error_is_told_and_removed(manila: Manila, opened: Open) -> None:
    manila.steps = ["applying", "error"]
    cloud = opened()
    share = cloud.share("data", "cephfs")
    with pytest.raises(CloudError, match=r"^share 'data': the access rule of the client sky-skyg-\w{8} is in state 'error', and was removed; "):
        cloud.share_access(share)
    assert denied(manila.cloud) == [manila.rules[0]["id"]]
    manila.steps = ["active"]
    assert cloud.share_access(share).made is True


def test_a_rule_that_never_comes_into_force_ends_the_wait(manila: Manila, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_shares, "PATIENCE", 0.05)
    manila.steps = ["applying"]
    cloud = opened()
    with pytest.raises(CloudError, match=r"^share 'data': the access rule of the client sky-skyg-\w{8} is still 'applying' after 0 s$"):
        cloud.share_access(cloud.share("data", "cephfs"))


def test_a_rule_of_somebody_else_for_the_client_is_left_alone(manila: Manila, opened: Open) -> None:
    cloud = opened()
    rule = manila.holds(access_to=cloud._shares._client, metadata={})
    with pytest.raises(Invalid, match=rf"the access rule {rule['id']} of the client .* does not have the mark '{MARK}': it is left alone$"):
        cloud.share_access(cloud.share("data", "cephfs"))
    cloud.dismantle()
    assert given(manila.cloud) == denied(manila.cloud) == []


def test_a_refusal_is_told_in_the_clouds_own_words(manila: Manila, opened: Open) -> None:
    manila.cloud.reactions.pop(("POST", SHARE, ACTION))
    manila.cloud.answers("POST", SHARE, ACTION, Answer({"forbidden": {"code": 403, "message": "Policy doesn't allow share:allow_access."}}, 403))
    cloud = opened()
    with pytest.raises(Denied, match=r"shared-file-system POST /shares/.*/action: Policy doesn't allow share:allow_access\. \(403\)"):
        cloud.share_access(cloud.share("data", "cephfs"))


def test_a_cluster_that_is_destroyed_has_no_access_any_more_and_the_share_stays(manila: Manila, opened: Open) -> None:
    cloud = opened()
    cloud.share_access(cloud.share("data", "cephfs"))
    other = manila.holds(access_to="lab", metadata={})
    opened("skyh").share_access(cloud.share("data", "cephfs"))
    assert cloud.leftovers() == ["access to share data"]
    cloud.dismantle()
    assert cloud.leftovers() == []
    assert cloud.leftovers() == []
    assert len(denied(manila.cloud)) == 1
    assert other["steps"] == ["active"]
    assert opened("skyh").leftovers() == ["access to share data"]
    assert manila.cloud.stored[SHARE, "shares"] == [DATA, HOMES]


def test_who_may_not_see_shares_can_still_destroy_a_cluster(manila: Manila, opened: Open) -> None:
    refusal = Answer({"forbidden": {"code": 403, "message": "Policy doesn't allow share:get_all to be performed."}}, 403)
    manila.cloud.first.append(lambda request: refusal if request.service == SHARE else None)
    opened().dismantle()
    assert opened().leftovers() == []


def test_a_share_that_is_deleted_meanwhile_does_no_harm(manila: Manila, opened: Open) -> None:
    gone = Answer({"itemNotFound": {"code": 404, "message": "Share could not be found."}}, 404)
    manila.cloud.first.append(lambda request: gone if request.path == "/share-access-rules" else None)
    opened().dismantle()
    assert opened().leftovers() == []


# --- as the module shares it ----------------------------------------------------------------------------------------------------------------


def test_a_cluster_gets_what_it_needs_to_mount_a_share(manila: Manila, opened: Open) -> None:
    made, access = _share.given(opened(), "data", "cephfs", check=False)
    known = {"name": "data", "id": DATA["id"], "cloud": "one", "export": EXPORT, "file_system": ""}
    assert (made, access) == (True, known | {"client": manila.rules[0]["access_to"], "key": KEY})
    assert _share.given(opened(), "data", "cephfs", check=False) == (False, access)


def test_check_mode_finds_the_share_and_gives_nothing(manila: Manila, opened: Open) -> None:
    made, access = _share.given(opened(), "data", "cephfs", check=True)
    assert (made, access["export"], access["client"], access["key"]) == (False, EXPORT, "", "")
    assert manila.cloud.asked("POST", SHARE) == []


def test_access_whose_answer_is_lost_is_not_given_twice(manila: Manila, opened: Open) -> None:
    lost = [Answer(None, 503)]

    def carried_out_and_lost(request: Request) -> Answer | None:
        if request.verb == "POST" and request.service == SHARE and lost:
            manila._acted(request)
            return lost.pop()
        return None

    manila.cloud.first.append(carried_out_and_lost)
    _made, access = _share.given(opened(), "data", "cephfs", check=False)
    assert access["key"] == KEY
    assert len(given(manila.cloud)) == len(manila.rules) == 1


def test_a_refusal_names_the_cloud(manila: Manila, opened: Open) -> None:
    with pytest.raises(Invalid, match=r"^cloud one: share 'homes' has the protocol NFS, not CEPHFS$"):
        _share.given(opened(), "homes", "cephfs", check=True)
    assert manila.cloud.asked("POST", SHARE) == []


def test_what_would_mean_something_else_in_a_file_of_a_node_is_refused(manila: Manila, opened: Open) -> None:
    path = "10.0.0.5:6789:/volumes/a\nExecStartPre=/bin/false"
    manila.cloud.reactions.pop(("GET", SHARE, f"/shares/{DATA['id']}/export_locations"))
    manila.has_export(DATA["id"], path)
    with pytest.raises(CloudError, match=r"^cloud one: share 'data' has an export location that cannot be mounted: '10\.0\.0\.5"):
        _share.given(opened(), "data", "cephfs", check=False)
    assert manila.rules == []


def test_a_key_that_is_none_is_refused_and_not_shown(manila: Manila, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(little_manila, "KEY", "CANARY and more")
    with pytest.raises(CloudError, match=r"^cloud one: share 'data': the cloud's answer has no usable key of the client 'sky-skyg-\w{8}'$") as error:
        _share.given(opened(), "data", "cephfs", check=False)
    assert "CANARY" not in str(error.value)
    assert manila.rules != []
