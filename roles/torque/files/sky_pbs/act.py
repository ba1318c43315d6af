# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that change jobs: qdel, qhold, qrls, qrerun, qalter, qmove, qsig, qmsg; and pbsdsh, which runs a program on the nodes of a job."""

from __future__ import annotations

import datetime
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from . import slurm
from .command import Command, known
from .options import LETTERS, Options, parse
from .resources import Resources, resources
from .submission import constraints, mebibytes, nice
from .values import PbsError, clock, job_id, moment

# Attributes of a job that qalter cannot change, and why
FIXED = {
    "-A": "the account of a job is chosen when it is submitted",
    "-C": "it belongs to qsub",
    "-e": "the files of a job are chosen when it is submitted",
    "-j": "the files of a job are chosen when it is submitted",
    "-k": "the files of a job are chosen when it is submitted",
    "-m": "mail is chosen when a job is submitted",
    "-M": "mail is chosen when a job is submitted",
    "-o": "the files of a job are chosen when it is submitted",
    "-S": "the shell is chosen when a job is submitted",
    "-u": "a job runs as the user who submitted it",
    "-v": "the variables of a job are chosen when it is submitted",
    "-V": "the variables of a job are chosen when it is submitted",
}


HOLDS = {"JobHeldUser": "uhold", "JobHeldAdmin": "hold"}  # by Slurm's reason, what scontrol does to a job that is held


def on_job(act: Callable[..., None], *more: str) -> Callable[[str], None]:
    return lambda job: act(job, *more)


def control(*words: str) -> None:
    slurm.run(["scontrol", *words])


def ranges(pairs: list[tuple[str, str]], operands: list[str]) -> list[str]:
    """The jobs of the operands; with -t those indices of arrays."""
    if not operands:
        raise PbsError("name a job")
    indices = dict(pairs).get("-t", "")
    if not indices:
        return operands
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", indices):
        raise PbsError(f"-t: must be indices such as 1,3-5, got '{indices}'")
    numbers = [str(index) for part in indices.split(",") for index in _range(part)]
    return [f"{job_id(item).partition('_')[0]}_{index}" for item in operands for index in numbers]


def _range(text: str) -> range:
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def qdel(command: Command) -> int:
    refused = {"-m": "a job has no place for a message", "-W": "the delay between the signals is the same for all jobs"}
    pairs, operands = command.parsed("abm:pt:W:", refused)
    jobs = ranges(pairs, operands)
    if jobs == ["all"]:
        slurm.run(["scancel", f"--user={os.getuid()}"])
        return 0
    return command.each(jobs, _delete)


def _delete(job: str) -> None:
    found = known(job)
    if all(each.letter == "C" for each in found):
        raise PbsError("Job/step already completing or completed")
    slurm.run(["scancel", job])


def qhold(command: Command) -> int:
    pairs, operands = command.parsed("h:t:")
    kind = dict(pairs).get("-h", "u")
    if not re.fullmatch(r"[uosn]+", kind):
        raise PbsError(f"-h: must be letters of u, o and s, or n, got '{kind}'")
    return command.each(ranges(pairs, operands), on_job(_hold, "uhold" if kind == "u" else "hold"))


def _hold(job: str, how: str) -> None:
    if not any(each.state == "PENDING" for each in known(job)):
        raise PbsError("Job is no longer pending execution: a job that runs cannot be checkpointed, so it cannot be held,")
    control(how, job)


def qrls(command: Command) -> int:
    pairs, operands = command.parsed("h:t:")
    return command.each(ranges(pairs, operands), _release)


def _release(job: str) -> None:
    if not any(each.state == "PENDING" for each in known(job)):
        raise PbsError("Job is no longer pending execution")
    control("release", job)


def qrerun(command: Command) -> int:
    _pairs, operands = command.parsed("f")
    if not operands:
        raise PbsError("name a job")
    return command.each(operands, _rerun)


def _rerun(job: str) -> None:
    found = known(job)
    if all(each.letter not in "RE" for each in found):
        raise PbsError("Job is no longer pending execution or running")
    if any(each.kept.get("rerun") == "n" for each in found):
        raise PbsError("the job is not rerunable (qsub -r n):")
    control("requeue", job)


def qmove(command: Command) -> int:
    _pairs, operands = command.parsed("")
    if len(operands) < 2:
        raise PbsError("usage: qmove QUEUE JOB...")
    queue = operands[0].partition("@")[0]
    if queue not in {each.name for each in slurm.queues()}:
        raise PbsError(f"Unknown queue {queue}")
    return command.each(operands[1:], lambda job: control("update", f"JobId={job}", f"Partition={queue}"))


def qsig(command: Command) -> int:
    pairs, operands = command.parsed("s:a")
    signal = dict(pairs).get("-s", "TERM").upper().removeprefix("SIG")
    if signal in ("SUSPEND", "RESUME"):
        return command.each(operands, lambda job: control(signal.lower(), job))
    if not re.fullmatch(r"[A-Z0-9]+", signal):
        raise PbsError(f"-s: '{signal}' is no signal")
    return command.each(operands, on_job(_signal, signal))


def _signal(job: str, signal: str) -> None:
    if all(each.letter != "R" for each in known(job)):
        raise PbsError("Job is no longer pending execution or running")
    slurm.run(["scancel", "--full", f"--signal={signal}", job])


