# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real clouds refused with, in the contract's words."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    CloudError,
    Denied,
    Event,
    Invalid,
    Shortage,
    Stage,
    Unavailable,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._errors import Conflict, Missing, check
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import record


@dataclass
class Said:
    """An HTTP answer."""

    status_code: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)


REFUSALS = {
    "nova_400": (Invalid, "'networks' is a required property (400)"),
    "nova_400_flavor": (Invalid, "compute POST /servers: Flavor nope could not be found. (400)"),
    "nova_403": (Denied, "Policy doesn't allow os_compute_api:os-services:list to be performed. (403)"),
    "nova_404": (Missing, "Instance 00000000-0000-0000-0000-000000000000 could not be found. (404)"),
    "nova_409": (Conflict, "while it is in vm_state active (409)"),
    "nova_quota": (Shortage, "compute POST /servers: Quota exceeded for instances: Requested 1, but already used 6 of 3 instances (403)"),
    "neutron_400": (Invalid, "Invalid input for network_id. Reason: 'nope' is not a valid UUID. (400)"),
    "neutron_403": (Denied, "is disallowed by policy (403)"),
    "neutron_404": (Missing, "Security group 00000000-0000-0000-0000-000000000000 does not exist (404)"),
    "neutron_409_in_use": (Conflict, "in use. (409)"),
    "neutron_409_rule": (Conflict, "Security group rule already exists."),
    "neutron_412": (Conflict, "Constrained to 0, but current revision is 4 (412)"),
    "neutron_quota": (Shortage, "network POST /security-groups: Quota exceeded for resources: ['security_group']. (409)"),
    "neutron_quota_port": (Shortage, "network POST /ports: Quota exceeded for resources: ['port']. (409)"),
    "cinder_400": (Invalid, "Invalid input for field/attribute size. Value: x."),
    "cinder_400_in_use": (Invalid, "Invalid volume: Volume status must be available"),
    "cinder_400_shrink": (Invalid, "New size for extend must be greater than current size."),
    "cinder_403": (Denied, "Policy doesn't allow volume_extension:services:index to be performed. (403)"),
    "cinder_404": (Missing, "Volume 00000000-0000-0000-0000-000000000000 could not be found. (404)"),
    "cinder_quota": (Shortage, "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'. (413)"),
    "cinder_quota_gigabytes": (Shortage, "Requested 5G, quota is 3G and 2G has been consumed. (413)"),
    "nova_quota_403_policy": (Denied, "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed. (403)"),
    "neutron_quota_403_policy": (Denied, "rule:update_quota is disallowed by policy (403)"),
    "glance_404": (Missing, "404 Not Found 404 Not Found No image found with ID 00000000-0000-0000-0000-000000000000 (404)"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_recorded_refusals(name: str) -> None:
    said = record("errors")[name]
    kind, words = REFUSALS[name]
    with pytest.raises(CloudError) as raised:
        check(Said(said["status"], said["text"], said["headers"]), said["call"])
    assert raised.type is kind
    assert str(raised.value).startswith(f"{said['call']}: ")
    assert words in str(raised.value)
    event = Event.failure("demo-p-0", raised.value)
    assert (event.stage, event.detail, event.error, event.final) == (Stage.FAILED, str(raised.value), kind, kind in (Shortage, Denied, Invalid))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 300])
def test_a_success_is_none(status: int) -> None:
    check(Said(status, "quota"), "compute GET /")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "HTTP status 418"),
        ("   ", "HTTP status 418"),
        ("short and stout", "short and stout (418)"),
        ('"a text"', "a text (418)"),
        ("[]", "HTTP status 418"),
        ("{}", "HTTP status 418"),
        ('{"code": 418}', "418 (418)"),
        ('{"error": {"code": 418, "title": "T", "message": "told\\nin lines"}}', "told in lines (418)"),
        ('{"faultstring": "a fault"}', "a fault (418)"),
        ('{"NeutronError": "just text"}', "just text (418)"),
        ('{"errors": [{"detail": "the first"}, {"detail": "the second"}]}', "the first (418)"),
        ('{"error": {"message": ""}}', "HTTP status 418"),
        ("<p>" + "x" * 1000 + "</p>", "x" * 200 + " (418)"),
        ('{"message": "' + "y" * 1000 + '"}', "y" * 400 + " (418)"),
    ],
)
def test_words_are_found_however_they_are_wrapped(text: str, words: str) -> None:
    with pytest.raises(CloudError) as raised:
        check(Said(418, text), "tea GET /pot")
    assert str(raised.value) == f"tea GET /pot: {words}"
    assert raised.type is CloudError


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0.0), ("17", 17.0), ("", None), ("-1", None), ("1e9", None), ("soon", None), ("9999999999", None), ("1.5", None)]
)
def test_a_pause_that_makes_no_sense_is_none(value: str, seconds: float | None) -> None:
    with pytest.raises(Unavailable) as raised:
        check(Said(429, "", {"Retry-After": value}), "compute GET /")
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, Unavailable), (502, Unavailable), (503, Unavailable), (504, Unavailable), (501, CloudError), (402, CloudError), (405, CloudError)],
)
def test_who_may_come_back_and_who_never_will(status: int, kind: type[CloudError]) -> None:
    with pytest.raises(CloudError) as raised:
        check(Said(status, "not implemented"), "compute POST /servers/1/action")
    assert raised.type is kind


@pytest.mark.parametrize(
    "words",
    [
        "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed.",
        "rule:update_quota is disallowed by policy",
        "(rule:get_quota) is disallowed by policy",
    ],
)
def test_who_may_not_look_at_quotas_is_not_short_of_any(words: str) -> None:
    with pytest.raises(Denied):
        check(Said(403, words), "network GET /quotas")


def test_too_large_is_no_shortage_unless_it_is_one() -> None:
    with pytest.raises(Unavailable):
        check(Said(413, '{"overLimit": {"message": "This request was rate-limited."}}', {"Retry-After": "3"}), "block-storage POST /volumes")
