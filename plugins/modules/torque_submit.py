#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's part of a submission, in steps that the action plugin of this name asks for: start, follow, remove."""

from __future__ import annotations

DOCUMENTATION = r"""
module: torque_submit
short_description: Run a script of PBS on a batch cluster, and show its output while it runs
version_added: 0.5.0
description:
  - Submits a script with C(qsub), as a user of the cluster, on this node, the server of a batch system, and waits for its end.
  - The job starts in a folder of its own below C(sky-jobs) in the home of the user, which C(PBS_O_WORKDIR) names, also if the script names another
    one (C(#PBS -d)). The folder is removed when the job has ended. If the job has left files there, it stays, and gets the job's number as its name.
  - Arrays (C(-t)), interactive jobs (C(-I)) and jobs whose number is not printed (C(-z)) are refused, in O(options) and in the script.
  - What the job writes is shown while it runs. An exit status other than 0 fails the task.
  - A job keeps running if the run that submitted it ends. O(submission) follows it again.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  script:
    description: A file of the controller. Required without O(submission).
    type: str
    default: ""
  options:
    description: Options of C(qsub), each as it is on its command line, such as V(-l) and V(nodes=2).
    type: list
    elements: str
    default: []
  arguments:
    description: Arguments of the script, each one word without blanks.
    type: list
    elements: str
    default: []
  files:
    description: Further files of the controller, put into the job's folder.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds after which the job is deleted, if this task still follows it; V(0) is never.
    type: int
    default: 0
  user:
    description: User who submits the job.
    type: str
    default: sky
  submission:
    description: Follow the job of this number to its end instead of submitting one.
    type: str
    default: ""
  step:
    description:
      - What the server is asked for. This and the options below are the action plugin's, which runs on the controller and asks for one step after
        another. A task does not set them.
    type: str
    choices: [start, follow, stop, remove]
    default: follow
  request:
    description: File of this node with the options and the arguments, in JSON. It is removed when it is read.
    type: path
    default: ""
  uploads:
    description: Where files of the job were brought to, by the names that they are to have.
    type: dict
    default: {}
  offsets:
    description: How many bytes of C(stdout) and C(stderr) were shown before.
    type: dict
    default: {}
  wait:
    description: Seconds to wait for news.
    type: float
    default: 10
extends_documentation_fragment: [sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Run a script on two nodes
  sky.clusters.torque_submit:
    script: job.pbs
    options: [-l, "nodes=2:ppn=2"]
"""

RETURN = r"""
submission:
  description: The job's number.
  returned: always
  type: str
  sample: "12"
rc:
  description: The job's exit status, as PBS shows it.
  returned: when the job has ended
  type: int
  sample: 0
stdout:
  description: The last 65536 characters of its output.
  returned: when the job has succeeded
  type: str
  sample: "answer 42\n"
stderr:
  description: The same of its error output.
  returned: when the job has succeeded
  type: str
  sample: ""
seconds:
  description: How long it ran.
  returned: when the job has ended
  type: float
  sample: 14.2
folder:
  description: The job's folder, if it holds files that the job has left.
  returned: when there are some
  type: str
  sample: /home/sky/sky-jobs/12
"""

import codecs
import contextlib
import json
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._nodes._rights import rights_of

QSUB = Path("/usr/local/bin/qsub")  # of the role torque
RECORDS = Path("/var/lib/sky-submit-torque")
STREAMS = ("stdout", "stderr")
# What a task may say: the action plugin takes this from here
SPEC: dict[str, Any] = {
    "script": {"type": "str", "default": ""},
    "options": {"type": "list", "elements": "str", "default": []},
    "arguments": {"type": "list", "elements": "str", "default": []},
    "files": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 0},
    "user": {"type": "str", "default": "sky"},
    "submission": {"type": "str", "default": ""},
}
CHUNK = 64 * 1024  # bytes of each stream in one answer
SETTLE = 1.0  # seconds that more news are waited for, once there are some
KEPT = 7 * 24 * 3600  # seconds that a record of a job that nobody followed to its end is kept


