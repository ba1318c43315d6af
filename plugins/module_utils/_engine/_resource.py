# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules for one thing in a cloud (a volume, an image) share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible.module_utils.basic import AnsibleModule

from .._base._schema import hint
from .._clouds._contract import Cloud, CloudError
from .._cluster_file._cluster import Cluster, ClusterFileError, parse_parts
from .._cluster_file._spec import CLUSTER_SPEC
from ._fleet import FleetError, open_clouds, option_classes
from ._retry import Backoff, Clock, asked_again

T = TypeVar("T")

FAULTS = (ClusterFileError, FleetError, CloudError)  # reported to the user as one sentence
CLOUD_SPEC: dict[str, Any] = CLUSTER_SPEC | {"cloud": {"type": "str", "default": ""}}  # of every module for one thing


@dataclass(frozen=True)
class Change:
    """What was, or would be, done to one thing; nothing where it is not there."""

    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = False

    def result(self, kind: str) -> dict[str, Any]:
        """As a module returns it."""
        diff = {"before": dict(self.before), "after": dict(self.after)}
        return {"changed": self.changed, kind: dict(self.after)} | ({"diff": diff} if self.changed else {})


def run_module(spec: Mapping[str, Any], act: Callable[[AnsibleModule], Mapping[str, Any]], **more: Any) -> None:
    """A module from its call to its answer.

    Args:
        spec: of its options.
        act: carries out what was asked for, and gives the result.
        more: what else the module's definition says.
    """
    module = AnsibleModule(argument_spec=dict(spec), supports_check_mode=True, **more)
    try:
        result = act(module)
    except FAULTS as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def fleet(given: Mapping[str, Any]) -> tuple[Cluster, dict[str, Cloud]]:
    """The cluster that a module was given, and its clouds; those of the option ``cloud``, if it is set.

    Raises:
        ClusterFileError: it cannot be understood, or has no such cloud.
    """
    cluster = parse_parts(given, option_classes())
    clouds = open_clouds(cluster)
    wanted = given["cloud"]
    if wanted and wanted not in clouds:
        raise ClusterFileError([f"cloud: no cloud '{wanted}' under clouds{hint(wanted, list(clouds))}"])
    return cluster, {name: cloud for name, cloud in clouds.items() if wanted in ("", name)}


def only(clouds: Mapping[str, Cloud]) -> Cloud:
    """The one cloud.

    Raises:
        ClusterFileError: there are several.
    """
    if len(clouds) > 1:
        raise ClusterFileError([f"cloud: is required because the cluster has several: {', '.join(clouds)}"])
    return next(iter(clouds.values()))


def asked(call: Callable[[], T], what: str) -> T:
    """Make a call that may be made twice, until the cloud answers it."""
    return asked_again(call, Clock(), Backoff(), what)
