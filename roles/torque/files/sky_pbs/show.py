# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and lists of jobs, nodes and queues, as the commands of TORQUE and Maui write them. Pure."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .command import Settings
from .slurm import Job, Node, Queue, Reservation, duration, expand, natural
from .submission import HIGHEST, PRIORITY_STEP, PRIORITY_STEP_SHARED
from .values import clock, shown_id

MISSING = "--"
REQUIRED = "Req'd"


def jobs_table(jobs: Sequence[Job], server: str) -> Iterator[str]:
    """The table of qstat."""
    if not jobs:
        return
    layout = "{:<25.25} {:<16.16} {:<15.15} {:<8.8} {:1} {:<5}"
    yield layout.format("Job ID", "Name", "User", "Time Use", "S", "Queue")
    yield layout.format("-" * 25, "-" * 16, "-" * 15, "-" * 8, "-", "-----")
    for job in jobs:
        used = clock(job.seconds) if job.letter not in "QHW" else "0"
        yield layout.format(shown_id(job.id, server), job.name, job.user, used, job.letter, job.queue)


def wide_table(jobs: Sequence[Job], server: str, nodes: bool = False, reason: bool = False, one_line: bool = False) -> Iterator[str]:
    """The table of qstat -a, -n and -s."""
    if not jobs:
        return
    layout = "{:<23.23} {:<11.11} {:<8.8} {:<16.16} {:>6} {:>5} {:>6} {:>9} {:>9} {:1} {:>9}"
    yield ""
    yield f"{server}: "
    yield f"{'':<78}{REQUIRED:>11}{REQUIRED:>10}{'Elap':>12}"
    yield layout.format("Job ID", "Username", "Queue", "Jobname", "SessID", "NDS", "TSK", "Memory", "Time", "S", "Time")
    yield layout.format("-" * 23, "-" * 11, "-" * 8, "-" * 16, "------", "-----", "------", "-" * 9, "-" * 9, "-", "-" * 9)
    for job in jobs:
        elapsed = clock(job.seconds) if job.letter not in "QHW" else MISSING
        limit = job.walltime
        row = layout.format(
            shown_id(job.id, server), job.user, job.queue, job.name, MISSING, job.nodes, job.processors, job.memory or MISSING,
            clock(limit) if limit is not None else MISSING, job.letter, elapsed,
        )  # fmt: skip
        more = [exec_host(job) or MISSING] * nodes + [said(job) or MISSING] * reason
        yield "   ".join([row, *more]) if one_line else row
        if not one_line:
            yield from (f"   {item}" for item in more)


