# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users and operators do with the commands of PBS, as shell scripts that fail where a command does not do what it should."""

from __future__ import annotations

from dataclasses import dataclass

# Functions that every script has
PRELUDE = r"""
set -euo pipefail
# reads all of its input: a command whose output nobody reads any more ends with a failure
grep() { if [ "$1" = -q ]; then shift; command grep "$@" > /dev/null; else command grep "$@"; fi; }
number() { echo "${1%%[.[]*}"; }
state() { qstat "$1" | awk 'END {print $5}'; }
until_state() { for _ in $(seq 240); do [ "$(state "$1")" = "$2" ] && return; sleep 0.5; done; echo "$1 is not $2" >&2; queue; exit 1; }
until_written() { for _ in $(seq 240); do [ -s "$1" ] && return; sleep 0.5; done; echo "$1 is empty" >&2; queue; exit 1; }
queue() { { squeue -t all -o '%i %j %P %T %r %C %D %N %Q' | grep -v COMPLETED; sinfo -N -o '%N %T %C'; } >&2; }
says() { local wanted=$1; shift; local said; said=$("$@" 2>&1) || true; [[ $said == *"$wanted"* ]] || { echo "'$*' said: $said" >&2; exit 1; }; }
fails() { local code=$1 got=0; shift; "$@" >/dev/null 2>&1 || got=$?; [ "$got" = "$code" ] || { echo "'$*' ended with $got" >&2; exit 1; }; }
held() { j=$(qsub -h "$@"); qstat -f "$j" > full; }
sleeper() { echo "sleep ${1:-120}" | qsub "${@:2}"; }
"""


