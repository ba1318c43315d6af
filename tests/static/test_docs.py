# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation says what is so: its examples are accepted, its tables are those of the code, what it names exists."""

from __future__ import annotations

import ast
import dataclasses
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._base import _schema
from ansible_collections.sky.clusters.plugins.module_utils._clouds import _contract as _cloud
from ansible_collections.sky.clusters.plugins.module_utils._clouds._providers import PROVIDERS, Provider
from ansible_collections.sky.clusters.plugins.module_utils._clouds.lxc import _options
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import OpenStackOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import _options as _stratuslab
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file import _load_balancer, _network
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import (
    DEADLINES,
    INVENTORY_KEYS,
    PLUGIN,
    Cluster,
    ClusterFileError,
    DataVolume,
    Pool,
    Prices,
    Settings,
    Timeouts,
    _CloudCommon,
    parse,
)
from ansible_collections.sky.clusters.plugins.module_utils._engine import _gateway, _lock, _objections
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.plugins.module_utils._systems import _system
from ansible_collections.sky.clusters.plugins.module_utils._views._hosts import host
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import EXTRAS
from ansible_collections.sky.clusters.plugins.plugin_utils._timeline_callback import VARIABLE
from ansible_collections.sky.clusters.tests.proof.__main__ import usage
from ansible_collections.sky.clusters.tests.proof.parts import PARTS
from ansible_collections.sky.clusters.tests.proof.record import PROVED
from ansible_collections.sky.clusters.tests.support import tree

GUIDES = Path("docs/docsite/rst")
FILE_GUIDE = GUIDES / "guide_cluster_file.rst"
DAY_TWO = GUIDES / "guide_day_two.rst"
CLOUD_GUIDE = GUIDES / "guide_add_a_cloud.rst"
SYSTEM_GUIDE = GUIDES / "guide_add_a_system.rst"
CONTRIBUTING = GUIDES / "guide_contributing.rst"
DOCUMENTS = sorted(path for path in tree.tracked() if path.suffix in (".md", ".rst") and path != Path("CHANGELOG.md"))
EXAMPLES = sorted(path for path in tree.tracked() if path.parts[0] == "inventories" and path.name.endswith(".sky.yml"))

# The keys of each table of the guide, beside those that a dataclass declares
TABLES: Mapping[str, tuple[type[Any] | None, dict[str, str]]] = {
    "Cluster": (Settings, {"plugin": "required", "cluster": "required", "clouds": "required", "pools": "required"}),
    "CloudEntry": (_CloudCommon, {"provider": "required"}),
    "Prices": (Prices, {}),
    "LxcOptions": (_options.LxcOptions, {}),
    "Flavor": (_options.Flavor, {}),
    "Recipe": (_options.Recipe, {}),
    "OpenStackOptions": (OpenStackOptions, {}),
    "StratusLabOptions": (StratusLabOptions, {}),
    "InstanceType": (_stratuslab.InstanceType, {}),
    "Policy": (_stratuslab.Policy, {}),
    "Pool": (Pool, {}),
    "DataVolume": (DataVolume, {}),
    "Timeouts": (Timeouts, {}),
    "Overlay": (_network.Overlay, {}),
    "FirewallRule": (_network.FirewallRule, {}),
    "Balance": (_load_balancer.Balance, {}),
}


class Block(NamedTuple):
    """A block of code in a document."""

    language: str
    text: str
    faulty: bool = False


def read(path: Path) -> str:
    return (tree.ROOT / path).read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    """Its blocks of code: fenced in Markdown, ``code-block`` in reStructuredText."""
    if path.suffix == ".md":
        return [Block(language, text) for language, text in re.findall(r"^```(\w*)\n(.*?)^```", read(path), re.MULTILINE | re.DOTALL)]
    found, faulty = [], False
    lines = read(path).splitlines()
    for number, line in enumerate(lines):
        faulty = faulty or line == ".. faulty"
        if match := re.match(r"\.\. code-block:: (\w+)$", line):
            body = list(_indented(lines[number + 1 :]))
            found.append(Block(match.group(1), "\n".join(body).strip("\n") + "\n", faulty))
            faulty = False
    return found


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line and not line.startswith("   "):
            return
        yield line[3:]


def table(path: Path, name: str) -> list[list[str]]:
    """The rows, without the heading, of the list-table behind the comment of this name."""
    lines = read(path).splitlines()
    rows: list[list[str]] = []
    for line in _indented(lines[lines.index(f".. {name}") + 2 :][1:]):
        if match := re.match(r"([*]| ) - (.*)", line):
            if match.group(1) == "*":
                rows.append([])
            rows[-1].append(match.group(2))
        elif line.startswith("    ") and rows:
            rows[-1][-1] += " " + line.strip()
    return rows[1:]


