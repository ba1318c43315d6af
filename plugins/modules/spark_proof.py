#!/usr/bin/python
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that a Spark cluster works, by a real job whose results are known without Spark."""

from __future__ import annotations

DOCUMENTATION = r"""
module: spark_proof
short_description: Prove that a Spark cluster works by running a real job
version_added: 0.1.0
description:
  - Computes pi, and counts the words of a real text and of random text, on a Spark standalone cluster, as a user of the cluster.
  - The results are compared with those computed without Spark, and the event log must show that an executor on every worker ran tasks.
  - The result of the job is kept in a stamp file, with the members and settings of the cluster. After a success, the job is not run again until these
    change or the stamp is removed. The role removes the stamp before it changes a node.
  - If other applications use the cores that the job needs, the proof is postponed to a later run.
author:
  - The sky.clusters authors (@sky-clusters)
options:
  master:
    description: URL of the web page of the master, such as V(http://10.0.0.4:8080).
    type: str
    required: true
  workers:
    description: Addresses of all workers.
    type: list
    elements: str
    required: true
  settings:
    description: Further settings that a proof depends on, besides the members and C(/etc/spark). They become part of the stamp.
    type: dict
    default: {}
  application:
    description: Source code of the Spark application.
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
    description: Path of the stamp file.
    type: path
    default: /var/lib/sky/proof/spark.json
  force:
    description: Whether to run the job even if the stamp records a success.
    type: bool
    default: false
  seconds:
    description: Maximum seconds for the workers to register, and again for the job to end.
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
  description: Result of the last successful proof. It may be from an earlier run if nothing has changed since.
  returned: after a successful proof
  type: dict
  sample: {pi: 3.1415926535, words: 25644, executors: {10.0.0.5: 9, 10.0.0.6: 9}, seconds: 14.2}
postponed:
  description: Why the job was not run.
  returned: when other applications use the cores
  type: str
  sample: "'etl' uses the cores or the memory of 10.0.0.5"
"""

import hashlib
import json
import math
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

from ansible_collections.sky.clusters.plugins.module_utils._nodes._rights import rights_of
from ansible_collections.sky.clusters.plugins.module_utils._systems import _spark_page, _spark_proof
from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_log import last_words

NAME = "proof"  # of the application
GRACE = 10  # seconds between asking a job to end and killing it
TIMED_OUT = (124, 137)  # exit codes of timeout(1): it asked, it killed
EXECUTOR_MEMORY = 512  # MiB, about the least that Spark accepts
SMALL_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # starts in half the processor time


class ProofError(Exception):
    """The proof failed; the message is one sentence."""


class TooLong(ProofError):
    """The job did not end in time."""


@dataclass(frozen=True)
class Cluster:
    """The cluster to prove."""

    master: str
    workers: tuple[str, ...]
    user: str

    def settings(self) -> dict[str, str]:
        """Exactly one small executor on every worker, all registered before the first task."""
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
    """Workers that are not registered at the master."""
    return [worker for worker in workers if worker not in _spark_page.alive(page)]


def busy(page: Mapping[str, Any], workers: tuple[str, ...]) -> list[str]:
    """Workers without free cores or memory for one more executor."""
    alive = _spark_page.alive(page)
    return [name for name in workers if name in alive and (alive[name]["coresfree"] < 1 or alive[name]["memoryfree"] < EXECUTOR_MEMORY)]


def wait_for_room(cluster: Cluster, seconds: int) -> str:
    """Wait until every worker has room for an executor; the applications that use it, if there are any."""
    end = time.monotonic() + seconds
    while True:
        page = _spark_page.read(cluster.master) or {}
        missing, full = absent(page, cluster.workers), busy(page, cluster.workers)
        if page and not missing and not full:
            return ""
        names = [f"'{app['name']}'" for app in page.get("activeapps", []) if app["name"] != NAME]
        holders = ", ".join(names)
        if holders and full and not missing:
            return f"{holders} {'uses' if len(names) == 1 else 'use'} the cores or the memory of {', '.join(full)}"
        if time.monotonic() > end:
            break
        time.sleep(0.5)
    if not page:
        raise ProofError(f"the web page of the master, {cluster.master}, does not answer; see 'journalctl -u spark-master' on the master")
    if missing:
        raise ProofError(f"no worker on {', '.join(missing)} has registered within {seconds} seconds; see 'journalctl -u spark-worker' there")
    raise ProofError(f"the workers on {', '.join(full)} are too small: the proof needs 1 core and {EXECUTOR_MEMORY} MiB on each")


def random_text() -> str:
    """Text that differs in every run, so that no result can be reused."""
    source = random.SystemRandom()
    vocabulary = ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=source.randint(2, 9))) for _word in range(500)]
    return "\n".join(" ".join(source.choices(vocabulary, k=10)) for _line in range(2000)) + "\n"


def ended_with(log: str) -> str:
    """The end of the log of a job, for an error message."""
    said = last_words(log)
    return f"its log ends with: {said}" if said else "its log is empty"


def submit(cluster: Cluster, folder: Path, seconds: int) -> Mapping[str, Any]:
    """Run the application as the user, in `folder`; its results."""
    confs = [part for name, value in cluster.settings().items() for part in ("--conf", f"{name}={value}")]
    command = ["runuser", "-u", cluster.user, "--", "spark-submit", *confs]
    command += [str(folder / "proof.py"), str(folder / "texts"), str(folder / "result.json")]
    path = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"PATH": path, "HOME": str(folder), "SPARK_LAUNCHER_OPTS": SMALL_JVM}
    account = pwd.getpwnam(cluster.user)
    with rights_of(account):  # whose folder it is: a link there must lead root nowhere
        log = (folder / "log").open("w+")
    with log:
        job = subprocess.run(
            ["timeout", f"--kill-after={GRACE}", str(seconds), *command],  # ends all processes of the job, not only the first
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, env=environment, check=False,
        )  # fmt: skip
        log.seek(0)
        tail = ended_with(log.read())
    code = job.returncode
    if code in TIMED_OUT:
        raise TooLong(f"the job had not ended after {seconds} seconds; {tail}")
    if code != 0:
        raise ProofError(f"the job failed with exit code {code}; {tail}")
    with rights_of(account):
        return dict(json.loads((folder / "result.json").read_text()))


def compare(result: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Compare the results of Spark with those computed here."""
    if not math.isclose(result["pi"], math.pi, rel_tol=1e-9):
        raise ProofError(f"the job computed pi as {result['pi']}")
    for name, text in texts.items():
        counted, expected = result["words"][name], Counter(text.split())
        if counted != expected:
            wrong = sorted(word for word in counted.keys() | expected.keys() if counted.get(word) != expected.get(word))
            raise ProofError(f"the job counted {len(wrong)} words of the {name} text incorrectly, such as '{wrong[0]}'")


def tasks_by_host(log: Path) -> Counter[str]:
    """The number of successful tasks by the address of their executor, from an event log."""
    hosts: Counter[str] = Counter()
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] == "SparkListenerTaskEnd" and event["Task End Reason"]["Reason"] == "Success":
                hosts[event["Task Info"]["Host"]] += 1
    return hosts


