# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that change jobs: qdel, qhold, qrls, qrerun, qalter, qmove, qsig, qmsg; and pbsdsh, which runs a program on the nodes of a job."""

from __future__ import annotations

import datetime
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from . import slurm
from .command import Command, known
from .options import BEFORE, LETTERS, Options, parse
from .qsub import check_dependencies, hosts
from .resources import LIMITS, MEMORY, PLACES, asked_for, resources, split
from .submission import check_server, constraints, dependency, memory, nice, written
from .values import PbsError, UsageError, clock, is_job, job_id, moment

# What qalter changes, by letter or attribute; all else is refused
CHANGEABLE = ("-a", "-h", "-N", "-p", "-q", "-r", "-t")
SUBMITTED = "it is chosen when a job is submitted"
# Attributes of a job that qalter cannot change, and why; of others it is SUBMITTED
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
    "-x": "the scheduler chooses the nodes; -l nodes= asks for others",
}
NAMES = {"group": "-W group_list", "umask": "-W umask"}
# The same of resources
FIXED_RESOURCES = {
    "procs": "processors on any nodes are asked for when a job is submitted",
    "naccesspolicy": SUBMITTED,
    **dict.fromkeys(LIMITS, "the limits of processes are set when a job is submitted"),
}


HOLDS = {"JobHeldUser": "uhold", "JobHeldAdmin": "hold"}  # by Slurm's reason, what scontrol does to a job that is held


def on_job(act: Callable[..., None], *more: str) -> Callable[[str], None]:
    return lambda job: act(job, *more)


def control(*words: str) -> None:
    slurm.run(["scontrol", *words])


def ranges(pairs: list[tuple[str, str]], operands: list[str]) -> list[str]:
    """The jobs of the operands; with -t those indices of arrays."""
    if not operands:
        raise UsageError("name a job")
    indices = dict(pairs).get("-t", "")
    if not indices:
        return operands
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", indices):
        raise UsageError(f"-t: must be indices such as 1,3-5, got '{indices}'")
    numbers = [str(index) for part in indices.split(",") for index in _range(part)]
    found: list[str] = []
    for item in operands:  # what is no job is said when its turn comes
        found += [f"{job_id(item).partition('_')[0]}_{index}" for index in numbers] if is_job(item) else [item]
    return found


def _range(text: str) -> range:
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def qdel(command: Command) -> int:
    refused = {"-m": "a job has no place for a message", "-W": "the delay between the signals is the same for all jobs"}
    pairs, operands = command.parsed("abm:pt:W:", refused)
    jobs = ranges(pairs, operands)
    if [job.lower() for job in jobs] == ["all"]:
        _delete_all()
        return 0
    return command.each(jobs, _delete)


def _delete_all() -> None:
    """The jobs of the user; root's are all jobs, as TORQUE's are to a manager."""
    if os.getuid() != 0:
        slurm.run(["scancel", f"--user={os.getuid()}"])
    elif living := list(dict.fromkeys(job.base for job in slurm.jobs() if job.letter not in "CE")):
        slurm.run(["scancel", *living])


def _delete(job: str) -> None:
    found = known(job)
    if all(each.letter == "C" for each in found):
        raise PbsError("Job/step already completing or completed")
    slurm.run(["scancel", job])


def qhold(command: Command) -> int:
    pairs, operands = command.parsed("h:t:")
    kind = dict(pairs).get("-h", "u")
    if not re.fullmatch(r"[uos]+", kind):
        raise UsageError(f"-h: must be letters of u, o and s, got '{kind}'")
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
        raise UsageError("name a job")
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
        raise UsageError("usage: qmove QUEUE JOB...")
    queue = operands[0].partition("@")[0]
    if queue not in {each.name for each in slurm.queues()}:
        raise PbsError(f"Unknown queue {queue}")
    return command.each(operands[1:], lambda job: control("update", f"JobId={job}", f"Partition={queue}"))


def qsig(command: Command) -> int:
    pairs, operands = command.parsed("s:a")
    if not operands:
        raise UsageError("name a job")
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
        raise UsageError("usage: qmsg MESSAGE JOB...")
    return command.each(operands[1:], lambda job: control("notify", job, operands[0]))


def qalter(command: Command) -> int:
    # -h has a value here, unlike with qsub, and -t may be a limit alone
    options = parse(command.arguments, LETTERS.replace("h", "h:"), {"-t": _indices})
    given = {*options.values, *options.switches, *(["-v"] if options.variables else [])}
    for letter in sorted(given.difference(CHANGEABLE)):
        raise PbsError(f"{NAMES.get(letter, letter)}: cannot be changed: {FIXED.get(letter, SUBMITTED)}")
    check_alterable(options)
    check_server(options, command.settings.server)
    if not options.operands:
        raise UsageError("usage: qalter OPTIONS JOB...")
    check_dependencies(options)
    names = hosts(options)
    resources(options.resources, names)
    indices, _percent, throttle = options.values.get("-t", "").partition("%")
    code = 0
    if throttle:
        code = command.each([job.partition("[")[0] for job in options.operands], lambda job: _throttle(job, throttle))
    if not throttle or given != {"-t"} or options.resources or options.dependencies:
        jobs = [job for job in ranges([("-t", indices)], options.operands) if not throttle or is_job(job)]
        code = command.each(jobs, lambda job: _alter(job, options, names, command.settings.fair_share)) or code
    return code


def _indices(found: Options, letter: str, value: str) -> None:
    if not re.fullmatch(r"(\d+(-\d+)?(,\d+(-\d+)?)*)?(%[1-9]\d*)?", value) or not value:
        raise PbsError(f"{letter}: must be indices such as 1,3-5, or a limit such as %5, or both, got '{value}'")
    found.values[letter] = value


