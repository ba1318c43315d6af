# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a job to the command that submits it to Slurm. Pure: no I/O."""

from __future__ import annotations

import datetime
import json
import os.path
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .options import BEFORE, DEPENDENCIES, Options
from .resources import Resources
from .values import PbsError, clock, job_id, moment

SHELLS = ("bash", "sh", "dash", "ksh", "zsh")  # that read the user's profile with -l
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
# Slurm's nice value of one step of -p. Without fair share: more than jobs that can wait, so that priority comes before age.
PRIORITY_STEP = 1_000_000
# With it: priority comes before age, and a user's share before both (the weights are in slurm.conf.j2)
PRIORITY_STEP_SHARED = 1_000
HIGHEST = 1023
OF_JOBS = ("PBS_", "SBATCH_", "SKY_PBS_", "SLURM")  # variables of the job that submits another one
KEPT = ("LANG", "LC_ALL", "TZ", "TERM")  # variables of the submission that a job needs to write its output as the user reads it
SUBMISSION = ("HOME", "LANG", "LOGNAME", "MAIL", "PATH", "SHELL", "TZ")  # that PBS hands on with PBS_O_ before their names


@dataclass(frozen=True)
class Context:
    """Who submits, where, and to what."""

    user: str
    home: str
    shell: str
    folder: str  # of the submission
    host: str
    server: str
    environment: Mapping[str, str]
    now: datetime.datetime
    group: str = ""
    mail: bool = False  # the server can send mail
    fair_share: bool = False  # users have shares, which belong to an account of their own


@dataclass(frozen=True)
class Submission:
    """One job, ready for Slurm."""

    arguments: tuple[str, ...]  # of sbatch
    variables: Mapping[str, str]
    script: str
    limits: Mapping[str, int] = field(default_factory=dict)
    umask: int | None = None
    before: tuple[tuple[str, str], ...] = ()  # (kind, job): these jobs come to depend on the new one


def job_name(options: Options, script_path: str) -> str:
    """The given name, or that of the script, of which PBS takes 15 characters."""
    if "-N" in options.values:
        return options.values["-N"]
    if not script_path:
        return "STDIN"
    plain = re.sub(r"[\s/,:\\\"'%]", "_", os.path.basename(script_path))
    return (plain if plain[:1].isalpha() else f"J{plain}")[:15]


def absolute(path: str, folder: str, home: str) -> str:
    """A path as a job's options name it: [host:]path, from the folder of the submission."""
    host, colon, rest = path.partition(":")
    plain = rest if colon and "/" not in host else path
    if plain.startswith("~/"):
        plain = f"{home}/{plain[2:]}"
    return os.path.normpath(os.path.join(folder, plain)) + ("/" if plain.endswith("/") else "")


def outputs(options: Options, name: str, context: Context) -> tuple[str, str]:
    """The patterns of Slurm for standard output and standard error; the second is empty where both go to one file."""
    number = "%A-%a" if "-t" in options.values else "%j"
    escaped = name.replace("%", "%%")
    join, keep = options.values.get("-j", "n"), options.values.get("-k", "n")
    files = {}
    for stream in ("o", "e"):
        folder = context.home if keep != "n" and stream in keep else _work_folder(options, context)
        path = f"{folder}/{escaped}.{stream}{number}"
        given = options.values.get(f"-{stream}", "")
        if given:
            wanted = absolute(given, _work_folder(options, context), context.home).replace("%", "%%")
            path = f"{wanted}{escaped}.{stream}{number}" if wanted.endswith("/") else wanted
        files[stream] = path
    if join == "oe":
        return files["o"], ""
    return (files["e"], "") if join == "eo" else (files["o"], files["e"])


def _work_folder(options: Options, context: Context) -> str:
    return absolute(options.values["-w"], context.folder, context.home) if "-w" in options.values else context.folder


def submission(options: Options, wanted: Resources, script: str, script_path: str, context: Context) -> Submission:
    """The job.

    Raises:
        PbsError: it asks for something that cannot be.
    """
    check(options, wanted, context)
    name = job_name(options, script_path)
    output, error = outputs(options, name, context)
    arguments = [
        "--parsable", "--ignore-pbs", f"--job-name={name}", f"--output={output}", *([f"--error={error}"] if error else []),
        f"--chdir={_start_folder(options, context)}", "--open-mode=truncate", f"--comment={comment(options, wanted, name, output, error, context)}",
        *timing(options, wanted, context), *placement(wanted), *_rules(options, context),
    ]  # fmt: skip
    variables = environment(options, name, wanted, context)
    arguments.append(f"--export={','.join(sorted(variables))}")
    depends = [item for kind, jobs in options.dependencies if kind in DEPENDENCIES for item in _depends(kind, jobs)]
    if depends:
        arguments.append(f"--dependency={','.join(depends)}")
    before = tuple((BEFORE[kind], job_id(job)) for kind, jobs in options.dependencies if kind in BEFORE for job in jobs)
    umask = int(options.values["umask"], 8) if "umask" in options.values else None
    return Submission(tuple(arguments), variables, runnable(script, options, context.shell), wanted.limits, umask, before)


