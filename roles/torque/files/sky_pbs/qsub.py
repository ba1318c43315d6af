# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qsub: submit a job."""

from __future__ import annotations

import datetime
import grp
import os
import pwd
import resource
import sys
import tempfile
from pathlib import Path

from . import slurm
from .command import Command, known
from .limits import refusal
from .options import PREFIX, Options, of_script, parse
from .resources import Resources, resources
from .submission import Context, Submission, submission
from .values import PbsError, job_id

LIMITS = {"cpu": resource.RLIMIT_CPU, "as": resource.RLIMIT_AS, "fsize": resource.RLIMIT_FSIZE}
OF_BATCH = ("--parsable", "--ignore-pbs", "--output=", "--error=", "--open-mode=", "--requeue", "--no-requeue", "--export=")
MEANINGS = ("--version", "--about", "--help", "-help")


def main(command: Command) -> int:
    if command.arguments and command.arguments[0] in MEANINGS:
        sys.stdout.write("qsub of sky.clusters: the options of TORQUE 6.1, for Slurm; the table of all of them is in the collection's guide\n")
        return 0
    given = parse(command.arguments)
    interactive = "-I" in given.switches
    script, path = read_script(given.operands, interactive and "-x" not in given.switches)
    prefix = given.values.get("-C", os.environ.get("PBS_DPREFIX", PREFIX))
    options = given.over(of_script(script, prefix))
    wanted = resources(options.resources, _hosts(options))
    job = submission(options, wanted, script, path, context(command))
    if "-I" in options.switches:
        return interact(job, script if "-x" in options.switches else "")
    return submit(command, options, wanted, job)


def _hosts(options: Options) -> list[str]:
    """The names of nodes, which only a request that may name one needs."""
    named = any(not item.partition("=")[2][:1].isdigit() or "+" in item for item in options.resources if "nodes=" in item)
    return [node.name for node in slurm.nodes()] if named else []


def read_script(operands: list[str], optional: bool) -> tuple[str, str]:
    """The script and its path, from the file of the first operand, or from standard input."""
    if operands and operands[0] != "-":
        try:
            return Path(operands[0]).read_bytes().decode("utf-8", errors="surrogateescape"), operands[0]
        except OSError as error:
            raise PbsError(f"script {operands[0]} cannot be read: {error.strerror}") from None
    if optional:
        return "", ""
    script = sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")
    if not script.strip():
        raise PbsError("the script is empty")
    return script, ""


def context(command: Command) -> Context:
    account = pwd.getpwuid(os.getuid())
    folder = os.environ.get("PWD", "")
    if not folder or not os.path.isdir(folder) or not os.path.samefile(folder, "."):
        folder = os.getcwd()
    return Context(
        user=account.pw_name, home=account.pw_dir, shell=account.pw_shell or "/bin/bash", folder=folder, host=os.uname().nodename,
        server=command.settings.server, environment=dict(os.environ), now=datetime.datetime.now(),
        group=grp.getgrgid(os.getgid()).gr_name, mail=command.settings.mail, fair_share=command.settings.fair_share,
    )  # fmt: skip


def submit(command: Command, options: Options, wanted: Resources, job: Submission) -> int:
    check_dependencies(options)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", prefix="pbs-") as file:
        file.write(job.script)
        file.flush()
        arguments = ["sbatch", *job.arguments, file.name, *options.values.get("-F", "").split()]
        try:
            answer = slurm.run(arguments, env={"PATH": "/usr/bin:/bin", **job.variables}, preexec_fn=lambda: limit(job))
        except PbsError as error:
            raise PbsError(explained(str(error), wanted, options)) from None
    number = answer.strip().partition(";")[0]
    for kind, other in job.before:
        depend(other, f"{kind}:{number}")
    if "-z" not in options.switches:
        sys.stdout.write(command.shown(f"{number}_*" if "-t" in options.values else number) + "\n")
    return 0


def check_dependencies(options: Options) -> None:
    """Slurm takes a job that it does not know for one that has ended well."""
    for kind, others in options.dependencies:
        for other in others:
            if not slurm.jobs([job_id(other)]):
                raise PbsError(f"-W depend={kind}:{other}: there is no such job")


def limit(job: Submission) -> None:
    """In the process of sbatch, which hands its limits and its umask on to the job."""
    if job.umask is not None:
        os.umask(job.umask)
    for name, value in job.limits.items():
        _soft, hard = resource.getrlimit(LIMITS[name])
        resource.setrlimit(LIMITS[name], (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def explained(error: str, wanted: Resources, options: Options) -> str:
    """Slurm's error, or the limit behind it."""
    try:
        return refusal(wanted, options.values.get("-q", "").partition("@")[0], slurm.queues(), slurm.nodes()) or error
    except PbsError:
        return error


def depend(job: str, item: str) -> None:
    """Have another job wait, beside what it waits for already."""
    before = known(job)[0].dependency
    kept = [] if before in ("", "(null)") else [part.partition("(")[0] for part in before.split(",")]
    slurm.run(["scontrol", "update", f"JobId={job}", f"Dependency={','.join([*kept, item])}"])


def interact(job: Submission, script: str) -> int:
    """A shell on the first node of the job, or the script there."""
    if not script and not sys.stdin.isatty():
        raise PbsError("-I: needs a terminal")
    arguments = [item for item in job.arguments if not item.startswith(OF_BATCH)]
    program = ["srun", "--pty", "bash", "-l", "-c", script] if script else []
    sys.stdout.write("qsub: waiting for job to start\n")
    sys.stdout.flush()
    limit(job)
    environment = {"PATH": "/usr/bin:/bin", **os.environ, **job.variables}
    os.execvpe("salloc", ["salloc", "--quiet", *arguments, *program], environment)  # noqa: S606
