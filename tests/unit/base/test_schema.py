# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain data into dataclasses, and the JSON schema of the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._base._schema import (
    Choice,
    Cidr,
    Faults,
    Flag,
    Free,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Struct,
    Text,
    option,
    read,
    schema,
    shown,
)  # fmt: skip

NAME = Text(r"[a-z][a-z0-9]*", "lower-case letters and digits, starting with a letter", 10)


@dataclass(frozen=True)
class Inner:
    size: int = option(Integer(1, 9), "a size")
    fast: bool = option(Flag(), "whether it is fast", default=False)


@dataclass(frozen=True)
class Outer:
    name: str = option(NAME, "a name")
    parts: dict[str, Inner] = option(MapOf(NAME, Struct(Inner)), "parts by name", default_factory=dict)
    nets: tuple[str, ...] = option(ListOf(Cidr()), "networks", default=())
    kind: str = option(Choice(("red", "green"), "colour"), "a colour", default="red")
    rest: dict[str, Any] = option(Free(), "whatever", default_factory=dict)
    made: str = "not an option"


def parsed(data: Any, cls: type[Any] = Outer) -> tuple[Any, list[str]]:
    faults = Faults()
    return read(cls, data, "", faults), faults.found


def of(kind: Kind, value: Any) -> tuple[Any, list[str]]:
    faults = Faults()
    return kind.parse(value, "x", faults), faults.found


def test_a_whole_mapping_is_read() -> None:
    data: dict[str, Any] = {"name": "a1", "parts": {"p": {"size": 3}}, "nets": ["192.0.2.0/24", "2001:DB8::/32"], "kind": "green", "rest": {1: None}}
    value, faults = parsed(data)
    assert faults == []
    assert value == Outer("a1", {"p": Inner(3)}, ("192.0.2.0/24", "2001:db8::/32"), "green", {1: None})  # type: ignore[dict-item]  # free keys may be anything


def test_a_key_with_nothing_behind_it_means_the_default_unless_it_is_required() -> None:
    value, faults = parsed({"name": "a", "parts": None, "nets": None, "kind": None, "rest": None})
    assert (value, faults) == (Outer("a"), [])
    assert parsed({"name": None})[1] == ["name: must be lower-case letters and digits, starting with a letter, got None"]


def test_every_fault_is_reported_at_once_with_its_path() -> None:
    data = {"parts": {"P": {"size": 0, "fats": True}, "q": {}}, "nets": ["192.0.2.1/24", 5], "kind": "gren", "made": "x"}
    value, faults = parsed(data)
    assert value is None
    assert sorted(faults) == [
        "kind: unknown colour 'gren'; did you mean 'green'?",
        "made: unknown key; known: kind, name, nets, parts, rest",
        "name: is required",
        "nets[0]: must be a network such as 192.0.2.0/24, got '192.0.2.1/24' (192.0.2.1/24 has host bits set)",
        "nets[1]: must be a network such as 192.0.2.0/24, got 5",
        "parts.P.fats: unknown key; did you mean 'fast'?",
        "parts.P.size: must be 1 or more, got 0",
        "parts.P: must be lower-case letters and digits, starting with a letter, got 'P'",
        "parts.q.size: is required",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (Integer(0), -1, "must be 0 or more, got -1"),
        (Integer(0, 5), 6, "must be at most 5, got 6"),
        (Integer(0), True, "must be a whole number, 0 or more, got True"),
        (Integer(0), "5", "must be a whole number, 0 or more, got '5'"),
        (Integer(0), 1.5, "must be a whole number, 0 or more, got 1.5"),
        (Integer(0, 5), 10**5000, "must be at most 5, got a very large number"),
        (Integer(0, 5), -(10**5000), "must be 0 or more, got a very large number"),
        (Flag(), "yes", "must be true or false, got 'yes'"),
        (Flag(), 1, "must be true or false, got 1"),
        (NAME, "a" * 11, "must be at most 10 characters, got 11"),
        (NAME, "A", "must be lower-case letters and digits, starting with a letter, got 'A'"),
        (NAME, "a\n", "must be lower-case letters and digits, starting with a letter, got 'a\\n'"),
        (NAME, 5, "must be lower-case letters and digits, starting with a letter, got 5"),
        (Text(), "", "must be a non-empty string, got ''"),
        (Choice(("a", "b")), ["a"], "unknown name ['a']; known: a, b"),
        (Choice(()), "a", "unknown name 'a'; known: none"),
        (Cidr(), "192.0.2.0", "must be a network such as 192.0.2.0/24, got '192.0.2.0'"),
        (ListOf(NAME), "a", "must be a list, got 'a'"),
        (MapOf(NAME, NAME, least=1), {}, "must have at least 1 entry"),
        (MapOf(NAME, NAME), [], "must be a mapping, got []"),
        (Free(), 5, "must be a mapping, got 5"),
        (Struct(Inner), "size", "must be a mapping, got 'size'"),
    ],
    ids=shown,
)  # fmt: skip
def test_a_wrong_value_is_answered_with_what_would_be_right(kind: Kind, value: Any, fault: str) -> None:
    assert of(kind, value)[1] == [f"x: {fault}"]


