# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a job to the command that submits it."""

from __future__ import annotations

import dataclasses
import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import limits, options, slurm, submission
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.resources import resources
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.submission import Context, Submission
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.values import PbsError

CONTEXT = Context(
    user="ada", home="/home/ada", shell="/bin/bash", folder="/home/ada/work", host="s-0", server="s-0",
    environment={"PATH": "/opt/bin:/bin", "HOME": "/home/ada", "LANG": "C.UTF-8", "SECRET": "x", "SLURM_JOB_ID": "1"},
    now=datetime.datetime(2026, 11, 28, 8), group="ada",
)  # fmt: skip


def job(*words: str, script: str = "#!/bin/bash\ntrue\n", path: str = "job.pbs", **context: Any) -> Submission:
    given = options.parse(words).over(options.of_script(script))
    return submission.submission(given, resources(given.resources, ["n-0", "n-1"]), script, path, dataclasses.replace(CONTEXT, **context))


def argument(found: Submission, name: str) -> str | None:
    return next((word.partition("=")[2] for word in found.arguments if word.partition("=")[0] == name), None)


@pytest.mark.parametrize(
    ("words", "name", "expected"),
    [
        (("-l", "nodes=2:ppn=3"), "--nodes", "2-2"),
        (("-l", "nodes=2:ppn=3"), "--ntasks-per-node", "3"),
        (("-l", "procs=5"), "--ntasks", "5"),
        (("-l", "nodes=n-1+n-0"), "--nodelist", "n-1,n-0"),
        (("-l", "nodes=1:big+1:fast"), "--constraint", "[big*1&fast*1]"),
        (("-l", "nodes=2:big,feature=new"), "--constraint", "new&big"),
        (("-l", "nodes=2,mem=3gb"), "--mem", "1536M"),
        (("-l", "pmem=1b"), "--mem-per-cpu", "1M"),
        (("-l", "procs=4,mem=1gb"), "--mem-per-cpu", "256M"),
        (("-l", "procs=4,mem=1gb"), "--mem", None),
        (("-l", "walltime=90"), "--time", "00:01:30"),
        (("-a", "0900"), "--begin", "2026-11-28T09:00:00"),
        (("-p", "1023"), "--nice", "0"),
        (("-p", "-1024"), "--nice", "2047000000"),
        (("-A", "theory"), "--account", "theory"),
        (("-t", "0-9%2"), "--array", "0-9%2"),
        (("-q", "long@s-0"), "--partition", "long"),
        (("-W", "depend=afterok:7.s-0:8,after:9[2]"), "--dependency", "afterok:7,afterok:8,after:9_2"),
        (("-d", "sub"), "--chdir", "/home/ada/work/sub"),
        ((), "--chdir", "/home/ada"),
        ((), "--output", "/home/ada/work/job.pbs.o%j"),
        (("-t", "1-2"), "--error", "/home/ada/work/job.pbs.e%A-%a"),
        (("-j", "oe"), "--error", None),
        (("-j", "eo"), "--output", "/home/ada/work/job.pbs.e%j"),
        (("-k", "oe"), "--output", "/home/ada/job.pbs.o%j"),
        (("-o", "host:/tmp/50%"), "--output", "/tmp/50%%"),
        (("-o", "out/"), "--output", "/home/ada/work/out/job.pbs.o%j"),
        (("-o", "~/x"), "--output", "/home/ada/x"),
        (("-o", "$HOME/out.txt"), "--output", "/home/ada/out.txt"),
        (("-e", "${HOME}/logs/"), "--error", "/home/ada/logs/job.pbs.e%j"),
        (("-o", "s-0:$HOME/x"), "--output", "/home/ada/x"),
        (("-o", "logs/$PBS_JOBID.5%"), "--output", "/home/ada/work/logs/%j.s-0.5%%"),
        (("-t", "1-2", "-e", "$HOME/${PBS_JOBID}err"), "--error", "/home/ada/%A[%a].s-0err"),
        (("-d", "$HOME/run"), "--chdir", "/home/ada/run"),
        (("-d", "~"), "--chdir", "/home/ada"),
        (("-w", "/"), "--output", "/job.pbs.o%j"),
        (("-k", "oe", "-o", "x"), "--output", "/home/ada/job.pbs.o%j"),
        (("-k", "e", "-o", "x"), "--output", "/home/ada/work/x"),
        (("-l", "nodes=2#excl"), "--exclusive", ""),
        (("-l", "ncpus=4,host=n-0"), "--ntasks-per-node", "4"),
        (("-l", "ncpus=4,host=n-0"), "--nodelist", "n-0"),
        (("-W", "depend=afterokarray:7[]"), "--dependency", "afterok:7"),
    ],
)
def test_arguments(words: tuple[str, ...], name: str, expected: str | None) -> None:
    assert argument(job(*words), name) == expected


