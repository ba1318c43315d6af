# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the jobs of a Spark cluster, and stop one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from ansible_collections.sky.clusters.plugins.module_utils._views._summary import table
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction
from ansible_collections.sky.clusters.plugins.plugin_utils._spark_submission import JOB
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

MODULE = "sky.clusters.spark_submission"
SHOWN = 20
GOING = ("running", "waiting")
MINUTE, HOUR = 60, 3600


class JobError(Exception):
    """The job cannot be stopped; the message is one sentence."""


def chosen(asked: str, jobs: Iterable[Mapping[str, Any]]) -> str:
    """The identifier of the job to stop, which may be named by its application.

    Raises:
        JobError: there is no such job, or it was not submitted by this collection.
    """
    match = JOB.fullmatch(asked)
    if match:
        return match.group(1)
    found = next((job for job in jobs if job["application"] == asked), None)
    if found is None:
        raise JobError(f"sky_stop: the master knows no job '{asked}'; sky.clusters.spark_jobs lists all of them")
    if not found["job"]:
        raise JobError(
            f"sky_stop: {asked} was not submitted with sky.clusters.spark_submit: end the process of user {found['user']} that has started it, "
            "such as a notebook or spark-submit"
        )
    return str(found["job"].removeprefix("sky-submit-"))


def lines(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The jobs as a table: all that run, and the last ones that have ended."""
    if not jobs:
        return ["no job has run here since the master was started"]
    ended = [job for job in jobs if job["state"] not in GOING]
    shown = [job for job in jobs if job["state"] in GOING] + ended[:SHOWN]
    headings = ("job", "name", "user", "state", "since (UTC)", "for")
    rows = [
        (job["job"] or job["application"], job["name"], job["user"], job["state"], f"{job['since'][:10]} {job['since'][11:16]}", span(job["seconds"]))
        for job in shown
    ]
    more = len(ended) - SHOWN
    return [*table(headings, rows), *([f"and {more} older"] if more > 0 else [])]


def span(seconds: float) -> str:
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    return f"{whole // MINUTE} min" if whole < HOUR else f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    errors = (JobError,)
    spec: ClassVar[dict[str, Any]] = {"page": {"type": "str", "required": True}, "stop": {"type": "str", "default": ""}}

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        jobs = self._step("list", page=args["page"])["jobs"]
        if not args["stop"]:
            return dict(untemplated({"changed": False, "jobs": jobs, "lines": lines(jobs)}))
        job = chosen(args["stop"], jobs)
        if self._task.check_mode:
            return {"changed": True, "jobs": jobs, "lines": [f"would stop sky-submit-{job}"]}
        stopped = bool(self._step("stop", submission=job)["stopped"])
        words = f"sky-submit-{job} was stopped" if stopped else f"sky-submit-{job} had ended already"
        return dict(untemplated({"changed": stopped, "jobs": self._step("list", page=args["page"])["jobs"], "lines": [words]}))

    def _step(self, step: str, **more: Any) -> dict[str, Any]:
        result = self._execute_module(module_name=MODULE, module_args={"step": step, **more}, task_vars=self.variables)
        if result.get("failed"):
            raise AnsibleActionFail(f"{self.variables['inventory_hostname']}: {result.get('msg')}")
        return dict(result)