def exec_host(job: Job) -> str:
    """Where a job runs, as ``node-0/0-1+node-1/0-1``: Slurm gives the processors of each node evenly."""
    hosts = expand(job.hosts)
    each = max(1, int(job.processors or 1) // max(1, len(hosts)))
    return "+".join(f"{host}/0-{each - 1}" if each > 1 else f"{host}/0" for host in hosts)


def said(job: Job) -> str:
    """Why it does not run."""
    return "" if job.reason == "None" else job.reason


def full(job: Job, settings: Settings, status: int | None = None, ended: bool = False) -> Iterator[str]:
    """The attributes of qstat -f, each in one line."""
    yield f"Job Id: {shown_id(job.id, settings.server)}"
    for name, value in attributes(job, settings, status, ended).items():
        if value != "":
            yield f"    {name} = {value}"


def attributes(job: Job, settings: Settings, status: int | None = None, ended: bool = False) -> dict[str, str]:
    """What PBS knows of a job, by the names of its attributes."""
    kept = job.kept
    limit = job.walltime
    host = str(kept.get("host", settings.server))
    requested = {f"Resource_List.{name}": str(value) for name, value in kept.get("list", {}).items() if name not in ("walltime", "nodes")}
    waiting = job.letter in "QHW"
    return {
        "Job_Name": job.name,
        "Job_Owner": f"{job.user}@{host}",
        "resources_used.walltime": "" if waiting else clock(job.seconds),
        "job_state": job.letter,
        "queue": job.queue,
        "server": settings.server,
        "Account_Name": job.charged,
        "ctime": date(job.submitted),
        "Error_Path": f"{host}:{_path(str(kept.get('err') or kept.get('out', '')), job)}" if kept else "",
        "exec_host": "" if waiting else exec_host(job),
        "Hold_Types": hold(job),
        "Join_Path": str(kept.get("join", "n")),
        "Keep_Files": str(kept.get("keep", "n")),
        "Mail_Points": str(kept.get("mail", "n")),
        "Output_Path": f"{host}:{_path(str(kept.get('out', '')), job)}" if kept else "",
        "Priority": _priority(job, settings.fair_share),
        "qtime": date(job.submitted),
        "Rerunable": "False" if kept.get("rerun") == "n" else "True",
        "Resource_List.nodes": str(
            kept.get("list", {}).get("nodes", f"{job.nodes}:ppn={max(1, int(job.processors or 1) // max(1, _count(job.nodes)))}")
        ),
        "Resource_List.nodect": job.nodes,
        "Resource_List.walltime": clock(limit) if limit is not None else "",
        **requested,
        "depend": "" if job.dependency in ("(null)", "") else job.dependency.replace("_*", "[]"),
        "comment": said(job),
        "euser": job.user,
        "egroup": job.group,
        "exit_status": "" if status is None else str(status),
        "start_time": "" if waiting else date(job.started),
        "comp_time": date(job.ended) if ended or job.letter == "C" else "",
        "init_work_dir": job.folder,
        "job_array_request": str(kept.get("array", "")),
    }


def _priority(job: Job, fair_share: bool) -> str:
    step = PRIORITY_STEP_SHARED if fair_share else PRIORITY_STEP
    return str(HIGHEST - int(job.nice) // step) if job.kept and job.nice.isdigit() else "0"


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 1


def _path(pattern: str, job: Job) -> str:
    """The path behind a pattern of Slurm."""
    index = job.id.partition("_")[2]
    for name, value in {"%j": job.base, "%A": job.base, "%a": index}.items():
        pattern = pattern.replace(name, value)
    return pattern.replace("%%", "%")


def hold(job: Job) -> str:
    return {"JobHeldUser": "u", "JobHeldAdmin": "s", "Dependency": "s"}.get(job.reason, "n") if job.letter == "H" else "n"


def date(text: str) -> str:
    """A time of Slurm's as PBS writes it; empty if there is none."""
    try:
        return datetime.datetime.fromisoformat(text).strftime("%a %b %e %H:%M:%S %Y")
    except ValueError:
        return ""


def queue_limits(queues: Iterable[Queue], jobs: Sequence[Job], server: str) -> Iterator[str]:
    """The table of qstat -q."""
    layout = "{:<16.16} {:>6} {:>8} {:>8} {:>4} {:>4} {:>4} {:>3} {:>5}"
    yield ""
    yield f"server: {server}"
    yield ""
    yield layout.format("Queue", "Memory", "CPU Time", "Walltime", "Node", "Run", "Que", "Lm", "State")
    yield layout.format("-" * 16, "-" * 6, "-" * 8, "-" * 8, "----", "----", "----", "---", "-----")
    running = waiting = 0
    for queue in queues:
        counts = Counter(job.letter for job in jobs if job.queue == queue.name)
        run, wait = counts["R"] + counts["E"], counts["Q"] + counts["H"] + counts["W"]
        limit = duration(queue.limit("MaxTime"))
        state = f"{'E' if queue.enabled else 'D'} {'R' if queue.started else 'S'}"
        memory = f"{queue.limit('MaxMemPerNode')}m" if queue.limit("MaxMemPerNode").isdigit() else MISSING
        yield layout.format(
            queue.name, memory, MISSING, clock(limit) if limit is not None else MISSING, queue.limit("MaxNodes") or MISSING, run, wait, MISSING, state
        )
        running, waiting = running + run, waiting + wait
    yield f"{'':47}----- -----"
    yield f"{'':47}{running:>5} {waiting:>5}"


def queue_counts(queues: Iterable[Queue], jobs: Sequence[Job]) -> Iterator[str]:
    """The table of qstat -Q."""
    layout = "{:<16.16} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {} {:>5}"
    yield layout.format("Queue", "Max", "Tot", "Ena", "Str", "Que", "Run", "Hld", "Wat", "Trn", "Ext", "T", "Cpt")
    yield layout.format("-" * 16, *["---"] * 10, "-", "---")
    for queue in queues:
        counts = Counter(job.letter for job in jobs if job.queue == queue.name)
        total = sum(counts.values())
        yield layout.format(
            queue.name, 0, total, _yes(queue.enabled), _yes(queue.started), counts["Q"], counts["R"] + counts["S"], counts["H"], counts["W"], 0,
            counts["E"], "E", counts["C"],
        )  # fmt: skip


def server_counts(server: str, jobs: Sequence[Job]) -> Iterator[str]:
    """The table of qstat -B."""
    layout = "{:<16.16} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {}"
    counts = Counter(job.letter for job in jobs)
    yield layout.format("Server", "Max", "Tot", "Que", "Run", "Hld", "Wat", "Trn", "Ext", "Com", "Status")
    yield layout.format("-" * 16, *["---"] * 9, "----------")
    yield layout.format(
        server, 0, sum(counts.values()), counts["Q"], counts["R"] + counts["S"], counts["H"], counts["W"], 0, counts["E"], counts["C"], "Active"
    )


def server_attributes(queues: Iterable[Queue]) -> Mapping[str, str]:
    """What is known of the server, by the names of PBS's attributes."""
    default = next((queue.name for queue in queues if queue.default), "")
    return {"server_state": "Active", "scheduling": "True", "default_queue": default, "pbs_version": "TORQUE-6.1 (Slurm)"}


def server_full(server: str, jobs: Sequence[Job], queues: Iterable[Queue]) -> Iterator[str]:
    """The attributes of the server."""
    yield f"Server: {server}"
    yield from _totals(Counter(job.letter for job in jobs))
    yield from (f"    {name} = {value}" for name, value in server_attributes(queues).items())


def _totals(counts: Counter[str]) -> Iterator[str]:
    names = {"Queued": "Q", "Held": "H", "Waiting": "W", "Running": "R", "Exiting": "E", "Complete": "C"}
    yield f"    total_jobs = {sum(counts.values())}"
    yield f"    state_count = Transit:0 {' '.join(f'{name}:{counts[letter]}' for name, letter in names.items())}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def queue_full(queue: Queue, jobs: Sequence[Job]) -> Iterator[str]:
    """The attributes of a queue."""
    yield f"Queue: {queue.name}"
    yield "    queue_type = Execution"
    yield from _totals(Counter(job.letter for job in jobs if job.queue == queue.name))
    yield from (f"    {name} = {value}" for name, value in queue_attributes(queue).items())


def queue_attributes(queue: Queue) -> Mapping[str, str]:
    """What limits a queue, by the names of PBS's attributes."""
    most, default = duration(queue.limit("MaxTime")), duration(queue.limit("DefaultTime"))
    found = {
        "resources_max.walltime": clock(most) if most is not None else "",
        "resources_default.walltime": clock(default) if default is not None else "",
        "resources_max.nodect": queue.limit("MaxNodes"),
        "resources_max.ppn": queue.limit("MaxCPUsPerNode"),
        "resources_max.mem": f"{queue.limit('MaxMemPerNode')}mb" if queue.limit("MaxMemPerNode").isdigit() else "",
        "acl_groups": "" if queue.fields.get("AllowGroups") == "ALL" else queue.fields.get("AllowGroups", ""),
        "enabled": str(queue.enabled),
        "started": str(queue.started),
    }
    return {name: value for name, value in found.items() if value}


def node_full(node: Node, jobs: Sequence[Job], server: str) -> Iterator[str]:
    """The attributes of pbsnodes -a."""
    yield node.name
    yield f"     state = {node.state}"
    yield f"     np = {node.processors}"
    if node.properties:
        yield f"     properties = {','.join(node.properties)}"
    yield "     ntype = cluster"
    here = [job for job in jobs if job.letter in "RES" and node.name in expand(job.hosts)]
    if here:
        yield f"     jobs = {', '.join(f'{number}/{shown_id(job.id, server)}' for number, job in enumerate(here))}"
    if node.reason and (node.down or node.offline):
        yield f"     note = {node.reason}"
    yield f"     status = ncpus={node.processors},physmem={node.memory * 1024}kb,addr={node.address},queues={'+'.join(node.queues)}"


def showq(jobs: Sequence[Job], nodes: Sequence[Node]) -> Iterator[str]:
    """The three lists of showq."""
    groups: dict[str, list[Job]] = {"active": [], "idle": [], "blocked": []}
    for job in sorted(jobs, key=lambda each: natural(each.id)):
        kind = {"R": "active", "E": "active", "S": "active", "Q": "idle", "H": "blocked", "W": "blocked"}.get(job.letter)
        if kind:
            groups[kind].append(job)
    yield "ACTIVE JOBS--------------------"
    yield _showq_row("JOBNAME", "USERNAME", "STATE", "PROC", "REMAINING", "STARTTIME")
    yield ""
    yield from (_showq_row(job.id, job.user, "Running", job.processors, job.left, date(job.started)) for job in groups["active"])
    total, used = sum(node.processors for node in nodes if not node.down), sum(node.used for node in nodes)
    busy, living = sum(node.used > 0 for node in nodes), sum(not node.down for node in nodes)
    yield ""
    active = len(groups["active"])
    yield f"{active:>6} Active Job{'s' * (active != 1)}   {used:>5} of {total:>4} Processors Active ({_share(used, total)})"
    yield f"{'':>20}{busy:>6} of {living:>4} Nodes Active      ({_share(busy, living)})"
    yield ""
    for title, kind in (("IDLE JOBS----------------------", "idle"), ("BLOCKED JOBS----------------", "blocked")):
        yield title
        yield _showq_row("JOBNAME", "USERNAME", "STATE", "PROC", "WCLIMIT", "QUEUETIME")
        yield ""
        state = "Idle" if kind == "idle" else "Hold"
        yield from (_showq_row(job.id, job.user, state, job.processors, job.limit, date(job.submitted)) for job in groups[kind])
        yield ""
    counts = [len(groups[kind]) for kind in ("active", "idle", "blocked")]
    yield f"Total Jobs: {sum(counts)}   Active Jobs: {counts[0]}   Idle Jobs: {counts[1]}   Blocked Jobs: {counts[2]}"


def showres(reservations: Iterable[Reservation], now: datetime.datetime) -> Iterator[str]:
    """The table of showres, without what Maui counts beside."""
    layout = "{:<20.20} {:>1} {:>13} {:>13} {:>13} {:>5}  {}"
    yield layout.format("ReservationID", "S", "Start", "End", "Duration", "Nodes", "StartTime")
    yield ""
    count = 0
    for each in reservations:
        state = "A" if each.start <= now else "I"
        yield layout.format(
            each.name, state, _from_now(each.start, now), _from_now(each.end, now), clock(int((each.end - each.start).total_seconds())),
            len(expand(each.nodes)), date(each.start.isoformat()),
        )  # fmt: skip
        count += 1
    yield ""
    yield f"{count} reservation{'s' * (count != 1)} located"


def _from_now(moment: datetime.datetime, now: datetime.datetime) -> str:
    seconds = int((moment - now).total_seconds())
    return f"{'-' if seconds < 0 else ''}{clock(abs(seconds))}"


def _showq_row(job: str, user: str, state: str, processors: str, time: str, when: str) -> str:
    return f"{job:<18} {user:>10} {state:>10} {processors:>5} {time:>11} {when:>24}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0.00%"
