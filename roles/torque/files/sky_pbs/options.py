# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of qsub, from its command line and from the directives of a script."""

from __future__ import annotations

import getopt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .values import PbsError, UsageError, items, number, unquoted

PREFIX = "#PBS"
LISTS = ("-l", "-v")  # options whose values are lists, in which quotes protect commas
LETTERS = "a:A:b:c:C:d:D:e:fF:hIj:k:K:l:L:m:M:nN:o:p:P:q:r:S:t:T:u:v:Vw:W:xXz"
NAME = re.compile(r"[A-Za-z][^\s/,:\\\"'%]{0,235}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Options of TORQUE's manual that this engine cannot honour, and why
REFUSED = {
    "-b": "the server is not waited for",
    "-D": "no root directory can be chosen",
    "-f": "there are no fault tolerant jobs",
    "-K": "the delay between the signals is the same for all jobs",
    "-L": "there are no NUMA requests; -l nodes=N:ppn=M asks for processors",
    "-P": "a job runs as the user who submits it",
    "-T": "scripts of users do not run before a job",
    "-X": "graphics are not forwarded",
}
# Attributes of -W that cannot be honoured, and why
REFUSED_ATTRIBUTES = {
    "stagein": "files are on the shared home of all nodes, so none is copied",
    "stageout": "files are on the shared home of all nodes, so none is copied",
    "x": "it is a setting of Moab and Maui",
    "job_radix": "Slurm decides how nodes are contacted",
    "kill_delay": "the delay between the signals is the same for all jobs",
    "tasks_per_node": "processes are placed by -l nodes=N:ppn=M",
}
DEPENDENCIES = {
    "after": "after", "afterok": "afterok", "afternotok": "afternotok", "afterany": "afterany",
    "afterokarray": "afterok", "afternotokarray": "afternotok", "afteranyarray": "afterany", "afterstartarray": "after",
}  # fmt: skip
BEFORE = {"before": "after", "beforeok": "afterok", "beforenotok": "afternotok", "beforeany": "afterany"}


@dataclass
class Options:
    """What a user asks for, but for the meaning of the resources."""

    resources: list[str] = field(default_factory=list)
    variables: dict[str, str | None] = field(default_factory=dict)  # None: as it is at submission
    dependencies: list[tuple[str, list[str]]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)  # other options, by letter or attribute
    switches: set[str] = field(default_factory=set)
    operands: list[str] = field(default_factory=list)

    def over(self, other: Options) -> Options:
        """These options, and those of another where they say nothing."""
        return Options(
            resources=other.resources + self.resources,
            variables=other.variables | self.variables,
            dependencies=self.dependencies or other.dependencies,
            values=other.values | self.values,
            switches=other.switches | self.switches,
            operands=self.operands,
        )


Reader = Callable[["Options", str, str], None]


def parse(arguments: Iterable[str], letters: str = LETTERS, readers: dict[str, Reader] | None = None) -> Options:
    """Options as the getopt of GNU reads them, with which TORQUE is built: also behind operands.

    Args:
        readers: of options that another command than qsub reads in another way.

    Raises:
        UsageError: one is not as it must be.
    """
    try:
        return _parsed(arguments, letters, READERS | (readers or {}))
    except PbsError as error:
        raise UsageError(str(error)) from None


def _parsed(arguments: Iterable[str], letters: str, readers: Mapping[str, Reader]) -> Options:
    try:
        pairs, operands = getopt.gnu_getopt(list(arguments), letters)
    except getopt.GetoptError as error:
        raise PbsError(_explained(str(error))) from None
    found = Options(operands=operands)
    for letter, value in pairs:
        if letter in REFUSED:
            raise PbsError(f"{letter}: cannot be honoured: {REFUSED[letter]}")
        readers.get(letter, _value if f"{letter[1]}:" in letters else _switch)(found, letter, value)
    return found


def _explained(said: str) -> str:
    found = re.search(r"option (-\S+)", said)
    name = found.group(1) if found else "?"
    return f"{name}: needs a value" if "requires argument" in said else f"{name}: no such option"


def _switch(found: Options, letter: str, _value: str) -> None:
    found.switches.add(letter)


def _value(found: Options, letter: str, value: str) -> None:
    found.values[letter] = value


def _path(found: Options, letter: str, value: str) -> None:
    if not value:
        raise PbsError(f"{letter}: must be a path, got ''")
    found.values[letter] = value


def _resources(found: Options, _letter: str, value: str) -> None:
    found.resources.append(value)


def _name(found: Options, letter: str, value: str) -> None:
    if not NAME.fullmatch(value):
        raise PbsError(f"{letter}: must begin with a letter and be without blanks and / , : \\ % and quotes, got '{value}'")
    found.values[letter] = value


def choice(*allowed: str) -> Reader:
    def read(found: Options, letter: str, value: str) -> None:
        if value not in allowed:
            raise PbsError(f"{letter}: must be one of {', '.join(allowed)}, got '{value}'")
        found.values[letter] = value

    return read


def _checkpoint(_found: Options, letter: str, value: str) -> None:
    if value not in ("n", "none"):
        raise PbsError(f"{letter}: cannot be honoured: jobs cannot be checkpointed (only '{letter} n')")


def _priority(found: Options, letter: str, value: str) -> None:
    found.values[letter] = str(number(value, letter, -1024, 1023))


def _mail(found: Options, letter: str, value: str) -> None:
    if value != "n" and not re.fullmatch(r"[abe]{1,3}", value):
        raise PbsError(f"{letter}: must be n, or letters of a, b and e, got '{value}'")
    found.values[letter] = value


def _array(found: Options, letter: str, value: str) -> None:
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*(%[1-9]\d*)?", value):
        raise PbsError(f"{letter}: must be indices such as 0-9, 1,5,7-9 or 0-99%5, got '{value}'")
    for first, last in re.findall(r"(\d+)-(\d+)", value):
        if int(first) > int(last):
            raise PbsError(f"{letter}: must be an ascending range, got '{first}-{last}'")
    found.values[letter] = value


def _variables(found: Options, letter: str, value: str) -> None:
    for item in items(value, letter):
        name, equals, text = unquoted(item).partition("=")
        if not VARIABLE.fullmatch(name.strip()):
            raise PbsError(f"{letter}: '{name.strip()}' is no name of a variable")
        found.variables[name.strip()] = unquoted(text) if equals else None


def _attributes(found: Options, letter: str, value: str) -> None:
    # a comma also separates the parts of depend=
    for item in re.split(r",(?=[a-z_]+=)", value):
        name, equals, text = item.strip().partition("=")
        what = f"{letter} {name}"
        if name in REFUSED_ATTRIBUTES:
            raise PbsError(f"{what}: cannot be honoured: {REFUSED_ATTRIBUTES[name]}")
        if name not in ATTRIBUTES:
            raise PbsError(f"{what}: no such attribute")
        if not equals or not text:
            raise PbsError(f"{what}: needs a value")
        ATTRIBUTES[name](found, what, text)


def _depend(found: Options, what: str, value: str) -> None:
    for item in value.split(","):
        kind, *jobs = item.split(":")
        if kind not in DEPENDENCIES and kind not in BEFORE:
            reason = f"cannot be honoured: '{kind}'" if kind in ("on", "synccount", "syncwith") else f"unknown dependency '{kind}'"
            raise PbsError(f"{what}: {reason}")
        if not all(jobs) or not jobs:
            raise PbsError(f"{what}: {kind} needs the number of a job, such as {kind}:12")
        found.dependencies.append((kind, jobs))


def _umask(found: Options, what: str, value: str) -> None:
    octal = value.startswith("0")
    mask = int(value, 8 if octal else 10) if re.fullmatch(r"[0-7]{1,4}" if octal else r"[0-9]{1,3}", value) else -1
    if not 0 <= mask <= 0o777:
        raise PbsError(f"{what}: must be an octal number such as 022, or a decimal one, which does not begin with 0, got '{value}'")
    found.values["umask"] = f"{mask:03o}"


def _interactive(found: Options, what: str, value: str) -> None:
    if value.lower() in ("true", "t", "1", "yes"):
        found.switches.add("-I")
    elif value.lower() not in ("false", "f", "0", "no"):
        raise PbsError(f"{what}: must be true or false, got '{value}'")


def _group(found: Options, _what: str, value: str) -> None:
    found.values["group"] = value.partition(",")[0].partition("@")[0]


ATTRIBUTES: Mapping[str, Reader] = {
    "depend": _depend,
    "umask": _umask,
    "interactive": _interactive,
    "group_list": _group,
}
READERS: dict[str, Reader] = {
    "-c": _checkpoint,
    "-d": _path,
    "-e": _path,
    "-j": choice("oe", "eo", "n"),
    "-k": choice("o", "e", "oe", "eo", "n"),
    "-l": _resources,
    "-m": _mail,
    "-N": _name,
    "-o": _path,
    "-p": _priority,
    "-r": choice("y", "n"),
    "-t": _array,
    "-v": _variables,
    "-w": _path,
    "-W": _attributes,
}


def joined(script: str, prefix: str = PREFIX) -> str:
    """The script with each directive in one line: a backslash at the end of one continues it, with or without another prefix. The lines that follow
    keep their numbers."""
    lines = script.split("\n")
    for place in range(len(lines)):
        if _executable(lines[place], prefix):
            break
        following = place + 1
        while _rest(lines[place], prefix) is not None and lines[place].endswith("\\") and following < len(lines):
            more = _rest(lines[following], prefix)
            lines[place] = f"{lines[place][:-1]} {(lines[following] if more is None else more).strip()}"
            lines[following] = ""
            following += 1
    return "\n".join(lines)


def _rest(line: str, prefix: str) -> str | None:
    """What a directive says; None if the line is none. TORQUE takes blanks before the prefix, and an option right behind it."""
    text = line.lstrip()
    rest = text[len(prefix) :]
    return rest.strip() if prefix and text.startswith(prefix) and rest[:1] in ("", " ", "\t", "-") else None


def _executable(line: str, prefix: str) -> bool:
    return _rest(line, prefix) is None and bool(line.strip()) and not line.lstrip().startswith(("#", ":"))


def directives(script: str, prefix: str = PREFIX) -> Iterator[tuple[int, str]]:
    """The lines of a script that hold options, by their numbers: those before its first command."""
    for count, line in enumerate(script.splitlines(), 1):
        rest = _rest(line, prefix)
        if rest is not None:
            yield count, rest
        elif _executable(line, prefix):
            return


def words(line: str) -> list[str]:
    """The words of a directive, as a shell splits them, up to a comment, which begins with a # behind a blank.

    The values of -l and -v keep the quotes within them, which protect their commas.
    """
    found: list[tuple[str, str]] = []  # each without its quotes, and with them
    bare, quoted, quote, begun = "", "", "", False
    letters = iter(f"{line} ")
    for letter in letters:
        if letter.isspace() and not quote:
            found += [(bare, quoted)] * begun
            bare, quoted, begun = "", "", False
        elif letter == "#" and not begun:
            break
        else:
            begun = True
            if letter == "\\" and quote != "'":
                following = next(letters, "")
                bare += following if not quote or following in ('"', "\\") else letter + following
                quoted += letter + following if quote else following
            elif letter in "\"'" and quote in ("", letter):
                quote = "" if quote else letter
                quoted += letter
            else:
                bare += letter
                quoted += letter
    if quote:
        raise PbsError(f"the quote {quote} in {quoted.strip()} has no counterpart")
    plain = [word for word, _quoted in found]
    listed = [word.startswith(LISTS) or (place > 0 and plain[place - 1] in LISTS) for place, word in enumerate(plain)]
    return [unquoted(whole) if inner else word for (word, whole), inner in zip(found, listed, strict=True)]


def of_script(script: str, prefix: str = PREFIX) -> Options:
    """The options of a script's directives; an error names its line."""
    found = Options()
    for count, line in directives(script, prefix):
        try:
            one = parse(words(line))
            if one.operands:
                raise PbsError(f"'{one.operands[0]}' is no option")
        except PbsError as error:
            raise UsageError(f"line {count}: {prefix} {line}: {error}") from None
        found = one.over(found)
    return found
