# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options and resources of qsub: what is understood, and what is refused by its name."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.roles.torque.files.sky_pbs import options, resources, values
from ansible_collections.sky.clusters.roles.torque.files.sky_pbs.values import PbsError, UsageError

NOW = datetime.datetime(2026, 11, 28, 8, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1:30", 90), ("1:00:00", 3600), ("2:00:00:00", 172800), ("00:00:01.5", 1), ("100:00:00", 360000)]
)
def test_durations(text: str, expected: int) -> None:
    assert values.seconds(text, "-l walltime") == expected


@pytest.mark.parametrize("text", ["", "1h", "-5", "1:2:3:4:5", "1::2", "a:00"])
def test_what_is_no_duration_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(PbsError, match=r"^-l walltime: must be seconds or"):
        values.seconds(text, "-l walltime")


@given(st.integers(0, 10**7))
def test_a_clock_is_read_as_it_is_written(duration: int) -> None:
    assert values.seconds(values.clock(duration), "x") == duration


@pytest.mark.parametrize(
    ("text", "expected"), [("100", 100), ("1b", 1), ("2kb", 2048), ("1mw", 8 << 20), ("4GB", 4 << 30), ("1tb", 1 << 40), ("3m", 3 << 20)]
)
def test_sizes(text: str, expected: int) -> None:
    assert values.size(text, "-l mem") == expected


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(PbsError, match=r"^-l mem: must be a size"):
        values.size("4 apples", "-l mem")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0900", "2026-11-28 09:00:00"),
        ("0700", "2026-11-29 07:00:00"),
        ("301200", "2026-11-30 12:00:00"),
        ("12241800", "2026-12-24 18:00:00"),
        ("2712241800.30", "2027-12-24 18:00:30"),
        ("203001010000", "2030-01-01 00:00:00"),
        ("271200", "2026-12-27 12:00:00"),
        ("280700", "2026-11-28 07:00:00"),
        ("10301200", "2027-10-30 12:00:00"),
        ("11270900", "2026-11-27 09:00:00"),
    ],
)
def test_times(text: str, expected: str) -> None:
    assert str(values.moment(text, NOW)) == expected


def test_a_day_that_is_over_in_december_is_in_january() -> None:
    assert str(values.moment("010900", datetime.datetime(2026, 12, 2, 8))) == "2027-01-01 09:00:00"


@pytest.mark.parametrize("text", ["9", "2500", "13321200", "noon", "00121200", "310900"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(PbsError, match=r"^-a: "):
        values.moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"), [("12", "12"), ("12.server", "12"), ("12[3]", "12_3"), ("12[].my-server-0", "12"), ("12[4].s@s", "12_4"), ("12_4", "12_4")]
)
def test_jobs_are_named_as_pbs_and_as_slurm_does(text: str, expected: str) -> None:
    assert values.job_id(text) == expected


@pytest.mark.parametrize("text", ["", "job", "12;rm", "12 13", "[3]"])
def test_what_is_no_job_is_refused(text: str) -> None:
    with pytest.raises(PbsError, match="is no job"):
        values.job_id(text)


@pytest.mark.parametrize(("job", "expected"), [("12", "12.s"), ("12_3", "12[3].s"), ("12_[4-6]", "12[].s"), ("12_*", "12[].s")])
def test_jobs_are_shown_as_pbs_names_them(job: str, expected: str) -> None:
    assert values.shown_id(job, "s") == expected


def test_command_line_wins_over_directives_and_lists_of_resources_add_up() -> None:
    script = "#!/bin/sh\n#PBS -N inside -l nodes=2\n#PBS -l walltime=10\n# a comment\n\necho\n#PBS -N late\n"
    found = options.parse(["-N", "outside", "-l", "walltime=20"]).over(options.of_script(script))
    assert found.values["-N"] == "outside"
    wanted = resources.resources(found.resources)
    assert (wanted.nodes, wanted.walltime) == (2, 20)


def test_a_fault_of_a_directive_names_its_line() -> None:
    with pytest.raises(PbsError, match=r"^line 3: #PBS -p many: -p: must be a whole number from -1024 to 1023, got 'many'$"):
        options.of_script("#!/bin/sh\n\n#PBS -p many\n")


@pytest.mark.parametrize(
    ("line", "name"),
    [("  #PBS -N x", "x"), ("\t#PBS -N x", "x"), ("#PBS-N x", "x"), ("#PBS -N run#5", "run#5"), ("#PBS -N x # run", "x"), ("#PBS -N x\t#run", "x")],
)
def test_directives_are_read_as_torque_does(line: str, name: str) -> None:
    assert options.of_script(f"#!/bin/sh\n{line}\n").values == {"-N": name}


@pytest.mark.parametrize("line", ["#PBS_NODEFILE -N x", "##PBS -N x", "# PBS -N x", "true; #PBS -N x"])
def test_other_comments_are_no_directives(line: str) -> None:
    assert options.of_script(f"{line}\n").values == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-o 'a b' -N x", ["-o", "a b", "-N", "x"]),
        ("-o a\\ b", ["-o", "a b"]),
        ('-o "a#b #c" #d', ["-o", "a#b #c"]),
        ('-v A="x,y"', ["-v", 'A="x,y"']),
        ("-v \"A=1,B='x y'\"", ["-v", "A=1,B='x y'"]),
        ("-l nodes=2:ppn=1#excl", ["-l", "nodes=2:ppn=1#excl"]),
        ("-A ''", ["-A", ""]),
        ("# all of it", []),
    ],
)
def test_the_words_of_a_directive(line: str, expected: list[str]) -> None:
    assert options.words(line) == expected


