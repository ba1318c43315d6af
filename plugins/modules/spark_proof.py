#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove a Spark cluster by a real job whose answers are known without Spark."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_proof
short_description: Prove a Spark cluster by a real job
version_added: 0.1.0
description:
  - Runs pi, and a word count over a real text and over fresh random text, on a Spark standalone cluster, as a user of it.
  - The answers are computed without Spark too and compared, and the event log must show that an executor on every worker ran tasks.
  - How the job ended, and when, is kept in a stamp, with the members and settings that it was run with. After a success nothing is run again until
    these change, or the stamp is removed. The role removes it before it changes a node.
  - Where other applications hold the cores that the job needs, the proof is put off to a later run. It does not take them away.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  master:
    description: Web page of the master, such as V(http://10.0.0.4:8080).
    type: str
    required: true
  workers:
    description: Addresses of all workers.
    type: list
    elements: str
    required: true
  settings:
    description: What else the cluster's ability to run jobs depends on, beside its members and C(/etc/spark); it becomes part of the stamp.
    type: dict
    default: {}
  application:
    description: Text of the Spark application.
    type: str
    required: true
  text:
    description: A real text on this node.
    type: path
    default: /usr/share/common-licenses/GPL-3
  user:
    description: User that submits the job.
    type: str
    required: true
  stamp:
    description: File that keeps the stamp.
    type: path
    default: /var/lib/sky/proof/spark.json
  force:
    description: Run the job although a stamp of its success exists.
    type: bool
    default: false
  seconds:
    description: Seconds that the workers may take to register, and then again the job to end.
    type: int
    default: 180
extends_documentation_fragment: [sky.clusters.internal, sky.clusters.attributes]
"""

EXAMPLES = r"""
- name: Prove the cluster
  sky.clusters.spark_proof:
    master: http://10.0.0.4:8080
    workers: [10.0.0.5, 10.0.0.6]
    application: "{{ lookup('ansible.builtin.file', 'proof.py') }}"
    user: sky
"""

RETURN = r"""
result:
  description: What the last successful proof found; of an earlier run where nothing has changed since.
  returned: when there is one
  type: dict
  sample: {pi: 3.1415926535, words: 25644, executors: {10.0.0.5: 9, 10.0.0.6: 9}, seconds: 14.2}
postponed:
  description: Why the job was not run, where other applications hold the cores.
  returned: when it was put off
  type: str
  sample: "'etl' holds the cores of 10.0.0.5"
"""

import hashlib
import json
import math
import os
import pwd
import random
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page, _spark_proof
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words

NAME = "proof"  # of the application
GRACE = 10  # seconds between asking a job to end and killing it
TIMED_OUT = (124, 137)  # exit codes of timeout(1): it asked, it killed
EXECUTOR_MEMORY = 512  # MiB, about the least that Spark accepts
SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # starts in half the processor time


class ProofError(Exception):
    """The cluster did not do it; the message is one sentence."""


class TooLong(ProofError):
    """The job had its time and did not end."""


@dataclass(frozen=True)
class Cluster:
    """What is to be proved."""

    master: str
    workers: tuple[str, ...]
    user: str

    def settings(self) -> dict[str, str]:
        """One small executor on every worker, registered before the first task, and no more of the cluster than that."""
        cores = str(len(self.workers))
        return {
            "spark.app.name": NAME,
            "spark.cores.max": cores,
            "spark.executor.cores": "1",
            "spark.executor.memory": f"{EXECUTOR_MEMORY}m",
            "spark.executor.extraJavaOptions": SMALL_JVM,
            "spark.driver.extraJavaOptions": SMALL_JVM,
            "spark.driver.memory": "512m",
            "spark.scheduler.minRegisteredResourcesRatio": "1",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "60s",
            "spark.dynamicAllocation.enabled": "false",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.locality.wait": "0s",
            "spark.log.level": "WARN",
            "spark.ui.enabled": "false",
        }


def absent(page: Mapping[str, Any], workers: tuple[str, ...]) -> list[str]:
    """Workers that the master does not have."""
    return [worker for worker in workers if worker not in _spark_page.alive(page)]


def busy(page: Mapping[str, Any], workers: tuple[str, ...]) -> list[str]:
    """Workers that have no room for one more executor."""
    alive = _spark_page.alive(page)
    return [name for name in workers if name in alive and (alive[name]["coresfree"] < 1 or alive[name]["memoryfree"] < EXECUTOR_MEMORY)]


def wait_for_room(cluster: Cluster, seconds: int) -> str:
    """Until every worker has room for an executor; what holds it, where other applications do."""
    end = time.monotonic() + seconds
    while True:
        page = _spark_page.read(cluster.master) or {}
        missing, full = absent(page, cluster.workers), busy(page, cluster.workers)
        if page and not missing and not full:
            return ""
        holders = ", ".join(f"'{app['name']}'" for app in page.get("activeapps", []) if app["name"] != NAME)
        if holders and full and not missing:
            return f"{holders} holds the cores or the memory of {', '.join(full)}"
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    if not page:
        raise ProofError(f"the master's page {cluster.master} does not answer; on the master, see 'journalctl -u spark-master'")
    if missing:
        raise ProofError(f"no worker on {', '.join(missing)} has registered within {seconds} seconds; on it, see 'journalctl -u spark-worker'")
    raise ProofError(f"the workers on {', '.join(full)} are too small: the proof needs 1 core and {EXECUTOR_MEMORY} MiB on each")


def random_text() -> str:
    """Words that nobody could have counted before."""
    source = random.SystemRandom()
    vocabulary = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _word in range(500)]
    return "\n".join(" ".join(source.choices(vocabulary, k=10)) for _line in range(2000)) + "\n"


def ended_with(log: str) -> str:
    """What a job's log ends with, for an error."""
    said = last_words(log)
    return f"it ended with: {said}" if said else "it said nothing"


def submit(cluster: Cluster, folder: Path, seconds: int) -> Mapping[str, Any]:
    """Run the application as the user, in `folder`; what it wrote."""
    confs = [part for name, value in cluster.settings().items() for part in ("--conf", f"{name}={value}")]
    command = ["runuser", "-u", cluster.user, "--", "spark-submit", *confs]
    command += [str(folder / "proof.py"), str(folder / "texts"), str(folder / "result.json")]
    path = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "SPARK_LAUNCHER_OPTS": SMALL_JVM}
    with (folder / "log").open("w+") as log:
        job = subprocess.run(
            ["timeout", f"--kill-after={GRACE}", str(seconds), *command],  # which ends all that the job started, not the first process alone
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment, check=False,
        )  # fmt: skip
        log.seek(0)
        tail = ended_with(log.read())
    code = job.returncode
    if code in TIMED_OUT:
        raise TooLong(f"the job had not ended after {seconds} seconds; {tail}")
    if code != 0:
        raise ProofError(f"the job failed with exit code {code}; {tail}")
    return dict(json.loads((folder / "result.json").read_text()))