def literals(cell: str) -> list[str]:
    return re.findall(r"``(.+?)``", cell)


# --- examples -------------------------------------------------------------------------------------------------------------------------------


def cluster_files() -> list[Any]:
    shown = [(path, block) for path in DOCUMENTS for block in blocks(path) if block.language == "yaml" and not block.faulty]
    found = [pytest.param(block.text, id=f"{path}-{place}") for place, (path, block) in enumerate(shown) if PLUGIN in block.text]
    return found + [pytest.param(read(path), id=str(path)) for path in EXAMPLES]


def accepted(text: str) -> Cluster:
    return parse(yaml.safe_load(text), option_classes())


@pytest.mark.parametrize("text", cluster_files())
def test_every_cluster_file_is_accepted(text: str) -> None:
    cluster = accepted(text)
    for pool in cluster.pools.values():
        options = cluster.clouds[pool.cloud].options
        if not isinstance(options, _options.LxcOptions):
            continue  # what there is, only the cloud itself knows
        assert (pool.flavor or options.flavor) in options.all_flavors
        assert (pool.image or options.image) in options.all_images


def test_the_faulty_one_is_refused_with_what_the_guide_says() -> None:
    shown = blocks(FILE_GUIDE)
    (place,) = [place for place, block in enumerate(shown) if block.faulty]
    with pytest.raises(ClusterFileError) as refusal:
        accepted(shown[place].text)
    assert str(refusal.value) + "\n" == shown[place + 1].text


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
    assert len(cluster_files()) >= len(EXAMPLES) + 3  # the README's, and two of the guide


# --- tables of the guides -------------------------------------------------------------------------------------------------------------------


def default(declared: dataclasses.Field[Any]) -> str:
    """A default as the guide writes it."""
    if declared.default is dataclasses.MISSING and declared.default_factory is dataclasses.MISSING:
        return "required"
    value = declared.default if declared.default_factory is dataclasses.MISSING else declared.default_factory()
    if value is None or value in ("", (), {}, Timeouts(), _stratuslab.Policy(), Prices()):
        return "none"
    return f"``{str(value).lower() if isinstance(value, bool) else value}``"


@pytest.mark.parametrize("name", TABLES)
def test_the_guide_has_every_key_with_its_default(name: str) -> None:
    cls, more = TABLES[name]
    fields = {f.name: default(f) for f in dataclasses.fields(cls) if "kind" in f.metadata} if cls else {}
    shown = {literals(key)[0]: value for key, _type, value, _meaning in table(FILE_GUIDE, f"keys: {name}")}
    assert shown == more | fields


def test_no_table_of_keys_is_left_out() -> None:
    assert re.findall(r"^\.\. keys: (\w+)$", read(FILE_GUIDE), re.MULTILINE) == list(TABLES)


def test_built_in_deadlines() -> None:
    shown = {literals(key)[0]: int(seconds) for key, seconds, _default, _stage in table(FILE_GUIDE, "keys: Timeouts")}
    assert shown == dataclasses.asdict(DEADLINES)


def test_built_in_flavors() -> None:
    (row,) = [row for row in table(FILE_GUIDE, "keys: LxcOptions") if row[0] == "``flavor``"]
    for name, flavor in _options.FLAVORS.items():
        assert re.search(rf"``{name}`` \({flavor.cores}( core)?, {flavor.memory}( MiB)?\)", row[3])


def test_keys_of_every_inventory_plugin_are_named() -> None:
    assert [key for key in INVENTORY_KEYS if f"``{key}``" not in read(FILE_GUIDE)] == []


def test_figures_of_a_run() -> None:
    said = read(DAY_TWO)
    for figure in (
        f"within {_lock.SECONDS:.0f} seconds",
        f"{_objections.SICK_SHARE:.0%}".replace("%", " %"),
    ):
        assert figure in said


def test_variables_of_hosts() -> None:
    cluster = accepted("{cluster: c, clouds: {a: {provider: lxc}}, pools: {p: {cloud: a, count: 1}}}")
    node = _cloud.Node("c-p-0", "1", _cloud.Mark("o", "c", "p", 0), _cloud.State.RUNNING)
    wanted = {name for name in host(node, "a", cluster).variables if name.startswith("sky_")}
    assert {name for row in table(FILE_GUIDE, "host variables") for name in literals(row[0])} == wanted


