# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the names and types of all settings of Spark, as Spark itself declares them: spark_settings.py ARCHIVE

ARCHIVE is the source archive of pyspark, as in ~/.cache/sky-clusters. Needs Java and py4j.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "plugins/module_utils/_systems/_spark_setting_names.py"
DECLARING = re.compile(r"org/apache/spark/(deploy/yarn/config|internal/config|sql/internal)/(package|[A-Z]\w*)\$\.class")
TYPES = {"boolean": "boolean", "int": "int", "long": "int", "double": "number", "decimal": "number", "bytes": "size", "time": "time"}
IS_A = re.compile(r"should be a/an '(\w+)")
HEAD = '''\
# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of Spark {version} by their types. Written by tests/tools/spark_settings.py: do not edit."""

from __future__ import annotations

from collections.abc import Mapping

# A type may name the least value
SETTINGS: Mapping[str, str] = {{
'''


def declared(jvm: Any, jars: Iterable[Path]) -> Mapping[str, Any]:
    """The entries that Spark declares, by name."""
    for jar in jars:
        for name in zipfile.ZipFile(jar).namelist():
            if DECLARING.fullmatch(name):
                jvm.java.lang.Class.forName(name.removesuffix(".class").replace("/", "."))
    registry = jvm.java.lang.Class.forName("org.apache.spark.internal.config.ConfigEntry$")
    (known,) = (field for field in registry.getDeclaredFields() if field.getName() == "knownConfigs")
    known.setAccessible(True)
    return dict(known.get(registry.getField("MODULE$").get(None)))


def refusal(entry: Any, value: str) -> str:
    """What Spark says about a value; empty if it takes it."""
    try:
        entry.valueConverter().apply(value)
    except Exception as error:  # noqa: BLE001 (of whatever class the setting's own code raises)
        return str((getattr(error, "java_exception", None) and error.java_exception.getMessage()) or error)  # type: ignore[attr-defined]
    return ""


def type_of(entry: Any) -> str:
    match = IS_A.search(refusal(entry, "rubbish?"))
    kind = TYPES.get(match[1], "text") if match else "text"
    if kind in ("boolean", "text"):
        return kind
    least = next((least for least, below in ((1, "0"), (0, "-1")) if "REQUIREMENT" in refusal(entry, below)), None)
    return kind if least is None else f"{kind} {least}"


def written(version: str, types: Mapping[str, list[str]]) -> str:
    text = HEAD.format(version=version)
    for kind, names in sorted(types.items()):
        lines = textwrap.fill(" ".join(sorted(names)), 140, break_long_words=False, break_on_hyphens=False)
        text += f'    "{kind}": """\n{textwrap.indent(lines, "        ")}\n    """,\n'
    return text + "}\n"


def main(archive: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "-xzf", archive, "-C", folder, "--strip-components=1"], check=True)
        spark = Path(folder)
        os.environ["SPARK_HOME"] = str(spark / "deps")
        sys.path[:0] = [str(spark), *map(str, spark.glob("lib/py4j-*.zip"))]
        from pyspark import SparkConf
        from pyspark.java_gateway import launch_gateway
        from pyspark.version import __version__ as version

        gateway = launch_gateway(SparkConf())
        types: dict[str, list[str]] = {}
        for name, entry in declared(gateway.jvm, sorted(spark.glob("deps/jars/spark-*.jar"))).items():
            if not name.startswith("spark.testing."):
                types.setdefault(type_of(entry), []).append(name)
                older = entry.alternatives()
                types["text"] = types.get("text", []) + [older.apply(number) for number in range(older.size())]
        gateway.shutdown()
    TARGET.write_text(written(version, types), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
