# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qsub: submit a job."""

from __future__ import annotations

import contextlib
import datetime
import grp
import os
import pwd
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import slurm
from .command import Command, known
from .limits import refusal, too_high
from .options import PREFIX, Options, joined, of_script, parse
from .resources import Resources, may_name_nodes, resources
from .submission import Context, Submission, given_path, left_to_the_folder, submission, work_folder
from .values import PbsError, UsageError, job_id

BIN = "/usr/bin"  # where Slurm's programs are
LIMITS = {"cpu": resource.RLIMIT_CPU, "as": resource.RLIMIT_AS, "fsize": resource.RLIMIT_FSIZE}
OF_BATCH = ("--parsable", "--ignore-pbs", "--output=", "--error=", "--open-mode=", "--requeue", "--no-requeue", "--export=")
FOLLOWED = "SKY_PBS_FOLLOWED"  # is set where the module torque_submit follows the job
BY_HAND = ("-I", "-t", "-z")  # with them there is not one job whose number is printed and whose output is in a file
MEANINGS = ("--version", "--about", "--help", "-help")


def main(command: Command) -> int:
    if command.arguments and command.arguments[0] in MEANINGS:
        sys.stdout.write("qsub of sky.clusters: the options of TORQUE 6.1, for Slurm; the table of all of them is in the collection's guide\n")
        return 0
    if os.getuid() == 0:  # of any node, it would be root of all of them
        raise PbsError("root submits no jobs: use an account of a user")
    given = parse(command.arguments)
    interactive = "-I" in given.switches
    script, path = read_script(given.operands, interactive and "-x" not in given.switches)
    prefix = given.values.get("-C", os.environ.get("PBS_DPREFIX", PREFIX))
    script = joined(script, prefix)
    options = given.over(of_script(script, prefix))
    check_call(options)
    around = context(command)
    check_folder(options, around, command.settings.shared)
    wanted = resources(options.resources, hosts(options))
    job = submission(with_folders(options, around), wanted, script, path, around)
    check_dependencies(options)
    if "-I" in options.switches:
        return interact(job, [script, *options.operands] if "-x" in options.switches else [])
    return submit(command, options, wanted, job)


def check_call(options: Options) -> None:
    """What this call may not ask for.

    Raises:
        PbsError: with the option or the operand.
    """
    if len(options.operands) > 1 and not {"-I", "-x"} <= options.switches:
        raise UsageError(f"'{options.operands[1]}' is one operand too many: -F gives arguments to the script")
    for letter in BY_HAND if FOLLOWED in os.environ else ():
        if letter in options.values or letter in options.switches:
            raise PbsError(f"{letter}: is for jobs that are submitted by hand: log in and use qsub")


def check_folder(options: Options, around: Context, shared: Sequence[str]) -> None:
    """PBS brings output back to the host of the submission. Here the nodes write it, which is the same only in folders that they share."""
    folder = work_folder(options, around)
    same = {path for each in (*shared, around.home) for path in (Path(each), Path(each).resolve())}
    places = {Path(folder), Path(folder).resolve()}  # a link, too, leads elsewhere on another node
    alike = all(any(place.is_relative_to(each) for each in same) for place in places)
    streams = left_to_the_folder(options, around)
    if streams and not alike and "-I" not in options.switches:
        raise PbsError(f"{streams[0]}: the nodes do not share {folder}: submit from the home, or give absolute paths to -o and -e")


def hosts(options: Options) -> list[str]:
    """The names of nodes, which only a request that may name one needs."""
    return [node.name for node in slurm.nodes()] if may_name_nodes(options.resources) else []


def with_folders(options: Options, around: Context) -> Options:
    """A path of -o or -e that is a folder ends in /: the file there gets its usual name."""
    paths = {letter: given_path(options, letter, around) for letter in ("-o", "-e")}
    return replace(options, values=options.values | {letter: os.path.join(path, "") for letter, path in paths.items() if os.path.isdir(path)})


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
    waiting = [(other, changeable(kind, other)) for kind, other in job.before]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", prefix="pbs-") as file:
        file.write(job.script)
        file.flush()
        # by its path: -v PATH is the job's
        arguments = [f"{BIN}/sbatch", *job.arguments, file.name, *options.values.get("-F", "").split()]
        try:
            answer = slurm.run(arguments, env={"PATH": "/usr/bin:/bin", **job.variables}, preexec_fn=lambda: limit(job))
        except PbsError as error:
            raise PbsError(explained(str(error), wanted, options)) from None
    number = answer.strip().partition(";")[0]
    precede(number, job.before, dict(waiting))
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
        queue = options.values.get("-q", "").partition("@")[0]
        beyond = too_high(options.values.get("-t", ""), slurm.most_index()) if "-t" in options.values else ""
        return beyond or refusal(wanted, queue, slurm.queues(), slurm.nodes()) or error
    except PbsError:
        return error


def changeable(kind: str, job: str) -> str:
    """What another job, which is to wait for the new one, waits for already.

    Raises:
        PbsError: it cannot be changed, so that nothing is submitted.
    """
    found = known(job)
    if not all(each.state == "PENDING" for each in found):
        raise PbsError(f"-W depend: job {job} no longer waits, so it cannot be made to wait for this one ({kind})")
    if os.getuid() != 0 and any(each.user != pwd.getpwuid(os.getuid()).pw_name for each in found):
        raise PbsError(f"-W depend: job {job} is another user's, so it cannot be made to wait for this one ({kind})")
    before = found[0].dependency
    return "" if before in ("", "(null)") else ",".join(part.partition("(")[0] for part in before.split(","))


def precede(number: str, others: Sequence[tuple[str, str]], before: Mapping[str, str]) -> None:
    """Have other jobs wait for a new one, beside what they wait for already; the new one is deleted where that is not possible for all."""
    changed = dict(before)
    try:
        for kind, other in others:
            changed[other] = ",".join(filter(None, (changed[other], f"{kind}:{number}")))
            wait_for(other, changed[other])
    except PbsError as error:
        for restored in (job for job, wanted in changed.items() if wanted != before[job]):
            with contextlib.suppress(PbsError):
                wait_for(restored, before[restored])
        slurm.run(["scancel", number])
        raise PbsError(f"-W depend: job {other} cannot be made to wait for the new one, which is deleted: {error}") from None


def wait_for(job: str, wanted: str) -> None:
    slurm.run(["scontrol", "update", f"JobId={job}", f"Dependency={wanted}"])


def interact(job: Submission, script: list[str]) -> int:
    """A shell on the first node of the job, or the script there.

    Args:
        script: its text, its name and its arguments; empty for a shell.
    """
    if not script and not sys.stdin.isatty():
        raise PbsError("-I: needs a terminal")
    arguments = [item for item in job.arguments if not item.startswith(OF_BATCH)]
    program = [f"{BIN}/srun", "--pty", "bash", "-l", "-c", *script] if script else []
    sys.stdout.write("qsub: waiting for job to start\n")
    sys.stdout.flush()
    limit(job)
    os.execve(f"{BIN}/salloc", ["salloc", *arguments, *program], dict(job.variables))  # noqa: S606