def test_a_quote_without_counterpart_names_its_line() -> None:
    with pytest.raises(PbsError, match=r"^line 2: #PBS -o 'a b: the quote ' in 'a b has no counterpart$"):
        options.of_script("#!/bin/sh\n#PBS -o 'a b\n")


@pytest.mark.parametrize("second", ["   -l walltime=10", "#PBS -l walltime=10"])
def test_a_directive_goes_on_in_the_next_line(second: str) -> None:
    script = options.joined(f"#PBS -l nodes=2 \\\n{second}\necho \\\n done\n")
    assert options.of_script(script).resources == ["nodes=2", "walltime=10"]
    assert script.split("\n")[1:] == ["", "echo \\", " done", ""]


def test_faults_of_a_call_are_told_from_others() -> None:
    with pytest.raises(UsageError):
        options.parse(["-N", "7 days"])
    with pytest.raises(UsageError):
        options.of_script("#PBS -y\n")


def test_options_behind_the_script_count() -> None:
    found = options.parse(["job.pbs", "-l", "nodes=2", "-N", "x", "-"])
    assert (found.operands, found.resources, found.values) == (["job.pbs", "-"], ["nodes=2"], {"-N": "x"})
    assert options.parse(["--", "job.pbs", "-V"]).operands == ["job.pbs", "-V"]


@pytest.mark.parametrize("letter", sorted(options.REFUSED))
def test_options_that_cannot_be_honoured_are_refused_by_name(letter: str) -> None:
    words = [letter, "x"] if f"{letter[1]}:" in options.LETTERS else [letter]
    with pytest.raises(PbsError, match=f"^{letter}: cannot be honoured: "):
        options.parse(words)


@pytest.mark.parametrize("attribute", sorted(options.REFUSED_ATTRIBUTES))
def test_attributes_that_cannot_be_honoured_are_refused_by_name(attribute: str) -> None:
    with pytest.raises(PbsError, match=f"^-W {attribute}: cannot be honoured: "):
        options.parse(["-W", f"{attribute}=1"])


@pytest.mark.parametrize("name", sorted(resources.REFUSED))
def test_resources_that_cannot_be_honoured_are_refused_by_name(name: str) -> None:
    with pytest.raises(PbsError, match=f"^-l {name}: cannot be honoured: "):
        resources.resources([f"{name}=1"])


def test_no_resource_is_both_read_and_refused() -> None:
    assert not resources.READERS.keys() & resources.REFUSED.keys()


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=30))
def test_nodes_are_understood_or_refused_in_words(text: str) -> None:
    try:
        parts = resources.nodes(text, {"node-0"})
    except PbsError as error:
        assert str(error).startswith("-l ")
    else:
        assert all(part.count >= 1 and part.ppn >= 1 for part in parts)


def test_parts_of_nodes() -> None:
    part = resources.Part
    assert resources.nodes("2:ppn=4:big:fast") == (part(2, 4, ("big", "fast")),)
    assert resources.nodes("node-0+node-1:ppn=1", {"node-0", "node-1"}) == (part(1, 1, (), "node-0"), part(1, 1, (), "node-1"))
    assert resources.nodes("big+2") == (part(1, 1, ("big",)), part(2, 1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nodes=2#excl", True), ("nodes=2#shared", False), ("nodes=2", False), ("naccesspolicy=singlejob", True),
        ("nodes=1#excl,naccesspolicy=singlejob", True), ("nodes=1#shared,naccesspolicy=shared", False),
    ],
)  # fmt: skip
def test_nodes_are_had_alone_on_request(given: str, expected: bool) -> None:
    assert resources.resources([given]).exclusive is expected


