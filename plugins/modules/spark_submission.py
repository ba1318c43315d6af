#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a Spark submission that run on the master: prepare, start, follow, list, stop."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_submission
short_description: Carry out one step of a Spark submission on the master
version_added: 0.4.0
description:
  - Runs on the master of a Spark standalone cluster. M(sky.clusters.spark_submit) calls it for one step after another.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  step:
    description:
      - V(prepare) checks the master and creates the folder of the job.
      - V(start) starts the job that O(request) describes.
      - V(follow) returns the new output of the job, and how it ended.
      - V(list) returns the jobs whose output is kept, and the applications that the master knows. Outside of check mode it removes output that is
        too old, as V(prepare) does.
      - V(stop) stops the job.
    type: str
    choices: [prepare, start, follow, list, stop]
    required: true
  submission:
    description: Identifier of the job. Required unless O(step=list).
    type: str
    default: ""
  page:
    description: The page of the master, such as C(http://10.0.0.4:8080), with O(step=list).
    type: str
    default: ""
  user:
    description: User that runs the job, with O(step=prepare) and O(step=start).
    type: str
    default: sky
  timeout:
    description: Seconds after which the job is stopped, with O(step=start). V(0) is never.
    type: int
    default: 0
  request:
    description:
      - File on this node with the application, its arguments and its settings in JSON, with O(step=start). The file is removed when it is read.
      - They are not options of this module, since options are logged in the journal of the node.
    type: path
  uploads:
    description: Paths of the transferred files of the job on this node, by the names that they are to have, with O(step=start).
    type: dict
    default: {}
  offsets:
    description: How many bytes of C(stdout) and C(stderr) were already returned, with O(step=follow).
    type: dict
    default: {}
  wait:
    description: Seconds to wait for new output, with O(step=follow).
    type: float
    default: 10
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Prepare a submission
  sky.clusters.spark_submission:
    step: prepare
    submission: 3f9a01bc
"""

RETURN = r"""
stdout:
  description: The new output of the job, in whole lines.
  returned: with O(step=follow)
  type: str
  sample: "answer 42\n"
stderr:
  description: The new error output of the job, in whole lines.
  returned: with O(step=follow)
  type: str
  sample: ""
offsets:
  description: How many bytes of each stream have been returned by now.
  returned: with O(step=follow)
  type: dict
  sample: {stdout: 10, stderr: 0}
outcome:
  description: The exit code of the job (C(rc)), and the C(reason) if it is not the job's own.
  returned: with O(step=follow), when the job has ended and all output was returned
  type: dict
  sample: {rc: 0, reason: ""}
seconds:
  description: How long the job ran.
  returned: together with RV(outcome)
  type: float
  sample: 14.2
jobs:
  description: The jobs, the last one first.
  returned: with O(step=list)
  type: list
  elements: dict
  sample: [{job: sky-submit-3f9a01bc, application: app-20261121042104-0003, name: job.py, user: sky, state: running,
            since: "2026-11-21T04:21:00+00:00", seconds: 14.2}]
stopped:
  description: Whether the job ran until now.
  returned: with O(step=stop)
  type: bool
"""

import codecs
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._systemd import SystemdError, query, systemctl
from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page

PLACE = Path("/var/lib/sky-submit")
SUBMIT = Path("/usr/local/bin/spark-submit")
MASTER = "spark-master"
STREAMS = ("stdout", "stderr")
OUT_OF_MEMORY = "out of memory"
CHUNK = 64 * 1024  # bytes of each stream in one answer, to limit the memory that an answer needs
SETTLE = 1.0  # seconds to wait for more output once there is some: every answer starts a Python process
GRACE = 30  # seconds between asking a job to end and killing it
KEPT = 7 * 24 * 3600  # seconds to keep the output of a job that has ended
KEPT_JOBS = 100  # of the jobs that have ended, at most
KEPT_BYTES = 1 << 30  # of the output of the jobs, beside that of the last one
STOPPED = "stopped"
WAITING = "WAITING"  # state of an application in the master
APPLICATION = re.compile(rb"\bapp-\d{14}-\d{4,}\b")
FIRST = 1 << 20  # bytes at the beginning of the error output, where Spark logs the identifier of the application
TIMED_OUT = 124  # as timeout(1) returns

END = """\
# Run by systemd, as root, when the job has ended
cd {folder} || exit
# In a container, systemd may not notice that a process was killed because of too little memory; its control group counts them
old=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)/memory.oom_control
new=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.events
killed=$(sed -n 's/^oom_kill //p' "$old" "$new" 2>/dev/null | sort -n | tail -n 1)
printf '%s %s %s %s\\n' "$SERVICE_RESULT" "$EXIT_CODE" "$EXIT_STATUS" "${{killed:-0}}" > outcome.new
mv outcome.new outcome
rm -rf work settings begin
"""


class SubmitError(Exception):
    """The job cannot be started or followed; the message is one sentence."""


@dataclass(frozen=True)
class Job:
    """The unit and the folder of a job.

    The folder belongs to root, and the job can only write below `work`: it cannot replace a file that root opens.
    """

    id: str

    @property
    def unit(self) -> str:
        return f"sky-submit-{self.id}"

    @property
    def folder(self) -> Path:
        return PLACE / self.id

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def active(self) -> bool:
        """Whether systemd still runs it; after a restart of the node it does not."""
        state = query("show", "--property=ActiveState", "--value", f"{self.unit}.service").strip()
        return state not in ("", "inactive", "failed")

    def outcome(self) -> str:
        """What systemd reported at its end; empty before."""
        try:
            return (self.folder / "outcome").read_text()
        except FileNotFoundError:
            return ""

    def ended(self) -> dict[str, Any]:
        """How it ended; only after its end."""
        found = ended(self.outcome())
        return found | {"reason": STOPPED} if (self.folder / STOPPED).exists() and found["rc"] else found

    def application(self) -> str:
        """Its identifier in Spark; empty if it has none yet."""
        try:
            with (self.folder / "stderr").open("rb") as file:
                match = APPLICATION.search(file.read(FIRST))
        except FileNotFoundError:
            return ""
        return match.group().decode() if match else ""

    def seconds(self) -> float:
        """How long it ran; only after its end."""
        begun, ended = ((self.folder / name).stat().st_mtime for name in ("end", "outcome"))
        return round(ended - begun, 1)


def properties(settings: Mapping[str, str]) -> str:
    """Spark properties in the format of a Java properties file."""

    def escaped(text: str, special: str) -> str:
        text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
        return "".join(f"\\{letter}" if letter in special else letter for letter in text)

    return "".join(f"{escaped(name, ' =:#!')}={_leading(escaped(value, ''))}\n" for name, value in settings.items())


def _leading(value: str) -> str:
    """Escape leading blanks of a value, which Java would drop."""
    rest = value.lstrip(" ")
    return "\\ " * (len(value) - len(rest)) + rest


def command(folder: Path, given: Mapping[str, Any]) -> list[str]:
    """The command of a job, which runs in the folder with its files."""
    words = [str(SUBMIT)]
    if given["settings"]:
        # from a file, so that no list of processes shows them, and in addition to the defaults, which contain the cluster's secret
        words += ["--properties-file", str(folder / "settings"), "--load-spark-defaults"]
    if given["main_class"]:
        words += ["--class", given["main_class"]]
    for option, endings in (("--py-files", (".py", ".zip", ".egg")), ("--jars", (".jar",))):
        words += _listed(option, [name for name in given["files"] if name.endswith(endings)])
    words += _listed("--files", [name for name in given["files"] if not name.endswith((".py", ".zip", ".egg", ".jar"))])
    return [*words, given["application"], *given["arguments"]]


def _listed(option: str, names: Sequence[str]) -> list[str]:
    return [option, ",".join(names)] if names else []


def unit_command(job: Job, user: str, timeout: int) -> list[str]:
    """The command that starts the unit. The command of the job is in a file: systemd would expand a $ in it, and show it to everybody."""
    return [
        "systemd-run", "--quiet", "--collect", f"--unit={job.unit}", f"--description=Spark application {job.id}", "--service-type=exec",
        f"--uid={user}", f"--working-directory={job.work}", "--setenv=LANG=C.UTF-8",
        f"--property=StandardOutput=append:{job.folder}/stdout", f"--property=StandardError=append:{job.folder}/stderr",
        f"--property=ExecStopPost=+/bin/sh {job.folder}/end", f"--property=TimeoutStopSec={GRACE}",
        *([f"--property=RuntimeMaxSec={timeout}"] if timeout else []),
        "/bin/sh", f"{job.folder}/begin",
    ]  # fmt: skip


def check_master(user: str) -> None:
    """Check that jobs can be submitted on this node.

    Raises:
        SubmitError: they cannot.
    """
    if not SUBMIT.exists():
        raise SubmitError("spark-submit is not installed here: run sky.clusters.spark_cluster first")
    if (state := query("is-active", MASTER).strip()) != "active":
        raise SubmitError(f"the Spark master does not run ({MASTER} is {state or 'unknown'}): run sky.clusters.spark_cluster to start it")
    try:
        pwd.getpwnam(user)
    except KeyError:
        raise SubmitError(f"user '{user}' does not exist here: run sky.clusters.spark_cluster first") from None


def prepare(job: Job, user: str) -> None:
    """Create the folder of a job, and remove those of jobs that have ended long ago."""
    check_master(user)
    PLACE.mkdir(exist_ok=True)
    PLACE.chmod(0o711)
    remove_old()
    job.folder.mkdir()
    job.folder.chmod(0o711)
    job.work.mkdir(mode=0o700)


def remove_old() -> None:
    """Remove the folders of the oldest jobs that have ended: each job changes its folder last when it ends.

    Those that are too old are also removed by the unit `sky-forget-jobs` of the role spark_master, every hour.
    """
    ages = sorted((time.time() - folder.stat().st_mtime, folder) for folder in PLACE.iterdir()) if PLACE.is_dir() else []
    kept = 0
    for number, (age, folder) in enumerate(ages, 1):
        kept += sum(path.stat().st_size for stream in STREAMS if (path := folder / stream).exists())
        if (age > KEPT or number > KEPT_JOBS or (kept > KEPT_BYTES and number > 1)) and not Job(folder.name).active():
            shutil.rmtree(folder, ignore_errors=True)  # the unit may remove it, too


def start(job: Job, given: Mapping[str, Any], uploads: Mapping[str, str]) -> None:
    """Start the job with the files that were transferred to this node."""
    account = pwd.getpwnam(given["user"])

    def give(path: Path, mode: int) -> None:
        path.chmod(mode)
        os.chown(path, account.pw_uid, account.pw_gid)

    for name, path in uploads.items():
        give(Path(shutil.move(path, job.work / name)), 0o600)
    (job.folder / "settings").write_text(properties(given["settings"]))
    (job.folder / "begin").write_text(f"exec {shlex.join(command(job.folder, given))}\n")
    for stream in STREAMS:
        (job.folder / stream).touch()
    for name, mode in {"settings": 0o400, "begin": 0o400, "stdout": 0o600, "stderr": 0o600, "work": 0o700}.items():
        give(job.folder / name, mode)
    about = {"name": given["main_class"] if given["application"] == "spark-internal" else Path(given["application"]).name, "user": given["user"]}
    (job.folder / "about").write_text(json.dumps(about))
    (job.folder / "end").write_text(END.format(folder=job.folder))
    done = subprocess.run(unit_command(job, given["user"], given["timeout"]), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(job.folder)
        raise SubmitError(f"systemd could not start the job: {done.stderr.strip()}")


def decoded(data: bytes, whole: bool) -> tuple[str, int]:
    """The text of whole lines, and its length in bytes.

    Args:
        data: the part of a stream that was not returned before.
        whole: whether the job has ended, so that an incomplete last line is returned too.
    """
    last = whole and len(data) < CHUNK
    lines = data.rfind(b"\n") + 1
    if not last and (lines or len(data) < CHUNK):  # a line that is longer than a chunk is returned in pieces
        data = data[:lines]
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(data, final=last)
    return text, len(data) - len(decoder.getstate()[0])


def news(job: Job, offsets: Mapping[str, int], whole: bool) -> dict[str, tuple[str, int]]:
    """By stream: the new text after an offset, and its length in bytes."""
    found = {}
    for stream in STREAMS:
        with (job.folder / stream).open("rb") as file:
            file.seek(offsets.get(stream, 0))
            found[stream] = decoded(file.read(CHUNK), whole)
    return found


def follow(job: Job, offsets: Mapping[str, int], wait: float) -> dict[str, Any]:
    """The output of the job after these offsets, as soon as there is some, and how it ended, when all output was returned."""
    if not (job.folder / "stderr").exists():
        gone = f"it ended more than a week or {KEPT_JOBS} jobs ago, its output made room for that of others"
        raise SubmitError(f"there is no job {job.unit} here: {gone}, or it was never started")
    if not job.active() and not job.outcome():
        raise SubmitError(f"{job.unit} was lost without an exit code: the node was restarted while it ran")
    end = time.monotonic() + wait
    first = 0.0
    while True:
        outcome = job.outcome()  # before the output is read, which is then complete
        found = news(job, offsets, bool(outcome))
        now = time.monotonic()
        if any(text for text, _length in found.values()):
            first = first or now
        if outcome or now > end or (first and now - first > SETTLE):
            break
        time.sleep(0.2)
    returned = {stream: offsets.get(stream, 0) + length for stream, (_text, length) in found.items()}
    answer: dict[str, Any] = {"offsets": returned} | {stream: text for stream, (text, _length) in found.items()}
    if outcome and all(returned[stream] == (job.folder / stream).stat().st_size for stream in STREAMS):
        answer |= {"outcome": job.ended(), "seconds": job.seconds()}
    return answer


def ended(outcome: str) -> dict[str, Any]:
    """Exit code and reason, from what systemd reported at the end of a unit."""
    result, how, status, killed, *_none = [*outcome.split(), "", "", "", ""]
    if result == "timeout":
        return {"rc": TIMED_OUT, "reason": "timeout"}
    exited = how == "exited" and status.isdigit()
    rc = int(status) if exited else 128 + int(getattr(signal, f"SIG{status}", 0))
    if result == "oom-kill" or (rc == 128 + signal.SIGKILL and killed not in ("", "0")):
        return {"rc": rc, "reason": OUT_OF_MEMORY, "memory": memory()}
    return {"rc": rc, "reason": "" if exited else f"signal {status or 'unknown'}"}


def memory() -> int:
    """Of this node, in MiB."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("MemTotal:"))


