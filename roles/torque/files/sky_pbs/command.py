# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands share: the settings of the cluster, messages, and jobs that are named on a command line."""

from __future__ import annotations

import getopt
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import slurm
from .values import PbsError, UsageError, is_job, job_id, shown_id

SETTINGS = Path("/etc/sky/torque.json")
UNKNOWN_JOB, UNAUTHORIZED, INVALID_STATE = 153, 159, 170  # exit codes of TORQUE's commands
NOT_KNOWN = re.compile(r"Invalid job id|not found", re.IGNORECASE)
NOT_ALLOWED = re.compile(r"Access/permission denied|Only the owner|privileges", re.IGNORECASE)
NOT_NOW = re.compile(
    r"already completing or completed|Job/step already|Requested operation not supported on this system|Job is no longer pending", re.IGNORECASE
)


@dataclass(frozen=True)
class Settings:
    """The cluster, as the role `torque` described it to this node.

    Attributes:
        shared: folders that are the same on all nodes, beside the homes.
    """

    server: str
    mail: bool
    history: Path
    fair_share: bool = False
    shared: tuple[str, ...] = ("/",)

    @classmethod
    def read(cls, path: Path = SETTINGS) -> Settings:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(str(found["server"]), bool(found["mail"]), Path(found["history"]), bool(found["fair_share"]), tuple(found["shared"]))
        except (OSError, ValueError, KeyError) as error:
            raise PbsError(f"{path} cannot be read: {error}") from None


@dataclass
class Command:
    """One call of a command."""

    name: str
    arguments: Sequence[str]
    settings: Settings

    def parsed(self, letters: str, refused: dict[str, str] | None = None) -> tuple[list[tuple[str, str]], list[str]]:
        """Its options and operands.

        Args:
            refused: options that cannot be honoured, and why.
        """
        try:
            pairs, operands = getopt.gnu_getopt(list(self.arguments), letters)
        except getopt.GetoptError as error:
            raise UsageError(str(error)) from None
        for letter, _value in pairs:
            if letter in (refused or {}):
                raise PbsError(f"{letter}: cannot be honoured: {(refused or {})[letter]}")
        return pairs, operands

    def say(self, sentence: str) -> None:
        sys.stderr.write(f"{self.name}: {sentence}\n")

    def shown(self, job: str) -> str:
        return shown_id(job, self.settings.server)

    def each(self, jobs: Iterable[str], act: Callable[[str], None]) -> int:
        """Do something with each job; the exit code of the last that failed. What is no job does not keep it from the others."""
        code = 0
        for text in jobs:
            if not is_job(text):
                self.say(f"illegally formed job identifier: {text}")
                code = code or 1
                continue
            job = job_id(text)
            try:
                act(job)
            except PbsError as error:
                code = self.failed(job, str(error))
        return code

    def failed(self, job: str, sentence: str) -> int:
        """Say, in TORQUE's words, why something cannot be done with a job; the exit code."""
        if NOT_KNOWN.search(sentence):
            self.say(f"Unknown Job Id Error {self.shown(job)}")
            return UNKNOWN_JOB
        if NOT_ALLOWED.search(sentence):
            self.say(f"Unauthorized Request {self.shown(job)}")
            return UNAUTHORIZED
        if NOT_NOW.search(sentence):
            self.say(f"Request invalid for state of job {self.shown(job)}")
            return INVALID_STATE
        self.say(f"{sentence} {self.shown(job)}")
        return 1


def known(job: str) -> list[slurm.Job]:
    """A job, or the indices of an array, as Slurm knows them now.

    Raises:
        PbsError: there is none.
    """
    found = slurm.jobs([job])
    if not found:
        raise PbsError("Invalid job id specified")
    return found
