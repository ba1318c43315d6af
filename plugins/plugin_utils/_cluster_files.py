# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the cluster files among the sources of an inventory, and reject an unusable inventory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml
from ansible import context
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.manager import IGNORED
from ansible.utils.display import Display

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN

SUFFIXES = (".yml", ".yaml")
NAMED = re.compile(r"\.sky\.ya?ml$")
SAYS = re.compile(rf"^plugin:\s*['\"]?{re.escape(PLUGIN)}\b".encode(), re.MULTILINE)
ENCRYPTED = re.compile(rb"\$ANSIBLE_VAULT")
OWN_KEYS = {"plugin", "cluster", "clouds", "pools"}
PARSER_ERROR = 4  # exit code of Ansible's programs if a file cannot be parsed


def cluster_files(sources: Iterable[str], loader: Any) -> list[Path]:
    """The files that are intended as cluster files, each once, whether or not they are valid.

    Args:
        sources: as given to Ansible: files, folders, lists of hosts.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        for path in _files(Path(source)) if "," not in source else ():
            if is_meant(path, loader):
                found.setdefault(path.resolve(), path)
    return list(found.values())


def may_be_meant(path: Path) -> bool:
    """Whether a file may be intended as a cluster file, as far as its name and its text say: one that is encrypted says nothing."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    content = _bytes(path)
    return NAMED.search(path.name) is not None or PLUGIN.encode() in content or ENCRYPTED.match(content) is not None


def is_meant(path: Path, loader: Any) -> bool:
    """Whether a file is intended as a cluster file, whether or not it is valid."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    try:
        data = loader.load_from_file(str(path))
    except (AnsibleError, OSError, ValueError):
        return bool(NAMED.search(path.name) or SAYS.search(_bytes(path)))
    if isinstance(data, Mapping):
        return data.get("plugin") == PLUGIN or (NAMED.search(path.name) is not None and bool(OWN_KEYS & set(data)))
    return NAMED.search(path.name) is not None


def unreadable(path: Path) -> str:
    """Why a file that is intended as a cluster file is no text that can be read, with the line; empty if it is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}" if NAMED.search(path.name) else ""
    if not (NAMED.search(path.name) or SAYS.search(content)) or ENCRYPTED.match(content):
        return ""
    if path.suffix not in SUFFIXES:
        return "the name of a cluster file must end in .yml or .yaml, such as demo.sky.yml"
    return _fault_of(content)


def refuse(sentence: str) -> NoReturn:
    """Stop a program of Ansible that must not continue.

    Ansible turns errors of an inventory plugin into warnings, continues with the other sources, and reports success.

    Raises:
        AnsibleParserError: the program is not one of Ansible's, and handles the error itself.
    """
    if not context.CLIARGS:
        raise AnsibleParserError(sentence)
    Display().error(sentence, wrap_text=False)
    raise SystemExit(PARSER_ERROR)


def _files(path: Path) -> Iterator[Path]:
    """The files of a source, in the order of Ansible."""
    if not path.is_dir():
        yield path
        return
    for each in sorted(path.iterdir()):
        if not IGNORED.search(os.fsencode(each.name)):
            yield from _files(each)


def _fault_of(content: bytes) -> str:
    """What is wrong with the text of a file, with the line."""
    try:
        list(yaml.parse(content.decode()))
    except UnicodeDecodeError as error:
        return f"line {len(content[: error.start].splitlines()) or 1} is not UTF-8: save the file in that encoding"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = "a tab, where YAML wants blanks" if "'\\t'" in str(error.problem) else ", ".join(filter(None, (error.context, error.problem)))
        return f"line {mark.line + 1 if mark else 1}: {why}"
    except yaml.YAMLError as error:
        return " ".join(str(error).split())
    return ""


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