def stop(job: Job) -> bool:
    """Stop the job; whether it ran."""
    if not job.folder.is_dir():
        raise SubmitError(f"there is no job {job.unit} here: sky.clusters.spark_jobs lists those that are")
    if not job.active():
        return False
    (job.folder / STOPPED).touch()
    try:
        systemctl("stop", f"{job.unit}.service")
    except SystemdError as error:
        raise SubmitError(str(error)) from error
    return True


def jobs(page: str) -> list[dict[str, Any]]:
    """The jobs that were submitted here, and the applications that the master knows; the last one first.

    Raises:
        SubmitError: the master does not answer.
    """
    shown = _spark_page.read(page)
    if shown is None:
        raise SubmitError(f"the Spark master does not answer at {page}: run sky.clusters.status")
    applications = {found["id"]: found for found in [*shown.get("activeapps", []), *shown.get("completedapps", [])]}
    folders = PLACE.iterdir() if PLACE.is_dir() else ()
    own = [_submitted(Job(folder.name), folder, applications) for folder in folders if (folder / "about").is_file()]
    known = {found["application"] for found in own}
    own += [_application(found) for name, found in applications.items() if name not in known]
    return sorted(own, key=lambda found: str(found["since"]), reverse=True)


def _submitted(job: Job, folder: Path, applications: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    begun, outcome, application = (folder / "end").stat().st_mtime, job.outcome(), job.application()
    waits = applications.get(application, {}).get("state") == WAITING  # its driver runs, and it has no executor yet
    going = ("waiting" if waits else "running") if job.active() else "lost"
    state = _state(job.ended()) if outcome else going
    seconds = job.seconds() if outcome else round(time.time() - begun, 1)
    about = json.loads((folder / "about").read_text(encoding="utf-8"))
    return {"job": job.unit, "application": application, **about, "state": state, "since": _moment(begun), "seconds": seconds}


def _state(outcome: Mapping[str, Any]) -> str:
    if outcome["rc"] == 0:
        return "succeeded"
    return str(outcome["reason"] or f"exit code {outcome['rc']}")


def _application(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "job": "",
        "application": found["id"],
        "name": found["name"],
        "user": found["user"],
        "state": str(found["state"]).lower(),
        "since": _moment(found["starttime"] / 1000),
        "seconds": round(found["duration"] / 1000, 1),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def step(module: AnsibleModule) -> dict[str, Any]:
    """One step of a submission."""
    given = module.params
    job = Job(given["submission"])
    if given["step"] == "prepare":
        prepare(job, given["user"])
    elif given["step"] == "start":
        request = Path(given["request"])
        asked = json.loads(request.read_text(encoding="utf-8"))
        request.unlink()
        start(job, {**given, **asked}, given["uploads"])
    elif given["step"] == "follow":
        return follow(job, given["offsets"], given["wait"])
    elif given["step"] == "list":
        if not module.check_mode:
            remove_old()
        return {"jobs": jobs(given["page"])}
    else:
        return {"stopped": stop(job)}
    return {}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "step": {"type": "str", "choices": ["prepare", "start", "follow", "list", "stop"], "required": True},
            "submission": {"type": "str", "default": ""},
            "page": {"type": "str", "default": ""},
            "user": {"type": "str", "default": "sky"},
            "timeout": {"type": "int", "default": 0},
            "request": {"type": "path"},
            "uploads": {"type": "dict", "default": {}},
            "offsets": {"type": "dict", "default": {}},
            "wait": {"type": "float", "default": 10},
        },
        required_if=[("step", "start", ["request"])],
        supports_check_mode=True,
    )
    try:
        answer = step(module)
    except (SubmitError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