def prove(cluster: Cluster, application: str, text: Path, seconds: int) -> dict[str, Any]:
    """Run the job, and check its results and where they were computed."""
    begun = time.monotonic()
    texts = {"real": text.read_text(), "random": random_text()}
    account = pwd.getpwnam(cluster.user)
    with rights_of(account):
        folder = Path(tempfile.mkdtemp(prefix="spark-proof-"))
    try:
        with rights_of(account):
            (folder / "proof.py").write_text(application)
            (folder / "texts").mkdir()
            for name, content in texts.items():
                (folder / "texts" / name).write_text(content)
        result = submit(cluster, folder, seconds)
    finally:
        with rights_of(account):
            shutil.rmtree(folder, ignore_errors=True)
    compare(result, texts)
    with rights_of(account):
        hosts = tasks_by_host(Path(result["events"].removeprefix("file:")) / result["application"])
    idle = [worker for worker in cluster.workers if worker not in hosts]
    if idle:
        raise ProofError(f"no executor on {', '.join(idle)} ran a task of the proof, according to the event log of {result['application']}")
    counted = sum(sum(words.values()) for words in result["words"].values())
    return {
        "application": result["application"],
        "pi": result["pi"],
        "words": counted,
        "executors": dict(sorted(hosts.items())),
        "seconds": round(time.monotonic() - begun, 1),
    }


def subject(cluster: Cluster, application: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a proof depends on: the members, the options of the task, and the files that configure how this node submits jobs."""
    return {
        "master": cluster.master,
        "workers": sorted(cluster.workers),
        "user": cluster.user,
        "application": hashlib.sha256(application.encode()).hexdigest(),
        "settings": dict(settings),
        "files": _spark_proof.files(),
    }


def run(given: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Run the proof if needed; the result of the module."""
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
        _spark_proof.write(stamp, wanted, _spark_proof.FAILURE, why=reason(error))
        raise
    if answer["changed"]:
        _spark_proof.write(stamp, wanted, _spark_proof.SUCCESS, result=answer["result"])
    else:
        _spark_proof.write(stamp, wanted, _spark_proof.POSTPONED, why=answer["postponed"])
    return answer


def reason(error: Exception) -> str:
    """Why the proof failed, as one sentence."""
    if isinstance(error, ProofError):
        return f"The cluster cannot run a job: {error}"
    return f"The proof could not be run: {type(error).__name__}: {error}"


def attempt(cluster: Cluster, given: Mapping[str, Any]) -> dict[str, Any]:
    """Run the job, unless other applications use the cores or the memory that it needs."""
    held = wait_for_room(cluster, given["seconds"])
    if held:
        return {"changed": False, "postponed": held}
    try:
        result = prove(cluster, given["application"], Path(given["text"]), given["seconds"])
    except TooLong:
        # other applications may have taken the cores meanwhile, or a new master may have recovered them late
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
        module.fail_json(msg=reason(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
