# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A submission as its user sees it: the script brought to the server, its output as it comes, its exit status."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.modules.torque_submit import SPEC
from ansible_collections.sky.clusters.plugins.plugin_utils._actions import ValidatedAction
from ansible_collections.sky.clusters.plugins.plugin_utils._signals import blocked_signals
from ansible_collections.sky.clusters.plugins.plugin_utils._ssh import ssh_message
from ansible_collections.sky.clusters.plugins.plugin_utils._untemplated import untemplated

MODULE = "sky.clusters.torque_submit"
WAIT = 10  # seconds that the server waits for news before it answers
MISSES = 6  # answers in a row that may be lost, and the seconds between two
PAUSE = 10
KEPT = 65536  # characters of each stream in the result
REQUEST = ".request"  # no file of a user's can have this name
FILE_NAME = re.compile(r"[^./][^/]*")
STATUSES = {-11: "exceeded its walltime", 265: "was killed, as jobs are that use more memory than they have (-l mem)", 271: "was deleted"}


def faults(args: Mapping[str, Any]) -> Iterator[str]:
    """What cannot be submitted, one sentence each."""
    script = Path(args["script"]).expanduser()
    if not args["script"]:
        yield "sky_script: say which script to submit: -e sky_script=job.pbs"
    elif not script.is_file():
        yield f"sky_script: no such file {script}"
    yield from _faults_of_files(script.name, args["files"])
    for option in ("-I", "-t", "-z"):  # qsub finds the others, such as those of the script; these are refused in check mode, too
        if option in args["options"]:
            yield f"sky_qsub: {option} is for jobs that are submitted by hand: log in and use qsub"
    for argument in args["arguments"]:
        if argument.split() != [argument]:
            yield f"sky_arguments: '{argument}' must be one word: qsub separates the arguments of a script at blanks (-F)"
    if args["timeout"] < 0:
        yield f"sky_timeout: must be 0 or more seconds, got {args['timeout']}"


def _faults_of_files(script: str, files: Iterable[str]) -> Iterator[str]:
    seen = {script}
    for path in (Path(name).expanduser() for name in files):
        if not path.is_file():
            yield f"sky_files: no such file {path}"
        elif path.name in seen:
            yield f"sky_files: two files are called {path.name}"
        elif not FILE_NAME.fullmatch(path.name):
            yield f"sky_files: {path.name} must not begin with a dot"
        seen.add(path.name)


def why(status: int | None) -> str:
    """How a job ended, in words."""
    if status is None:
        return "ended, and the server does not know how"
    if status in STATUSES:
        return STATUSES[status]
    return f"was killed by signal {status - 256}" if status > 256 else f"ended with exit status {status}"


