# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that show: qstat, pbsnodes, showq, qselect, tracejob, checkjob."""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Iterable, Sequence

from . import history, show, slurm
from .command import UNKNOWN_JOB, Command
from .values import PbsError, UsageError, is_job, job_id

STATES = "CEHQRSTW"


def put(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def collapsed(jobs: Sequence[slurm.Job], arrays: bool) -> list[slurm.Job]:
    """The jobs, with the waiting indices of an array as one row, as TORQUE shows them without -t."""
    found: dict[str, slurm.Job] = {}
    for job in jobs:
        base = job.id.partition("_")[0]
        if arrays or "_" not in job.id:
            found[job.id] = job
        elif base not in found or (found[base].letter in "CH" and job.letter not in "CH"):
            found[base] = slurm.Job({**job.fields, "id": f"{base}_*"})
    return list(found.values())


def qstat(command: Command) -> int:
    refused = {"-C": "it belongs to servers that route jobs", "-l": "names are cut in the table; -f shows them whole"}
    pairs, operands = command.parsed("aeifnrstu:xqQB1GMRlcW:C", refused)
    given = dict(pairs)
    server = command.settings.server
    queues = {queue.name for queue in slurm.queues()} if operands or {"-q", "-Q"} & given.keys() else set()
    if "-B" in given:
        put(show.server_full(server, slurm.jobs(), slurm.queues()) if "-f" in given else show.server_counts(server, slurm.jobs()))
        return 0
    if {"-q", "-Q"} & given.keys():
        return _queues(given, operands, server)
    named = [item for item in operands if item.partition("@")[0] not in queues and not item.startswith("@")]
    jobs = slurm.jobs()
    missing = []
    if named:
        wanted = [job_id(item) for item in named if is_job(item)]
        found = {name: [job for job in jobs if name in (job.id, job.base)] for name in wanted}
        past = history.ended(command.settings.history) if "-x" in given and not all(found.values()) else []
        found = {name: rows or [job for job in past if name in (job.id, job.base)] for name, rows in found.items()}
        missing = [name for name, rows in found.items() if not rows]
        jobs = [job for rows in found.values() for job in rows]
    elif "-x" in given:
        current = {job.id for job in jobs}
        jobs = [job for job in history.ended(command.settings.history) if job.id not in current] + jobs
    chosen_queues = [item.partition("@")[0] for item in operands if item.partition("@")[0] in queues]
    jobs = [job for job in _chosen(jobs, given) if not chosen_queues or job.queue in chosen_queues]
    _show(jobs, given, command, bool(named))
    malformed = [item for item in named if not is_job(item)]
    for item in malformed:
        command.say(f"illegally formed job identifier: {item}")
    for name in missing:
        command.say(f"Unknown Job Id Error {command.shown(name)}")
    return UNKNOWN_JOB if missing else int(bool(malformed))


def _queues(given: dict[str, str], operands: list[str], server: str) -> int:
    queues, jobs = slurm.queues(), slurm.jobs()
    names = {item.partition("@")[0] for item in operands}
    unknown = names - {queue.name for queue in queues}
    if unknown:
        raise PbsError(f"Unknown queue {sorted(unknown)[0]}")
    queues = [queue for queue in queues if not names or queue.name in names]
    if "-Q" in given and "-f" in given:
        put(line for queue in queues for line in (*show.queue_full(queue, jobs), ""))
    else:
        put(show.queue_counts(queues, jobs) if "-Q" in given else show.queue_limits(queues, jobs, server))
    return 0


def _chosen(jobs: Iterable[slurm.Job], given: dict[str, str]) -> list[slurm.Job]:
    letters = "RES" if "-r" in given else "QHW" if "-i" in given else STATES.replace("C", "") if "-c" in given else STATES
    users = given.get("-u", "").split(",") if given.get("-u") else []
    return [job for job in jobs if job.letter in letters and (not users or job.user in users)]


def _show(jobs: Sequence[slurm.Job], given: dict[str, str], command: Command, named: bool) -> None:
    server = command.settings.server
    arrays = "-t" in given
    if "-f" in given:
        for job in collapsed(jobs, arrays or named):
            ended = job.letter == "C"
            put([*show.full(job, command.settings, _status(job) if ended else None, ended), ""])
        return
    rows = collapsed(jobs, arrays or (named and any("_" in job.id for job in jobs) and len(jobs) == 1))
    if {"-a", "-i", "-r", "-n", "-s", "-u", "-1", "-G", "-M", "-R"} & given.keys():
        put(show.wide_table(rows, server, "-n" in given, "-s" in given, "-1" in given))
    else:
        put(show.jobs_table(rows, server))


def _status(job: slurm.Job) -> int | None:
    if "exit" in job.fields:
        return slurm.status_of(job.state, job.fields["exit"])
    try:
        return slurm.exit_status(job.id)
    except PbsError:
        return None


def pbsnodes(command: Command) -> int:
    pairs, operands = command.parsed("aloncrN:qs:x", {"-x": "the nodes are shown as text"})
    given = dict(pairs)
    nodes = slurm.nodes()
    if "-l" in given:
        return _listed(nodes, operands)
    operands = [name for word in operands for name in (_having(nodes, word[1:]) if word.startswith(":") else [word])]
    known = {node.name for node in nodes}
    unknown = [name for name in operands if name not in known]
    if unknown:
        raise PbsError(f"Unknown node {unknown[0]}")
    change = next((letter for letter in ("-o", "-c", "-r") if letter in given), "")
    if change or "-N" in given:
        if not operands:
            raise PbsError(f"{change or '-N'}: name a node")
        for name in operands:
            set_node(name, change, given.get("-N"))
        return 0
    jobs = slurm.jobs()
    chosen = [node for node in nodes if not operands or node.name in operands]
    put(line for node in chosen for line in (*show.node_full(node, jobs, command.settings.server), ""))
    return 0


def _having(nodes: Iterable[slurm.Node], name: str) -> list[str]:
    """The names of the nodes that have a property."""
    found = [node.name for node in nodes if name in node.properties]
    if not found:
        raise PbsError(f"Unknown property {name}")
    return found


def _listed(nodes: Sequence[slurm.Node], operands: Sequence[str]) -> int:
    """Those in a state; by default those that cannot work."""
    state = operands[0] if operands else ""
    kinds = ("free", "offline", "down", "up", "all", "active", "busy", "job-exclusive")
    if state and state not in kinds:
        raise PbsError(f"-l: must be one of {', '.join(kinds)}, got '{state}'")
    for node in nodes:
        unfit = node.down or node.offline
        match = {
            "": unfit, "all": True, "up": not unfit, "active": node.used > 0, "busy": node.state == "job-exclusive", "offline": node.offline,
            "down": node.down, "free": node.state == "free", "job-exclusive": node.state == "job-exclusive",
        }[state]  # fmt: skip
        if match:
            sys.stdout.write(f"{node.name:<20} {node.state:<22} {node.reason if unfit else ''}".rstrip() + "\n")
    return 0


def set_node(name: str, change: str, note: str | None = None) -> None:
    """Take a node out (-o), take it in again (-c, -r), or write a note on it."""
    words = ["scontrol", "update", f"NodeName={name}"]
    if change == "-o":
        words += ["State=DRAIN", f"Reason={note or 'offline'}"]
    elif change in ("-c", "-r"):
        words.append("State=RESUME")
    elif note is not None:
        words.append(f"Reason={note}")
    slurm.run(words)


def showq(command: Command) -> int:
    pairs, _operands = command.parsed("riu:w:")
    given = dict(pairs)
    user = given.get("-u", "") or (given.get("-w", "").partition("user=")[2])
    put(show.showq(_chosen(slurm.jobs(user=user), given), slurm.nodes()))
    return 0


def showres(command: Command) -> int:
    refused = {"-n": "the nodes of a reservation are shown by scontrol show reservation"}
    _pairs, operands = command.parsed("n", refused)
    found = [each for each in slurm.reservations() if not operands or each.name in operands]
    unknown = set(operands) - {each.name for each in found}
    if unknown:
        raise PbsError(f"there is no reservation {sorted(unknown)[0]}")
    put(show.showres(found, datetime.datetime.now()))
    return 0


def qselect(command: Command) -> int:
    refused = dict.fromkeys(("-a", "-c", "-h", "-l", "-p", "-r"), "jobs are selected by -A, -N, -q, -s and -u")
    pairs, _operands = command.parsed("a:A:c:h:l:N:p:q:r:s:u:", refused)
    given = dict(pairs)
    letters = given.get("-s", STATES)
    if set(letters) - set(STATES):
        raise PbsError(f"-s: must be letters of {STATES}, got '{letters}'")
    for job in collapsed(slurm.jobs(user=given.get("-u", "")), arrays=False):
        same = (given.get("-N", job.name) == job.name, given.get("-q", job.queue) == job.queue, given.get("-A", job.charged) == job.charged)
        if all(same) and job.letter in letters:
            sys.stdout.write(command.shown(job.id) + "\n")
    return 0


def tracejob(command: Command) -> int:
    _pairs, operands = command.parsed("aslmqvzn:f:p:w:c:")
    if not operands:
        raise UsageError("name a job")
    return command.each(operands, lambda job: _traced(command, job))


def _traced(command: Command, name: str) -> None:
    found = [job for job in [*slurm.jobs(), *history.ended(command.settings.history)] if name in (job.id, job.base)]
    if not found:
        raise PbsError("Invalid job id specified")
    job = found[0]
    put([f"Job: {command.shown(job.id)}", ""])
    for time, words in ((job.submitted, f"Job Queued at request of {job.user}, job name = {job.name}, queue = {job.queue}"),
                        (job.started, f"Job Run at request of root, exec_host={show.exec_host(job)}"),
                        (job.ended, f"Exit_status={_status(job)} resources_used.walltime={job.used}")):  # fmt: skip
        reached = {job.submitted: True, job.started: job.letter not in "QHW", job.ended: job.letter == "C"}.get(time, True)
        if reached and re.match(r"\d{4}-", time):
            put([f"{time.replace('T', ' ')}  S    {words}"])


def qusage(command: Command) -> int:
    """What users have used by month; no command of TORQUE's, but what its accounting was read for."""
    pairs, _operands = command.parsed("ju:m:")
    given = dict(pairs)
    if not command.settings.history.is_file():
        raise PbsError(f"the accounting is on the server, {command.settings.server}")
    used = [
        use
        for use in history.usage(history.read(command.settings.history))
        if use.user == given.get("-u", use.user) and use.month == given.get("-m", use.month)
    ]
    if "-j" in given:
        put([json.dumps([use.plain() for use in used])])
        return 0
    layout = "{:<8} {:<16} {:>8} {:>8} {:>12}"
    put([layout.format("Month", "User", "Jobs", "Failed", "Core hours")])
    put(layout.format(use.month, use.user, use.jobs, use.failed, f"{use.core_seconds / 3600:.2f}") for use in used)
    return 0


def checkjob(command: Command) -> int:
    _pairs, operands = command.parsed("vAl:")
    if not operands:
        raise UsageError("name a job")
    return command.each(operands, _checked)


def _checked(name: str) -> None:
    found = [job for job in slurm.jobs() if name in (job.id, job.base)]
    if not found:
        raise PbsError("Invalid job id specified")
    for job in found:
        limit = job.walltime
        put([
            f"checking job {job.id}", "", f"State: {job.state.title()}", f"Creds:  user:{job.user}  group:{job.group}  class:{job.queue}",
            f"WallTime: {job.used} of {job.limit if limit is not None else 'INFINITY'}", f"SubmitTime: {show.date(job.submitted)}",
            f"Total Tasks: {job.processors}", f"Allocated Nodes: {show.exec_host(job) or 'none'}", f"Reason: {show.said(job) or 'none'}", "",
        ])  # fmt: skip