def test_doubles_in_a_list_are_faults() -> None:
    assert of(ListOf(NAME), ["a", "b", "a"])[1] == ["x[2]: 'a' is listed twice"]
    assert of(ListOf(NAME, unique=False), ["a", "a"]) == (("a", "a"), [])


def test_values_come_out_plain() -> None:
    class Tagged(str):
        __slots__ = ()

    for kind, value in ((NAME, "a"), (Choice(("a",)), "a"), (ListOf(NAME), ["a"]), (MapOf(NAME, NAME), {"a": "a"})):
        tagged = Tagged("a") if value == "a" else [Tagged("a")] if isinstance(value, list) else {Tagged("a"): Tagged("a")}
        result, faults = of(kind, tagged)
        assert faults == []
        inner = result if isinstance(result, str) else next(iter(result))
        assert not isinstance(inner, Tagged)
        if isinstance(result, dict):
            assert not isinstance(result["a"], Tagged)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_a_shown_value_is_short_and_on_one_line(value: Any) -> None:
    assert len(shown(value)) <= 60
    assert "\n" not in shown(value)


@pytest.mark.parametrize("key", ["a\nb", "", "a b", "x" * 100, 5, None, ("a", 1), 2.5, True])
def test_a_key_that_is_no_name_leaves_the_fault_on_one_line(key: Any) -> None:
    (fault,) = parsed({"name": "a", key: 1})[1]
    assert re.fullmatch(r".{1,80}: unknown key; .*", fault)
    faults = of(MapOf(NAME, NAME), {key: "a"})[1]
    assert all(re.fullmatch(r"x\..{1,80}: .+", fault) for fault in faults)


def test_the_schema_is_a_schema_and_says_what_the_reader_says() -> None:
    made = schema(Outer)
    jsonschema.Draft7Validator.check_schema(made)
    assert made["required"] == ["name"]
    assert "made" not in made["properties"]
    validator = jsonschema.Draft7Validator(made)
    right: list[dict[str, Any]] = [
        {"name": "a"}, {"name": "a", "parts": {"p": {"size": 9}}, "kind": "red", "rest": {"x": [1]}}, {"name": "a", "nets": None},
    ]  # fmt: skip
    for data in right:
        assert parsed(data)[1] == []
        assert validator.is_valid(data)
    bad_part = {"name": "a", "parts": {"p": {"size": 10}}}
    wrong: list[dict[str, Any]] = [{}, {"name": "A"}, {"name": "a", "more": 1}, bad_part, {"name": "a", "kind": "blue"}, {"name": None}]
    for data in wrong:
        assert parsed(data)[1] != []
        assert not validator.is_valid(data)
