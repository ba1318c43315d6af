# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All roles of Spark together: a job that a user submits by ssh, as the documentation says, and the nodes while it runs."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host

from ansible_collections.sky.clusters.extensions.molecule.hardening import exposed
from ansible_collections.sky.clusters.extensions.molecule.spark.support import eventually, listeners, page

testinfra_hosts = ["ansible://spark_master"]
TEXT = "/usr/share/common-licenses/GPL-3"
END = "/home/sky/end"
APPLICATION = Path(__file__).with_name("words.py")


@dataclass(frozen=True)
class Job:
    """A job that has answered and still has its executors."""

    answer: dict[str, int]
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def nodes(pytestconfig: pytest.Config) -> dict[str, Host]:
    """All nodes, by their addresses."""
    inventory = pytestconfig.option.ansible_inventory
    found = testinfra.get_hosts(["ansible://spark_master", "ansible://spark_worker"], ansible_inventory=inventory)
    return {node.ansible.get_variables()["sky_address"]: node for node in found}


@pytest.fixture(scope="module")
def job(host: Host, variables: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    ssh = shlex.split(f"ssh -o ControlPath=none {variables['ansible_ssh_common_args']} sky@{variables['ansible_host']}")
    command = f"cat > words.py && exec spark-submit words.py {TEXT} {END}"
    folder = tmp_path_factory.mktemp("job")
    output, log = folder / "output", folder / "log"
    with APPLICATION.open() as application, output.open("w") as out, log.open("w") as err:
        process = subprocess.Popen([*ssh, command], stdin=application, stdout=out, stderr=err)
    answered = eventually(lambda: output.read_text().endswith("\n") or process.poll() is not None, seconds=180)
    if not answered or process.poll() is not None:
        process.kill()
        pytest.fail(f"the job has not answered:\n{log.read_text()[-3000:]}")
    yield Job(json.loads(output.read_text()), process)
    host.check_output("touch %s", END)
    process.wait(60)


def test_the_answer_is_right(host: Host, job: Job) -> None:
    assert job.answer == Counter(host.file(TEXT).content_string.split())


def test_it_had_the_whole_cluster(variables: dict[str, Any], job: Job) -> None:
    apps = {app["name"]: app for app in page(variables["sky_address"], 8080)["activeapps"]}
    assert (apps["words"]["user"], apps["words"]["cores"]) == ("sky", 4)
    assert job.process.poll() is None


@pytest.mark.usefixtures("job")
def test_nothing_of_it_listens_elsewhere(nodes: dict[str, Host]) -> None:
    assert len(nodes) == 3
    for address, node in nodes.items():
        found = listeners(node) - {("0.0.0.0", 22), ("::", 22)}
        assert {place for place, _port in found} - {"127.0.0.1"} == {address}


@pytest.mark.usefixtures("job")
def test_no_command_line_shows_the_secret(host: Host, nodes: dict[str, Host]) -> None:
    secret = host.file("/data/spark/.sky/spark").content_string.strip()
    for node in nodes.values():
        assert secret not in node.check_output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


def test_units_are_kept_in_a_sandbox_while_it_runs(nodes: dict[str, Host], job: Job) -> None:
    assert [wrong for node in nodes.values() for wrong in exposed(node)] == []
    assert job.process.poll() is None


def test_it_ends_well(host: Host, job: Job) -> None:
    host.check_output("touch %s", END)
    assert job.process.wait(60) == 0
