# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Submit an application: transfer it to the master, show its output while it runs, and return its exit code.

The job runs under systemd on the master and does not depend on this process, which polls its output.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import LINE, last_faults, last_words, lost_executor
from ansible_collections.sky.clusters.plugins.modules.spark_submission import OUT_OF_MEMORY, STOPPED
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import show
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import blocked_signals
from ansible_collections.sky.clusters.plugins.plugin_utils._spark_submission import Request, RequestError, job_of, request
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import ssh_message
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

MODULE = "sky.clusters.spark_submission"
WAIT = 10  # seconds that the master waits for new output before it answers
MISSES = 6  # failed polls in a row after which it gives up
PAUSE = 10  # seconds between failed polls
KEPT = 65536  # characters of each stream in the result
HIDDEN = ("TRACE", "DEBUG", "INFO")  # levels of Spark's log that are only shown on request
REQUEST = ".request"  # a file of a user cannot have this name
OF_SPARK = "org.apache.spark.examples."
NO_CLASS = re.compile(r"Failed to load class ([\w.$]*[\w$])")
APPLICATION = re.compile(r"\bapp-\d{14}-\d{4,}\b")


class Output:
    """The end of the output of a job, and its identifier in Spark."""

    def __init__(self) -> None:
        self.text = {"stdout": "", "stderr": ""}
        self.application = ""

    def add(self, answer: Mapping[str, Any]) -> None:
        for stream in self.text:
            new = answer[stream]
            self.text[stream] = (self.text[stream] + new)[-KEPT:]
            if not self.application and (found := APPLICATION.search(new)):
                self.application = found.group()


def why_failed(output: Mapping[str, str], names: Mapping[str, str] | None = None) -> str:
    """Why a job failed, from its output. Its own messages are more informative than the warnings of Spark.

    Args:
        names: of the workers, by their addresses.
    """
    if match := NO_CLASS.search(output["stderr"]):
        return no_class(match.group(1))
    if lost := lost_executor(output["stderr"], names or {}):
        return lost
    return (last_faults(output["stderr"], 2) or last_words(output["stdout"], 2) or last_words(output["stderr"], 2))[-600:]


def no_class(name: str) -> str:
    """What to do if Spark does not find a class."""
    if name.startswith(OF_SPARK):
        return (
            f"{name} is not installed, since the archive of PySpark contains only the examples in Python: "
            "run -e sky_application=local:/opt/spark/examples/src/main/python/pi.py instead"
        )
    return f"{name} is not on the class path of Spark: submit the .jar file that contains it, with -e sky_class={name}"