def test_user_playbooks_are_explained() -> None:
    """Those that a user runs check the cluster file, or begin with one that does."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (tree.ROOT / "playbooks").glob("*.yml")}
    starts = ("sky.clusters.inventory_check", "sky.clusters.cluster_file", "import_playbook: provision.yml", "import_playbook: spark_check.yml")
    run = {name for name, text in texts.items() if any(start in text for start in starts)} - {"spark_check"}
    assert {literals(row[0])[0] for row in table(DAY_TWO, "playbooks")} == {f"sky.clusters.{name}" for name in run}


def test_extra_variables_are_explained() -> None:
    """Variables with our prefix that a playbook reads, or that have a default in one or in a role, and that no host has: a user may set them."""
    own = {name for row in table(FILE_GUIDE, "host variables") for name in literals(row[0])}
    made = re.compile(r"(?:register: |set_fact:\s+|vars:\s+)(sky_\w+)|^\s+(sky_\w+):", re.MULTILINE)
    texts = [read(path) for path in tree.tracked() if path.parts[0] in ("playbooks", "roles") and path.suffix in (".yml", ".j2")]
    used = {name for text in texts for name in re.findall(r"\b(sky_[a-z_]+) \| default\(", text)}
    used |= {f"sky_{name}" for text in texts for name in re.findall(r"\bsky_given\.([a-z_]+)", text)} - {"sky_identity_file"}
    used |= {VARIABLE}  # read by a callback
    inner = {name for text in texts for pair in made.findall(text) for name in pair if name}
    assert {literals(row[0])[0] for row in table(DAY_TWO, "extra variables")} == used - own - inner == set(EXTRAS)


def test_the_contract_is_explained() -> None:
    offered = {name for provider in PROVIDERS.values() for name in vars(provider.cloud) if name in vars(_cloud.Cloud)}
    methods = {name for name in offered if callable(getattr(_cloud.Cloud, name)) and (name == "__init__" or not name.startswith("_"))}
    assert methods >= _cloud.Cloud.__abstractmethods__
    assert {literals(row[0])[0] for row in table(CLOUD_GUIDE, "contract")} == methods
    errors = {name for name, value in vars(_cloud).items() if isinstance(value, type) and issubclass(value, _cloud.CloudError)}
    assert {literals(row[0])[0] for row in table(CLOUD_GUIDE, "errors")} == errors


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("system", {field.name for field in dataclasses.fields(_system.System)}),
        ("role", {field.name for field in dataclasses.fields(_system.Role)}),
        ("view", set(_system.SHAPE)),
        ("opinion", {field.name for field in dataclasses.fields(_system.Opinion)}),
    ],
)
def test_a_system_is_explained(name: str, wanted: set[str]) -> None:
    assert {literal for row in table(SYSTEM_GUIDE, name) for literal in literals(row[0])} == wanted


def test_the_example_of_a_provider_s_options_can_be_used() -> None:
    (block,) = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)*?   class AcmeOptions.*\n(?:   .*\n|\n)*)", read(CLOUD_GUIDE))
    known: dict[str, Any] = {**vars(_schema), **vars(_cloud), "__name__": __name__}
    exec(compile(textwrap.dedent(block), str(CLOUD_GUIDE), "exec"), known)
    provider = Provider(known["AcmeOptions"], PROVIDERS["lxc"].cloud)
    faults = _schema.Faults()
    options = _schema.read(provider.options, {"endpoint": "e", "image": "i", "flavor": "f"}, "", faults)
    assert faults.found == []
    assert options is not None
    assert options.ssh_user == "debian"
    assert _gateway.gateway([], options) is None
    with pytest.raises(TypeError, match=r"Options does not declare image, flavor, ssh_user"):
        Provider(_cloud.Options, PROVIDERS["lxc"].cloud)


def test_parts_of_the_test_script_are_explained() -> None:
    shown = [(literals(row[0])[0], row[1], row[3] != "no") for row in table(CONTRIBUTING, "test parts")]
    assert shown == [(part.name, part.tier.value, part.machine) for part in PARTS]


def test_a_module_is_either_explained_or_internal() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (tree.ROOT / "plugins/modules").glob("*.py")}
    public = {name for name, text in texts.items() if "sky.clusters.internal" not in text}
    assert {name for row in table(DAY_TWO, "modules") for name in literals(row[0])} == public


def test_folders_exist() -> None:
    named = [name for row in table(CONTRIBUTING, "folders") for name in literals(row[0])]
    assert [name for name in named if not (tree.ROOT / name).exists()] == []


# --- sentences ------------------------------------------------------------------------------------------------------------------------------


def spoken() -> list[str]:
    """Every piece of text of the plugins; of one with values in it, what stands between them."""
    parsed = [ast.parse(path.read_text(encoding="utf-8")) for path in (tree.ROOT / "plugins").rglob("*.py")]
    return [node.value for module in parsed for node in ast.walk(module) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_sentences_are_those_of_the_code() -> None:
    said = spoken()
    quoted = [literals(row[0])[0] for row in table(DAY_TWO, "sentences")]
    foreign = ["Unable to create local directories"]  # Ansible's own
    wrong = []
    for sentence in quoted:
        pieces = [piece.strip() for piece in re.split(r"<\w+>", sentence)]
        wrong += [f"{sentence}: {piece}" for piece in pieces if piece and sentence not in foreign and not any(piece in text for text in said)]
    assert not wrong, "\n".join(wrong)


# --- what is named --------------------------------------------------------------------------------------------------------------------------


def commands() -> list[tuple[Path, str]]:
    """Every line that is a command: behind a prompt, or in a block of a shell."""
    found = []
    for path in DOCUMENTS:
        for block in blocks(path):
            if block.language in ("console", "bash", "sh"):
                found += [(path, line.removeprefix("$ ")) for line in block.text.splitlines() if block.language != "console" or line.startswith("$ ")]
    return found


def exists(name: str, *places: str) -> bool:
    """Whether the collection has something of that name in one of these folders."""
    return any((tree.ROOT / place / f"{name}{end}").exists() for place in places for end in ("", ".py", ".yml"))


def absent(command: str) -> list[str]:
    """What a command names and the repository does not have."""
    places = {
        "inventory": ["plugins/inventory"],
        "module": ["plugins/modules"],
        "role": ["roles"],
        "": ["plugins/modules", "plugins/callback", "playbooks"],
    }
    kind = match.group(1) if (match := re.search(r"ansible-doc (?:-t|--type) (\w+)", command)) else ""
    found = [name for name in re.findall(r"\bsky\.clusters\.(\w+)", command) if not exists(name, *places[kind])]
    named = re.findall(r"\b(?:inventories|tests)/[\w/.]+", command)
    found += [path for path in named if path != PROVED and not (tree.ROOT / path).exists()]  # a run makes it
    if match := re.match(r"\./(\w+\.sh)((?: [-\w]+)*)", command):
        script = usage() if match.group(1) == "test.sh" else read(Path(match.group(1)))
        found += [word for word in match.group(2).split() if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", script)]
    return found


def test_commands_name_what_exists() -> None:
    inline = [(path, text) for path in DOCUMENTS for text in re.findall(r"`{1,2}((?:ansible-|\./)[^`]+)`{1,2}", read(path))]
    wrong = [f"{path}: {command}: no {name}" for path, command in [*commands(), *inline] for name in absent(command)]
    assert not wrong, "\n".join(wrong)


def test_parts_of_the_collection_that_are_named_exist() -> None:
    named = [(path, name) for path in DOCUMENTS for name in re.findall(r"(?<![\w.])sky\.clusters\.([a-z0-9_]+)", read(path))]
    wrong = [
        f"{path}: {name}"
        for path, name in named
        if not exists(
            name,
            "plugins/callback",
            "plugins/inventory",
            "plugins/modules",
            "plugins/filter",
            "plugins/lookup",
            "plugins/callback",
            "playbooks",
            "roles",
            "tests/systems/counter/plugins/modules",
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_links_lead_somewhere() -> None:
    links = [(path, link) for path in DOCUMENTS if path.suffix == ".md" for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(path))]
    wrong = [f"{path}: {link}" for path, link in links if "://" not in link and not (tree.ROOT / path.parent / link).exists()]
    assert not wrong, "\n".join(wrong)


def test_every_role_says_what_it_is() -> None:
    assert [path.name for path in (tree.ROOT / "roles").iterdir() if path.is_dir() and not (path / "README.md").is_file()] == []


def test_the_tests_of_daily_use_exist(root: Path) -> None:
    text = (root / "docs/daily_use.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| B")]
    assert [row.split("|")[1].strip() for row in rows] == [f"B{number}" for number in range(1, 17)]
    for row in rows:
        found = re.findall(r"\]\(\.\./(tests/\S+\.py)\)((?:,? `test_\w+`)+)", row)
        assert found, row
        for file, names in found:
            source = (root / file).read_text(encoding="utf-8")
            assert [name for name in re.findall(r"`(test_\w+)`", names) if f"def {name}(" not in source] == []
