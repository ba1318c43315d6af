# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written into templates is read back as it was, or refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import Invalid
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._template import LONGEST, in_context, quoted, text
from ansible_collections.sky.clusters.tests.clouds.stratuslab.oned import CONTROL
from ansible_collections.sky.clusters.tests.clouds.stratuslab.template import parse

NAMES = st.from_regex(r"\A[A-Z][A-Z0-9_]{0,8}\Z")
WRITABLE = st.text(st.sampled_from(" !\"#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~\n"), min_size=1, max_size=60).filter(lambda value: "]]>" not in value)


@given(st.lists(st.tuples(NAMES, WRITABLE | st.dictionaries(NAMES, WRITABLE, min_size=1, max_size=4)), max_size=6))
@example([("NAME", 'a "b"'), ("NIC", {"IP": '"', "X": '],"#='})])
def test_every_accepted_template_is_read_back(attributes: list[tuple[str, str | dict[str, str]]]) -> None:
    assert parse(text(attributes, "node x")).items == attributes


@given(st.text(max_size=40))
@example("\\")
@example('a\\"')
@example("")
@example("]]>")
@example("ä")
def test_every_value_is_read_back_or_refused(value: str) -> None:
    try:
        written = f"KEY = {quoted(value, 'KEY')}\nNEXT = 1\n"
    except Invalid:
        return
    assert not CONTROL.search(written)
    assert parse(written).items == [("KEY", value), ("NEXT", "1")]


@pytest.mark.parametrize(("value", "why"), [("", "must not be empty"), ("ü", "printable ASCII"), ("\x07", "printable ASCII"), ("a\\", "backslash")])
def test_what_could_be_misread_is_refused_with_its_place(value: str, why: str) -> None:
    with pytest.raises(Invalid, match=rf"^node a-p-0: CONTEXT/KEY: .*{why}"):
        text([("CONTEXT", {"KEY": value})], "node a-p-0")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="'A B' is no name of an attribute"):
        text([("A B", "1")], "node x")


def test_a_template_that_the_database_would_cut_is_refused() -> None:
    assert text([("A", "x" * (LONGEST - 10))], "node x")
    with pytest.raises(Invalid, match=rf"^node x: its template has \d+ bytes, {LONGEST} are possible$"):
        text([("A", "x" * LONGEST)], "node x")


def test_variables_are_refused_in_a_context() -> None:
    with pytest.raises(Invalid, match=r"must not contain '\$'"):
        in_context("$HOME", "node x: CONTEXT/K")
