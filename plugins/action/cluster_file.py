# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a cluster file from an offer and the answers to a form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.vars import load_extra_vars

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import hint
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, list_all, open_clouds, option_classes, owners
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._answers import (
    OFFER,
    PREFIX,
    Offer,
    filled,
    given_answers,
    keep,
    named,
    offer_of,
    unanswered,
)
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import write
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain

FILE = "answers.sky.yml"
NO_FOLDER = (
    "the inventory must be a folder, which the cluster file is written to (in AWX it is one; at a command line: -i FOLDER), and it is {sources}"
)


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    errors = (ClusterFileError, FleetError)
    spec: ClassVar[dict[str, Any]] = {"offers": {"type": "path"}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        folder = _folder(self.variables.get("ansible_inventory_sources") or [])
        answers: dict[str, Any] = plain(given_answers(load_extra_vars(self._loader)))
        offer = self._offer(Path(args["offers"]) if args["offers"] else _beside(), answers.get(OFFER))
        data = filled(offer, answers)
        cluster = _accepted(data, offer, answers)
        if unanswered(offer, answers):
            self._keep(cluster, data, offer, answers)
            _accepted(data, offer, answers)
        # Also in check mode: it is the inventory of the plays that follow, which change nothing
        path = folder / FILE
        try:
            write(str(path), yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
        except OSError as error:
            raise AnsibleActionFail(f"{path}: cannot be written: {error.strerror or error}") from None
        return {"changed": False, "path": str(path), "cluster": cluster.name}

    def _offer(self, folder: Path, answer: Any) -> Offer:
        """The offer that was chosen, or the only one.

        Raises:
            ClusterFileError: there is no such offer.
        """
        files = {path.stem: path for path in sorted(folder.glob("*.yml"))}
        if not files:
            raise ClusterFileError([f"{folder}: no file of an offer (*.yml)"])
        name = answer or (next(iter(files)) if len(files) == 1 else None)
        if not isinstance(name, str) or name not in files:
            why = f"unknown offer {name!r}" if answer else "is required"
            raise ClusterFileError([f"{PREFIX}{OFFER}: {why}{hint(name, list(files))}"])
        try:
            return offer_of(str(files[name]), plain(self._loader.load_from_file(str(files[name]))))
        except AnsibleError as error:
            raise AnsibleActionFail(f"{files[name]}: {error}") from None

    def _keep(self, cluster: Cluster, data: dict[str, Any], offer: Offer, answers: Mapping[str, Any]) -> None:
        clouds = open_clouds(cluster)
        own = owners(clouds)
        listed = {name: [node for node in listing.nodes if node.mark.owner == own[name]] for name, listing in list_all(clouds).items()}
        keep(data, offer, answers, listed)


def _beside() -> Path:
    """The folder of offers beside the playbook that was called. C(playbook_dir) is that of the imported one."""
    called = next((str(each) for each in context.CLIARGS.get("args") or ()), "")
    return Path(called).resolve().parent / "offers"


def _folder(sources: list[str]) -> Path:
    """The folder among the sources of the inventory.

    Raises:
        AnsibleActionFail: there is none.
    """
    folder = next((Path(source) for source in sources if "," not in source and Path(source).is_dir()), None)
    if folder is None:
        raise AnsibleActionFail(NO_FOLDER.format(sources=", ".join(sources) or "empty"))
    return folder


def _accepted(data: Mapping[str, Any], offer: Offer, answers: Mapping[str, Any]) -> Cluster:
    try:
        return parse(data, option_classes())
    except ClusterFileError as error:
        raise ClusterFileError(named(error.faults, offer, answers)) from None