class ActionModule(ValidatedAction):
    """See the documentation of the module of this name."""

    spec: ClassVar[dict[str, Any]] = SPEC

    def perform(self, args: dict[str, Any]) -> dict[str, Any]:
        self._node = str(self.variables["inventory_hostname"])
        if args["submission"]:
            number = re.match(r"\d+", args["submission"])
            if not number:
                raise AnsibleActionFail(f"sky_submission: '{args['submission']}' is no job: a job is called by its number, such as 12")
            return self._followed(f"job {number[0]}", number[0], args["timeout"])
        found = list(faults(args))
        if found:
            raise AnsibleActionFail("\n".join(found))
        return self._anew(args)

    def _anew(self, args: Mapping[str, Any]) -> dict[str, Any]:
        script = Path(args["script"]).expanduser()
        if self._task.check_mode:
            self._say(f"would submit {script.name} to {self._node}, as its user {args['user']}")
            return {"changed": True}
        number = self._submit(script, args)
        self._say(self.worded(f"job {number} is queued on {self._node} and keeps running if you stop this command"))
        self._say(self.worded(f"to follow it again: sky.clusters.torque_submit with -e sky_submission={number}"))
        return self._followed(script.name, number, args["timeout"])

    def _submit(self, script: Path, args: Mapping[str, Any]) -> str:
        """Bring the files to the server and have it begin."""
        try:
            self._check_machine()
            folder = self._make_tmp_path()
            uploads = {path.name: f"{folder}/{path.name}" for path in (script, *(Path(name).expanduser() for name in args["files"]))}
            for path in (script, *(Path(name).expanduser() for name in args["files"])):
                self._transfer_file(str(path), uploads[path.name])
            # not as arguments of a module, which end up in the node's journal
            asked = {"script": script.name, "options": args["options"], "arguments": args["arguments"]}
            self._transfer_data(f"{folder}/{REQUEST}", json.dumps(asked))
            answer = self._step("start", "", request=f"{folder}/{REQUEST}", user=args["user"], uploads=uploads)
            self._remove_tmp_path(folder)
        except AnsibleConnectionFailure as error:
            raise AnsibleActionFail(f"{self._node} does not answer by ssh ({ssh_message(str(error))})") from None
        return str(answer["submission"])

    def _check_machine(self) -> None:
        """A variable of the run may lead elsewhere, to this machine above all."""
        address = self.variables.get("sky_address")
        found = self._execute_module(module_name="sky.clusters.node_check", module_args={"address": address}, task_vars=self.variables)
        if found.get("failed"):
            raise AnsibleActionFail(f"{self._node}: {found.get('msg')}")

    def _followed(self, what: str, number: str, timeout: int) -> dict[str, Any]:
        heard = {"stdout": "", "stderr": ""}
        end, stopped = self._follow(number, heard, timeout)
        folder = ""
        with contextlib.suppress(AnsibleConnectionFailure):
            folder = str(self._step("remove", number).get("folder", ""))
        if folder:
            self._say(f"the job has left files in {folder} of {self._node}")
        result = {"changed": True, "submission": number, "rc": end["status"], "seconds": end["seconds"], **({"folder": folder} if folder else {})}
        if end["status"] == 0:
            self._say(f"{what} ended well after {end['seconds']:.0f} s")
            return dict(untemplated(result | heard))
        reason = f"was deleted since it had not ended after {timeout} seconds (sky_timeout)" if stopped else why(end["status"])
        words = (heard["stderr"] or heard["stdout"]).strip().splitlines()[-1:]
        return dict(untemplated(result | {"failed": True, "msg": f"{what} {reason}" + (f": {words[0]}" if words else "")}))

    def _follow(self, number: str, heard: dict[str, str], timeout: int) -> tuple[dict[str, Any], bool]:
        """Show what the job says until it has ended; how, and whether the time was over."""
        parent, begun, misses, stopped, waits = os.getppid(), time.monotonic(), 0, False, False
        offsets = dict.fromkeys(heard, 0)
        while os.getppid() == parent:  # a worker of Ansible outlives its killed parent
            try:
                if timeout and not stopped and time.monotonic() - begun > timeout:
                    self._step("stop", number)
                    stopped = True
                answer = self._step("follow", number, offsets=offsets, wait=WAIT)
            except AnsibleConnectionFailure as error:
                misses += 1
                if misses == MISSES:
                    raise AnsibleActionFail(
                        f"{self._node} does not answer ({ssh_message(str(error))}); -e sky_submission={number} follows the job"
                    ) from None
                time.sleep(PAUSE)
                continue
            misses, offsets = 0, answer["offsets"]
            for stream in ("stderr", "stdout"):
                heard[stream] = (heard[stream] + answer[stream])[-KEPT:]
                self._say(*answer[stream].splitlines(), stderr=stream == "stderr")
            if "status" in answer:
                return answer, stopped
            if answer["state"] in "QHW" and not waits:
                waits = True
                self._say(f"job {number} waits in the queue")
        raise AnsibleActionFail(f"the run was interrupted; the job keeps running: follow it with -e sky_submission={number}")

    def _step(self, step: str, number: str, **more: Any) -> dict[str, Any]:
        """One call of the module, on the server."""
        result = self._execute_module(module_name=MODULE, module_args={"step": step, "submission": number, **more}, task_vars=self.variables)
        if result.get("failed"):
            raise AnsibleActionFail(f"{self._node}: {result.get('msg')}")
        return dict(result)

    def _say(self, *lines: str, stderr: bool = False) -> None:
        if lines and not self._task.no_log:
            with blocked_signals():
                Display().display("\n".join(f"  {line}" for line in lines), stderr=stderr)
