# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark application: pi by integration, and the words of every text in a folder. proof.py FOLDER RESULT."""

import json
import operator
import sys
from collections.abc import Mapping
from pathlib import Path

from pyspark import SparkContext

STEPS = 200_000  # of the integral: enough for ten digits, and a fraction of a second


def pi(context: SparkContext, parts: int) -> float:
    def area(start: int) -> float:
        return sum(4 / (1 + ((step + 0.5) / STEPS) ** 2) for step in range(start, STEPS, parts)) / STEPS

    return float(context.parallelize(range(parts), parts).map(area).sum())


def words(context: SparkContext, texts: Mapping[str, str], parts: int) -> dict[str, dict[str, int]]:
    """Counted in one job: each further job would cost half a second."""
    lines = [(name, line) for name, text in texts.items() for line in text.splitlines()]
    pairs = context.parallelize(lines, parts).flatMap(lambda item: [((item[0], word), 1) for word in item[1].split()])
    found: dict[str, dict[str, int]] = {name: {} for name in texts}
    for (name, word), count in pairs.reduceByKey(operator.add, parts).collect():
        found[name][word] = count
    return found


def main(folder: str, result: str) -> None:
    context = SparkContext()
    parts = 2 * int(context.getConf().get("spark.cores.max", "1"))
    found = {
        "application": context.applicationId,
        "events": context.getConf().get("spark.eventLog.dir"),
        "pi": pi(context, parts),
        "words": words(context, {path.name: path.read_text() for path in Path(folder).iterdir()}, parts),
    }
    context.stop()
    Path(result).write_text(json.dumps(found))


main(*sys.argv[1:])
