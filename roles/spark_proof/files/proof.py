# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Spark application: pi by integration, and the words of every text in a folder. proof.py FOLDER RESULT."""

import json
import operator
import sys
from collections.abc import Iterable
from pathlib import Path

from pyspark import SparkContext

STEPS = 200_000  # of the integral: enough for ten digits, and a fraction of a second


def pi(context: SparkContext, parts: int) -> float:
    def area(start: int) -> float:
        return sum(4 / (1 + ((step + 0.5) / STEPS) ** 2) for step in range(start, STEPS, parts)) / STEPS

    return float(context.parallelize(range(parts), parts).map(area).sum())


def words(context: SparkContext, lines: Iterable[str], parts: int) -> dict[str, int]:
    pairs = context.parallelize(lines, parts).flatMap(str.split).map(lambda word: (word, 1))
    return dict(pairs.reduceByKey(operator.add, parts).collectAsMap())


def main(folder: str, result: str) -> None:
    context = SparkContext()
    parts = 2 * int(context.getConf().get("spark.cores.max", "1"))
    found = {
        "application": context.applicationId,
        "events": context.getConf().get("spark.eventLog.dir"),
        "pi": pi(context, parts),
        "words": {path.name: words(context, path.read_text().splitlines(), parts) for path in sorted(Path(folder).iterdir())},
    }
    context.stop()
    Path(result).write_text(json.dumps(found))


main(*sys.argv[1:])
