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
from collections.abc import Iterator, Mapping
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
OF_SLURM = ("SALLOC_", "SBATCH_", "SLURM", "SPANK_")  # variables that the programs of Slurm read
OF_JOBS = ("PBS_", "SKY_PBS_", *OF_SLURM)  # variables of the job that submits another one
AT_HOME = re.compile(r"^(~|\$HOME|\$\{HOME\})(?=/|$)")
JOB_ID = re.compile(r"\$(PBS_JOBID\b|\{PBS_JOBID\})")
NUMBER = "\x1a"  # stands for the job's number in a path, until the rest of it is escaped for Slurm
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


def absolute(path: str, folder: str, home: str, what: str) -> str:
    """A path as a job's options name it: [host:]path, from the folder of the submission, or from the home after ~, $HOME or ${HOME}.

    Args:
        what: the option, for the error.
    """
    host, colon, rest = path.partition(":")
    plain = AT_HOME.sub(lambda _found: home, rest if colon and "/" not in host else path)
    plain = JOB_ID.sub(NUMBER, plain) if what in ("-o", "-e") else plain
    if "$" in plain:
        raise PbsError(f"{what} {path}: cannot be honoured: of variables, only $HOME at the beginning has a value, and with -o and -e $PBS_JOBID")
    return os.path.normpath(os.path.join(folder, plain)) + ("/" if plain.endswith("/") else "")


def given_path(options: Options, letter: str, context: Context) -> str:
    """Where -o or -e puts a stream: a file, or a folder if it ends in /; empty if it says nothing."""
    return absolute(options.values[letter], work_folder(options, context), context.home, letter) if options.values.get(letter) else ""


def left_to_the_folder(options: Options, context: Context) -> list[str]:
    """The options (-o, -e) of the streams whose places depend on the folder of the submission."""
    written = {"oe": "o", "eo": "e"}.get(options.values.get("-j", "n"), "oe")
    places = {f"-{stream}": options.values.get(f"-{stream}", ".") for stream in written if stream not in _kept(options)}
    return [letter for letter, path in places.items() if absolute(path, "/one", context.home, letter) != absolute(path, "/two", context.home, letter)]


def _kept(options: Options) -> str:
    """The streams that stay at home; -k overrides paths."""
    return options.values.get("-k", "n").replace("n", "")


def outputs(options: Options, name: str, context: Context) -> tuple[str, str]:
    """The patterns of Slurm for standard output and standard error; the second is empty where both go to one file."""
    array = "-t" in options.values
    number, whole = ("%A-%a", f"%A[%a].{context.server}") if array else ("%j", f"%j.{context.server}")
    escaped = name.replace("%", "%%")
    join = options.values.get("-j", "n")
    files = {}
    for stream in ("o", "e"):
        kept = stream in _kept(options)
        usual = os.path.join(context.home if kept else work_folder(options, context), "")
        wanted = (("" if kept else given_path(options, f"-{stream}", context)) or usual).replace("%", "%%").replace(NUMBER, whole)
        files[stream] = f"{wanted}{escaped}.{stream}{number}" if wanted.endswith("/") else wanted
    if join == "oe":
        return files["o"], ""
    return (files["e"], "") if join == "eo" else (files["o"], files["e"])


def work_folder(options: Options, context: Context) -> str:
    """From where relative paths lead: the folder of the submission, or that of -w."""
    return absolute(options.values["-w"], context.folder, context.home, "-w").rstrip("/") or "/" if "-w" in options.values else context.folder


def submission(options: Options, wanted: Resources, script: str, script_path: str, context: Context) -> Submission:
    """The job.

    Raises:
        PbsError: it asks for something that cannot be.
    """
    check(options, context)
    name = job_name(options, script_path)
    output, error = outputs(options, name, context)
    arguments = [
        "--parsable", "--ignore-pbs", f"--job-name={name}", f"--output={output}", *([f"--error={error}"] if error else []),
        f"--chdir={_start_folder(options, context)}", "--open-mode=truncate", f"--comment={comment(options, wanted, name, output, error, context)}",
        *timing(options, wanted, context), *placement(wanted), *_rules(options, context),
    ]  # fmt: skip
    variables = environment(options, name, wanted, context)
    arguments.append(f"--export={','.join(sorted(variables))}")
    if depends := dependency(options):
        arguments.append(f"--dependency={depends}")
    before = tuple((BEFORE[kind], job_id(job)) for kind, jobs in options.dependencies if kind in BEFORE for job in jobs)
    umask = int(options.values["umask"], 8) if "umask" in options.values else None
    return Submission(tuple(arguments), variables, runnable(script, options, context.shell), wanted.limits, umask, before)