def _depends(kind: str, jobs: Iterable[str]) -> list[str]:
    return [f"{DEPENDENCIES[kind]}:{job_id(job)}" for job in jobs]


def check(options: Options, wanted: Resources, context: Context) -> None:
    """What no engine could do."""
    values = options.values
    if values.get("-m", "n") != "n" and not context.mail:
        raise PbsError(f"-m {values['-m']}: cannot be honoured: this cluster sends no mail (torque_mail_program); use -m n")
    users = [item.partition("@")[0] for item in values.get("-u", context.user).split(",")]
    if context.user not in users:
        raise PbsError(f"-u {values['-u']}: cannot be honoured: a job runs as the user who submits it ({context.user})")
    if values.get("group", context.group) != context.group:
        raise PbsError(f"-W group_list={values['group']}: cannot be honoured: a job has the group of qsub, {context.group} (newgrp changes it)")
    if "@" in values.get("-q", "") and values["-q"].partition("@")[2] != context.server:
        raise PbsError(f"-q {values['-q']}: there is one server, {context.server}")
    if "-z" in options.switches and "-I" in options.switches:
        raise PbsError("-z: cannot be combined with -I")
    if "-I" in options.switches and "-t" in values:
        raise PbsError("-t: an interactive job cannot be an array")
    if wanted.memory and wanted.process_memory:
        raise PbsError("-l pmem: cannot be combined with mem")


def timing(options: Options, wanted: Resources, context: Context) -> list[str]:
    """When a job runs, and for how long."""
    found = []
    if wanted.walltime is not None:
        if wanted.walltime < 1:
            raise PbsError("-l walltime: must be at least a second")
        found.append(f"--time={clock(wanted.walltime)}")
    if "-a" in options.values:
        found.append(f"--begin={moment(options.values['-a'], context.now):%Y-%m-%dT%H:%M:%S}")
    if "-h" in options.switches:
        found.append("--hold")
    return found


def placement(wanted: Resources) -> list[str]:
    """Nodes, processors and memory."""
    if wanted.procs:
        found = [f"--ntasks={wanted.procs}"]
    else:
        nodes = wanted.nodes or 1
        found = [f"--nodes={nodes}-{nodes}", f"--ntasks-per-node={wanted.ppn}", f"--ntasks={nodes * wanted.ppn}"]
    hosts = [part.host for part in wanted.parts if part.host]
    if hosts:
        found.append(f"--nodelist={','.join(hosts)}")
    if constraint := constraints(wanted):
        found.append(f"--constraint={constraint}")
    if wanted.memory is not None:
        found.append(f"--mem={mebibytes(wanted.memory, wanted.nodes or 1)}M")
    if wanted.process_memory is not None:
        found.append(f"--mem-per-cpu={mebibytes(wanted.process_memory, 1)}M")
    if wanted.exclusive:
        found.append("--exclusive")
    return found


