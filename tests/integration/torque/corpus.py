# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts as people write them for PBS, and what must come out of each. They run on a real cluster of two nodes with two processors each."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One job, or one refusal.

    Attributes:
        covers: options, resources and variables of the manual that it shows to work.
        script: its text; every job starts in a folder of its own.
        arguments: of qsub, before the script.
        after: of qsub, behind the script.
        standard_input: the script is given on standard input.
        file: name of the script.
        prepare: shell commands before it is submitted, in its folder.
        status: PBS's exit status.
        out: its standard output, whole; a regular expression that it must match as a whole where it begins with ``re:``.
        err: the same of its standard error.
        out_file: where its standard output must be, from its folder or from the home after ``~/``; the default of PBS if empty.
        check: shell commands that must succeed when it has ended, in its folder, with the job's number in ``$JOB``.
        refused: what qsub must say instead of taking it.
        environment: variables of the submission.
        silent: qsub prints no number.
    """

    name: str
    covers: tuple[str, ...]
    script: str = ""
    arguments: tuple[str, ...] = ()
    standard_input: bool = False
    file: str = "job.pbs"
    prepare: str = ""
    status: int = 0
    out: str | None = None
    err: str | None = None
    out_file: str = ""
    err_file: str = ""
    check: str = ""
    refused: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    after: tuple[str, ...] = ()


def refused(name: str, covers: tuple[str, ...], sentence: str, *arguments: str, script: str = "true\n") -> Case:
    """A job that must be refused with this sentence."""
    return Case(name, covers, script, arguments, refused=sentence)


JOBS: tuple[Case, ...] = (
    Case("hello", ("script file", "default output"), "#!/bin/bash\necho hello\n", out="hello\n", err=""),
    Case("without_interpreter", ("script without #!",), "echo $0 | grep -c slurm_script\n", out="1\n"),
    Case("standard_input", ("script on standard input",), "echo from stdin\n", standard_input=True, out="from stdin\n", out_file="STDIN.o$JOB"),
    Case("name", ("-N", "PBS_JOBNAME"), "#PBS -N my_name\necho $PBS_JOBNAME\n", out="my_name\n", out_file="my_name.o$JOB"),
    Case(
        "name_of_the_script",
        ("default name",),
        "echo $PBS_JOBNAME\n",
        file="a_very_long_name_of_a_script.sh",
        out="a_very_long_nam\n",
        out_file="a_very_long_nam.o$JOB",
    ),
    Case(
        "blanks_in_the_name_of_the_script",
        ("default name",),
        "echo $PBS_JOBNAME\n",
        file="my job.pbs",
        out="my_job.pbs\n",
        out_file="my_job.pbs.o$JOB",
    ),
    Case(
        "a_digit_begins_the_name_of_the_script",
        ("default name",),
        "echo $PBS_JOBNAME\n",
        file="7days.sh",
        out="J7days.sh\n",
        out_file="J7days.sh.o$JOB",
    ),
    Case("unicode", ("-N",), "#PBS -N Grüße\necho 'ä ö ü ☃'\n", out="ä ö ü ☃\n", out_file="Grüße.o$JOB"),
    Case(
        "command_line_wins",
        ("command line over directives",),
        "#PBS -N in_script\necho $PBS_JOBNAME\n",
        ("-N", "given"),
        out="given\n",
        out_file="given.o$JOB",
    ),
    Case("options_behind_the_script", ("options behind the script",), "echo $PBS_NUM_NODES\n", after=("-l", "nodes=2"), out="2\n"),
    Case("two_streams", ("default error file",), "echo out; echo err >&2\n", out="out\n", err="err\n"),
    Case("joined", ("-j oe",), "#PBS -j oe\necho out; echo err >&2\n", out="out\nerr\n", check="! ls | grep -q '[.]e'"),
    Case("joined_to_error", ("-j eo",), "#PBS -j eo\necho out; echo err >&2\n", err="out\nerr\n", check="! ls | grep -q '[.]o'"),
    Case(
        "output_file",
        ("-o", "-e"),
        "#PBS -o my.out\n#PBS -e my.err\necho out; echo err >&2\n",
        out="out\n",
        err="err\n",
        out_file="my.out",
        err_file="my.err",
    ),
    Case("output_folder", ("-o",), "#PBS -o results/\n#PBS -N here\necho out\n", prepare="mkdir results", out="out\n", out_file="results/here.o$JOB"),
    Case("output_with_host", ("-o host:path",), "#PBS -o localhost:with_host.out\necho out\n", out="out\n", out_file="with_host.out"),
    Case(
        "output_of_another_folder",
        ("-o", "-e", "-w"),
        "#PBS -w /tmp -j oe -o $HOME/elsewhere.out\necho out\n",
        out="out\n",
        out_file="~/elsewhere.out",
    ),
    Case("output_with_the_number", ("-o",), "#PBS -o x.$PBS_JOBID\necho out\n", check='[ "$(cat x.$JOB.*)" = out ]'),
    Case("output_with_blanks", ("-o",), "#PBS -o 'my own file'\necho out\n", out="out\n", out_file="my own file"),
    Case("output_with_percent", ("-o",), "#PBS -o 100%done\necho out\n", out="out\n", out_file="100%done"),
    Case(
        "kept_at_home",
        ("-k",),
        "#PBS -k oe\n#PBS -N kept\necho out; echo err >&2\n",
        out="out\n",
        err="err\n",
        out_file="~/kept.o$JOB",
        err_file="~/kept.e$JOB",
    ),
    Case(
        "starts_at_home", ("starts in the home", "PBS_O_WORKDIR"), '[ "$PWD" = "$HOME" ] && cd "$PBS_O_WORKDIR" && touch here\n', check="test -e here"
    ),
    Case("start_folder", ("-d",), "#PBS -d /tmp\npwd\n", out="/tmp\n"),
    Case(
        "work_folder", ("-w",), "#PBS -w sub\necho $PBS_O_WORKDIR | sed 's,.*/,,'\n", prepare="mkdir sub", out="sub\n", out_file="sub/job.pbs.o$JOB"
    ),
    Case("one_node", ("-l nodes", "PBS_NODEFILE", "PBS_NP"), "#PBS -l nodes=1\nwc -l < $PBS_NODEFILE; echo $PBS_NP\n", out="1\n1\n"),
    Case("two_nodes", ("-l nodes", "PBS_NUM_NODES"), "#PBS -l nodes=2\nsort -u $PBS_NODEFILE | wc -l; echo $PBS_NUM_NODES $PBS_NP\n", out="2\n2 2\n"),
    Case(
        "processors",
        ("-l nodes=:ppn=", "PBS_NUM_PPN"),
        "#PBS -l nodes=2:ppn=2\nwc -l < $PBS_NODEFILE; echo $PBS_NUM_NODES $PBS_NUM_PPN $PBS_NP\n",
        out="4\n2 2 4\n",
    ),
    Case("node_file_in_order", ("PBS_NODEFILE",), "#PBS -l nodes=2:ppn=2\nuniq -c $PBS_NODEFILE | awk '{print $1}'\n", out="2\n2\n"),
    Case("procs", ("-l procs",), "#PBS -l procs=3\nwc -l < $PBS_NODEFILE\n", out="3\n"),
    Case("ncpus", ("-l ncpus",), "#PBS -l ncpus=2\nwc -l < $PBS_NODEFILE; sort -u $PBS_NODEFILE | wc -l\n", out="2\n1\n"),
    Case("named_node", ("-l nodes=NAME",), "hostname\n", ("-l", "walltime=0:05:00,nodes=$NODE1"), out="$NODE1\n"),
    Case("two_named_nodes", ("-l nodes=NAME+NAME",), "sort $PBS_NODEFILE\n", ("-l", "nodes=$NODE0+$NODE1"), out="$NODE0\n$NODE1\n"),
    Case("host", ("-l host",), "hostname\n", ("-l", "host=$NODE0"), out="$NODE0\n"),
    Case("property", ("-l nodes=:PROPERTY",), "#PBS -l nodes=1:node\nhostname | grep -c node\n", out="1\n"),
    Case("property_of_several", ("-l nodes=:PROPERTY",), "#PBS -l nodes=2:ppn=2:node\nwc -l < $PBS_NODEFILE\n", out="4\n"),
    Case("feature", ("-l feature",), "#PBS -l feature=here\necho found\n", out="found\n"),
    Case(
        "several_lists",
        ("several -l", "PBS_WALLTIME"),
        "#PBS -l nodes=2\n#PBS -l walltime=0:05:00\n#PBS -l mem=200mb\nwc -l < $PBS_NODEFILE; echo $PBS_WALLTIME\n",
        out="2\n300\n",
    ),
    Case("list_with_commas", ("-l",), "#PBS -l nodes=2:ppn=1,walltime=300,mem=64mb\nwc -l < $PBS_NODEFILE; echo $PBS_WALLTIME\n", out="2\n300\n"),
    Case("memory_of_processes", ("-l pmem",), "#PBS -l pmem=100mb\necho $SLURM_MEM_PER_CPU\n", out="100\n"),
    Case("processor_time", ("-l pcput",), "#PBS -l pcput=1\nwhile :; do :; done\n", status=280, err=None),
    Case("virtual_memory", ("-l pvmem",), "#PBS -l pvmem=300mb\nulimit -v\n", out="307200\n"),
    Case(
        "file_size",
        ("-l file",),
        "#PBS -l file=1mb\nhead -c 2000000 /dev/zero > /tmp/sky-big.$$ && echo written || echo stopped\nrm -f /tmp/sky-big.$$\n",
        out="stopped\n",
        err=None,
    ),
    Case("confined_to_its_processors", ("-l nodes=:ppn=",), "#PBS -l nodes=1:ppn=1\nnproc\n", out="1\n"),
    Case("confined_to_its_memory", ("-l mem",), "#PBS -l mem=100mb\nhead -c 300m /dev/zero | tail > /dev/null\n", err=None, status=265),
    Case("exclusive", ("-l naccesspolicy=singlejob",), "#PBS -l nodes=1,naccesspolicy=singlejob\necho alone\n", out="alone\n"),
    Case("exclusive_switch", ("-n",), "#PBS -n\necho alone\n", out="alone\n"),
    Case("walltime_exceeded", ("-l walltime",), "#PBS -l walltime=00:00:01\ntrap 'echo asked to end; exit 3' TERM\nsleep 300 & wait\n", status=-11),
    Case(
        "variable",
        ("-v",),
        'echo "$ONE|$TWO|$THREE|$FOUR"\n',
        ("-v", "ONE=1,TWO='two words',THREE,FOUR={\"a\":1}"),
        environment={"THREE": "3"},
        out='1|two words|3|{"a":1}\n',
    ),
    Case("variable_in_a_directive", ("-v",), '#PBS -v ONE=\'x,y\',TWO="it\'s"\necho "$ONE|$TWO"\n', out="x,y|it's\n"),
    Case("variable_with_equals", ("-v",), 'echo "$OPTS"\n', ("-v", "OPTS=-a=1 -b=2"), out="-a=1 -b=2\n"),
    Case("variable_with_unicode", ("-v",), 'echo "$WORD"\n', ("-v", "WORD=naïve ☃"), out="naïve ☃\n"),
    Case("no_other_variables", ("environment of a login",), 'echo "${SECRET:-nothing}"\n', environment={"SECRET": "x"}, out="nothing\n"),
    Case("all_variables", ("-V",), 'echo "$SETTING"\n', ("-V",), environment={"SETTING": "all of it"}, out="all of it\n"),
    Case("all_variables_by_directive", ("-V",), '#PBS -V\necho "$SETTING"\n', environment={"SETTING": "here, too"}, out="here, too\n"),
    Case("profile", ("environment of a login",), "shopt -q login_shell && echo login\n", out="login\n"),
    Case(
        "variables_of_pbs",
        ("PBS_JOBID", "PBS_QUEUE", "PBS_ENVIRONMENT", "PBS_SERVER", "PBS_O_*", "PBS_O_QUEUE", "PBS_NODENUM", "PBS_VNODENUM", "PBS_TASKNUM"),
        'test "$PBS_JOBID" = "${PBS_JOBID%%.*}.$PBS_SERVER" && test -n "$PBS_O_HOST" && test -n "$PBS_O_PATH" && test "$PBS_O_HOME" = "$HOME"\n'
        "echo $? $PBS_QUEUE $PBS_O_QUEUE $PBS_ENVIRONMENT $PBS_O_LOGNAME $PBS_O_SHELL $PBS_NODENUM $PBS_VNODENUM $PBS_TASKNUM\n",
        out="0 batch batch PBS_BATCH $USER /bin/bash 0 0 1\n",
    ),
    Case("exit_code", ("exit_status",), "exit 7\n", status=7),
    Case("last_command_fails", ("exit_status",), "false\n", status=1),
    Case("command_not_found", ("exit_status",), "no_such_command\n", status=127, err="re:.*line 2: no_such_command: command not found\n"),
    Case("killed_by_a_signal", ("exit_status",), "kill -SEGV $$\n", status=267, err=None),
    Case(
        "line_numbers_stay", ("script without #!",), "# a comment\ntrue\nnot_there\n", status=127, err="re:.*line 3: not_there: command not found\n"
    ),
    Case("python", ("-S",), '#PBS -S /usr/bin/python3\nimport os\nprint("python", os.environ["PBS_JOBNAME"])\n', out="python job.pbs\n"),
    Case("python_by_first_line", ("interpreter of #!",), '#!/usr/bin/python3\n#PBS -N py\nprint("x" * 3)\n', out="xxx\n", out_file="py.o$JOB"),
    Case("env_by_first_line", ("interpreter of #!",), "#!/usr/bin/env python3\nprint(6 * 7)\n", out="42\n"),
    Case("sh", ("-S",), "#PBS -S /bin/sh\nreadlink /proc/$$/exe | sed 's,.*/,,'\n", out="dash\n"),
    Case("shell_options", ("interpreter of #!",), "#!/bin/bash -e\necho one\nfalse\necho two\n", status=1, out="one\n"),
    Case("shell_with_host", ("-S path@host",), "#PBS -S /bin/sh@nowhere,/bin/bash\necho ${BASH_VERSION:+bash}\n", out="bash\n"),
    Case(
        "array",
        ("-t", "PBS_ARRAYID"),
        "echo $PBS_ARRAYID\n",
        ("-t", "1-3"),
        check='for i in 1 2 3; do [ "$(cat job.pbs.o$JOB-$i)" = $i ] || exit 1; done',
    ),
    Case("array_of_a_list", ("-t",), "#PBS -t 2,5,7-8\ntouch at.$PBS_ARRAYID; mv at.$PBS_ARRAYID $PBS_O_WORKDIR\n", check="ls at.2 at.5 at.7 at.8"),
    Case(
        "array_with_a_limit",
        ("-t %",),
        "#PBS -t 0-3%1\ndate +%s%N >> $PBS_O_WORKDIR/begun; sleep 1; date +%s%N >> $PBS_O_WORKDIR/begun\n",
        check="sort -c -n begun && [ $(wc -l < begun) = 8 ]",
    ),
    Case(
        "array_id",
        ("-t", "PBS_JOBID"),
        "#PBS -t 4\n#PBS -j oe\n#PBS -o array.out\necho ${PBS_JOBID%%.*} | tr -d 0-9\n",
        out="[]\n",
        out_file="array.out",
    ),
    Case("arguments", ("-F",), 'echo "$1|$2|$#"\n', ("-F", "one two"), out="one|two|2\n"),
    Case("directive_with_a_comment", ("directives",), "#PBS -N noted  # the name\necho $PBS_JOBNAME\n", out="noted\n", out_file="noted.o$JOB"),
    Case("two_options_in_a_directive", ("directives",), "#PBS -N both -j oe\necho x; echo y >&2\n", out="x\ny\n", out_file="both.o$JOB"),
    Case("tabs_in_a_directive", ("directives",), "#PBS\t-N\ttabbed\necho x\n", out="x\n", out_file="tabbed.o$JOB"),
    Case("directive_after_a_command", ("directives",), "echo $PBS_JOBNAME\n#PBS -N too_late\n", out="job.pbs\n"),
    Case("other_prefix", ("-C",), "#QSUB -N other\n#PBS -N not_read\necho $PBS_JOBNAME\n", ("-C", "#QSUB"), out="other\n", out_file="other.o$JOB"),
    Case(
        "prefix_of_the_environment",
        ("PBS_DPREFIX",),
        "#MINE -N mine\necho $PBS_JOBNAME\n",
        environment={"PBS_DPREFIX": "#MINE"},
        out="mine\n",
        out_file="mine.o$JOB",
    ),
    Case(
        "directives_of_slurm_are_comments",
        ("directives",),
        "#SBATCH --job-name=slurm\n#SBATCH --nodes=2\necho $PBS_JOBNAME $PBS_NUM_NODES\n",
        out="job.pbs 1\n",
    ),
    Case("heredoc", ("script file",), "cat <<'END'\n$HOME stays\n#PBS -N not a directive\nEND\n", out="$HOME stays\n#PBS -N not a directive\n"),
    Case(
        "quoting",
        ("script file",),
        'echo \'single $X\' "double \\" quote" back\\\\slash `echo ticks`\n',
        out='single $X double " quote back\\slash ticks\n',
    ),
    Case("no_end_of_line", ("script file",), "printf done", out="done"),
    Case("much_output", ("default output",), "seq 20000\n", check="[ $(wc -l < job.pbs.o$JOB) = 20000 ]"),
    Case("umask", ("-W umask",), "#PBS -W umask=027\ntouch $PBS_O_WORKDIR/made\n", check="[ $(stat -c %a made) = 640 ]"),
    Case("decimal_umask", ("-W umask",), "#PBS -W umask=23\ntouch $PBS_O_WORKDIR/made\n", check="[ $(stat -c %a made) = 640 ]"),
    Case("group", ("-W group_list",), "#PBS -W group_list=$USER\nid -gn\n", out="$USER\n"),
    Case("account", ("-A",), "#PBS -A physics\ntrue\n", check="qstat -f $JOB | grep -q 'Account_Name = physics'"),
    Case("queue", ("-q", "PBS_O_QUEUE"), "#PBS -q short\necho $PBS_QUEUE $PBS_O_QUEUE\n", out="short short\n"),
    Case("walltime_of_the_queue", ("-q",), "#PBS -q own\ntrue\n", check="qstat -f $JOB | grep -q 'Resource_List.walltime = 00:05:00'"),
    Case("queue_at_server", ("-q queue@server",), "echo $PBS_QUEUE\n", ("-q", "short@$SERVER"), out="short\n"),
    Case("priority", ("-p",), "#PBS -p 100\ntrue\n", check="qstat -f $JOB | grep -q 'Priority = 100'"),
    Case("not_rerunable", ("-r",), "#PBS -r n\ntrue\n", check="qstat -f $JOB | grep -q 'Rerunable = False'"),
    Case("no_checkpoint", ("-c n",), "#PBS -c n\ntrue\n"),
    Case("no_mail", ("-m n",), "#PBS -m n\ntrue\n"),
    Case("own_user", ("-u",), "true\n", ("-u", "$USER")),
    Case("quiet", ("-z",), "true\n", ("-z",), silent=True),
    Case("at_a_time", ("-a",), "echo late\n", ("-a", "$SOON"), out="late\n"),
    Case(
        "mpirun",
        ("mpirun",),
        "#PBS -l nodes=2:ppn=2\nmpirun $PBS_O_WORKDIR/../mpi | sort\n",
        out="re:0 of 4 .*\n1 of 4 .*\n2 of 4 .*\n3 of 4 .*\nsum 6\n",
        err=None,
    ),
    Case(
        "mpirun_with_a_machine_file",
        ("mpirun -machinefile",),
        "#PBS -l nodes=2\nmpirun -np $PBS_NP -machinefile $PBS_NODEFILE $PBS_O_WORKDIR/../mpi | sort\n",
        out="re:0 of 2 on $NODE0\n1 of 2 on $NODE1\nsum 1\n",
        err=None,
    ),
    Case("pbsdsh", ("pbsdsh",), "#PBS -l nodes=2:ppn=2\npbsdsh hostname | sort | uniq -c | awk '{print $1}'\n", out="2\n2\n"),
    Case("pbsdsh_once_a_node", ("pbsdsh -u",), "#PBS -l nodes=2:ppn=2\npbsdsh -u hostname | sort\n", out="$NODE0\n$NODE1\n"),
    Case("pbsdsh_keeps_variables", ("pbsdsh",), "export MINE=yes\npbsdsh sh -c 'echo $MINE'\n", out="yes\n"),
    Case(
        "ssh_between_nodes",
        ("ssh between nodes",),
        "#PBS -l nodes=2\nfor n in $(sort -u $PBS_NODEFILE); do ssh $n hostname; done\n",
        out="$NODE0\n$NODE1\n",
    ),
    Case(
        "submit_from_a_job",
        ("submit from nodes",),
        "cd $PBS_O_WORKDIR\necho 'touch inner' > inner.sh\nqsub -d $PBS_O_WORKDIR inner.sh\n",
        check="for _ in $(seq 60); do [ -e inner ] && exit 0; sleep 0.5; done; exit 1",
        out="re:\\d+\\.$SERVER\n",
    ),
)

REFUSALS: tuple[Case, ...] = (
    refused("too_many_nodes", ("-l nodes",), "-l nodes: 3 nodes are more than the queue batch has (2)", "-l", "nodes=3"),
    refused("too_many_processors", ("-l nodes=:ppn=",), "-l nodes: ppn=9 is more than any node of the queue batch has (2)", "-l", "nodes=1:ppn=9"),
    refused("too_much_memory", ("-l mem",), "MiB on a node are more than any node of the queue batch has", "-l", "mem=99gb"),
    refused(
        "too_long", ("-l walltime",), "-l walltime: 02:00:00 is more than the queue short allows (00:10:00)", "-q", "short", "-l", "walltime=2:00:00"
    ),
    refused(
        "too_many_nodes_for_the_queue", ("-l nodes",), "-l nodes: 2 nodes are more than the queue short allows (1)", "-q", "short", "-l", "nodes=2"
    ),
    refused("ppn_of_the_queue", ("-q",), "-l nodes: ppn=2 is more than the queue own allows (1)", "-q", "own", "-l", "nodes=1:ppn=2"),
    refused("memory_of_the_queue", ("-q",), "-l mem: 300 MiB on a node are more than the queue own allows (200 MiB)", "-q", "own", "-l", "mem=300mb"),
    refused("unknown_queue", ("-q",), "-q nowhere: there is no such queue; there are: batch, own, short", "-q", "nowhere"),
    refused("unknown_property", ("-l nodes=:PROPERTY",), "has the property gold", "-l", "nodes=1:gold"),
    refused("unknown_resource", ("-l",), "-l colour: no such resource", "-l", "colour=red"),
    refused("bad_walltime", ("-l walltime",), "-l walltime: must be seconds or [[days:]hours:]minutes:seconds, got '1h'", "-l", "walltime=1h"),
    refused("different_ppn", ("-l nodes",), "-l nodes: cannot be honoured: parts with different ppn", "-l", "nodes=1:ppn=2+1"),
    refused("processor_time_of_the_job", ("-l cput",), "-l cput: cannot be honoured", "-l", "cput=100"),
    refused("virtual_memory_of_the_job", ("-l vmem",), "-l vmem: cannot be honoured", "-l", "vmem=1gb"),
    refused("nice", ("-l nice",), "-l nice: cannot be honoured", "-l", "nice=5"),
    refused("gpus", ("-l gpus",), "-l gpus: cannot be honoured", "-l", "nodes=1:gpus=1"),
    refused("software", ("-l software",), "-l software: cannot be honoured", "-l", "software=matlab"),
    refused("mail", ("-m", "-M"), "-m abe: cannot be honoured: this cluster sends no mail", "-m", "abe", "-M", "me@example.org"),
    refused("readers_of_mail", ("-M",), "-M me@example.org: cannot be honoured: this cluster sends no mail", "-M", "me@example.org"),
    refused("mail_in_the_script", ("-m",), "-m ae: cannot be honoured", script="#PBS -m ae\ntrue\n"),
    refused("stage_in", ("-W stagein",), "-W stagein: cannot be honoured", "-W", "stagein=a@b:c"),
    refused("stage_out", ("-W stageout",), "-W stageout: cannot be honoured", script="#PBS -W stageout=a@b:c\ntrue\n"),
    refused("settings_of_moab", ("-W x",), "-W x: cannot be honoured", "-W", "x=FLAGS:ADVRES"),
    refused(
        "synchronous_jobs",
        ("-W depend=on", "-W depend=synccount", "-W depend=syncwith"),
        "-W depend: cannot be honoured: 'synccount'",
        "-W",
        "depend=synccount:2",
    ),
    refused("checkpoint", ("-c",), "-c: cannot be honoured", "-c", "enabled"),
    refused("root_folder", ("-D",), "-D: cannot be honoured", "-D", "/srv"),
    refused("fault_tolerant", ("-f",), "-f: cannot be honoured", "-f"),
    refused("numa", ("-L",), "-L: cannot be honoured", "-L", "tasks=1"),
    refused("proxy_user", ("-P",), "-P: cannot be honoured", "-P", "root"),
    refused("prologue", ("-T",), "-T: cannot be honoured", "-T", "mine"),
    refused("graphics", ("-X",), "-X: cannot be honoured", "-X"),
    refused("other_user", ("-u",), "-u root: cannot be honoured", "-u", "root"),
    refused("kill_delay", ("-K",), "-K: cannot be honoured", "-K", "5"),
    refused("server_timeout", ("-b",), "-b: cannot be honoured", "-b", "5"),
    refused("unknown_option", ("directives",), "line 1: #PBS -y: -y: no such option", script="#PBS -y\ntrue\n"),
    refused("script_in_no_terminal", ("-x",), "-x: only an interactive job (-I) runs a script in the terminal", "-x"),
    refused("bad_name", ("-N",), "-N: must begin with a letter", "-N", "7 days"),
    refused("bad_join", ("-j",), "-j: must be one of oe, eo, n, got 'both'", "-j", "both"),
    refused("bad_priority", ("-p",), "-p: must be a whole number from -1024 to 1023, got '5000'", "-p", "5000"),
    refused("bad_array", ("-t",), "-t: must be an ascending range, got '9-1'", "-t", "9-1"),
    refused("index_too_high", ("-t",), "-t: the index 20000 is more than the server allows (10000)", "-t", "0-20000"),
    refused("variable_in_a_path", ("-o",), "-o $SCRATCH/x: cannot be honoured: of variables, only $HOME", "-o", "$SCRATCH/x"),
    refused("quote_without_counterpart", ("-v",), "-v: the quote ' in A=don't has no counterpart", "-v", "A=don't"),
    refused("quote_in_a_directive", ("directives",), "line 1: #PBS -o 'x: the quote ' in 'x has no counterpart", script="#PBS -o 'x\ntrue\n"),
    refused("quote_in_the_first_line", ("script file",), "the script's first line cannot be read", script="#!/bin/bash -c 'x\ntrue\n"),
    refused("nodes_and_host", ("-l nodes", "-l host"), "-l host: cannot be combined with nodes=", "-l", "nodes=2,host=$NODE0"),
    refused("procs_and_ncpus", ("-l procs", "-l ncpus"), "-l procs: cannot be combined with ncpus=", "-l", "procs=4,ncpus=2"),
    refused("indented_directive", ("directives",), "-l nodes: 3 nodes are more", script="#!/bin/sh\n  #PBS -l nodes=3\ntrue\n"),
    refused("directive_without_blank", ("directives",), "-l nodes: 3 nodes are more", script="#PBS-l nodes=3\ntrue\n"),
    refused("directive_goes_on", ("directives",), "-l nodes: 3 nodes are more", script="#PBS -N x \\\n  -l nodes=3\ntrue\n"),
    refused("dos_line_ends", ("script file",), "the script has the line ends of DOS", script="#!/bin/bash\r\necho x\r\n"),
    refused("empty_script", ("script on standard input",), "the script is empty", "-", script=" \n"),
    refused("folder_of_one_node", ("default output", "-w"), "-o: the nodes do not share /tmp: submit from the home, or give", "-w", "/tmp"),
    Case("two_scripts", ("script file",), "true\n", after=("other.pbs",), refused="'other.pbs' is one operand too many: -F gives arguments"),
    refused("unknown_job_to_wait_for", ("-W depend",), "-W depend=afterok:999999: there is no such job", "-W", "depend=afterok:999999"),
    refused("undefined_variable", ("-v",), "-v NOT_SET: there is no such variable", "-v", "NOT_SET"),
    refused("foreign_group", ("-W group_list",), "-W group_list=root: cannot be honoured: a job has the group of qsub, sky", "-W", "group_list=root"),
)