def dependency(options: Options) -> str:
    """What the job waits for, in Slurm's words."""
    return ",".join(f"{DEPENDENCIES[kind]}:{job_id(job)}" for kind, jobs in options.dependencies if kind in DEPENDENCIES for job in jobs)


def mail_points(options: Options) -> str:
    """When mail is sent; whoever names only its readers (-M) gets TORQUE's default."""
    return options.values.get("-m", "a" if "-M" in options.values else "n")


def check_server(options: Options, server: str) -> None:
    asked = options.values.get("-q", "")
    if "@" in asked and asked.partition("@")[2] != server:
        raise PbsError(f"-q {asked}: there is one server, {server}")


def check(options: Options, context: Context) -> None:
    """What no engine could do."""
    values = options.values
    if mail_points(options) != "n" and not context.mail:
        asked = f"-m {values['-m']}" if "-m" in values else f"-M {values['-M']}"
        raise PbsError(f"{asked}: cannot be honoured: this cluster sends no mail (torque_mail_program); use -m n")
    users = [item.partition("@")[0] for item in values.get("-u", context.user).split(",")]
    if context.user not in users:
        raise PbsError(f"-u {values['-u']}: cannot be honoured: a job runs as the user who submits it ({context.user})")
    if values.get("group", context.group) != context.group:
        raise PbsError(f"-W group_list={values['group']}: cannot be honoured: a job has the group of qsub, {context.group} (newgrp changes it)")
    check_server(options, context.server)
    if "-z" in options.switches and "-I" in options.switches:
        raise PbsError("-z: cannot be combined with -I")
    if "-I" in options.switches and "-t" in values:
        raise PbsError("-t: an interactive job cannot be an array")
    later = [kind for kind, _jobs in options.dependencies if kind in BEFORE]
    if later and "-I" in options.switches:
        raise PbsError(f"-W depend={later[0]}: cannot be honoured: others cannot wait for an interactive job (-I)")
    if "-F" in values and "-I" in options.switches:
        raise PbsError("-F: an interactive job has no arguments")
    if "-x" in options.switches and "-I" not in options.switches:
        raise PbsError("-x: only an interactive job (-I) runs a script in the terminal")


def timing(options: Options, wanted: Resources, context: Context) -> list[str]:
    """When a job runs, and for how long."""
    found = []
    if wanted.walltime is not None:
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
    if reserved := memory(wanted):
        found.append(f"{'--mem-per-cpu' if reserved.of_processor else '--mem'}={reserved.mebibytes}M")
    if wanted.exclusive:
        found.append("--exclusive")
    return found


@dataclass(frozen=True)
class Memory:
    """What a job reserves on each of its nodes, or for each of its processors."""

    mebibytes: int
    of_processor: bool


def memory(wanted: Resources) -> Memory | None:
    """An equal share of the job's memory on each node; for each processor where these may be on any nodes."""
    if wanted.process_memory is not None:
        return Memory(_mebibytes(wanted.process_memory, 1), of_processor=True)
    if wanted.memory is not None:
        return Memory(_mebibytes(wanted.memory, wanted.procs or wanted.nodes or 1), of_processor=wanted.procs > 0)
    return None


