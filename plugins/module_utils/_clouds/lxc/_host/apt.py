# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own package sources and proxy, for its nodes: what a site has set up on the machine is honoured in its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .command import run
from .files import read

SOURCES = Path("/etc/apt")
KEYRING = "debian-archive"  # every node has the keys of this name, and no others
SCHEMES = ("http:", "https:", "mirror+http:", "mirror+https:", "tor+http:", "tor+https:")


def sources(suite: str, folder: Path = SOURCES) -> str:
    """The machine's sources of a Debian suite, in deb822 format; empty where it has none of it (another release, another system)."""
    stanzas = [_wanted(stanza, suite) for stanza in _stanzas(folder)]
    return "\n".join(_written(stanza) for stanza in stanzas if stanza)


def settings(dump: str | None = None) -> str:
    """How the machine's apt fetches: proxy, time-outs, checks, as lines of apt.conf."""
    lines = (run("apt-config", "dump") if dump is None else dump).splitlines()
    kept = [line for line in lines if re.match(r"Acquire::(http|https|Retries|Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6)\b", line)]
    # a program that finds the proxy lies on the machine, not in the node
    return "".join(f"{line}\n" for line in kept if "Detect" not in line and not line.endswith(' "";'))


def _stanzas(folder: Path) -> Iterable[dict[str, str]]:
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list")), *sorted((folder / "sources.list.d").glob("*.sources"))]
    for file in files:
        text = read(file)
        yield from _deb822(text) if file.suffix == ".sources" else _one_line(text)


def _deb822(text: str) -> Iterable[dict[str, str]]:
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and name:
                fields[name] += "\n" + line
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() not in ("no", "false"):
            yield fields


def _one_line(text: str) -> Iterable[dict[str, str]]:
    for line in text.splitlines():
        found = re.fullmatch(r"deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>[^#]+?)\s*(?:#.*)?", line.strip())
        if found:
            options = dict(word.split("=", 1) for word in (found["options"] or "").split() if "=" in word)
            yield {"types": "deb", "uris": found["uri"], "suites": found["suite"], "components": found["components"]} | options


def _wanted(stanza: dict[str, str], suite: str) -> dict[str, str] | None:
    """The part of a source that serves a node of this suite; None if none of it does."""
    suites = [word for word in stanza.get("suites", "").split() if word in (suite, f"{suite}-updates", f"{suite}-security")]
    uris = [word for word in stanza.get("uris", "").split() if word.startswith(SCHEMES)]
    key = stanza.get("signed-by", "")
    foreign = (key and KEYRING not in key) or "main" not in stanza.get("components", "").split()
    if foreign or not suites or not uris or "deb" not in stanza.get("types", "").split():
        return None
    return stanza | {"types": "deb", "suites": " ".join(suites), "uris": " ".join(uris)}


def _written(stanza: dict[str, str]) -> str:
    names = {"types": "Types", "uris": "URIs", "suites": "Suites", "components": "Components", "signed-by": "Signed-By", "trusted": "Trusted"}
    return "".join(f"{title}: {stanza[name]}\n" for name, title in names.items() if name in stanza)
