# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base classes of the action plugins: what every one of them does around its own work."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, ParamSpec

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, MarkError
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import Cluster, ClusterFileError, parse_parts
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import Ring, ring, with_login
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import FleetError, option_classes
from ansible_collections.sky.clusters.plugins.module_utils._engine._retry import Stopped
from ansible_collections.sky.clusters.plugins.module_utils._engine._run import Refused
from ansible_collections.sky.clusters.plugins.plugin_utils._awx import worded
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

P = ParamSpec("P")


def in_one_sentence(run: Callable[P, dict[str, Any]]) -> Callable[P, dict[str, Any]]:
    """A method whose failures are their own sentence: core 2.18 adds a traceback, and shows "An exception occurred" before the sentence."""

    @functools.wraps(run)
    def plain(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        try:
            return run(*args, **kwargs)
        except AnsibleActionFail as failure:
            failure.result.pop("exception", None)
            raise

    return plain


def listed(value: Any) -> Any:
    """A list that is given as JSON text, as forms and surveys send it; Ansible would split it at its commas."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


class ValidatedAction(ActionBase):
    """An action that validates its arguments. An error of a class in `errors` fails the task with that error's own sentence."""

    spec: ClassVar[dict[str, Any]] = {}
    errors: ClassVar[tuple[type[Exception], ...]] = ()
    _supports_check_mode = True

    @in_one_sentence
    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self.variables = task_vars or {}
        try:
            result = self._validated()
        except AnsibleActionFail as failure:
            failure.message = self.worded(str(failure.args[0]))
            # core 2.18 has the sentence here, too, with a traceback, and would show "An exception occurred" before it
            failure.result.update(msg=failure.message)
            failure.result.pop("exception", None)
            raise
        return result | untemplated({"msg": self.worded(result["msg"])}) if result.get("failed") and "msg" in result else result

    def worded(self, text: str) -> str:
        """A sentence for the reader of this run."""
        return worded(text, self.variables)

    def _validated(self) -> dict[str, Any]:
        lists = {name for name, option in self.spec.items() if option["type"] == "list"}
        self._task.args = {name: listed(value) if name in lists else value for name, value in self._task.args.items()}
        _unused, args = self.validate_argument_spec(argument_spec=self.spec)
        try:
            return self.perform(args)
        except self.errors as error:
            # without its cause: Ansible would print the reason twice
            raise AnsibleActionFail(str(error)) from None

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        """The action's own work, with the validated arguments; the result of the task."""
        raise NotImplementedError


class ControllerAction(ValidatedAction):
    """An action that runs on the controller alone."""

    _requires_connection = False


class ClusterAction(ControllerAction):
    """An action about the cluster that its arguments describe."""

    errors = (ClusterFileError, FleetError, CloudError, MarkError, Refused, Stopped)

    def cluster(self, args: dict[str, Any]) -> tuple[Cluster, Ring]:
        """The cluster, with the counts of this run and the login of this controller, and the controller's keys.

        Raises:
            ClusterFileError: the arguments do not describe a cluster.
        """
        own = ring(Path("~").expanduser(), args.get("identity_file", ""))
        return with_login(parse_parts(args, option_classes()).with_counts(args.get("counts", {})), own), own
