# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on a Spark cluster of this machine that go on while something is done to it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.sky.clusters.tests.support.site import Site

# Counts, through a shuffle, until somebody makes a file. Every round must come to the same.
JOB = """
import operator, sys, time
from pathlib import Path
from pyspark.sql import SparkSession
NAME, END, SECONDS = sys.argv[1:]
context = SparkSession.builder.appName(NAME).getOrCreate().sparkContext
def slow(number):
    time.sleep(float(SECONDS))
    return number % 3, number
rounds = set()
while not Path(END).exists():
    rounds.add(tuple(sorted(context.parallelize(range(16), 8).map(slow).reduceByKey(operator.add, 2).collect())))
print("answers", rounds)
"""
ANSWER = "answers {((0, 45), (1, 35), (2, 40))}"


@dataclass
class Job:
    """A job that runs until it is told to end."""

    site: Site
    name: str
    host: str
    process: subprocess.Popen[str]

    def end(self) -> str:
        """Its last words, once it has ended."""
        self.site.ssh(self.host, f"touch /tmp/{self.name}.end")
        output, _none = self.process.communicate(timeout=300)
        return output

    def drop(self) -> None:
        """End it, whatever its answer."""
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired):  # where it cannot be told, it is killed
            self.end()
        self.process.kill()


def master_of(site: Site) -> str:
    (name,) = site.hosts("spark_master")
    return name


def page(site: Site) -> dict[str, Any]:
    """What the master shows."""
    return dict(json.loads(fetched(f"http://{variables(site, master_of(site))['sky_address']}:8080/json/")))


def fetched(url: str) -> str:
    """What a node of a test shows, which no proxy is asked for."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        return str(answer.read(), "utf-8")


def variables(site: Site, host: str) -> dict[str, Any]:
    return dict(site.inventory()["_meta"]["hostvars"][host])


def eventually(what: str, holds: Callable[[], Any], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(1)


def page_from_inside(site: Site) -> dict[str, Any]:
    """The same, where the firewall of the cluster lets only ssh in."""
    host = master_of(site)
    program = f"import urllib.request; print(urllib.request.urlopen('http://{variables(site, host)['sky_address']}:8080/json/').read().decode())"
    return dict(json.loads(site.ssh(host, f'python3 -c "{program}"')))


def working(site: Site, name: str, shown: Callable[[Site], dict[str, Any]] = page) -> bool:
    """Whether the master knows that the application has cores."""
    try:
        found = shown(site)
    except OSError:
        return False
    return any(app["name"] == name and app["state"] == "RUNNING" and app["cores"] > 0 for app in found["activeapps"])


def shell(site: Site, host: str, user: str) -> str:
    """The command that opens a shell on a node."""
    found = variables(site, host)
    return f"ssh -o ControlPath=none {found['ansible_ssh_common_args']} {user}@{found['ansible_host']}"


@contextlib.contextmanager
def job(
    site: Site,
    name: str,
    host: str = "",
    login: str = "sky",
    options: str = "",
    seconds: float = 0.25,
    shown: Callable[[Site], dict[str, Any]] = page,
) -> Iterator[Job]:
    """A job whose tasks take so many seconds, from when it has executors. It ends with the block: left over, it would keep what the next need.

    Args:
        host: where its driver runs; the master if empty.
        shown: reads what the master shows.
    """
    host = host or master_of(site)
    ssh = shell(site, host, login)
    subprocess.run(f"{ssh} 'cat > {name}.py'", shell=True, input=JOB, text=True, check=True)
    address = variables(site, host)["sky_address"]
    submit = f"/opt/spark/bin/spark-submit {options} {name}.py {name} /tmp/{name}.end {seconds}"
    process = subprocess.Popen(
        f"{ssh} 'SPARK_LOCAL_IP={address} SPARK_LOCAL_HOSTNAME={address} {submit}'",
        shell=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    started = Job(site, name, host, process)
    try:
        eventually(f"{name} runs", lambda: working(site, name, shown) or process.poll() is not None)
        if process.poll() is not None:
            raise AssertionError(process.communicate()[0][-3000:])
        yield started
    finally:
        if process.poll() is None:
            started.drop()
