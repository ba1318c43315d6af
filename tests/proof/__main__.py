# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""./test.sh: what its words mean."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from . import hashes, plan, proving, record
from .parts import CHECKS, NAMES, PARTS, Part, Tier, only
from .plan import Plan

ROOT = Path(__file__).resolve().parents[2]
ZONES = Path("/var/lib/sky-clusters")
BAD_CALL = 2


class Refusal(Exception):
    """What stops a proof before it begins."""


def usage() -> str:
    def rows(tier: Tier) -> str:
        return "\n".join(f"  {part.name:<12} {part.what}" for part in PARTS if part.tier is tier)

    checks = textwrap.fill(f"Checks of static: {' '.join(CHECKS)}", 110)
    return f"""\
Usage: ./test.sh [WORD...]              the parts and checks that the words name; without a word, the quick proof
       ./test.sh --all                  the quick proof and all long parts
       ./test.sh --unproved             the quick proof, and the long parts whose inputs changed since they last passed
       ./test.sh ... --list             only says what would run, and how long that takes
       ./test.sh --help                 this text

The quick proof, about half an hour from a clean checkout:

{rows(Tier.QUICK)}

Long parts:

{rows(Tier.LONG)}

{checks}

A part that passes on a clean tree is recorded in {record.PROVED}, or in the file that --record FILE names (an absolute path). --unproved
refuses what takes more than {plan.MOST // 60} minutes. All but static, unit and mutants change this machine: they need root, and make nodes.
"""


class Parser(argparse.ArgumentParser):
    def format_help(self) -> str:
        return usage()

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_CALL, f"{usage()}\ntest.sh: {message}\n")


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="test.sh")
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--unproved", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--record", type=Path, default=ROOT / record.PROVED)
    asked = parser.parse_args(words)
    if wrong := [word for word in asked.words if word not in (*NAMES, *CHECKS)]:
        parser.error(f"no part and no check: {' '.join(wrong)}")
    if bool(asked.words) + asked.all + asked.unproved > 1:
        parser.error("words, --all and --unproved exclude one another")
    return asked


def planned(asked: argparse.Namespace) -> Plan:
    known = record.read(asked.record)
    if asked.unproved:
        return plan.unproved(known, hashes.contents(ROOT))
    if asked.all:
        return plan.everything(known)
    if not asked.words:
        return plan.quick(known)
    checks = [word for word in asked.words if word in CHECKS]
    extra = (plan.Entry(only(checks), "named"),) if checks else ()
    return Plan((*extra, *plan.named(asked.words, known).entries))


def obstacles(parts: Sequence[Part]) -> None:
    """Said now, and not after a quarter of an hour by the part itself."""
    if os.geteuid() and (names := [part.name for part in parts if part.machine]):
        raise Refusal(f"{', '.join(names)}: these make nodes on this machine; run as root")
    zones = sorted(path.parent.name for path in ZONES.glob("*/zone.json"))
    if zones and (names := [part.name for part in parts if part.bare]):
        raise Refusal(
            f"part {', '.join(names)} needs a machine without local clouds, but there is: {' '.join(zones)}. "
            "Destroy their clusters first (the demo's: ./quickstart.sh --remove)"
        )


def main(words: Sequence[str]) -> int:
    asked = parse(words)
    try:
        wanted = planned(asked)
        refusal = wanted.refusal if asked.unproved else ""
        if asked.unproved or asked.list:
            print(*wanted.lines(), sep="\n", flush=True)
        if refusal:
            raise Refusal(refusal)
        if asked.list:
            return 0
        obstacles(wanted.parts)
        return proving.prove(ROOT, wanted, asked.record.absolute())
    except (Refusal, record.RecordError, hashes.RepositoryError) as error:
        print(f"test.sh: {error}", file=sys.stderr)
        return BAD_CALL


def _ended(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