@dataclass(frozen=True)
class Scenario:
    """One script, run in a folder of its own on the server."""

    name: str
    covers: tuple[str, ...]
    text: str
    operator: bool = False  # by root, after those of the user, since it may change the server


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("hold_and_release", ("qsub -h", "qhold", "qrls", "qstat"), r"""
j=$(echo true | qsub -h); [ "$(state $j)" = H ]
qstat -f $j | grep -q 'Hold_Types = u'
qrls $j; until_state $j C
j=$(sleeper 1 -a $(date -d '+1 hour' +%H%M)); [ "$(state $j)" = W ]
qhold $j; [ "$(state $j)" = H ]; qrls -h u $j; until_state $j W; qdel $j
"""),
    Scenario("delete", ("qdel",), r"""
j=$(sleeper); until_state $j R; qdel $j; until_state $j C
qstat -f $j | grep -q 'exit_status = 271'
fails 170 qdel $j
fails 153 qdel 999999
says 'Unknown Job Id Error 999999.' qdel 999999
says '-W: cannot be honoured' qdel -W 5 $j
says '-m: cannot be honoured' qdel -m gone $j
j=$(echo true | qsub -h); says 'illegally formed job identifier: foo' qdel foo $j; until_state $j C; fails 1 qdel foo
"""),
    Scenario("calls_that_are_wrong", ("exit codes",), r"""
fails 2 qsub -y; fails 2 qdel; fails 2 qrls -y; fails 2 qhold -h n 1; fails 2 qsig -s TERM; fails 2 qalter -N '7 days' 1
echo true > job.sh; fails 1 qsub -l vmem=1gb job.sh
"""),
    Scenario("directives_and_paths", ("directives", "-o", "-e", "-k", "-l nodes", "-l ncpus", "-l host", "-a"), r"""
mkdir logs; echo true > plain.sh
printf '#!/bin/sh\n  #PBS -N indented\n#PBS-l walltime=60\n#PBS -A run#5 # why\n#PBS -l nodes=1 \\\n  -p 7\ntrue\n' > job.pbs
held -o logs -e '$HOME/err.txt' job.pbs; qdel $j
for a in 'Job_Name = indented' 'walltime = 00:01:00' 'Account_Name = run#5' 'Priority = 7' "Error_Path = .*:$HOME/err.txt"; do grep -q "$a" full; done
grep -q "Output_Path = .*:$PWD/logs/indented.o$(number $j)" full
held -k oe -o x plain.sh; qdel $j; grep -q "Output_Path = .*:$HOME/plain.sh.o" full
held -l 'nodes=1:ppn=1#excl' plain.sh; scontrol show job $(number $j) | grep -q OverSubscribe=NO; qdel $j
n=$(pbsnodes -a | head -1); held -l ncpus=2,host=$n plain.sh; [ "$(squeue -h -j $(number $j) -o '%n %C')" = "$n 2" ]; qdel $j
j=$(sleeper 1 -a $(date -d "$(date +%Y-%m-15) -1 month" +%m150000)); [ "$(state $j)" = W ]; qdel $j
"""),
    Scenario("delete_indices", ("qdel -t", "qsub -t", "qstat -t"), r"""
j=$(sleeper 120 -h -t 1-4); [[ $j == *'[].'* ]]
[ "$(qstat $j | tail -n +3 | wc -l)" = 1 ]; [ "$(qstat -t $j | tail -n +3 | wc -l)" = 4 ]
qdel -t 2-3 $j; n=$(number $j)
[ "$(qstat -t $j | awk '$5 == "H"' | wc -l)" = 2 ]
qdel "$n[]"; for _ in $(seq 60); do qstat -t $j | tail -n +3 | grep -q ' [HQR] ' || exit 0; sleep 0.5; done; exit 1
"""),
    Scenario("rerun", ("qrerun", "-r"), r"""
j=$(echo 'date +%s%N >> $PBS_O_WORKDIR/begun; sleep 4' | qsub); until_written begun
qrerun $j; until_state $j C
[ "$(wc -l < begun)" = 2 ]
j=$(sleeper 60 -r n); until_state $j R; says 'not rerunable' qrerun $j; qdel $j
"""),
    Scenario("alter", ("qalter",), r"""
j=$(sleeper 60 -h -l walltime=1:00:00); qalter -l walltime=0:05:00 -N changed -p 5 $j
qstat -f $j > full; grep -q 'Resource_List.walltime = 00:05:00' full; grep -q 'Job_Name = changed' full; grep -q 'Priority = 5' full
qalter -l nodes=2 $j; qstat -a $j | tail -1 | awk '{exit $6 != 2}'; qstat -f $j | grep -q 'Resource_List.nodes = 2$'
qalter -q short -l nodes=1 $j; qstat -a $j | tail -1 | grep -q ' short '; [ "$(state $j)" = H ]
qalter -h n $j; until_state $j R; qdel $j
j=$(echo true | qsub -h)
for option in '-A b' '-o x' '-e x' '-j oe' '-k o' '-S /bin/sh' '-v A=1' '-m a' '-M a@b' '-u root' '-w x' '-d x' '-F x' '-n' '-W umask=022' \
  "-W group_list=$USER" '-l procs=2' '-l pvmem=1gb' '-l pcput=9' '-l file=1gb' '-l naccesspolicy=singlejob' '-W depend=beforeok:1'; do
  says 'cannot be changed' qalter $option $j
done
says 'there is no such job' qalter -W depend=afterok:999999 $j
n=$(pbsnodes -a | head -1); at() { squeue -h -j $(number $j) -o %n; }
qalter -l nodes=$n $j; [ "$(at)" = $n ]; qalter -l nodes=1 $j; [ "$(at)" != $n ]; qalter -l walltime=600,host=$n $j; [ "$(at)" = $n ]; qdel $j
"""),
    Scenario("alter_indices", ("qalter",), r"""
j=$(sleeper 120 -h -t 1-3 -l walltime=600); n=$(number $j); times() { squeue -r -h -j $n -o '%K %l' | sort; }
qalter -t %1 $j; scontrol show job $n | grep -q ArrayTaskThrottle=1; fails 2 qalter -t x $j
qalter -t 2-3 -l walltime=420 $j; [ "$(times | tr '\n' ';')" = '1 10:00;2 7:00;3 7:00;' ]; qdel $j
"""),
    Scenario("move", ("qmove",), r"""
j=$(sleeper 60 -h); qmove short $j; qstat -f $j | grep -q 'queue = short'; says 'Unknown queue' qmove nowhere $j; qdel $j
"""),
    Scenario("signal", ("qsig",), r"""
j=$(printf '#!/bin/bash\ntrap "echo caught; exit 5" USR1\necho ready\nwhile :; do sleep 0.2; done\n' | qsub -o sig.out); until_written sig.out
qsig -s USR1 $j; until_state $j C; qstat -f $j | grep -q 'exit_status = 5'
for _ in $(seq 20); do grep -q caught sig.out && exit 0; sleep 0.2; done; exit 1
"""),
    Scenario("message", ("qmsg",), r"""
j=$(echo 'echo ready; sleep 60' | qsub -j oe -o said.out); until_written said.out; qmsg 'a word from outside' $j
for _ in $(seq 40); do grep -q 'a word from outside' said.out && break; sleep 0.3; done; grep -q 'a word from outside' said.out; qdel $j || true
"""),
    Scenario("after_success", ("-W depend=afterok", "-W depend=afternotok", "-W depend=afterany"), r"""
a=$(echo 'sleep 2; echo a >> $PBS_O_WORKDIR/order' | qsub)
b=$(echo 'echo b >> $PBS_O_WORKDIR/order' | qsub -W depend=afterok:$a)
c=$(echo 'echo c >> $PBS_O_WORKDIR/order' | qsub -W depend=afternotok:$a)
d=$(echo 'echo d >> $PBS_O_WORKDIR/order' | qsub -W depend=afterany:$a:$b)
[ "$(state $b)" = H ]; until_state $d C; [ "$(tr -d '\n' < order)" = abd ]
until_state $c C; qstat -f $c | grep -q 'exit_status = 271'
"""),
    Scenario("after_failure", ("-W depend=afternotok", "-W depend=after"), r"""
a=$(echo 'sleep 2; exit 3' | qsub); b=$(echo 'echo b > $PBS_O_WORKDIR/b' | qsub -W depend=afternotok:$a)
c=$(echo 'echo c > $PBS_O_WORKDIR/c' | qsub -W depend=after:$a)
until_state $b C; until_state $c C; grep -q b b; grep -q c c
"""),
    Scenario("before", ("-W depend=before", "-W depend=beforeok"), r"""
a=$(echo 'echo a >> $PBS_O_WORKDIR/order' | qsub -h); b=$(echo 'sleep 1; echo b >> $PBS_O_WORKDIR/order' | qsub -W depend=beforeok:$a)
qrls $a; until_state $a C; [ "$(tr -d '\n' < order)" = ba ]; echo true > late.sh
says 'no longer waits' qsub -W depend=beforeok:$a late.sh; [ -z "$(qselect -N late.sh)" ]
says '-W depend=beforeok: cannot be honoured' qsub -I -W depend=beforeok:$a; says 'there is no such job' qsub -I -W depend=afterok:999999
"""),
    Scenario("after_an_array", ("-W depend=afterokarray",), r"""
a=$(echo 'echo a >> $PBS_O_WORKDIR/order; sleep 1' | qsub -t 0-1); b=$(echo 'echo b >> $PBS_O_WORKDIR/order' | qsub -W depend=afterokarray:$a)
until_state $b C; [ "$(tr -d '\n' < order)" = aab ]
"""),
    Scenario("priority_goes_first", ("-p",), r"""
a=$(sleeper 1 -h -p -500); b=$(sleeper 1 -h -p 500)
low=$(squeue -h -j $(number $a) -o %y); high=$(squeue -h -j $(number $b) -o %y); [ "$high" -lt "$low" ]; qdel $a $b
"""),
    Scenario("show_jobs", ("qstat", "qstat -a", "qstat -n", "qstat -1", "qstat -r", "qstat -i", "qstat -u", "qstat -s", "qstat -f", "qstat -e"), r"""
j=$(sleeper 60 -N shown -l walltime=0:10:00); h=$(echo true | qsub -h -N waits); until_state $j R; n=$(number $j)
qstat | grep -q "^$n[.].* shown  *$USER .* R batch"
qstat -a | grep -q "^$n[.].* 00:10:00 R "
qstat -n $j | grep -q '^   .*/0'; [ "$(qstat -n -1 $j | grep -c '/0')" = 1 ]
qstat -r | grep -q shown; ! qstat -r | grep -q waits; qstat -i | grep -q waits; ! qstat -i | grep -q shown
qstat -u $USER | grep -q shown; [ -z "$(qstat -u nobody)" ]; qstat -s $h | grep -q JobHeldUser
qstat -f $j > full
for a in 'Job_Name = shown' 'job_state = R' 'queue = batch' 'Resource_List.walltime = 00:10:00' 'exec_host = ' 'euser = '; do grep -q "$a" full; done
qstat batch | grep -q shown; ! qstat short | grep -q shown; says 'Unknown Job Id Error' qstat 999999; fails 153 qstat 999999; qdel $j $h
until_state $h C; qstat $h | grep -q waits; [ -z "$(qstat -c $h)" ]; says '-l: cannot be honoured' qstat -l
"""),
    Scenario("show_queues", ("qstat -q", "qstat -Q", "qstat -B", "qstat -Qf"), r"""
qstat -q | grep -q '^batch .* E R'; qstat -q | grep -q '^short .* 00:10:00 '; qstat -Q | grep -q '^batch .* yes  *yes '
qstat -Q -f short | grep -q 'resources_max.walltime = 00:10:00'; qstat -B | grep -q Active; qstat -B -f | grep -q 'default_queue = batch'
says 'Unknown queue' qstat -q nowhere
"""),
    Scenario("history", ("qstat -x", "tracejob"), r"""
j=$(echo exit 4 | qsub -N past); until_state $j C; n=$(number $j)
for _ in $(seq 20); do qstat -x | grep -q "^$n[.].* past " && break; sleep 0.5; done
qstat -x -f $j | grep -q 'exit_status = 4'; tracejob $j | grep -q 'Exit_status=4'; tracejob $j | grep -q 'Job Queued at request of'
j=$(echo true | qsub -t 3); n=$(number $j); until_state "$n[3]" C; tracejob "$n[3]" | grep -q 'Exit_status=0'
recorded() { PYTHONPATH=/usr/local/lib/sky-pbs python3 -c '
import json, pathlib, sys
from sky_pbs import history
path = pathlib.Path(json.loads(pathlib.Path("/etc/sky/torque.json").read_text())["history"])
sys.exit(not any(job.id == sys.argv[1] for job in history.read(path)))' $1; }
for _ in $(seq 20); do recorded ${n}_3 && break; sleep 0.5; done; recorded ${n}_3
qusage | grep -q "^$(date +%Y-%m)  *$USER "; qusage -j -u $USER | python3 -c 'import json, sys; assert json.load(sys.stdin)[0]["failed"] >= 1'
"""),
    Scenario("show_nodes", ("pbsnodes", "pbsnodes -a", "pbsnodes -l"), r"""
pbsnodes -a > all; [ "$(grep -c '^     state = ' all)" = 2 ]; grep -q 'np = 2' all; grep -q 'properties = node,here' all
[ -z "$(pbsnodes -l)" ]; [ "$(pbsnodes -l all | wc -l)" = 2 ]; says 'Unknown node' pbsnodes nowhere
[ "$(pbsnodes :node | grep -c '^     state = ')" = 2 ]; says 'Unknown property' pbsnodes :gold
j=$(sleeper 30); until_state $j R; pbsnodes -a | grep -q "jobs = .*[0-9]/$j"; qdel $j
"""),
    Scenario("show_the_schedule", ("showq", "checkjob"), r"""
j=$(sleeper 60 -l walltime=0:20:00); h=$(echo true | qsub -h); until_state $j R
showq > q; grep -q "^$(number $j) .* Running" q; grep -q "^$(number $h) .* Hold" q
checkjob $j | grep -q 'State: Running'; fails 153 checkjob 999999; qdel $j $h
"""),
    Scenario("select", ("qselect",), r"""
j=$(echo true | qsub -h -N chosen); [ "$(qselect -u $USER -N chosen -s H)" = "$j" ]; [ -z "$(qselect -N chosen -s R)" ]; qdel $(qselect -N chosen)
says 'cannot be honoured' qselect -p 5
"""),
    Scenario("show_settings", ("qmgr list", "qmgr print"), r"""
qmgr -c 'print server' > all; grep -q 'set server default_queue = batch' all; grep -q 'create queue short' all; qmgr -c help | grep -q requests
qmgr -c 'list queue short' | grep -q 'resources_max.walltime = 00:10:00'
qmgr -c 'p q batch' | grep -q 'create queue batch'; qmgr -c 'list node' | grep -q '^Node '; echo 'list server' | qmgr | grep -q '^Server '
says 'variables (torque_server_queues)' qmgr -c 'create queue mine'; says 'No closing quotation' qmgr -c "list node 'x"
scontrol show config | grep -q 'MaxStepCount *= 12345'; says 'no such request' qmgr -c 'dance'; fails 1 qmgr -c 'set server scheduling = true'
"""),
    Scenario("not_allowed", ("qdel", "pbsnodes -o"), r"""
fails 1 pbsnodes -o $(pbsnodes -a | head -1); fails 1 qmgr -c 'set queue batch enabled = false'
"""),
    Scenario("interactive", ("-I", "-x", "-W interactive"), r"""
says 'needs a terminal' qsub -I
out=$(printf 'shopt -q login_shell\necho env $? $PBS_ENVIRONMENT $PBS_NP $OUTSIDE\nexit\n' |
  OUTSIDE=x timeout 60 script -qec 'qsub -I -l nodes=1:ppn=2' /dev/null | tr '\r' '\n')
[[ $out == *'job allocation'* && $out == *$'\nenv 0 PBS_INTERACTIVE 2\n'* ]] || { echo "$out" >&2; exit 1; }
echo 'echo ran on $PBS_NP "$@"' > run.sh
out=$(timeout 60 script -qec 'qsub -I -x run.sh one two' /dev/null < /dev/null); [[ $out == *'ran on 1 one two'* ]] || { echo "$out" >&2; exit 1; }
"""),
    Scenario("root", ("root",), r"""
echo true > job.sh; fails 1 qsub job.sh; says 'root submits no jobs' qsub job.sh; fails 1 srun true
""", operator=True),
    Scenario("delete_all", ("qdel",), r"""
j=$(runuser -l $TESTER -c 'echo true | qsub -h'); qdel all; until_state $j C
""", operator=True),
    Scenario("offline", ("pbsnodes -o", "pbsnodes -c", "pbsnodes -r", "pbsnodes -N", "qmgr set node"), r"""
n=$(pbsnodes -a | head -1); pbsnodes -o -N broken $n; pbsnodes -l | grep -q "^$n  *offline  *broken"; pbsnodes $n | grep -q 'note = broken'
pbsnodes -c $n; [ -z "$(pbsnodes -l)" ]; pbsnodes -o $n; pbsnodes -r $n; qmgr -c "set node $n state = offline"; pbsnodes -l | grep -q $n
qmgr -c "set node $n state = free"; [ -z "$(pbsnodes -l)" ]
""", operator=True),
    Scenario("reservation", ("showres",), r"""
scontrol create reservation ReservationName=by-hand Users=root Flags=MAINT,IGNORE_JOBS Nodes=ALL StartTime=now+10minutes EndTime=now+20minutes
showres | grep -q '^by-hand  *I .* 00:10:00  *2 '; [ "$(showres by-hand | tail -1)" = '1 reservation located' ]
says 'no reservation nowhere' showres nowhere
submit() { runuser -l $TESTER -c "echo true | qsub $*"; }
j=$(submit -l walltime=0:30:00); for _ in $(seq 60); do qstat -s $j | grep -q 'Reserved for maintenance' && break; sleep 0.5; done
qstat -s $j | grep -q 'Reserved for maintenance'; k=$(submit -l walltime=0:01:00); until_state $k C; [ "$(state $j)" = Q ]
scontrol delete ReservationName=by-hand; until_state $j C; [ "$(showres | tail -1)" = '0 reservations located' ]
""", operator=True),
    Scenario("queues_open_and_shut", ("qenable", "qdisable", "qstart", "qstop", "qmgr set queue"), r"""
qdisable short; qstat -q | grep -q '^short .* D R'; says 'the queue is disabled' runuser -u $TESTER -- sh -c 'cd; echo true | qsub -q short'
says 'not permitted' runuser -l ada -c 'echo true | qsub -q own'; qstat -Q -f own | grep -q 'acl_groups = sky'
qenable short; qstop short; qstat -q | grep -q '^short .* E S'; qstart short; qstat -q | grep -q '^short .* E R'
qmgr -c 'set queue short started = false'; qstat -q | grep -q '^short .* E S'; qmgr -c 'set queue short started = true'
""", operator=True),
)  # fmt: skip