def test_a_job_gets_the_variables_of_a_login_and_those_of_pbs_alone() -> None:
    variables = job().variables
    assert variables["HOME"] == "/home/ada"
    assert variables["PATH"] == submission.PATH
    assert variables["PBS_O_PATH"] == "/opt/bin:/bin"
    assert variables["PBS_O_WORKDIR"] == "/home/ada/work"
    assert not {"SECRET", "SLURM_JOB_ID"} & variables.keys()


def test_all_variables_are_taken_on_request_but_for_those_of_another_job() -> None:
    variables = job("-V").variables
    assert (variables["SECRET"], variables["PATH"]) == ("x", "/opt/bin:/bin")
    assert "SLURM_JOB_ID" not in variables


def test_a_job_does_not_get_the_layout_of_the_job_that_submits_it() -> None:
    outside = dict(CONTEXT.environment) | {"SKY_PBS_LAYOUT": "2(x2)", "PBS_ARRAYID": "4", "PBS_JOBID": "1.s-0"}
    variables = job("-V", environment=outside).variables
    assert not {"SKY_PBS_LAYOUT", "PBS_ARRAYID", "PBS_JOBID"} & variables.keys()


def test_the_queue_of_the_submission_is_known_to_the_job() -> None:
    assert job("-q", "short@s-0").variables["PBS_O_QUEUE"] == "short"
    assert "PBS_O_QUEUE" not in job().variables


def test_a_mask_is_that_of_the_option() -> None:
    assert (job("-W", "umask=027").umask, job("-W", "umask=22").umask) == (0o27, 22)