def test_processors_on_one_host() -> None:
    wanted = resources.resources(["ncpus=4,host=n-0"])
    assert (wanted.parts, wanted.processes) == ((resources.Part(1, 4, (), "n-0"),), 4)
    assert resources.resources(["host=n-0+n-1"]).nodes == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("nodes=2:ppn=4,host=n", "-l host: cannot be combined with nodes="),
        ("nodes=2,ncpus=2", "-l ncpus: cannot be combined with nodes="),
        ("procs=4,ncpus=2", "-l procs: cannot be combined with ncpus="),
        ("procs=4,host=n", "-l host: cannot be combined with procs="),
        ("ncpus=4,host=n+m", "-l host: cannot be combined with ncpus="),
        ("host=n,hostlist=n", "-l hostlist: cannot be combined with host="),
        ("nodes=1#excl,naccesspolicy=shared", "-l naccesspolicy: shared contradicts #excl of nodes="),
        ('mem=1gb",nodes=1', '-l: the quote " in mem=1gb",nodes=1 has no counterpart'),
    ],
)
def test_requests_that_contradict_each_other(given: str, sentence: str) -> None:
    with pytest.raises(PbsError, match=f"^{sentence}$"):
        resources.resources([given])


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (["nodes=2:ppn=2"], False), (["walltime=1:00:00,nodes=n-0"], True), (["nodes=2+n-0"], True), (["mem=1gb"], False), (["nodes=big"], True),
        (["walltime=1:00:00,nodes=2"], False),
    ],
)  # fmt: skip
def test_names_of_nodes_are_looked_up_where_there_may_be_one(lists: list[str], expected: bool) -> None:
    assert resources.may_name_nodes(lists) is expected


@pytest.mark.parametrize("text", ["0", "1:ppn=0", "1:ppn=x", "1:9x", "1:colour=red", "", "1#few"])
def test_nodes_that_cannot_be(text: str) -> None:
    with pytest.raises(PbsError, match=r"^-l nodes"):
        resources.nodes(text)


def test_several_kinds_of_requests_for_processors_exclude_one_another() -> None:
    with pytest.raises(PbsError, match="-l procs: cannot be combined with nodes="):
        resources.resources(["nodes=2", "procs=4"])


def test_variables() -> None:
    found = options.parse(["-v", "A=1,B='x,y',C,D=a=b"]).variables
    assert found == {"A": "1", "B": "x,y", "C": None, "D": "a=b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('A={"a":1}', '{"a":1}'),
        ('A={"a":1;"b,c":2}', '{"a":1;"b,c":2}'),
        ('A="it\'s"', "it's"),
        ('"A=x,y"', "x,y"),
        ("A='a''b'", "'a''b'"),
        ("A=", ""),
    ],
)
def test_only_quotes_around_a_whole_value_are_removed(text: str, expected: str) -> None:
    assert options.parse(["-v", text]).variables == {"A": expected}


@pytest.mark.parametrize("text", ["A=don't", 'A=5"', "don't", "A=1,B='x"])
def test_a_quote_without_counterpart_is_refused(text: str) -> None:
    with pytest.raises(PbsError, match=r"^-v: the quote .* has no counterpart$"):
        options.parse(["-v", text])


@pytest.mark.parametrize(("text", "expected"), [("022", "022"), ("22", "026"), ("0077", "077"), ("0", "000")])
def test_a_mask_is_octal_if_it_begins_with_0(text: str, expected: str) -> None:
    assert options.parse(["-W", f"umask={text}"]).values["umask"] == expected


def test_dependencies() -> None:
    found = options.parse(["-W", "depend=afterok:1:2,beforeany:3.s,umask=022"])
    assert found.dependencies == [("afterok", ["1", "2"]), ("beforeany", ["3.s"])]
    assert found.values["umask"] == "022"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-W", "depend=on:2"], "-W depend: cannot be honoured: 'on'"),
        (["-W", "depend=later:2"], "-W depend: unknown dependency 'later'"),
        (["-W", "depend=afterok"], "-W depend: afterok needs the number of a job"),
        (["-W", "colour=red"], "-W colour: no such attribute"),
        (["-W", "umask=999"], "-W umask: must be an octal number"),
        (["-W", "umask=089"], "-W umask: must be an octal number"),
        (["-o", ""], "-o: must be a path, got ''"),
        (["-y"], "-y: no such option"),
        (["-N"], "-N: needs a value"),
        (["-v", "1A=x"], "-v: '1A' is no name of a variable"),
        (["-k", "x"], "-k: must be one of"),
        (["-r", "maybe"], "-r: must be one of y, n, got 'maybe'"),
    ],
)
def test_bad_options(arguments: list[str], sentence: str) -> None:
    with pytest.raises(PbsError) as error:
        options.parse(arguments)
    assert str(error.value).startswith(sentence)
