# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The software of nodes as a bill of materials, which CycloneDX's own schema accepts."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from ansible_collections.sky.clusters.plugins.module_utils._systems._spark import SPARK
from ansible_collections.sky.clusters.plugins.module_utils._views._bom import Origin, document, lines

MADE = Origin("2026-11-28T12:00:00+00:00", "3e671687-395b-41f5-a30f-a58921a69b79", "0.7.0", SPARK.archives)
A, B, C = "a" * 64, "b" * 64, "c" * 64


def package(name: str, version: str, source: str = "", source_version: str = "") -> dict[str, str]:
    built = {"source": source or name, "source_version": source_version or version}
    return {"name": name, "version": version, "architecture": "amd64", **built}


def software(**more: Any) -> dict[str, Any]:
    """As the module returns it."""
    return {
        "system": {"name": "debian", "version": "12"},
        "debian": [package("libc6", "2.36-9+deb12u10", "glibc"), package("vim", "2:9.0~1", source_version="2:9.0")],
        "archives": [{"name": "spark", "version": "4.3.0", "sha256": A, "path": "/opt/spark-4.3.0"}],
        "python_packages": [{"name": "Ruamel.yaml", "version": "0.18.6", "path": "/opt/python-jobs-1/lib/ruamel.yaml-0.18.6.dist-info"}],
        "jars": [
            {"name": "io-2.1.jar", "sha256": B, "path": "/opt/spark-4.3.0/jars/io-2.1.jar", "group": "org.io", "artifact": "io", "version": "2.1"},
            {"name": "odd.jar", "sha256": C, "path": "/opt/x/odd.jar"},
        ],
        **more,
    }


def bill(**nodes: dict[str, Any]) -> dict[str, Any]:
    made = document("demo", nodes, ["gone"], MADE)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made))
    assert fault is None, fault
    return made


def named(made: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [component for component in made["components"] if component["name"] == name]
    return dict(found)


def test_the_schema_accepts_a_cluster_without_nodes() -> None:
    assert bill()["components"] == []


def test_every_component_has_a_version_and_where_it_is_known_an_origin() -> None:
    made = bill(one=software())
    assert named(made, "libc6")["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12&upstream=glibc"
    assert named(made, "vim")["purl"] == "pkg:deb/debian/vim@2:9.0~1?arch=amd64&distro=debian-12&upstream=vim%402:9.0"
    spark = named(made, "spark")
    assert (spark["version"], spark["hashes"], spark["purl"]) == ("4.3.0", [{"alg": "SHA-256", "content": A}], "pkg:pypi/pyspark@4.3.0")
    assert named(made, "Ruamel.yaml")["purl"] == "pkg:pypi/ruamel-yaml@0.18.6"
    jar = named(made, "io")
    assert (jar["group"], jar["version"], jar["purl"]) == ("org.io", "2.1", "pkg:maven/org.io/io@2.1")
    assert "purl" not in named(made, "odd.jar")
    assert [component["version"] for component in made["components"] if component["type"] == "operating-system"] == ["12"]


def test_package_urls_are_those_of_the_specification() -> None:
    purls = [component["purl"] for component in bill(one=software())["components"] if "purl" in component]
    assert len(purls) == 5
    for purl in purls:
        assert PackageURL.from_string(purl).to_string() == purl


def test_a_jar_without_notes_is_known_by_its_name() -> None:
    jar = {"name": "hive-exec-2.3.10-core.jar", "sha256": C, "path": "/opt/hive-exec-2.3.10-core.jar"}
    found = named(bill(one=software(jars=[jar])), "hive-exec")
    assert found["version"] == "2.3.10-core"
    assert "purl" not in found


def test_what_several_nodes_have_is_listed_once() -> None:
    other = software(jars=[{"name": "odd.jar", "sha256": C, "path": "/opt/y/odd.jar"}], python_packages=[])
    made = bill(one=software(), two=other)
    depends = {entry["ref"]: entry["dependsOn"] for entry in made["dependencies"]}
    assert depends["cluster:demo"] == ["node:one", "node:two"]
    assert set(depends["node:one"]) - set(depends["node:two"]) == {"pkg:pypi/ruamel-yaml@0.18.6", f"jar:{B}"}
    assert [place["location"] for place in named(made, "odd.jar")["evidence"]["occurrences"]] == ["/opt/x/odd.jar", "/opt/y/odd.jar"]
    refs = [component["bom-ref"] for component in made["components"]]
    assert len(refs) == len(set(refs))
    assert {ref for found in depends.values() for ref in found} <= set(refs)


def test_nodes_that_could_not_be_read_are_named() -> None:
    assert bill()["metadata"]["properties"] == [{"name": "sky:unread", "value": "gone"}]


def test_lines_for_people() -> None:
    assert list(lines({"one": software()})) == [
        "node  system     distribution packages  archives  python packages  jars",
        "one   debian 12  2                      1         1                2",
    ]
