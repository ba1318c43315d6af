# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The software of all nodes as one bill of materials, CycloneDX 1.6 in JSON. Pure.

Each component is listed once, however many nodes have it. The dependencies say which node has which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ._summary import table

Software = Mapping[str, Any]  # of a node, as the module software_list returns it
Component = dict[str, Any]

HEADINGS = ("node", "system", "distribution packages", "archives", "python packages", "jars")
KINDS = ("debian", "archives", "python_packages", "jars")
OWN = "sky:"  # what the names of our properties begin with
NAMED = re.compile(r"(?P<name>.+?)-(?P<version>\d.*)\.jar")


@dataclass(frozen=True)
class Origin:
    """What a bill says of itself.

    Attributes:
        version: of this collection.
        archives: Python packages that archives are the source archives of, by the names of archives.
    """

    time: str
    serial: str
    version: str
    archives: Mapping[str, str] = field(default_factory=dict)


def document(cluster: str, nodes: Mapping[str, Software], unread: Sequence[str], made: Origin) -> dict[str, Any]:
    """The bill of a cluster.

    Args:
        unread: nodes whose software is not known.
    """
    components: dict[str, Component] = {}
    contents: dict[str, list[str]] = {}
    for name, software in nodes.items():
        own = list(_components(software, made.archives))
        for component in own:
            _add(components, component)
        contents[f"node:{name}"] = sorted({component["bom-ref"] for component in own})
    devices = [{"type": "device", "bom-ref": f"node:{name}", "name": name} for name in nodes]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{made.serial}",
        "version": 1,
        "metadata": {
            "timestamp": made.time,
            "tools": {"components": [{"type": "application", "name": "sky.clusters", "version": made.version}]},
            "component": {"type": "platform", "bom-ref": f"cluster:{cluster}", "name": cluster},
            **({"properties": [{"name": f"{OWN}unread", "value": name} for name in unread]} if unread else {}),
        },
        "components": [*devices, *(components[ref] for ref in sorted(components))],
        "dependencies": [
            {"ref": f"cluster:{cluster}", "dependsOn": [device["bom-ref"] for device in devices]},
            *({"ref": node, "dependsOn": refs} for node, refs in contents.items()),
        ],
    }


def lines(nodes: Mapping[str, Software]) -> Iterator[str]:
    """How much each node has, for people."""
    rows = [(name, " ".join(found["system"].values()), *(str(len(found[kind])) for kind in KINDS)) for name, found in nodes.items()]
    yield from table(HEADINGS, rows)


def _components(software: Software, packages: Mapping[str, str]) -> Iterator[Component]:
    system = software["system"]
    yield {"type": "operating-system", "bom-ref": f"system:{system['name']}-{system['version']}", **system}
    yield from (_debian(package, system) for package in software["debian"])
    yield from (_archive(archive, packages.get(archive["name"], "")) for archive in software["archives"])
    yield from map(_python, software["python_packages"])
    yield from map(_jar, software["jars"])


def _add(components: dict[str, Component], component: Component) -> None:
    """Add a component, or the place of one that is known."""
    known = components.setdefault(component["bom-ref"], component)
    places = known.get("evidence", {}).get("occurrences", [])
    places += [place for place in component.get("evidence", {}).get("occurrences", []) if place not in places]


def _debian(package: Mapping[str, str], system: Mapping[str, str]) -> Component:
    """A package of the distribution. Scanners look for the source package, which advisories name."""
    source = package["source"] + ("" if package["source_version"] == package["version"] else f"@{package['source_version']}")
    qualifiers = {"arch": package["architecture"], "distro": f"{system['name']}-{system['version']}"}
    qualifiers |= {} if source == package["name"] else {"upstream": source}
    purl = _purl("deb", (system["name"], package["name"]), package["version"], qualifiers)
    return {"type": "library", "bom-ref": purl, "name": package["name"], "version": package["version"], "purl": purl}


def _archive(archive: Mapping[str, str], package: str) -> Component:
    version = archive["version"]
    origin = (
        {"purl": _purl("pypi", (package,), version)} if package else {"description": "made on the controller of the jars and packages that are in it"}
    )
    common = {"type": "application", "name": archive["name"], "version": version, "hashes": _hashes(archive["sha256"])}
    return {**common, "bom-ref": f"archive:{archive['name']}-{version}:{archive['sha256']}", **origin, **_at(archive["path"])}


def _python(package: Mapping[str, str]) -> Component:
    name = re.sub(r"[-_.]+", "-", package["name"]).lower()
    purl = _purl("pypi", (name,), package["version"])
    return {"type": "library", "bom-ref": purl, "name": package["name"], "version": package["version"], "purl": purl, **_at(package["path"])}


def _jar(jar: Mapping[str, str]) -> Component:
    """A jar. Without the notes of Maven its name is what is known of it."""
    found = {"type": "library", "bom-ref": f"jar:{jar['sha256']}", "hashes": _hashes(jar["sha256"]), **_at(jar["path"])}
    if "group" in jar:
        purl = _purl("maven", (jar["group"], jar["artifact"]), jar["version"])
        return {**found, "group": jar["group"], "name": jar["artifact"], "version": jar["version"], "purl": purl}
    named = NAMED.fullmatch(jar["name"])
    return found | (named.groupdict() if named else {"name": jar["name"]})


def _purl(kind: str, names: Sequence[str], version: str, qualifiers: Mapping[str, str] | None = None) -> str:
    """The package URL, which says where a component comes from."""
    path = "/".join(map(_quoted, names))
    ending = "&".join(f"{key}={_quoted(value)}" for key, value in sorted((qualifiers or {}).items()))
    return f"pkg:{kind}/{path}@{_quoted(version)}" + (f"?{ending}" if ending else "")


def _quoted(text: str) -> str:
    return quote(text, safe=":")


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _at(path: str) -> dict[str, Any]:
    return {"evidence": {"occurrences": [{"location": path}]}}
