# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a cluster file from an offer and the answers to a form."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, ClassVar

import yaml
from ansible import context
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import State
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import ring, with_agent, with_keys
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ControllerAction
from ansible_collections.sky.clusters.plugins.plugin_utils._answers import (
    KEYS,
    Offer,
    authorised,
    given_answers,
    keep,
    keeps_keys,
    offer_of,
    unanswered,
)
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import in_awx, user
from ansible_collections.sky.clusters.plugins.plugin_utils._core import unfit
from ansible_collections.sky.clusters.plugins.plugin_utils._offers import Nodes, Offers, accepted
from ansible_collections.sky.clusters.plugins.plugin_utils._output_file import write
from ansible_collections.sky.clusters.plugins.plugin_utils._project_variables import group_variables
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import plain, untemplated

FILE = "answers.sky.yml"
VARIABLES = "project_group_vars.yml"  # after `hosts`, the inventory of AWX, whose variables it overrides: what is beside a playbook does
NO_FOLDER = (
    "the inventory must be a folder, which the cluster file is written to (in AWX it is one; at a command line: -i FOLDER), and it is {sources}"
)
ASKED = 3  # nodes that are asked for the keys that they authorise: the first one may be down
UNKNOWN = "{nodes}: no answer, so the keys that users log in with are not known; a node that this run configures forgets those that it is not given"


class ActionModule(ControllerAction):
    """See the documentation of the module of this name."""

    errors = (ClusterFileError, FleetError)
    spec: ClassVar[dict[str, Any]] = {"offers": {"type": "path"}, "asked": {"type": "list", "elements": "str", "default": []}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        if why := unfit():
            raise AnsibleActionFail(why)
        folder = _folder(self.variables.get("ansible_inventory_sources") or [])
        extra: dict[str, Any] = plain(load_extra_vars(self._loader))
        if args["asked"]:
            return self._with_keys(folder / FILE, args["asked"], extra)
        files = _files(Path(args["offers"]) if args["offers"] else _project() / "offers")
        offers = Offers(files, self._offer, given_answers(extra), user(extra))
        request = offers.request()
        data, keys = request.data, keeps_keys(request.offer, request.answers)
        if in_awx(extra) and request.cluster.settings.ssh_keys:
            # nobody there knows the key of the jobs, which log in with it and no other
            data[KEYS] = with_agent(request.cluster.settings.ssh_keys, ring(Path("~").expanduser()))
        nodes = offers.nodes(request.cluster) if keys or unanswered(request.offer, request.answers) else {}
        keep(data, request.offer, request.answers, nodes)
        accepted(data, request.offer, request.answers)
        # Also in check mode: it is the inventory of the plays that follow, which change nothing
        _write(folder / VARIABLES, group_variables(_project(), self._loader))
        _write(folder / FILE, _as_yaml(data))
        result = {"path": str(folder / FILE), "cluster": request.cluster.name, "offer": request.name, "asked": _configured(nodes) if keys else []}
        return dict(untemplated({"changed": False, **result}))

    def _offer(self, path: Path) -> Offer:
        try:
            return offer_of(str(path), plain(self._loader.load_from_file(str(path))))
        except AnsibleError as error:
            raise AnsibleActionFail(f"{path}: {error}") from None

    def _with_keys(self, path: Path, asked: list[str], extra: dict[str, Any]) -> dict[str, Any]:
        """Add the keys that a node authorises to the cluster file that was written before: first, in their order, so that nodes have nothing new."""
        found = next(filter(None, map(self._keys, asked)), [])
        if not found:
            Display().warning(UNKNOWN.format(nodes=", ".join(asked)))
            return {"changed": False, "path": str(path)}
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        keys = with_keys(found, data.get(KEYS) or [])
        data[KEYS] = with_agent(keys, ring(Path("~").expanduser())) if in_awx(extra) else keys
        _write(path, _as_yaml(data))
        return {"changed": False, "path": str(path)}

    def _keys(self, node: str) -> list[str]:
        """The keys that a node authorises, as a task before this one has read them; none if it could not."""
        hostvars = self.variables["hostvars"]
        answer = plain(hostvars.raw_get(node).get("sky_authorised", {})) if node in hostvars else {}
        return authorised(base64.b64decode(answer["content"]).decode(errors="replace")) if "content" in answer else []


def _files(folder: Path) -> dict[str, Path]:
    """The offers of a folder, by their names.

    Raises:
        ClusterFileError: there is none.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.yml"))}
    if not files:
        raise ClusterFileError([f"{folder}: no file of an offer (*.yml)"])
    return files


def _configured(nodes: Nodes) -> list[str]:
    """Some nodes that know the keys of the cluster."""
    return [node.name for listed in nodes.values() for node in listed if node.ready and node.state is State.RUNNING][:ASKED]


def _as_yaml(data: dict[str, Any]) -> str:
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _project() -> Path:
    """The folder of the playbook that was called. C(playbook_dir) is that of the imported one."""
    called = next((str(each) for each in context.CLIARGS.get("args") or ()), "")
    return Path(called).resolve().parent


def _write(path: Path, text: str) -> None:
    """Write a file of the inventory, or remove one of an earlier run.

    Raises:
        AnsibleActionFail: that is not possible.
    """
    try:
        if text:
            write(str(path), text)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise AnsibleActionFail(f"{path}: cannot be written: {error.strerror or error}") from None


def _folder(sources: list[str]) -> Path:
    """The folder among the sources of the inventory.

    Raises:
        AnsibleActionFail: there is none.
    """
    folder = next((Path(source) for source in sources if "," not in source and Path(source).is_dir()), None)
    if folder is None:
        raise AnsibleActionFail(NO_FOLDER.format(sources=", ".join(sources) or "empty"))
    return folder
