# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TORQUE's manual, item by item: what works on a batch cluster of this collection, what differs, and what is absent.

The table in the guide is made of this: ``python tests/integration/torque/manual.py`` prints it, tests/static compares it, and the corpus and the
scenarios beside this file, which run on a real cluster, must cover each item that is said to work or to differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    WORKS = "works"
    DIFFERS = "differs"
    ABSENT = "absent"


@dataclass(frozen=True)
class Item:
    """One option, resource, variable or command.

    Attributes:
        note: how it differs, or why it is absent.
    """

    name: str
    verdict: Verdict
    note: str = ""


def _works(*names: str) -> tuple[Item, ...]:
    return tuple(Item(name, Verdict.WORKS) for name in names)


def _differs(name: str, note: str) -> Item:
    return Item(name, Verdict.DIFFERS, note)


def _absent(name: str, note: str) -> Item:
    return Item(name, Verdict.ABSENT, note)


OPTIONS: tuple[Item, ...] = (
    *_works("-a", "-A"),
    _absent("-b", "refused: the server is not waited for"),
    _differs("-c", "only n: jobs cannot be checkpointed, so other values are refused"),
    *_works("-C", "-d"),
    _absent("-D", "refused: no root directory can be chosen"),
    _differs("-e", "like -o"),
    _absent("-f", "refused: there are no fault tolerant jobs"),
    _differs("-F", "arguments are separated at blanks, without quotes"),
    *_works("-h", "-I", "-j", "-k"),
    _absent("-K", "refused: the delay between the signals is the same for all jobs"),
    *_works("-l"),
    _absent("-L", "refused: there are no NUMA requests"),
    _differs("-m", "refused, except n, unless the server can send mail (torque_mail_program); a is also sent when a job ends with an error"),
    _differs("-M", "refused unless the server can send mail; without -m it means -m a, and without both no mail is sent"),
    *_works("-n"),
    _differs("-N", "up to 236 characters; / , : % quotes and backslashes are refused"),
    _differs(
        "-o",
        "the node of the job writes it, so a path outside of the shared folders is one of that node; $HOME at the beginning and $PBS_JOBID are "
        "replaced, other variables are refused; a host before the path is ignored",
    ),
    _differs("-p", "between jobs of all users; there is no limit for users"),
    _absent("-P", "refused: a job runs as the user who submits it"),
    *_works("-q", "-r", "-S", "-t"),
    _absent("-T", "refused: scripts of users do not run before a job"),
    _differs("-u", "only the user who submits"),
    *_works("-v", "-V", "-w", "-W", "-x"),
    _absent("-X", "refused: graphics are not forwarded"),
    *_works("-z"),
)
ATTRIBUTES: tuple[Item, ...] = (
    *_works("-W depend=after", "-W depend=afterok", "-W depend=afternotok", "-W depend=afterany"),
    _differs("-W depend=before", "the other job needs no depend=on; one that no longer waits, or is another user's, is refused"),
    _differs("-W depend=beforeok", "the same, and not with -I"),
    *_works("-W depend=afterokarray"),
    _absent("-W depend=on", "refused, as are synccount and syncwith"),
    _differs("-W group_list", "only the group of qsub; newgrp changes it"),
    *_works("-W interactive"),
    _absent("-W stagein", "refused, as is stageout: all nodes share the home"),
    _differs("-W umask", "is that of the job too; octal if it begins with 0, else decimal, as in TORQUE"),
    _absent("-W x", "refused: it is a setting of Moab and Maui"),
)
RESOURCES: tuple[Item, ...] = (
    _absent("-l cput", "refused; pcput limits each process"),
    *_works("-l feature", "-l file"),
    _absent("-l gpus", "refused, as are mics"),
    *_works("-l host"),
    _differs(
        "-l mem", "an equal share of it on each node, with procs for each processor; a limit only with torque_server_confine, else a reservation"
    ),
    _differs("-l naccesspolicy", "shared and singlejob"),
    *_works("-l ncpus"),
    _absent("-l nice", "refused; call nice in the script"),
    _differs("-l nodes", "all parts have the same ppn, else it is refused"),
    *_works("-l pcput"),
    _differs("-l pmem", "like mem, for each process"),
    *_works("-l procs", "-l pvmem"),
    _absent("-l software", "refused, as are arch, opsys, other, prologue and epilogue"),
    _absent("-l vmem", "refused; mem and pvmem limit memory"),
    _differs("-l walltime", "is enforced at the next full minute, after 30 s to end"),
)
VARIABLES: tuple[Item, ...] = (
    *_works("PBS_ARRAYID", "PBS_ENVIRONMENT", "PBS_JOBID", "PBS_JOBNAME", "PBS_NODEFILE", "PBS_NODENUM", "PBS_NP", "PBS_NUM_NODES", "PBS_NUM_PPN"),
    *_works("PBS_O_*"),
    _differs("PBS_O_QUEUE", "of a job that is submitted without -q and moved before it runs, the queue that it was moved to"),
    *_works("PBS_O_WORKDIR", "PBS_QUEUE", "PBS_SERVER", "PBS_TASKNUM", "PBS_VNODENUM", "PBS_DPREFIX"),
    _differs("PBS_WALLTIME", "only with -l walltime, not for the default of the queue"),
    _absent("PBS_GPUFILE", "there are no GPUs that the batch system knows"),
    _absent("PBS_JOBCOOKIE", "it has no meaning here, like PBS_MOMPORT"),
)
COMMANDS: tuple[Item, ...] = (
    *_works("checkjob", "showq"),
    _absent("momctl", "the daemon of a node is slurmd; scontrol shows it"),
    _absent("pbs_track", "a process belongs to a job only if the job has started it"),
    *_works("pbsdsh"),
    _differs("pbsnodes", "-x is absent"),
    _differs("qalter", "changes -a, -h, -l (not procs, naccesspolicy, file, pcput, pvmem), -N, -p, -r, -t, -W depend=after..., and the queue (-q)"),
    _absent("qchkpt", "jobs cannot be checkpointed"),
    _differs("qdel", "-m and -W are refused"),
    *_works("qdisable", "qenable"),
    _absent("qgpumode", "there are no GPUs that the batch system knows"),
    _differs("qhold", "not for a job that runs, which would have to be checkpointed"),
    _differs("qmgr", "shows server, queues and nodes; sets nodes offline or free, queues enabled or started; all else is in the cluster's variables"),
    *_works("qmove", "qmsg"),
    _absent("qorder", "qalter -p changes the order"),
    *_works("qrerun", "qrls"),
    _absent("qrun", "only the scheduler starts jobs"),
    _differs("qselect", "by -A, -N, -q, -s and -u"),
    *_works("qsig", "qstart"),
    _differs(
        "qstat",
        "-x shows jobs that have ended, as in OpenPBS; Time Use is the time on the clock; -G, -M and -R are like -a; -f has no Variable_List, "
        "submit_args, session_id, mtime and resources_used but walltime; -C and -l are absent",
    ),
    *_works("qstop"),
    _absent("qterm", "the run of the collection stops the server"),
    _absent("releaseres", "reservations are in the cluster's variables, or made by scontrol; so is setres"),
    _differs("showres", "names, times and how many nodes; -n is absent"),
    _differs("tracejob", "three lines: queued, started, ended"),
)
OTHER: tuple[Item, ...] = (
    *_works("script file", "script on standard input", "default name"),
    _differs("default output", "refused where the nodes do not share the folder of the submission (torque_shared_folders)"),
    _differs("directives", "a # behind a blank begins a comment; a line that continues one may begin with the prefix, too"),
    *_works("environment of a login", "interpreter of #!"),
    *_works("command line over directives", "options behind the script"),
    *_works("several -l", "starts in the home", "exit_status", "submit from nodes", "ssh between nodes"),
    *_works("mpirun", "mpirun -machinefile"),
    _differs("exit codes", "of commands: 2 where one is called in a wrong way, also by a directive; 1 where something cannot be honoured"),
    _differs("root", "submits no jobs, as in TORQUE; nor does srun run for root"),
    _differs("script without #!", "runs in a login shell; numbers of lines are one too high, unless the first line is empty or a comment"),
)
MANUAL: dict[str, tuple[Item, ...]] = {
    "Options of qsub": OPTIONS,
    "Attributes (-W)": ATTRIBUTES,
    "Resources (-l)": RESOURCES,
    "Variables of a job": VARIABLES,
    "Commands": COMMANDS,
    "Scripts": OTHER,
}


def is_covered(item: Item, covers: set[str]) -> bool:
    """Whether a test covers an item; ``-l nodes=:ppn=`` covers ``-l nodes``."""
    names = {name.removeprefix("qsub ") for name in covers} | covers
    return any(name == item.name or name.startswith((f"{item.name} ", f"{item.name}=")) for name in names)


def rows() -> list[list[str]]:
    """The table of the guide."""
    return [[part, f"``{item.name}``", item.verdict.value, item.note] for part, items in MANUAL.items() for item in items]


def rst() -> str:
    """The same in reStructuredText."""
    lines = [".. manual", "", ".. list-table::", "   :header-rows: 1", "   :widths: 18 24 10 48", ""]
    for row in [["Part", "Item", "Verdict", "How, or why"], *rows()]:
        lines += [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for number, cell in enumerate(row)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rst(), end="")