def _mebibytes(size: int, parts: int) -> int:
    """The share of each part, rounded up."""
    return max(1, -(-size // (parts * (1 << 20))))


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
    if mail_points(options) != "n":
        kinds = {"a": "FAIL", "b": "BEGIN", "e": "END"}
        found.append(f"--mail-type={','.join(kinds[letter] for letter in dict.fromkeys(mail_points(options)))}")
        found += [f"--mail-user={values['-M']}"] if "-M" in values else []
    return found


def _start_folder(options: Options, context: Context) -> str:
    """Where the job starts: at home, as with PBS, or where -d says."""
    return absolute(options.values["-d"], context.folder, context.home, "-d").rstrip("/") or "/" if "-d" in options.values else context.home


def environment(options: Options, name: str, wanted: Resources, context: Context) -> dict[str, str]:
    """The variables that a job gets: those of PBS, of a login, and those that -v and -V name."""
    outside = context.environment
    taken = [key for key in outside if not key.startswith(OF_JOBS)] if "-V" in options.switches else [key for key in KEPT if key in outside]
    found = {key: outside[key] for key in taken}
    found |= {"HOME": context.home, "USER": context.user, "LOGNAME": context.user, "SHELL": context.shell}
    found.setdefault("PATH", PATH)
    for key, value in options.variables.items():
        if key.startswith(OF_SLURM):
            raise PbsError(f"-v {key}: cannot be honoured: variables that begin with {next(filter(key.startswith, OF_SLURM))} are read by Slurm")
        if value is None and key not in outside:
            raise PbsError(f"-v {key}: there is no such variable in the environment of the submission")
        found[key] = outside[key] if value is None else value
    found |= {f"PBS_O_{key}": outside[key] for key in SUBMISSION if key in outside}
    found |= {
        "PBS_O_WORKDIR": work_folder(options, context),
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
    if queue := options.values.get("-q", "").partition("@")[0]:
        found["PBS_O_QUEUE"] = queue  # of a job that names none, it is set where the job begins
    return found


def comment(options: Options, wanted: Resources, name: str, output: str, error: str, context: Context) -> str:
    """What qstat shows and Slurm does not keep."""
    kept = {
        "list": wanted.given, "join": options.values.get("-j", "n"), "keep": options.values.get("-k", "n"), "out": output, "err": error,
        "host": context.host, "folder": work_folder(options, context), "name": name,
        "account": options.values.get("-A", ""),
        "rerun": options.values.get("-r", "y"), "mail": mail_points(options), "array": options.values.get("-t", ""),
    }  # fmt: skip
    return written(kept)


def written(kept: Mapping[str, object]) -> str:
    """What is kept with a job, as its comment."""
    return json.dumps({key: value for key, value in kept.items() if value}, separators=(",", ":"), sort_keys=True)


def runnable(script: str, options: Options, shell: str) -> str:
    """The script that Slurm runs: by a login shell, or by the interpreter that it names, with the profile of the user read before."""
    if "\r\n" in script.partition("\n")[0] + "\n":
        raise PbsError("the script has the line ends of DOS: convert it with dos2unix")
    first, _newline, rest = script.partition("\n")
    chosen = shell_of(options.values.get("-S", ""))
    interpreter = chosen or (first[2:].strip() if first.startswith("#!") else shell)
    # a comment or an empty line gives its place to the interpreter, so that the numbers of lines stay the same
    body = rest if not first.strip() or first.lstrip().startswith("#") else script
    return f"#!{login(interpreter)}\n" + "".join(_hidden(body.splitlines(keepends=True)))


def shell_of(paths: str) -> str:
    """The shell of -S path[@host],...: the one without a host, or the first."""
    choices = [item.partition("@") for item in paths.split(",") if item]
    return next((path for path, at, _host in choices if not at), choices[0][0] if choices else "")


def login(interpreter: str) -> str:
    """An interpreter's line that reads the profile of the user first."""
    try:
        words = shlex.split(interpreter)
    except ValueError as error:
        raise PbsError(f"the script's first line cannot be read: {error}: {interpreter}") from None
    if not words or not words[0].startswith("/"):
        raise PbsError(f"-S: must be the absolute path of a shell, got '{interpreter}'")
    named = words[1] if os.path.basename(words[0]) == "env" and len(words) == 2 else words[0]
    if os.path.basename(named) in SHELLS:
        return f"/usr/bin/env -S {named} -l" if named != words[0] else _login_shell(words)
    return f'/usr/bin/env -S bash -l -c \'exec {interpreter} "$0" "$@"\''


def _login_shell(words: list[str]) -> str:
    """A shell with its options, as a login shell. The kernel hands over all options as one word, and long ones go before letters."""
    options = [word for word in words[1:] if word not in ("-", "--", "-l", "--login")]
    long = [word for word in options if re.fullmatch(r"--[a-z-]+", word)]
    letters = [word for word in options if re.fullmatch(r"-[A-Za-z]+", word)]
    if len(long) + len(letters) < len(options):
        raise PbsError(f"the script's first line has options that cannot be kept: {' '.join(words[1:])}; use set in the script")
    short = f"-l{''.join(word[1:] for word in letters)}"
    return f"/usr/bin/env -S {' '.join([words[0], *long, short])}" if long else f"{words[0]} {short}"


def _hidden(lines: list[str]) -> Iterator[str]:
    """Slurm would read its own directives, up to the first command; to PBS they are comments."""
    read = True
    for line in lines:
        read = read and (not line.strip() or line.lstrip().startswith("#"))
        yield f"#{line}" if read and line.startswith("#SBATCH") else line