def check_alterable(options: Options) -> None:
    """The holds, resources and dependencies that qalter cannot change."""
    if not re.fullmatch(r"n|[uos]+", options.values.get("-h", "n")):
        raise UsageError(f"-h: must be letters of u, o and s, or n, got '{options.values['-h']}'")
    named = dict(pair for text in options.resources for pair in split(text))
    for name in sorted(named.keys() & FIXED_RESOURCES.keys()):
        raise PbsError(f"-l {name}: cannot be changed: {FIXED_RESOURCES[name]}")
    if "#" in named.get("nodes", ""):
        raise PbsError(f"-l nodes: #{named['nodes'].partition('#')[2]} cannot be changed: {SUBMITTED}")
    for kind, _jobs in options.dependencies:
        if kind in BEFORE:
            raise PbsError(f"-W depend={kind}: cannot be changed: {SUBMITTED}")


def altered(options: Options, fair_share: bool) -> list[str]:
    """The changes as scontrol takes them, but for resources and -t."""
    values = options.values
    found = [f"JobName={values['-N']}"] if "-N" in values else []
    if "-q" in values:
        found.append(f"Partition={values['-q'].partition('@')[0]}")
    if "-p" in values:
        found.append(f"Nice={nice(values['-p'], fair_share)}")
    if "-r" in values:
        found.append(f"Requeue={int(values['-r'] == 'y')}")
    if "-a" in values:
        found.append(f"StartTime={moment(values['-a'], datetime.datetime.now()):%Y-%m-%dT%H:%M:%S}")
    if options.dependencies:
        found.append(f"Dependency={dependency(options)}")
    return found


def merged(kept: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The resources of a job after a change: of those that say where it runs, and of those of memory, new ones take the place of all old ones."""
    replaced = {name for group in (PLACES, MEMORY) if given.keys() & set(group) for name in group}
    return {name: value for name, value in kept.items() if name not in replaced} | dict(given)


def _altered_resources(job: slurm.Job, given: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """The changes of a job's resources: what was asked for, and what follows from it together with what the job has."""
    listed = merged(job.kept.get("list", {}), given)
    wanted = asked_for(listed, [*names, *slurm.expand(job.required)])
    placed = bool(set(PLACES) & given.keys())
    found = []
    if "walltime" in given and wanted.walltime is not None:
        found.append(f"TimeLimit={clock(wanted.walltime)}")
    if placed:
        found += [f"NumNodes={wanted.nodes}-{wanted.nodes}", f"NumCPUs={wanted.processes}-{wanted.processes}", f"NumTasks={wanted.processes}"]
        places = ",".join(part.host for part in wanted.parts if part.host)
        found += [f"ReqNodeList={places}"] if places or job.required not in ("", "(null)") else []
    if placed or "feature" in given:
        properties = constraints(wanted)
        found += [f"Features={properties}"] if properties or job.features not in ("", "(null)") else []
    reserved = memory(wanted)
    if reserved and (given.keys() & set(MEMORY) or (placed and not reserved.of_processor)):
        found.append(f"{'MinMemoryCPU' if reserved.of_processor else 'MinMemoryNode'}={reserved.mebibytes}")
    return found


def _comment(job: slurm.Job, options: Options, given: Mapping[str, str]) -> list[str]:
    """What qstat shows of it afterwards."""
    new = {key: options.values[letter] for key, letter in (("name", "-N"), ("rerun", "-r")) if letter in options.values}
    listed = {"list": merged(job.kept.get("list", {}), given)} if given else {}
    return [f"Comment={written({**job.kept, **new, **listed})}"] if job.kept and (new or listed) else []


def _alter(job: str, options: Options, names: Iterable[str], fair_share: bool) -> None:
    found = known(job)
    if all(each.letter == "C" for each in found):
        raise PbsError("Job is no longer pending execution")
    given = dict(pair for text in options.resources for pair in split(text))
    changes = [*_altered_resources(found[0], given, names), *altered(options, fair_share)]
    # Slurm compares each change with what the job had until then: it must never have fewer processors than tasks
    tasks = [change for change in changes if change.startswith("NumTasks=")]
    parts = [[change for change in changes if change not in tasks], tasks]
    if tasks and int(tasks[0].partition("=")[2]) < int(found[0].processors):
        parts.reverse()
    for part in (*parts, _comment(found[0], options, given)):
        if part:
            control("update", f"JobId={job}", *part)
    # a new priority takes the place of the one of a held job, which is 0: without another hold, it would not be calculated at the release
    kept = HOLDS.get(found[0].reason, "") if any(change.startswith("Nice=") for change in changes) else ""
    wanted = {"": "", "n": "release", "u": "uhold"}.get(options.values.get("-h", ""), "hold")
    for word in (kept, wanted):
        if word:
            control(word, job)


def _throttle(job: str, most: str) -> None:
    """How many indices of an array run at once."""
    if not any("_" in each.id for each in known(job)):
        raise PbsError("-t: only an array has a limit:")
    control("update", f"JobId={job}", f"ArrayTaskThrottle={most}")


def pbsdsh(command: Command) -> int:
    pairs, program = _leading(command)
    given = dict(pairs)
    if "SLURM_JOB_ID" not in os.environ:
        raise PbsError("works within a job only")
    if not program:
        raise UsageError("usage: pbsdsh [-c COPIES] [-n INDEX] [-u] [-h NODE] PROGRAM [ARGUMENT...]")
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