def test_a_variable_that_is_not_set_is_refused() -> None:
    with pytest.raises(PbsError, match="-v NOTHING: there is no such variable"):
        job("-v", "NOTHING")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-m", "e"), "-m e: cannot be honoured: this cluster sends no mail"),
        (("-M", "a@b"), "-M a@b: cannot be honoured: this cluster sends no mail"),
        (("-o", "$SCRATCH/x"), "-o $SCRATCH/x: cannot be honoured: of variables, only $HOME"),
        (("-o", "$HOMER"), "-o $HOMER: cannot be honoured"),
        (("-e", "out.$PBS_JOBIDS"), "-e out.$PBS_JOBIDS: cannot be honoured"),
        (("-d", "run.$PBS_JOBID"), "-d run.$PBS_JOBID: cannot be honoured"),
        (("-I", "-W", "depend=beforeok:7"), "-W depend=beforeok: cannot be honoured: others cannot wait for an interactive job"),
        (("-u", "bob"), "-u bob: cannot be honoured"),
        (("-W", "group_list=staff"), "-W group_list=staff: cannot be honoured"),
        (("-q", "batch@elsewhere"), "-q batch@elsewhere: there is one server"),
        (("-x",), "-x: only an interactive job"),
        (("-I", "-F", "a"), "-F: an interactive job has no arguments"),
        (("-I", "-t", "1-2"), "-t: an interactive job cannot be an array"),
        (("-l", "walltime=0"), "-l walltime: must be at least a second"),
        (("-l", "mem=1gb,pmem=1gb"), "-l pmem: cannot be combined with mem"),
        (("-l", "nodes=1:big+1"), "-l nodes: cannot be honoured: either every part has a property, or none"),
        (("-S", "bash"), "-S: must be the absolute path of a shell"),
        (("-S", "/bin/bash -O extglob"), "the script's first line has options that cannot be kept: -O extglob"),
        (("-v", "A=1,SLURM_CONF=/x"), "-v SLURM_CONF: cannot be honoured: variables that begin with SLURM"),
        (("-v", "SBATCH_TIMELIMIT=1"), "-v SBATCH_TIMELIMIT: cannot be honoured"),
    ],
)
def test_refusals(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(PbsError) as error:
        job(*words)
    assert str(error.value).startswith(sentence)


def test_mail_is_sent_where_the_server_can() -> None:
    found = job("-m", "abe", "-M", "a@example.org", mail=True)
    assert (argument(found, "--mail-type"), argument(found, "--mail-user")) == ("FAIL,BEGIN,END", "a@example.org")


def test_readers_of_mail_get_it_where_a_job_is_aborted() -> None:
    found = job("-M", "a@example.org", mail=True)
    assert (argument(found, "--mail-type"), argument(found, "--mail-user")) == ("FAIL", "a@example.org")
    assert argument(job("-M", "a@example.org", "-m", "n", mail=True), "--mail-type") is None
    assert argument(job(mail=True), "--mail-type") is None


def test_another_job_comes_to_wait_for_this_one() -> None:
    found = job("-W", "depend=beforeok:7:8")
    assert found.before == (("afterok", "7"), ("afterok", "8"))
    assert argument(found, "--dependency") is None


@pytest.mark.parametrize(
    ("path", "expected"), [("run.sh", "run.sh"), ("/a/my job", "my_job"), ("7.sh", "J7.sh"), ("a" * 30, "a" * 15), ("", "STDIN"), ("x%j", "x_j")]
)
def test_names_of_jobs(path: str, expected: str) -> None:
    assert submission.job_name(options.Options(), path) == expected


@pytest.mark.parametrize(
    ("script", "words", "expected"),
    [
        ("#!/bin/bash\na\n", (), "#!/bin/bash -l\na\n"),
        ("#!/bin/bash -e\na\n", (), "#!/bin/bash -le\na\n"),
        ("#!/bin/bash --login\na\n", (), "#!/bin/bash -l\na\n"),
        ("#!/bin/sh -\na\n", (), "#!/bin/sh -l\na\n"),
        ("#!/bin/sh -e -- \na\n", (), "#!/bin/sh -le\na\n"),
        ("#!/bin/bash --norc -e\na\n", (), "#!/usr/bin/env -S /bin/bash --norc -le\na\n"),
        ("#!/usr/bin/env bash\na\n", (), "#!/usr/bin/env -S bash -l\na\n"),
        ("#PBS -N x\na\n", (), "#!/bin/bash -l\na\n"),
        ("  #PBS -N x\na\n", (), "#!/bin/bash -l\na\n"),
        ("\na\n", (), "#!/bin/bash -l\na\n"),
        ("a\nb\n", (), "#!/bin/bash -l\na\nb\n"),
        ("#!/bin/bash\n\n # x\n#SBATCH -N 2\na\n", (), "#!/bin/bash -l\n\n # x\n##SBATCH -N 2\na\n"),
        ("#!/bin/bash\ncat > x <<E\n#SBATCH -N 2\nE\n", (), "#!/bin/bash -l\ncat > x <<E\n#SBATCH -N 2\nE\n"),
        ("#!/usr/bin/python3\na\n", (), '#!/usr/bin/env -S bash -l -c \'exec /usr/bin/python3 "$0" "$@"\'\na\n'),
        ("a", ("-S", "/bin/sh@x,/bin/ksh"), "#!/bin/ksh -l\na"),
    ],
)
def test_scripts_are_run_by_a_login_shell(script: str, words: tuple[str, ...], expected: str) -> None:
    assert job(*words, script=script).script == expected


@pytest.mark.parametrize("first", ["#!/bin/bash --posix", "#!/bin/bash --norc", "#!/bin/bash --login", "#!/bin/bash -", "#!/bin/bash -e"])
def test_a_shell_keeps_its_options_and_is_a_login_shell(tmp_path: Path, first: str) -> None:
    path = tmp_path / "job"
    path.write_text(job(script=f"{first}\nshopt -q login_shell && echo $SHELLOPTS $1\n").script, encoding="utf-8")
    path.chmod(0o755)
    done = subprocess.run([str(path), "one"], capture_output=True, text=True, check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert done.stdout.endswith(" one\n")
    assert ("posix" in done.stdout, "errexit" in done.stdout) == (first.endswith("posix"), first.endswith("-e"))


def test_a_script_that_is_no_shell_is_run_by_its_interpreter(tmp_path: Path) -> None:
    """By the kernel itself: the first line is split and quoted as it must be."""
    path = tmp_path / "a script"
    path.write_text(job(script="#!/usr/bin/env python3\nimport sys\nprint(sys.argv[1:], 6 * 7)\n").script, encoding="utf-8")
    path.chmod(0o755)
    done = subprocess.run([str(path), "one two"], capture_output=True, text=True, check=True)
    assert done.stdout == "['one two'] 42\n"


def test_a_first_line_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(PbsError, match=r"^the script's first line cannot be read: No closing quotation: /bin/bash -c 'x$"):
        job(script="#!/bin/bash -c 'x\n")


@pytest.mark.parametrize(
    ("indices", "most", "sentence"),
    [
        ("0-20000", 10000, "-t: the index 20000 is more than the server allows (10000)"),
        ("1,10001%20000", 10000, "-t: the index 10001 is more than the server allows (10000)"),
        ("0-10000%20000", 10000, ""),
        ("0-20000", None, ""),
    ],
)
def test_the_highest_index_of_an_array(indices: str, most: int | None, sentence: str) -> None:
    assert limits.too_high(indices, most) == sentence


def test_dos_line_ends_are_refused() -> None:
    with pytest.raises(PbsError, match="line ends of DOS"):
        job(script="#!/bin/bash\r\na\r\n")


NODES = [slurm.Node(f"n-{number}", "", 4, 0, 1000, ("IDLE",), ("big",) if number else (), ("batch",), "") for number in range(3)]
QUEUES = [slurm.Queue("batch", {"Default": "YES", "State": "UP", "MaxTime": "1-00:00:00", "MaxNodes": "2", "MaxCPUsPerNode": "UNLIMITED"})]


@pytest.mark.parametrize(
    ("given", "queue", "sentence"),
    [
        ("nodes=3", "", "-l nodes: 3 nodes are more than the queue batch allows (2)"),
        ("nodes=1:ppn=5", "", "-l nodes: ppn=5 is more than any node of the queue batch has (4)"),
        ("walltime=25:00:00", "", "-l walltime: 25:00:00 is more than the queue batch allows (24:00:00)"),
        ("mem=2gb", "", "-l mem: 2048 MiB on a node are more than any node of the queue batch has (1000 MiB)"),
        ("nodes=1:ppn=4,pmem=500mb", "", "-l pmem: 2000 MiB on a node are more than any node of the queue batch has (1000 MiB)"),
        ("procs=4,mem=4000mb", "", ""),
        ("procs=4,mem=5000mb", "", "-l mem: 1250 MiB on a node are more than any node of the queue batch has (1000 MiB)"),
        ("procs=13", "", "-l procs: 13 processors are more than the queue batch has (12)"),
        ("nodes=1:gold", "", "-l nodes: no node of the queue batch has the property gold; there are: big"),
        ("nodes=1", "night", "-q night: there is no such queue; there are: batch"),
        ("nodes=n-9", "", "-l nodes: there is no node n-9"),
        ("nodes=2:ppn=4:big", "", ""),
    ],
)
def test_the_limit_that_a_job_exceeds_is_named(given: str, queue: str, sentence: str) -> None:
    assert limits.refusal(resources([given], ["n-9"]), queue, QUEUES, NODES) == sentence


def test_with_fair_share_a_user_keeps_the_account_of_the_shares() -> None:
    found = job("-A", "theory", "-p", "-1024", fair_share=True)
    assert argument(found, "--account") is None
    assert argument(found, "--nice") == "2047000"
    assert '"account":"theory"' in str(argument(found, "--comment"))