def mebibytes(size: int, nodes: int) -> int:
    """The share of each node, rounded up."""
    return max(1, -(-size // (nodes * (1 << 20))))


def constraints(wanted: Resources) -> str:
    """The properties that nodes must have, as Slurm writes them."""
    common = list(wanted.properties)
    parts = [part for part in wanted.parts if not part.host]
    if len({part.properties for part in parts}) <= 1:
        names = common + list(parts[0].properties if parts else ())
        return "&".join(dict.fromkeys(names))
    if common or any(not part.properties for part in parts):
        raise PbsError("-l nodes: cannot be honoured: either every part has a property, or none")
    return "[" + "&".join(f"{'&'.join(part.properties)}*{part.count}" for part in parts) + "]"


def nice(priority: str, fair_share: bool) -> int:
    """Slurm's nice value of a priority."""
    return (HIGHEST - int(priority)) * (PRIORITY_STEP_SHARED if fair_share else PRIORITY_STEP)


def _rules(options: Options, context: Context) -> list[str]:
    """The remaining options, each of which is one of Slurm's."""
    values = options.values
    found = [f"--nice={nice(values.get('-p', '0'), context.fair_share)}", "--no-requeue" if values.get("-r") == "n" else "--requeue"]
    if "-q" in values and values["-q"].partition("@")[0]:
        found.append(f"--partition={values['-q'].partition('@')[0]}")
    if "-A" in values and not context.fair_share:
        found.append(f"--account={values['-A']}")
    if "-t" in values:
        found.append(f"--array={values['-t']}")
    if "-n" in options.switches:
        found.append("--exclusive")
    if values.get("-m", "n") != "n":
        kinds = {"a": "FAIL", "b": "BEGIN", "e": "END"}
        found.append(f"--mail-type={','.join(kinds[letter] for letter in dict.fromkeys(values['-m']))}")
        found += [f"--mail-user={values['-M']}"] if "-M" in values else []
    return found


def _start_folder(options: Options, context: Context) -> str:
    """Where the job starts: at home, as with PBS, or where -d says."""
    return absolute(options.values["-d"], context.folder, context.home).rstrip("/") or "/" if "-d" in options.values else context.home


def environment(options: Options, name: str, wanted: Resources, context: Context) -> dict[str, str]:
    """The variables that a job gets: those of PBS, of a login, and those that -v and -V name."""
    outside = context.environment
    taken = [key for key in outside if not key.startswith(OF_JOBS)] if "-V" in options.switches else [key for key in KEPT if key in outside]
    found = {key: outside[key] for key in taken}
    found |= {"HOME": context.home, "USER": context.user, "LOGNAME": context.user, "SHELL": context.shell}
    found.setdefault("PATH", PATH)
    for key, value in options.variables.items():
        if value is None and key not in outside:
            raise PbsError(f"-v {key}: there is no such variable in the environment of the submission")
        found[key] = outside[key] if value is None else value
    found |= {f"PBS_O_{key}": outside[key] for key in SUBMISSION if key in outside}
    found |= {
        "PBS_O_WORKDIR": _work_folder(options, context),
        "PBS_O_HOST": context.host,
        "PBS_O_SERVER": context.server,
        "PBS_O_INITDIR": _start_folder(options, context),
        "PBS_SERVER": context.server,
        "PBS_JOBNAME": name,
        "PBS_ENVIRONMENT": "PBS_INTERACTIVE" if "-I" in options.switches else "PBS_BATCH",
        "PBS_NUM_PPN": str(wanted.ppn),
        "PBS_VERSION": "TORQUE-6.1 (Slurm)",
    }
    if wanted.walltime is not None:
        found["PBS_WALLTIME"] = str(wanted.walltime)
    return found


def comment(options: Options, wanted: Resources, name: str, output: str, error: str, context: Context) -> str:
    """What qstat shows and Slurm does not keep."""
    kept = {
        "list": wanted.given, "join": options.values.get("-j", "n"), "keep": options.values.get("-k", "n"), "out": output, "err": error,
        "host": context.host, "folder": _work_folder(options, context), "name": name,
        "account": options.values.get("-A", ""),
        "rerun": options.values.get("-r", "y"), "mail": options.values.get("-m", "n"), "array": options.values.get("-t", ""),
    }  # fmt: skip
    return json.dumps({key: value for key, value in kept.items() if value}, separators=(",", ":"), sort_keys=True)


def runnable(script: str, options: Options, shell: str) -> str:
    """The script that Slurm runs: by a login shell, or by the interpreter that it names, with the profile of the user read before."""
    if "\r\n" in script.partition("\n")[0] + "\n":
        raise PbsError("the script has the line ends of DOS: convert it with dos2unix")
    first, _newline, rest = script.partition("\n")
    chosen = shell_of(options.values.get("-S", ""))
    interpreter = chosen or (first[2:].strip() if first.startswith("#!") else shell)
    # a comment or an empty line gives its place to the interpreter, so that the numbers of lines stay the same
    body = rest if not first.strip() or first.startswith("#") else script
    lines = [_hidden(line) for line in body.splitlines(keepends=True)]
    return f"#!{login(interpreter)}\n" + "".join(lines)


def shell_of(paths: str) -> str:
    """The shell of -S path[@host],...: the one without a host, or the first."""
    choices = [item.partition("@") for item in paths.split(",") if item]
    return next((path for path, at, _host in choices if not at), choices[0][0] if choices else "")


def login(interpreter: str) -> str:
    """An interpreter's line that reads the profile of the user first."""
    words = shlex.split(interpreter)
    if not words or not words[0].startswith("/"):
        raise PbsError(f"-S: must be the absolute path of a shell, got '{interpreter}'")
    named = words[1] if os.path.basename(words[0]) == "env" and len(words) == 2 else words[0]
    if os.path.basename(named) in SHELLS:
        if len(words) == 1:
            return f"{interpreter} -l"
        if named != words[0]:
            return f"/usr/bin/env -S {named} -l"
        return interpreter if "-l" in words[1:] else f"{words[0]} -l{_flags(words[1:])}"
    return f'/usr/bin/env -S bash -l -c \'exec {interpreter} "$0" "$@"\''


def _flags(words: list[str]) -> str:
    """Further options of a shell; the kernel hands over all of them as one argument, so they must be one word."""
    letters = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word))
    if any(not re.fullmatch(r"-[A-Za-z]+", word) for word in words):
        raise PbsError(f"the script's first line has options that cannot be kept: {' '.join(words)}; use set in the script")
    return letters


def _hidden(line: str) -> str:
    """Slurm would read its own directives; to PBS they are comments."""
    return f"#{line}" if line.startswith("#SBATCH") else line