def qmsg(command: Command) -> int:
    _pairs, operands = command.parsed("EO")
    if len(operands) < 2:
        raise PbsError("usage: qmsg MESSAGE JOB...")
    return command.each(operands[1:], lambda job: control("notify", job, operands[0]))


def qalter(command: Command) -> int:
    options = parse(command.arguments, LETTERS.replace("h", "h:"))  # -h has a value here, unlike with qsub
    given = {*options.values, *options.switches, *(["-v"] if options.variables else [])}
    for letter in sorted(given & FIXED.keys()):
        raise PbsError(f"{letter}: cannot be changed: {FIXED[letter]}")
    if not options.operands:
        raise PbsError("usage: qalter OPTIONS JOB...")
    changes = altered(options, command.settings.fair_share)
    return command.each(options.operands, lambda job: _alter(job, changes, options.values.get("-h", "")))


def altered(options: Options, fair_share: bool) -> list[str]:
    """The changes as scontrol takes them."""
    values = options.values
    found = _altered_resources(resources(options.resources))
    direct = {"-N": "JobName={}", "-q": "Partition={}"}
    found += [text.format(values[letter]) for letter, text in direct.items() if letter in values]
    if "-p" in values:
        found.append(f"Nice={nice(values['-p'], fair_share)}")
    if "-r" in values:
        found.append(f"Requeue={int(values['-r'] == 'y')}")
    if "-a" in values:
        found.append(f"StartTime={moment(values['-a'], datetime.datetime.now()):%Y-%m-%dT%H:%M:%S}")
    if "-t" in values:
        found.append(f"ArrayTaskThrottle={values['-t'].rpartition('%')[2]}")
    if options.dependencies:
        found.append("Dependency=" + ",".join(f"{kind}:{':'.join(map(job_id, jobs))}" for kind, jobs in options.dependencies))
    return found


def _altered_resources(wanted: Resources) -> list[str]:
    found = []
    if wanted.walltime is not None:
        found.append(f"TimeLimit={clock(wanted.walltime)}")
    if wanted.parts:
        found += [f"NumNodes={wanted.nodes}-{wanted.nodes}", f"NumCPUs={wanted.processes}-{wanted.processes}", f"NumTasks={wanted.processes}"]
    if names := constraints(wanted):
        found.append(f"Features={names}")
    if wanted.memory is not None:
        found.append(f"MinMemoryNode={mebibytes(wanted.memory, wanted.nodes or 1)}")
    if wanted.process_memory is not None:
        found.append(f"MinMemoryCPU={mebibytes(wanted.process_memory, 1)}")
    return found


def _alter(job: str, changes: list[str], hold: str) -> None:
    found = known(job)
    if all(each.letter == "C" for each in found):
        raise PbsError("Job is no longer pending execution")
    # Slurm compares each change with what the job had until then: it must never have fewer processors than tasks
    tasks = [change for change in changes if change.startswith("NumTasks=")]
    parts = [[change for change in changes if change not in tasks], tasks]
    if tasks and int(tasks[0].partition("=")[2]) < int(found[0].processors):
        parts.reverse()
    for part in parts:
        if part:
            control("update", f"JobId={job}", *part)
    # a new priority takes the place of the one of a held job, which is 0: without another hold, it would not be calculated at the release
    kept = HOLDS.get(found[0].reason, "") if any(change.startswith("Nice=") for change in changes) else ""
    wanted = {"": "", "n": "release", "u": "uhold"}.get(hold, "hold")
    for word in (kept, wanted):
        if word:
            control(word, job)


def pbsdsh(command: Command) -> int:
    pairs, program = _leading(command)
    given = dict(pairs)
    if "SLURM_JOB_ID" not in os.environ:
        raise PbsError("works within a job only")
    if not program:
        raise PbsError("usage: pbsdsh [-c COPIES] [-n INDEX] [-u] [-h NODE] PROGRAM [ARGUMENT...]")
    nodes = slurm.expand(os.environ.get("SLURM_JOB_NODELIST", ""))
    words = ["srun", "--overlap", "--quiet"]
    if "-n" in given:
        listed = Path(os.environ["PBS_NODEFILE"]).read_text(encoding="utf-8").split()
        index = int(given["-n"]) if given["-n"].isdigit() else len(listed)
        if index >= len(listed):
            raise PbsError(f"-n: must be from 0 to {len(listed) - 1}, got '{given['-n']}'")
        words += ["--nodes=1", "--ntasks=1", f"--nodelist={listed[index]}"]
    elif "-h" in given:
        words += ["--nodes=1", "--ntasks=1", f"--nodelist={given['-h']}"]
    elif "-u" in given:
        words += [f"--nodes={len(nodes)}", f"--ntasks={len(nodes)}", "--ntasks-per-node=1"]
    else:
        words.append(f"--ntasks={given.get('-c', os.environ.get('PBS_NP', '1'))}")
    sys.stdout.flush()
    os.execvp("srun", [*words, *program])  # noqa: S606


def _leading(command: Command) -> tuple[list[tuple[str, str]], list[str]]:
    """Options before the program, whose own options are its."""
    words = list(command.arguments)
    found = []
    while words and re.fullmatch(r"-[cnhusov]+.*", words[0]):
        word = words.pop(0)
        takes = word[1] in "cnh"
        value = (word[2:] or (words.pop(0) if words else "")) if takes else ""
        found.append((word[:2], value))
    return found, words
