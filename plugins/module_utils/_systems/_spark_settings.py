# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check settings of Spark before it reads them: it ignores misspelt names, and a job with an impossible value fails late."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._spark_setting_names import SETTINGS

ALIKE = 0.9  # from this similarity on, a name counts as a misspelling
TYPES = {name: kind for kind, names in SETTINGS.items() for name in names.split()}
# Known to Spark, but not declared as settings
OTHERS = ("spark.app.id", "spark.master", "spark.app.name", "spark.home", "spark.jars.repositories", "spark.repl.class.uri", "spark.ui.proxyBase")
# Names that continue with those of others: of Hadoop, of variables, of catalogs, of networks and so on
OPEN = re.compile(
    r"spark\.(hadoop|executorEnv|driverEnv|hive|kubernetes|mesos|metrics\.conf|plugins|r|sql\.catalog|ssl|yarn|"
    r"(driver|executor|task|worker)\.resource)\.|spark\.\w+(\.\w+)?\.io\."
)
UNITS = {"b": 0, "k": 1, "kb": 1, "m": 2, "mb": 2, "g": 3, "gb": 3, "t": 4, "tb": 4, "p": 5, "pb": 5}
TIME_UNITS = ("us", "ms", "s", "m", "min", "h", "d")
WITH_UNIT = re.compile(r"(-?[0-9]+)([a-z]*)")
MEBIBYTE = 2
# What a JVM of Spark cannot start without, which it finds out itself when the job has begun
LEAST_MIB = {"spark.driver.memory": 450, "spark.executor.memory": 450}
LEAST = {"spark.cores.max": 1, "spark.driver.cores": 1, "spark.executor.cores": 1, "spark.executor.instances": 0, "spark.task.maxFailures": 1}


def faults(settings: Mapping[Any, Any]) -> Iterator[str]:
    """What is wrong with settings, each with its name."""
    for name, value in settings.items():
        if reason := _fault(str(name), value):
            yield f"{name}: {reason}"


def check(settings: Mapping[Any, Any]) -> str:
    """What is wrong with the first of them; empty if nothing is."""
    return next(faults(settings), "")


def _fault(name: str, value: Any) -> str:
    if not name.startswith("spark."):
        return "not a setting of Spark: the names of settings begin with 'spark.'"
    if not isinstance(value, (str, int, float)):
        return "must be a string, a number, true or false"
    if name in TYPES:
        return _wrong(name, str(value).strip())
    if name in OTHERS or OPEN.match(name):
        return ""
    near = difflib.get_close_matches(name, [*TYPES, *OTHERS], 1, ALIKE)
    return f"no such setting; did you mean '{near[0]}'?" if near else ""


def _wrong(name: str, text: str) -> str:
    kind, _blank, least = TYPES[name].partition(" ")
    return "" if kind not in READERS or "${" in text else READERS[kind](name, text, LEAST.get(name, int(least) if least else None))


def _boolean(_name: str, text: str, _least: int | None) -> str:
    return "" if text.lower() in ("true", "false") else f"must be true or false, got '{text}'"


def _int(_name: str, text: str, least: int | None) -> str:
    if re.fullmatch(r"[+-]?[0-9]+", text) is None:
        return f"must be a whole number, got '{text}'"
    return _too_little(int(text), least, text)


def _number(_name: str, text: str, least: int | None) -> str:
    try:
        return _too_little(float(text), least, text)
    except ValueError:
        return f"must be a number, got '{text}'"


def _size(name: str, text: str, least: int | None) -> str:
    match = WITH_UNIT.fullmatch(text.lower())
    if match is None or match[2] not in ("", *UNITS):
        return f"must be a size such as 512m or 2g, got '{text}'"
    if name in LEAST_MIB:  # a number alone is in MiB here
        mib = int(match[1]) * 1024.0 ** (UNITS[match[2] or "m"] - MEBIBYTE)
        return "" if mib >= LEAST_MIB[name] else f"must be {LEAST_MIB[name]}m or more, which Spark itself needs, got '{text}'"
    return _too_little(int(match[1]), least, text)


def _time(_name: str, text: str, least: int | None) -> str:
    match = WITH_UNIT.fullmatch(text.lower())
    if match is None or match[2] not in ("", *TIME_UNITS):
        return f"must be a duration such as 500ms, 30s or 5min, got '{text}'"
    return _too_little(int(match[1]), least, text)


def _too_little(value: float, least: int | None, text: str) -> str:
    return f"must be {least} or more, got '{text}'" if least is not None and value < least else ""


READERS: Mapping[str, Callable[[str, str, int | None], str]] = {"boolean": _boolean, "int": _int, "number": _number, "size": _size, "time": _time}