class SubmitError(Exception):
    """The job cannot be begun or followed; the message is one sentence."""


def run(*command: str, **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise SubmitError((done.stderr or done.stdout).strip() or f"{command[0]} failed")
    return str(done.stdout)


def account_of(user: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(user)
    except KeyError:
        raise SubmitError(f"there is no user '{user}' here: run sky.clusters.torque_cluster first") from None


def start(given: Mapping[str, Any], asked: Mapping[str, Any], uploads: Mapping[str, str]) -> str:
    """Submit the script, with the files that were brought to this node; the job's number."""
    account = account_of(given["user"])
    if not QSUB.exists():
        raise SubmitError("there is no qsub here: run sky.clusters.torque_cluster first")
    folder = Path(account.pw_dir) / "sky-jobs" / f"job-{time.time_ns():x}"
    arguments = ["-F", " ".join(asked["arguments"])] if asked["arguments"] else []
    command = ["runuser", "-u", given["user"], "--", "env", "-C", str(folder)]  # which the user enters, not root
    command += ["qsub", "-d", str(folder), *asked["options"], *arguments, asked["script"]]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "SKY_PBS_FOLLOWED": "1"}
    try:
        bring(account, folder, asked["script"], uploads)
        number = run(*command, cwd="/", env=environment).strip().partition(".")[0]
    except SubmitError:
        with rights_of(account):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    record(number, given["user"], folder, list(uploads))
    return number


def bring(account: pwd.struct_passwd, folder: Path, script: str, uploads: Mapping[str, str]) -> None:
    """Put the files into a new folder in the home of the user, as the user."""
    with contextlib.ExitStack() as opened:
        sources = {name: opened.enter_context(Path(upload).open("rb")) for name, upload in uploads.items()}
        try:
            with rights_of(account):
                folder.mkdir(parents=True)
                for name, source in sources.items():
                    mode = 0o700 if name == script else 0o600
                    with open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                        shutil.copyfileobj(source, file)
        except OSError as error:
            raise SubmitError(f"{account.pw_name} cannot write to {folder}: {error.strerror}") from error


def record(number: str, user: str, folder: Path, names: list[str]) -> None:
    """Keep where the job's files are; records of jobs that nobody followed to their ends go after a time."""
    RECORDS.mkdir(mode=0o700, exist_ok=True)
    for path in RECORDS.iterdir():
        if time.time() - path.stat().st_mtime > KEPT:
            path.unlink()
    shown = run("qstat", "-f", number)
    paths = {stream: _attribute(shown, name).partition(":")[2] for stream, name in (("stdout", "Output_Path"), ("stderr", "Error_Path"))}
    if paths["stdout"] == paths["stderr"]:
        paths["stderr"] = ""
    kept = {"user": user, "folder": str(folder), "names": names, "paths": paths}
    (RECORDS / f"{number}.json").write_text(json.dumps(kept), encoding="utf-8")


def _attribute(shown: str, name: str) -> str:
    found = re.search(rf"^    {name} = (.*)$", shown, re.MULTILINE)
    return found[1] if found else ""


def known(number: str) -> dict[str, Any]:
    try:
        return dict(json.loads((RECORDS / f"{number}.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise SubmitError(f"there is no job {number} here that is followed: it has ended and was followed to its end, or it never began") from None


def decoded(data: bytes, whole: bool) -> tuple[str, int]:
    """The text of whole lines, and how many bytes it is; without a change of line at its end only when no more is to come."""
    last = whole and len(data) < CHUNK
    lines = data.rfind(b"\n") + 1
    if not last and (lines or len(data) < CHUNK):
        data = data[:lines]
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(data, final=last)
    return text, len(data) - len(decoder.getstate()[0])


def news(paths: Mapping[str, str], offsets: Mapping[str, int], whole: bool) -> dict[str, tuple[str, int]]:
    """By stream: the text behind an offset, and how many bytes it is. The files are the job's, which may have put links in their place."""
    found = {}
    for stream in STREAMS:
        data = b""
        if os.path.isfile(paths[stream]):
            with open(paths[stream], "rb") as file:
                file.seek(offsets.get(stream, 0))
                data = file.read(CHUNK)
        found[stream] = decoded(data, whole)
    return found


def state(number: str) -> tuple[str, int | None, float]:
    """Its letter, its exit status and the seconds that it has run."""
    shown = run("qstat", "-x", "-f", number)
    status = _attribute(shown, "exit_status")
    hours, minutes, seconds = (int(part) for part in (_attribute(shown, "resources_used.walltime") or "0:0:0").split(":"))
    return _attribute(shown, "job_state"), int(status) if status else None, hours * 3600 + minutes * 60 + seconds


def follow(number: str, offsets: Mapping[str, int], wait: float) -> dict[str, Any]:
    """What the job wrote behind these offsets, as soon as there is something, and how it ended, once all was shown."""
    kept = known(number)
    paths, account = kept["paths"], account_of(kept["user"])
    end = time.monotonic() + wait
    first = 0.0
    while True:
        letter, status, seconds = state(number)  # before its output is read: all of it is there then
        with rights_of(account):
            found = news(paths, offsets, letter == "C")
        now = time.monotonic()
        if any(text for text, _length in found.values()):
            first = first or now
        if letter == "C" or now > end or (first and now - first > SETTLE):
            break
        time.sleep(0.5)
    shown = {stream: offsets.get(stream, 0) + length for stream, (_text, length) in found.items()}
    answer: dict[str, Any] = {"offsets": shown, "state": letter} | {stream: text for stream, (text, _length) in found.items()}
    with rights_of(account):
        whole = all(not os.path.isfile(path) or shown[stream] == os.path.getsize(path) for stream, path in paths.items())
    if letter == "C" and whole:
        answer |= {"status": status, "seconds": seconds}
    return answer


def remove(number: str) -> str:
    """Remove what the submission brought; the folder, if the job has left files there."""
    kept = known(number)
    with rights_of(account_of(kept["user"])):
        left = clear(Path(kept["folder"]), kept["names"], kept["paths"].values(), number)
    (RECORDS / f"{number}.json").unlink()
    return left


def clear(folder: Path, names: Iterable[str], outputs: Iterable[str], number: str) -> str:
    """Remove these files and the folder; the folder's new name, if more is in it."""
    try:
        for path in (*(folder / name for name in names), *(Path(output) for output in outputs if output)):
            if path.parent == folder:
                path.unlink(missing_ok=True)
        folder.rmdir()
    except FileNotFoundError:
        return ""
    except OSError:
        return str(folder.rename(folder.with_name(number)))
    return ""


def step(given: Mapping[str, Any]) -> dict[str, Any]:
    """One step of a submission."""
    number = given["submission"]
    if given["step"] == "start":
        request = Path(given["request"])
        asked = json.loads(request.read_text(encoding="utf-8"))
        request.unlink()
        return {"submission": start(given, asked, given["uploads"])}
    if given["step"] == "follow":
        return follow(number, given["offsets"], given["wait"])
    if given["step"] == "stop":
        run("qdel", number)
        return {}
    return {"folder": remove(number)}


def main() -> None:
    module = AnsibleModule(
        argument_spec=SPEC
        | {
            "step": {"type": "str", "choices": ["start", "follow", "stop", "remove"], "default": "follow"},
            "request": {"type": "path", "default": ""},
            "uploads": {"type": "dict", "default": {}},
            "offsets": {"type": "dict", "default": {}},
            "wait": {"type": "float", "default": 10},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**step(module.params))
    except (SubmitError, OSError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
