# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate what a user wants to submit: all faults are reported at once, before anything is started."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark_settings import faults as faults_of

ENDINGS = (".py", ".jar", ".R")
INTERNAL = "spark-internal"  # replaces the file if a class of Spark is run
ON_NODE = "local:"  # prefix of a path on the node, as in Spark
CLASS = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)+")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+@=-]*")  # other characters would be parsed as parts of a URL or a list
JOB = re.compile(r"(?:sky-submit-)?([0-9a-f]{8})")


class RequestError(Exception):
    """The request is invalid; one sentence per line."""


@dataclass(frozen=True)
class Request:
    """What to submit, in the terms of the module."""

    application: str  # name of the file on the node, or INTERNAL
    main_class: str
    arguments: tuple[str, ...]
    settings: Mapping[str, str]
    files: tuple[str, ...]  # names of further files on the node
    uploads: Mapping[str, Path]  # every file by its name on the node

    def plain(self) -> dict[str, Any]:
        """What the node needs to know, except the uploads."""
        return {
            "application": self.application,
            "main_class": self.main_class,
            "arguments": list(self.arguments),
            "settings": dict(self.settings),
            "files": list(self.files),
        }

    def what(self) -> str:
        """The application as the user named it."""
        return self.main_class if self.application == INTERNAL else self.application


def request(args: Mapping[str, Any]) -> Request:
    """The request that the arguments of a task describe.

    Raises:
        RequestError: the arguments are invalid; with every fault.
    """
    of_application = _on_node if args["application"].startswith(ON_NODE) else _of_application
    faults = [*of_application(args["application"], args["main_class"]), *_of_files(args)]
    faults += [f"sky_spark_conf.{fault}" for fault in faults_of(args["settings"])]
    if args["timeout"] < 0:
        faults.append(f"sky_timeout: must be 0 or more seconds, got {args['timeout']}")
    if faults:
        raise RequestError("\n".join(faults))
    path = Path(args["application"]).expanduser()
    files = [Path(name).expanduser() for name in args["files"]]
    uploads = {each.name: each for each in ([path, *files] if path.is_file() else files)}
    application, main_class = path.name, args["main_class"]
    if args["application"].startswith(ON_NODE):
        application = args["application"].removeprefix(ON_NODE)
    elif not path.is_file():
        application, main_class = INTERNAL, args["application"]
    return Request(
        application=application,
        main_class=main_class,
        arguments=tuple(map(str, args["arguments"])),
        settings={str(name): _text(value) for name, value in args["settings"].items()},
        files=tuple(each.name for each in files),
        uploads=uploads,
    )


def job_of(submission: str) -> str:
    """The identifier in the name of a job.

    Raises:
        RequestError: it is not a job.
    """
    match = JOB.fullmatch(submission)
    if not match:
        raise RequestError(f"sky_submission: '{submission}' is not a job; the run that submitted it printed the name, such as sky-submit-3f9a01bc")
    return match.group(1)


def _on_node(name: str, main_class: str) -> Iterator[str]:
    path = Path(name.removeprefix(ON_NODE))
    if not path.is_absolute() or path.suffix not in ENDINGS:
        yield f"sky_application: {name} must be {ON_NODE} and an absolute path that ends in .py, .jar or .R"
    if main_class and (path.suffix != ".jar" or not CLASS.fullmatch(f"x.{main_class}")):
        yield f"sky_class: '{main_class}' must be the name of a class in a .jar file, and sky_application is {name}"


def _of_application(name: str, main_class: str) -> Iterator[str]:
    path = Path(name).expanduser()
    if not name:
        yield "sky_application: is required, a file or a class: -e sky_application=job.py"
    elif path.is_file():
        if path.suffix not in ENDINGS:
            yield f"sky_application: {name} must end in .py, .jar or .R, so that Spark knows its type"
        if main_class and path.suffix != ".jar":
            yield f"sky_class: can only be used with a .jar file, and sky_application is {name}"
    elif path.is_dir():
        yield f"sky_application: {name} is a folder"
    elif path.suffix in ENDINGS or not CLASS.fullmatch(name):
        yield f"sky_application: no such file {name}, and it is not a class name"
    elif main_class:
        yield f"sky_class: can only be used with a .jar file, and sky_application is the class {name}"
    if main_class and not CLASS.fullmatch(f"x.{main_class}"):
        yield f"sky_class: '{main_class}' is not a class name"


def _of_files(args: Mapping[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    application = Path(args["application"]).expanduser()
    for variable, paths in (("sky_application", [application] if application.is_file() else []), ("sky_files", map(Path, args["files"]))):
        for path in paths:
            if not path.expanduser().is_file():
                yield f"{variable}: no such file {path}"
            elif not NAME.fullmatch(path.name):
                yield f"{variable}: '{path.name}' must consist of letters, digits and ._+@=-, since Spark reads file names as URLs"
            elif path.name in seen:
                yield f"{variable}: two files are named {path.name}"
            seen.add(path.name)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