def compare(result: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Spark's answers against those computed here."""
    if not math.isclose(result["pi"], math.pi, rel_tol=1e-9):
        raise ProofError(f"the job computed pi as {result['pi']}")
    for name, text in texts.items():
        counted, expected = result["words"][name], Counter(text.split())
        if counted != expected:
            wrong = sorted(word for word in counted.keys() | expected.keys() if counted.get(word) != expected.get(word))
            raise ProofError(f"the job counted {len(wrong)} words of the {name} text wrongly, such as '{wrong[0]}'")


def tasks_by_host(log: Path) -> Counter[str]:
    """Tasks that ended well, by the address of their executor, from an event log."""
    hosts: Counter[str] = Counter()
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and event["Task End Reason"]["Reason"] == "Success":
                hosts[event["Task Info"]["Host"]] += 1
    return hosts


def prove(cluster: Cluster, application: str, text: Path, seconds: int) -> dict[str, Any]:
    """Run the job, and check its answers and where they were computed."""
    begun = time.monotonic()
    texts = {"real": text.read_text(), "random": random_text()}
    folder = Path(tempfile.mkdtemp(prefix="spark-proof-"))
    try:
        (folder / "proof.py").write_text(application)
        (folder / "texts").mkdir()
        for name, content in texts.items():
            (folder / "texts" / name).write_text(content)
        account = pwd.getpwnam(cluster.user)
        os.chown(folder, account.pw_uid, account.pw_gid)
        result = submit(cluster, folder, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    compare(result, texts)
    hosts = tasks_by_host(Path(result["events"].removeprefix("file:")) / result["application"])
    idle = [worker for worker in cluster.workers if worker not in hosts]
    if idle:
        raise ProofError(f"no executor on {', '.join(idle)} ran a task of the proof, as the event log of {result['application']} shows")
    counted = sum(sum(words.values()) for words in result["words"].values())
    return {
        "application": result["application"],
        "pi": result["pi"],
        "words": counted,
        "executors": dict(sorted(hosts.items())),
        "seconds": round(time.monotonic() - begun, 1),
    }


def subject(cluster: Cluster, application: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a proof is a proof of: the members, what was asked for, and the files that say how this node submits jobs."""
    return {
        "master": cluster.master,
        "workers": sorted(cluster.workers),
        "user": cluster.user,
        "application": hashlib.sha256(application.encode()).hexdigest(),
        "settings": dict(settings),
        "files": _spark_proof.files(),
    }


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """The module's answer."""
    cluster = Cluster(given["master"], tuple(given["workers"]), given["user"])
    stamp, wanted = Path(given["stamp"]), subject(cluster, given["application"], given["settings"])
    old = _spark_proof.read(stamp)
    if old.get("subject") == wanted and old["outcome"] == _spark_proof.SUCCESS and not given["force"]:
        return {"changed": False, "result": old["result"]}
    if check:
        return {"changed": True}
    try:
        answer = attempt(cluster, given)
    except (ProofError, OSError, KeyError, ValueError) as error:
        _spark_proof.write(stamp, wanted, _spark_proof.FAILURE, why=told(error))
        raise
    if answer["changed"]:
        _spark_proof.write(stamp, wanted, _spark_proof.SUCCESS, result=answer["result"])
    else:
        _spark_proof.write(stamp, wanted, _spark_proof.POSTPONED, why=answer["postponed"])
    return answer


def told(error: Exception) -> str:
    """Why there is no proof, in a sentence."""
    if isinstance(error, ProofError):
        return f"The cluster cannot run a job: {error}"
    return f"The proof could not be run: {type(error).__name__}: {error}"


def attempt(cluster: Cluster, given: Mapping[str, Any]) -> dict[str, Any]:
    """Run the job, unless other applications hold the room that it needs."""
    held = wait_for_room(cluster, given["seconds"])
    if held:
        return {"changed": False, "postponed": held}
    try:
        result = prove(cluster, given["application"], Path(given["text"]), given["seconds"])
    except TooLong:
        # applications that a new master learnt of late, or that were quicker, may have taken the room meanwhile
        held = wait_for_room(cluster, given["seconds"])
        if not held:
            raise
        return {"changed": False, "postponed": held}
    return {"changed": True, "result": result}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "master": {"type": "str", "required": True},
            "workers": {"type": "list", "elements": "str", "required": True},
            "settings": {"type": "dict", "default": {}},
            "application": {"type": "str", "required": True},
            "text": {"type": "path", "default": "/usr/share/common-licenses/GPL-3"},
            "user": {"type": "str", "required": True},
            "stamp": {"type": "path", "default": "/var/lib/sky/proof/spark.json"},
            "force": {"type": "bool", "default": False},
            "seconds": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    try:
        answer = run(module.params, module.check_mode)
    except (ProofError, OSError, KeyError, ValueError) as error:
        module.fail_json(msg=told(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
