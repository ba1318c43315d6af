# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""qmgr and its small relatives: the commonest requests of operators.

What a cluster is, its queues and their limits, is described by variables; what lasts until the next restart of the server is done here.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator

from . import look, show, slurm
from .command import Command
from .values import PbsError

VERBS = ("list", "print", "set", "unset", "create", "delete", "quit", "exit", "help")
KNOWN = "list and print of server, queue and node, and set of queue and node"
STATES = {("True", "True"): "UP", ("True", "False"): "DOWN", ("False", "True"): "DRAIN", ("False", "False"): "INACTIVE"}


def qmgr(command: Command) -> int:
    pairs, operands = command.parsed("ac:enz")
    given = dict(pairs)
    if operands and operands[0] != command.settings.server:
        raise PbsError(f"there is one server, {command.settings.server}")
    requests = [given["-c"]] if "-c" in given else sys.stdin.read().splitlines()
    code = 0
    for request in (part for line in requests for part in re.split(r";", line)):
        try:
            words = _words(request)
            if not words:
                continue
            if words[0] in ("quit", "exit", "q"):
                break
            for line in answer(command, words):
                sys.stdout.write(line + "\n")
        except PbsError as error:
            command.say(str(error))
            code = 1
    return code


def _words(request: str) -> list[str]:
    try:
        return shlex.split(request, comments=True)
    except ValueError as error:
        raise PbsError(f"'{request.strip()}': {error}") from None


def answer(command: Command, words: list[str]) -> Iterator[str]:
    """What a request prints; a change prints nothing."""
    verb = next((known for known in VERBS if known.startswith(words[0])), "")
    kinds = {"s": "server", "q": "queue", "n": "node"}
    kind = kinds.get(words[1][:1], "") if len(words) > 1 else ""
    if not verb or (not kind and verb != "help"):
        raise PbsError(f"'{' '.join(words)}': no such request; known are {KNOWN}")
    if verb == "help":
        yield f"The requests are {KNOWN}, and exit."
    elif verb in ("list", "print"):
        yield from _shown(command, verb, kind, words[2:])
    elif verb == "set" and kind in ("queue", "node"):
        _set(kind, " ".join(words[2:]))
    elif verb in ("set", "unset", "create", "delete"):
        what, variable = {
            "server": ("the server", "torque_server_settings"),
            "queue": ("queues and their limits", "torque_server_queues"),
            "node": ("nodes", "torque_node_properties"),
        }[kind]
        raise PbsError(f"{verb} {kind}: cannot be honoured: {what} are described by the cluster file and its variables ({variable})")


def _shown(command: Command, verb: str, kind: str, names: list[str]) -> Iterator[str]:
    server = command.settings.server
    chosen = names[0].split(",") if names and not names[0].startswith("@") else []
    if kind == "server":
        values = show.server_attributes(slurm.queues())
        # as TORQUE does: what it prints makes a server with its queues
        yield from [f"Server {server}"] if verb == "list" else _shown(command, verb, "queue", [])
        yield from (f"\t{name} = {value}" if verb == "list" else f"set server {name} = {value}" for name, value in values.items())
    elif kind == "queue":
        for queue in _named(slurm.queues(), chosen, "queue"):
            values = dict(show.queue_attributes(queue))
            yield f"Queue {queue.name}" if verb == "list" else f"create queue {queue.name}"
            yield from [] if verb == "list" else [f"set queue {queue.name} queue_type = Execution"]
            yield from (f"\t{name} = {value}" if verb == "list" else f"set queue {queue.name} {name} = {value}" for name, value in values.items())
    else:
        for node in _named(slurm.nodes(), chosen, "node"):
            values = {"state": node.state, "np": str(node.processors), "properties": ",".join(node.properties)}
            yield f"Node {node.name}" if verb == "list" else f"create node {node.name}"
            yield from (
                f"\t{name} = {value}" if verb == "list" else f"set node {node.name} {name} = {value}" for name, value in values.items() if value
            )


def _named(items: list, names: list[str], what: str) -> list:  # type: ignore[type-arg]
    unknown = set(names) - {item.name for item in items}
    if unknown:
        raise PbsError(f"Unknown {what} {sorted(unknown)[0]}")
    return [item for item in items if not names or item.name in names]


def _set(kind: str, text: str) -> None:
    found = re.fullmatch(r"(\S+)\s+([\w.]+)\s*([+-]?=)\s*(.+)", text)
    if not found:
        raise PbsError(f"set {kind}: must be NAME ATTRIBUTE = VALUE, got '{text}'")
    name, attribute, _sign, value = found.groups()
    if kind == "node" and attribute == "state":
        if value not in ("offline", "free"):
            raise PbsError(f"set node state: must be offline or free, got '{value}'")
        look.set_node(name, "-o" if value == "offline" else "-c")
    elif kind == "node" and attribute == "note":
        look.set_node(name, "", value)
    elif kind == "queue" and attribute in ("enabled", "started"):
        if value.capitalize() not in ("True", "False"):
            raise PbsError(f"set queue {attribute}: must be true or false, got '{value}'")
        set_queue(name, attribute, value.capitalize() == "True")
    else:
        raise PbsError(f"set {kind} {attribute}: cannot be honoured: it is described by the cluster file and its variables")


def set_queue(name: str, attribute: str, value: bool) -> None:
    """Enable or start a queue, or the opposite, until the next restart of the server."""
    (queue,) = _named(slurm.queues(), [name], "queue")
    values = {"enabled": queue.enabled, "started": queue.started} | {attribute: value}
    slurm.run(["scontrol", "update", f"PartitionName={name}", f"State={STATES[str(values['enabled']), str(values['started'])]}"])


def switch(command: Command) -> int:
    """qenable, qdisable, qstart and qstop."""
    _pairs, operands = command.parsed("")
    if not operands:
        raise PbsError("name a queue")
    attribute, value = {"qenable": ("enabled", True), "qdisable": ("enabled", False), "qstart": ("started", True), "qstop": ("started", False)}[
        command.name
    ]
    for name in operands:
        set_queue(name.partition("@")[0], attribute, value)
    return 0
