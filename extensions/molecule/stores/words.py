# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the words of a file on CephFS, keeps the result in the object store, and prints how many words that says."""

import sys

from pyspark.sql import SparkSession

source, result = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
counted = spark.sparkContext.textFile(source).flatMap(str.split).map(lambda word: (word, 1)).reduceByKey(lambda one, other: one + other)
spark.createDataFrame(counted, ["word", "count"]).write.mode("overwrite").parquet(result)
print("words", spark.read.parquet(result).groupBy().sum("count").collect()[0][0])
