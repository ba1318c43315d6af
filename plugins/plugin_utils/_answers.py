# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster file from an offer and the answers to a form, as data: no answer is ever a part of a template or of YAML. No I/O."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import Faults, Free, ListOf, MapOf, Text, hint, option, read, shown
from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Node
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import PLUGIN, PUBLIC_KEY, ClusterFileError
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import is_nothing

PREFIX = "answer_"  # of the extra variables
NAME = "name"  # the answer that every offer needs: the name of the cluster
OFFER = "offer"  # the answer that chooses the offer
OWNER = "owner"  # the answer that is the user who asks, unless it is given
OTHERS = re.compile(r"[^A-Za-z0-9._@-]")  # what the name of an owner cannot have
ANSWER = Text(r"[a-z][a-z0-9_]*", "lower-case letters, digits and underscores, starting with a letter", 40)
PLACE = Text(r"[A-Za-z0-9_]+(\.(\*|[A-Za-z0-9_-]+))*", "keys of the cluster file with dots between them, such as pools.worker.count", 200)
KEYS = "ssh_keys"  # of the file: what the nodes themselves know
KEPT = re.compile(r"pools\.([^.]+)\.(count|flavor|cloud)")  # what can be taken from the nodes that exist


@dataclass(frozen=True)
class Offer:
    """A cluster file in which some places are left to answers."""

    file: dict[str, Any] = option(Free(), "the cluster file, with the values of all places that nobody answers")
    answers: dict[str, tuple[str, ...]] = option(MapOf(ANSWER, ListOf(PLACE)), "the places that each answer sets", default_factory=dict)

    def places(self, answer: str) -> list[str]:
        """The places in the file that an answer sets, each pool by its name."""
        wanted = self.answers.get(answer, ())
        pools = self.file.get("pools")
        names = [str(name) for name in pools] if isinstance(pools, Mapping) else []
        return [place.replace("*", name, 1) for place in wanted for name in (names if "*" in place else [""])]


def offer_of(name: str, data: Any) -> Offer:
    """Read an offer.

    Raises:
        ClusterFileError: it is none.
    """
    faults = Faults()
    if not isinstance(data, Mapping):
        raise ClusterFileError([f"{name}: must be a mapping, got {shown(data)}"])
    offer = read(Offer, data, "", faults)
    if offer is None:
        raise ClusterFileError([f"{name}: {fault}" for fault in faults.found])
    lost = [f"{name}: answers.{answer}: no {place} in file" for answer in offer.answers for place in offer.places(answer) if not _has(offer, place)]
    if lost:
        raise ClusterFileError(lost)
    return offer


def _has(offer: Offer, place: str) -> bool:
    """Whether the file has what the last key of a place belongs to."""
    at: Any = offer.file
    for key in place.split(".")[:-1]:
        at = at.get(key) if isinstance(at, Mapping) else None
    return isinstance(at, Mapping)


def given_answers(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The answers among extra variables; one that is empty is none."""
    answers = {name.removeprefix(PREFIX): value for name, value in variables.items() if name.startswith(PREFIX)}
    return {name: value for name, value in answers.items() if not is_nothing(value)}


def with_owner(answers: Mapping[str, Any], offer: Offer, user: str) -> dict[str, Any]:
    """The answers, with the user who asks as owner of the cluster if the offer has such an answer and nobody gave it.

    All jobs of AWX have the same credentials, so without it a user would change the cluster of another one who has chosen the same name.
    """
    return dict(answers) | ({OWNER: OTHERS.sub("-", user)} if user and OWNER in offer.answers and OWNER not in answers else {})


def filled(offer: Offer, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The cluster file with the answers in their places.

    Raises:
        ClusterFileError: an answer is missing, or is one that the offer does not have.
    """
    known = [NAME, OFFER, *offer.answers]
    faults = [f"{PREFIX}{name}: this offer has no such answer{hint(name, known)}" for name in answers if name not in known]
    if NAME not in answers:
        faults.append(f"{PREFIX}{NAME}: is required, the name of the cluster")
    if faults:
        raise ClusterFileError(faults)
    data = copy.deepcopy(offer.file) | {"plugin": PLUGIN, "cluster": answers[NAME]}
    for name in offer.answers:
        for place in offer.places(name) if name in answers else ():
            _set(data, place, answers[name])
    return data


def _set(data: dict[str, Any], place: str, value: Any) -> None:
    *above, last = place.split(".")
    at = data
    for key in above:
        at = at[key]
    at[last] = _of_the_kind_of(at.get(last), value)


def _of_the_kind_of(old: Any, value: Any) -> Any:
    """An answer as a value of the kind that it replaces: forms send numbers and lists as text, too."""
    if not isinstance(value, str):
        return value
    if isinstance(old, bool):
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.strip().lower(), value)
    if isinstance(old, int) and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", value):
        return int(value)
    if isinstance(old, (list, Mapping)) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [line.strip() for line in value.splitlines() if line.strip()] if isinstance(old, list) else value


def keep(data: dict[str, Any], offer: Offer, answers: Mapping[str, Any], nodes: Mapping[str, Sequence[Node]]) -> None:
    """Where nobody has answered, take what the cluster has: the number of nodes of a pool, their flavor, their cloud.

    Args:
        nodes: the nodes of the cluster by cloud.
    """
    for pool, key in unanswered(offer, answers):
        own = [(cloud, node) for cloud, listed in nodes.items() for node in listed if node.mark.pool == pool]
        if own:
            entry = data["pools"][pool]
            entry[key] = _kept(key, own, entry.get("min_count") or 0) or entry.get(key)


def unanswered(offer: Offer, answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The pools, and their keys, that nobody has answered and that existing nodes show."""
    left = (place for name in offer.answers if name not in answers for place in offer.places(name))
    return [(match.group(1), match.group(2)) for place in left if (match := KEPT.fullmatch(place))]


def keeps_keys(offer: Offer, answers: Mapping[str, Any]) -> bool:
    """Whether nobody has answered which keys the nodes authorise."""
    return any(KEYS in offer.places(name) for name in offer.answers if name not in answers)


def authorised(content: str) -> list[str]:
    """The keys in a node's file of authorised keys, as a cluster file lists them. Lines that no cluster file could have are left out."""
    lines = (line.strip() for line in content.splitlines())
    return list(dict.fromkeys(line for line in lines if PUBLIC_KEY.parse(line, KEYS, Faults()) is not None))


def _kept(key: str, own: Sequence[tuple[str, Node]], least: int) -> Any:
    if key == "count":
        return max(len(own), least)
    values = Counter(cloud if key == "cloud" else node.flavor for cloud, node in own)
    return values.most_common(1)[0][0]


def named(faults: Sequence[str], offer: Offer, answers: Mapping[str, Any]) -> list[str]:
    """The faults of the file, by the name of the answer that caused each, each once."""
    places = {place: name for name in offer.answers if name in answers for place in offer.places(name)} | {"cluster": NAME}
    return list(dict.fromkeys(_named(fault, places) for fault in faults))


def _named(fault: str, places: Mapping[str, str]) -> str:
    path, _colon, sentence = fault.partition(": ")
    found = next(_above(path, places), "")
    return f"{PREFIX}{places[found]}{path.removeprefix(found)}: {sentence}" if found else fault


def _above(path: str, places: Mapping[str, str]) -> Iterator[str]:
    return (place for place in places if path == place or path.startswith((f"{place}.", f"{place}[")))