def shown(text: str, stream: str, info: bool) -> list[str]:
    """The lines of a stream to show: of the log of Spark only warnings and errors, unless all lines are requested."""
    lines = text.splitlines()
    if info or stream == "stdout":
        return lines
    return [line for line in lines if (found := LINE.match(line)) is None or found["level"] not in HIDDEN]


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    errors = (RequestError,)
    spec: ClassVar[dict[str, Any]] = {
        "application": {"type": "str", "default": ""},
        "arguments": {"type": "list", "elements": "str", "default": []},
        "main_class": {"type": "str", "default": ""},
        "files": {"type": "list", "elements": "str", "default": []},
        "settings": {"type": "dict", "default": {}},
        "timeout": {"type": "int", "default": 0},
        "user": {"type": "str", "default": "sky"},
        "show_info": {"type": "bool", "default": False},
        "submission": {"type": "str", "default": ""},
    }

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        self._node = str(self.variables["inventory_hostname"])
        self._info = args["show_info"] or Display().verbosity > 0
        if args["submission"]:
            return self._resume(job_of(args["submission"]))
        return self._start(request(args), args)

    def _resume(self, job: str) -> dict[str, Any]:
        if self._task.check_mode:
            return {"changed": False, "submission": job}
        return self._followed(f"sky-submit-{job}", job, 0)

    def _start(self, wanted: Request, args: Mapping[str, Any]) -> dict[str, Any]:
        if self._task.check_mode:
            words = shlex.join([wanted.what(), *wanted.arguments])
            self._say(f"would submit to {self._node}, as its user {args['user']}: {words}")
            return {"changed": True}
        job = secrets.token_hex(4)
        self._submit(job, wanted, args)
        self._say(self.worded(f"job sky-submit-{job} runs on {self._node} and keeps running if you stop this command"))
        self._say(self.worded(f"to follow it again: sky.clusters.spark_submit with -e sky_submission={job}"))
        self._say(self.worded(f"to stop it: sky.clusters.spark_jobs with -e sky_stop={job}"))
        return self._followed(wanted.what(), job, args["timeout"])

    def _submit(self, job: str, wanted: Request, args: Mapping[str, Any]) -> None:
        """Transfer the files to the master and start the job."""
        started = False
        try:
            self._check_machine()
            self._step("prepare", job, user=args["user"])
            folder = self._make_tmp_path()
            uploads = {name: f"{folder}/{name}" for name in wanted.uploads}
            for name, path in wanted.uploads.items():
                self._transfer_file(str(path), uploads[name])
            # not as arguments of a module, which are logged in the journal of the node
            self._transfer_data(f"{folder}/{REQUEST}", json.dumps(wanted.plain()))
            started = True
            self._step("start", job, request=f"{folder}/{REQUEST}", timeout=args["timeout"], user=args["user"], uploads=uploads)
            self._remove_tmp_path(folder)
        except AnsibleConnectionFailure as error:
            after = f"; -e sky_submission={job} shows whether the job has started" if started else ", and nothing was submitted"
            raise AnsibleActionFail(f"{self._node} does not answer by ssh ({ssh_message(str(error))}){after}") from None

    def _check_machine(self) -> None:
        """Check that tasks run on the node: a variable of the run may redirect them, for example to the controller."""
        address = self.variables.get("sky_cloud_address")
        args = {"address": address}
        found = self._execute_module(module_name="sky.clusters.node_check", module_args=args, task_vars=self.variables) if address else {}
        if found.get("failed"):
            raise AnsibleActionFail(f"{self._node}: {found.get('msg')}")

    def _followed(self, what: str, job: str, timeout: int) -> dict[str, Any]:
        output = Output()
        end = self._follow(job, output)
        rc, reason, seconds = end["outcome"]["rc"], end["outcome"]["reason"], end["seconds"]
        result = {"changed": True, "submission": job, "rc": rc, "seconds": seconds, "application_id": output.application}
        if rc == 0:
            self._say(f"{what} succeeded after {seconds} s" + (f" ({output.application})" if output.application else ""))
            return dict(untemplated(result | output.text))
        why = _why(rc, reason, timeout, end["outcome"].get("memory", 0))
        words = "" if reason in (OUT_OF_MEMORY, STOPPED) else why_failed(output.text, self._names())
        # without the output, which was shown already: Ansible prints the result of a failed task
        return dict(untemplated(result | {"failed": True, "msg": f"{what} {why}" + (f": {words}" if words else "")}))

    def _follow(self, job: str, output: Output) -> dict[str, Any]:
        """Show the output of the job until it has ended."""
        parent = os.getppid()
        offsets = {"stdout": 0, "stderr": 0}
        misses = 0
        while os.getppid() == parent:  # a worker of Ansible survives its killed parent
            try:
                answer = self._step("follow", job, offsets=offsets, wait=WAIT)
            except AnsibleConnectionFailure as error:
                misses += 1
                if misses == MISSES:
                    raise AnsibleActionFail(
                        f"{self._node} has stopped answering ({ssh_message(str(error))}); "
                        f"if the node still runs, so does the job: follow it with -e sky_submission={job}"
                    ) from None
                time.sleep(PAUSE)
                continue
            misses, offsets = 0, answer["offsets"]
            output.add(answer)
            self._show(answer)
            if "outcome" in answer:
                return answer
        raise AnsibleActionFail(f"the run was interrupted; the job keeps running: follow it with -e sky_submission={job}")

    def _names(self) -> dict[str, str]:
        """The names of the workers, by their addresses."""
        workers = self.variables["groups"].get("spark_worker", [])
        # unrendered: rendering the variables of a thousand nodes would take seconds
        return {str(self.variables["hostvars"].raw_get(name).get("sky_address")): name for name in workers}

    def _step(self, step: str, job: str, **more: Any) -> dict[str, Any]:
        """Call the module on the master for one step."""
        result = self._execute_module(module_name=MODULE, module_args={"step": step, "submission": job, **more}, task_vars=self.variables)
        if result.get("failed"):
            raise AnsibleActionFail(f"{self._node}: {result.get('msg')}")
        return dict(result)

    def _show(self, answer: Mapping[str, Any]) -> None:
        for stream in ("stderr", "stdout"):
            lines = shown(answer[stream], stream, self._info)
            if lines and not self._task.no_log:
                with blocked_signals():
                    Display().display("\n".join(f"  {line}" for line in lines), stderr=stream == "stderr")

    def _say(self, line: str) -> None:
        if not self._task.no_log:
            with blocked_signals():
                show([line])


def _why(rc: int, reason: str, timeout: int, memory: int) -> str:
    if reason == OUT_OF_MEMORY:
        return f"was killed: out of memory (limit {memory} MiB, the memory of the master, where the driver runs)"
    if reason == STOPPED:
        return "was stopped by sky.clusters.spark_jobs"
    if reason == "timeout":
        return f"was stopped after {timeout} seconds (sky_timeout)" if timeout else "was stopped by its sky_timeout"
    return f"ended with exit code {rc}" + (f" ({reason})" if reason else "")
