# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of qsub, up to the command that Slurm gets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import qsub, slurm
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.command import Command, Settings
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.values import PbsError, UsageError


class Caller:
    """A user in a folder with a script, and what Slurm's programs are called with."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ran: list[Sequence[str]] = []
        self.environment: Mapping[str, str] = {}

    def run(self, words: Sequence[str], **more: Any) -> str:
        self.ran.append(words)
        self.environment = more.get("env", {})
        return "12\n"

    def replaced(self, program: str, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """The process that becomes an interactive job."""
        self.ran.append([program, *words[1:]])
        self.environment = environment

    def qsub(self, *arguments: str) -> int:
        return qsub.main(Command("qsub", arguments, self.settings))

    def argument(self, name: str) -> str | None:
        return next((word.partition("=")[2] for word in self.ran[-1] if word.partition("=")[0] == name), None)


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    made = Caller(Settings("s-0", mail=False, history=Path("/nowhere")))
    (tmp_path / "job.pbs").write_text("#!/bin/bash\ntrue\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 1)
    monkeypatch.setattr(os, "execve", made.replaced)
    monkeypatch.setattr(slurm, "run", made.run)
    return made


def test_options_behind_the_script_are_those_of_the_job(caller: Caller) -> None:
    assert caller.qsub("job.pbs", "-N", "x", "-l", "nodes=2", "-q", "short") == 0
    assert [caller.argument(name) for name in ("--job-name", "--nodes", "--partition")] == ["x", "2-2", "short"]


def test_a_second_operand_is_a_wrong_call(caller: Caller) -> None:
    with pytest.raises(UsageError, match=r"^'extra' is one operand too many: -F gives arguments to the script$"):
        caller.qsub("job.pbs", "extra")
    assert caller.ran == []


def test_a_script_in_the_terminal_gets_its_arguments(caller: Caller) -> None:
    caller.qsub("-I", "-x", "job.pbs", "one", "two words")
    assert caller.ran[-1][-7:] == ["bash", "-l", "-c", "#!/bin/bash\ntrue\n", "job.pbs", "one", "two words"]


def test_an_interactive_job_has_the_variables_of_any_other_job(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTSIDE", "x")
    caller.qsub("-I", "-x", "job.pbs")
    assert "OUTSIDE" not in caller.environment
    assert caller.environment["PBS_ENVIRONMENT"] == "PBS_INTERACTIVE"
    caller.qsub("-I", "-x", "-V", "job.pbs")
    assert caller.environment["OUTSIDE"] == "x"


@pytest.mark.parametrize("arguments", [("-t1-3",), ("-nzrn",), ("-Wumask=022,interactive=true",), ("-hVI",)])
def test_a_job_that_is_followed_is_one_job_with_a_number_and_output(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv(qsub.FOLLOWED, "1")
    for given, script in ((arguments, "true\n"), ((), f"#PBS {' '.join(arguments)}\ntrue\n")):
        Path("job.pbs").write_text(script)
        with pytest.raises(PbsError, match=r"^-[Itz]: is for jobs that are submitted by hand: log in and use qsub$"):
            caller.qsub(*given, "job.pbs")
    assert caller.ran == []


@pytest.fixture
def shared(caller: Caller, tmp_path: Path) -> Path:
    """A folder that the nodes share, in a cluster where others are those of one node."""
    (tmp_path / "shared").mkdir()
    caller.settings = replace(caller.settings, shared=(str(tmp_path / "shared"),))
    return tmp_path / "shared"


@pytest.mark.parametrize(
    "arguments", [(), ("-j", "oe"), ("-o", "x", "-e", "/dev/null"), ("-o", "/dev/null"), ("-w", "/tmp"), ("-k", "o"), ("-o", "logs/")]
)
def test_output_that_would_stay_on_some_node_is_refused(
    caller: Caller, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(PbsError, match=r"^-[oe]: the nodes do not share /.*: submit from the home, or give absolute paths to -o and -e$"):
        caller.qsub(*arguments, "job.pbs")
    assert caller.ran == []
    (shared / "link").symlink_to(tmp_path)
    monkeypatch.chdir(shared / "link")
    monkeypatch.setenv("PWD", str(shared / "link"))
    with pytest.raises(PbsError, match="the nodes do not share"):
        caller.qsub(*arguments, "job.pbs")


@pytest.mark.parametrize(
    "arguments", [("-k", "oe"), ("-o", "/scratch/x", "-e", "/dev/null"), ("-j", "oe", "-o", "$HOME/x"), ("-j", "eo", "-e", "host:~/"), ("-I", "-x")]
)
@pytest.mark.usefixtures("shared")
def test_output_in_the_home_or_where_the_user_says_is_not_refused(caller: Caller, arguments: tuple[str, ...]) -> None:
    caller.qsub(*arguments, "job.pbs")
    assert len(caller.ran) == 1


def test_output_in_a_shared_folder_is_where_pbs_puts_it(caller: Caller, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shared)
    Path("job.pbs").touch()
    caller.qsub("job.pbs")
    assert caller.argument("--output") == f"{shared}/job.pbs.o%j"


def test_root_submits_no_jobs(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    with pytest.raises(PbsError, match="root submits no jobs"):
        caller.qsub("job.pbs")
    assert caller.ran == []
