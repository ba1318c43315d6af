# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the words of a text that every node has, then run until a file is created: words.py TEXT FILE."""

import json
import operator
import sys
import time
from pathlib import Path

from pyspark.sql import SparkSession

TEXT, FILE = sys.argv[1:]

spark = SparkSession.builder.appName("words").getOrCreate()
words = spark.sparkContext.textFile(TEXT, 4).flatMap(str.split)
print(json.dumps(words.map(lambda word: (word, 1)).reduceByKey(operator.add, 4).collectAsMap()), flush=True)
while not Path(FILE).exists():
    time.sleep(0.2)
spark.stop()
