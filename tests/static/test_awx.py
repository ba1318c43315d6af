# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration for AWX fits itself, the playbooks, and the modules of awx.awx that load it."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import parse
from ansible_collections.sky.clusters.plugins.module_utils._engine._fleet import option_classes
from ansible_collections.sky.clusters.plugins.plugin_utils._answers import NAME, OFFER, OWNER, PREFIX, Offer, filled, given_answers, offer_of
from ansible_collections.sky.clusters.plugins.plugin_utils._extra_vars import given
from ansible_collections.sky.clusters.tests.support import tree
from ansible_collections.sky.clusters.tests.support.site import BIN

AWX = tree.ROOT / "awx"
PROJECT = AWX / "project"
KNOWN = json.loads((Path(__file__).parent / "awx_modules.json").read_text(encoding="utf-8"))["modules"]
LOADED = {  # by which module of awx.awx
    "aap_organizations": "organization",
    "controller_credential_types": "credential_type",
    "controller_credentials": "credential",
    "controller_execution_environments": "execution_environment",
    "controller_projects": "project",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
    "controller_schedules": "schedule",
}
NODES = "simplified_workflow_nodes"  # which are handed to workflow_job_template_node, one by one
SEPARATED = "{  {"  # of which load.yml, and the role of infra.aap_configuration, make two braces
LOADER = yaml.safe_load((AWX / "load.yml").read_text(encoding="utf-8"))[0]
PYTHON: Mapping[str, type] = {"str": str, "bool": bool, "int": int, "dict": dict, "list": list}
QUESTION = {"question_name", "question_description", "variable", "type", "required", "default", "min", "max", "choices"}
SURVEY_TYPES: Mapping[str, type] = {"text": str, "textarea": str, "multiplechoice": str, "integer": int}


@functools.cache
def config() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for path in sorted((AWX / "config").glob("*.yml")):
        merged |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return merged


@functools.cache
def offers() -> dict[str, Offer]:
    return {path.stem: offer_of(path.name, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted((PROJECT / "offers").glob("*.yml"))}


def templates() -> list[dict[str, Any]]:
    return list(config()["controller_templates"])


def questions(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(template["survey_spec"]["spec"]) if "survey_spec" in template else []


def items() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every item of the configuration: its variable, the module that takes it, and its options."""
    for variable, listed in config().items():
        for item in listed:
            yield variable, LOADED[variable], {key: value for key, value in item.items() if key != NODES}
            for node in item.get(NODES, ()):
                yield NODES, "workflow_job_template_node", node


def test_awx_awx_takes_every_option() -> None:
    wrong, seen = [], 0
    for variable, module, item in items():
        known = KNOWN[module]
        for key, value in item.items():
            seen += 1
            option = known.get(key)
            if option is None:
                wrong.append(f"{variable}: {item.get('name')}: {module} has no option {key}")
            elif not isinstance(value, PYTHON[option.get("type", "str")]) and not (key == "inventory" and isinstance(value, str)):
                wrong.append(f"{variable}: {key}: is no {option['type']}: {value!r}")
            elif "choices" in option and value not in option["choices"]:
                wrong.append(f"{variable}: {key}: {value!r} is none of {option['choices']}")
        wrong += [f"{variable}: {item.get('name')}: lacks {key}" for key, option in known.items() if option.get("required") and key not in item]
    assert seen > 100
    assert not [each for each in wrong if not each.endswith(("lacks workflow", "lacks workflow_job_template"))], "\n".join(
        wrong
    )  # the role adds it to each node


def loaded_by(task: Mapping[str, Any]) -> tuple[str, str]:
    """The variable and the module of a task of load.yml."""
    (module,) = [name for name in task if name.startswith("awx.awx.")]
    (variable,) = re.findall(r"\b(?:aap|controller)_\w+", task["loop"])
    return variable, module.removeprefix("awx.awx.")


def test_every_variable_is_loaded_by_its_module_after_what_it_names() -> None:
    done = [loaded_by(task) for task in LOADER["tasks"]]
    assert set(config()) == set(LOADED)
    assert [pair for pair in done if pair[1] != "workflow_job_template_node"] == list(LOADED.items())
    assert done.count(("controller_workflows", "workflow_job_template_node")) == 2  # all nodes, then their links
    for name in ("load.yml", "load_aap.yml"):
        (play,) = yaml.safe_load((AWX / name).read_text(encoding="utf-8"))
        assert sorted(play["vars_files"]) == sorted(f"config/{path.name}" for path in (AWX / "config").glob("*.yml"))


@pytest.mark.parametrize("kind", config()["controller_credential_types"], ids=lambda kind: str(kind["name"]))
def test_awx_accepts_the_injectors(kind: Mapping[str, Any]) -> None:
    """As AWX checks them: they are templates of the fields alone, and of the files that it writes."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    fields = {field["id"]: f"a {field['id']}" for field in kind["inputs"]["fields"]} | {"tower": {"filename": "a file"}}
    rendered = [
        environment.from_string(text.replace(SEPARATED, "{{")).render(fields) for texts in kind["injectors"].values() for text in texts.values()
    ]
    assert rendered
    assert set(rendered) <= {*(f"a {field['id']}" for field in kind["inputs"]["fields"]), "a file"}
    assert set(kind["inputs"]["required"]) <= {field["id"] for field in kind["inputs"]["fields"]}


def test_what_is_named_exists() -> None:
    names = {variable: {item["name"] for item in listed} for variable, listed in config().items()}
    jobs = names["controller_templates"] | names["controller_workflows"]
    for template in templates():
        assert template["project"] in names["controller_projects"]
        assert template.get("ask_inventory_on_launch") or template["inventory"] in names["controller_inventories"]
        assert template["execution_environment"] in names["controller_execution_environments"]
        assert set(template.get("credentials", [])) <= names["controller_credentials"]
        assert (PROJECT / template["playbook"]).is_file()
    for project in config()["controller_projects"]:
        assert project["update_project"] is True  # or AWX refuses templates whose playbooks are newer than the copy that it has
    for source in config()["controller_inventory_sources"]:
        assert source["inventory"] in names["controller_inventories"]
        assert source["credential"] in names["controller_credentials"]
        assert parse(yaml.safe_load((PROJECT / source["source_path"]).read_text(encoding="utf-8")), option_classes()).name == source["name"]
        assert source["overwrite"] is source["overwrite_vars"] is True
    for workflow in config()["controller_workflows"]:
        own = {node["identifier"] for node in workflow[NODES]}
        for node in workflow[NODES]:
            assert {*node.get("success_nodes", []), *node.get("failure_nodes", [])} <= own
            assert node.get("unified_job_template", next(iter(jobs))) in jobs
    assert {schedule["unified_job_template"] for schedule in config()["controller_schedules"]} <= jobs
    played = {template["playbook"] for template in templates()}
    assert played == {path.name for path in PROJECT.glob("*.yml")}


def test_questions_are_those_of_awx() -> None:
    for template in [*templates(), *config()["controller_workflows"]]:
        assert template.get("survey_enabled", False) is bool(questions(template))
        for question in questions(template):
            assert set(question) <= QUESTION, question
            kind = SURVEY_TYPES[question["type"]]
            assert isinstance(question.get("default", kind()), kind), question
            assert ("choices" in question) == (question["type"] == "multiplechoice"), question
            assert all(isinstance(choice, str) for choice in question.get("choices", [])), question
            assert question.get("default", "") in ["", *question.get("choices", [question.get("default", "")])], question
            assert question["required"] or not question.get("default"), question  # what nobody answers is not answered by the form


def imported(playbook: str) -> str:
    """The text of a playbook of the collection, with those that it imports."""
    text = (tree.ROOT / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    return "\n".join([text, *(imported(name) for name in re.findall(r"import_playbook: (\w+)\.yml", text))])


def read_by(playbook: str) -> set[str]:
    """The extra variables that a playbook of the project reads, by way of those of the collection."""
    plays = yaml.safe_load((PROJECT / playbook).read_text(encoding="utf-8"))
    names = [play["ansible.builtin.import_playbook"].rpartition(".")[2] for play in plays]
    text = "\n".join(imported(name) for name in names)
    if "sky_configures: true" in text:
        text += "\n".join(path.read_text(encoding="utf-8") for path in (tree.ROOT / "roles").rglob("*.yml"))
    return {f"sky_{name}" for name in re.findall(r"\bsky_given\.(\w+)", text)} | set(re.findall(r"\b(sky_\w+) \| default\(", text))


def said() -> set[str]:
    """The variables that sentences of the collection tell a user to set."""
    paths = [path for folder in ("plugins", "playbooks", "roles") for path in (tree.ROOT / folder).rglob("*") if path.suffix in {".py", ".yml"}]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    return {name for line in lines for name in re.findall(r"-e (sky_\w+)", line)}


def test_a_job_names_no_variable_that_nobody_can_set() -> None:
    """AWX ignores a variable that a template does not ask for. Those of playbooks without a template cannot appear in a job."""
    for chosen in (projects(), works_from_files()):
        read = set().union(*(read_by(template["playbook"]) for template in chosen))
        asked = {question["variable"] for template in chosen for question in questions(template)}
        fixed = {name for template in chosen for name in template.get("extra_vars", {})}
        assert {"sky_class", "sky_confirm", "sky_disruption", "sky_full", "sky_replace", "sky_stop"} <= said() & read
        assert (said() & read) - asked - fixed == set()


def projects() -> list[dict[str, Any]]:
    """The templates whose playbooks work on a cluster that answers describe."""
    return [template for template in templates() if any(question["variable"] == f"{PREFIX}{NAME}" for question in questions(template))]


def works_from_files() -> list[dict[str, Any]]:
    """The templates that ask for the inventory of a cluster."""
    return [template for template in templates() if template.get("ask_inventory_on_launch")]


def called_by(template: Mapping[str, Any]) -> list[str]:
    """The playbooks of the collection that a template runs."""
    return re.findall(r"import_playbook: sky\.clusters\.(\w+)", (PROJECT / template["playbook"]).read_text(encoding="utf-8"))


def own_questions(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The questions that are not about the cluster file."""
    return [question for question in questions(template) if not question["variable"].startswith(PREFIX)]


def test_what_is_done_with_answers_is_done_with_a_cluster_file_of_the_project() -> None:
    """By a template that asks for the inventory and the same, but for what the file says."""
    from_files = {tuple(called_by(template)): template for template in works_from_files()}
    assert len(from_files) == len(works_from_files()) == len(projects())
    for template in projects():
        own = from_files[tuple(called_by(template)[1:])]
        assert called_by(template)[0] == "answers"
        assert questions(own) == own_questions(template)
        assert own.get("extra_vars") == template.get("extra_vars")
        assert own["credentials"] == template["credentials"]
        assert own.get("forks") == template.get("forks")


def needed_by(template: Mapping[str, Any]) -> set[str]:
    """The roles that the playbooks of a template refuse to be without."""
    return {role for playbook in called_by(template) for role in re.findall(r"'(\w+)' not in \(sky_pools", imported(playbook))}


@pytest.mark.parametrize("template", projects(), ids=lambda template: str(template["name"]))
def test_each_question_is_one_of_its_playbook_or_its_offers(template: Mapping[str, Any]) -> None:
    text = (PROJECT / template["playbook"]).read_text(encoding="utf-8")
    assert text.index("sky.clusters.answers") < text.rindex("import_playbook")
    asked = {question["variable"]: question for question in questions(template)}
    kinds = asked.pop(f"{PREFIX}{OFFER}")
    assert set(kinds["choices"]) <= set(offers())
    assert not kinds["required"]  # a cluster that exists has its kind; a form would send a wrong one
    assert asked.pop(f"{PREFIX}{NAME}")["required"]
    answers = {name.removeprefix(PREFIX) for name in asked if name.startswith(PREFIX)}
    for kind in kinds["choices"]:
        assert answers <= set(offers()[kind].answers)
        assert OWNER in answers or OWNER not in offers()[kind].answers  # or nobody could work on the cluster of a colleague
        assert needed_by(template) <= {role for pool in offers()[kind].file["pools"].values() for role in pool["roles"]}
    assert {name for name in asked if not name.startswith(PREFIX)} | set(template.get("extra_vars", {})) <= read_by(template["playbook"])


@pytest.mark.parametrize("template", projects(), ids=lambda template: str(template["name"]))
def test_what_a_survey_sends_is_accepted(template: Mapping[str, Any]) -> None:
    """The defaults, and every choice, with every kind of cluster."""
    sent: dict[str, Any] = {question["variable"]: question.get("default", "") for question in questions(template)} | {f"{PREFIX}{NAME}": "demo"}
    choices = [(question["variable"], choice) for question in questions(template) for choice in question.get("choices", [])]
    (kinds,) = [question["choices"] for question in questions(template) if question["variable"] == f"{PREFIX}{OFFER}"]
    for variable, choice in [("", ""), *choices]:
        variables = sent | {f"{PREFIX}{OFFER}": kinds[0]} | ({variable: choice} if variable else {})
        assert given(variables)[1] == []
        cluster = parse(filled(offers()[variables[f"{PREFIX}{OFFER}"]], given_answers(variables)), option_classes())
        assert cluster.name == "demo"


def test_jobs_of_workflows_and_schedules_have_the_answers_that_they_need() -> None:
    by_name = {template["name"]: questions(template) for template in templates()}
    started = [(schedule["unified_job_template"], schedule["extra_data"]) for schedule in config()["controller_schedules"]]
    for workflow in config()["controller_workflows"]:
        asked = {question["variable"]: "" for question in questions(workflow) if question["required"]}
        started += [(node["unified_job_template"], asked | node.get("extra_data", {})) for node in workflow[NODES] if "unified_job_template" in node]
    assert len(started) > 4
    for name, sent in started:
        assert {question["variable"] for question in by_name[name] if question["required"]} <= set(sent), name
        own = [(question, sent[question["variable"]]) for question in by_name[name] if sent.get(question["variable"])]
        assert all(value in question.get("choices", [value]) for question, value in own), name
    for schedule in config()["controller_schedules"]:
        assert f"{PREFIX}{OWNER}" in schedule["extra_data"]  # a schedule has no user
        assert set(schedule["extra_data"]) <= {question["variable"] for question in by_name[schedule["unified_job_template"]]}


def test_a_request_is_asked_what_the_job_is_asked_that_it_starts() -> None:
    by_name = {template["name"]: template for template in templates()}
    (workflow,) = config()["controller_workflows"]
    assert questions(workflow) == questions(by_name["cluster up"])
    limit = by_name["request limit"]
    (sizes,) = [question["choices"] for question in questions(workflow) if question["variable"] == "answer_size"]
    assert set(limit["extra_vars"]["limit_sizes"]) <= set(sizes)
    text = (PROJECT / limit["playbook"]).read_text(encoding="utf-8")
    asked = {question["variable"] for question in questions(limit)}
    assert asked == set(re.findall(r"\banswer_\w+", text)) <= {question["variable"] for question in questions(workflow)}
    assert set(limit["extra_vars"]) == set(re.findall(r"\blimit_\w+", text))


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, ""),
        ({"answer_workers": "", "answer_size": None}, ""),
        ({"answer_workers": 8, "answer_size": "m1.small"}, ""),
        ({"answer_workers": "9", "answer_size": "m1.small"}, "9 workers are more than 8"),
        ({"answer_size": "m1.large"}, "size m1.large is none of m1.small, m1.medium"),
    ],
)
def test_a_request_above_the_limit_needs_approval(answers: Mapping[str, Any], sentence: str) -> None:
    (limit,) = [template["extra_vars"] for template in templates() if template["name"] == "request limit"]
    command = [str(BIN / "ansible-playbook"), "-i", "localhost,", str(PROJECT / "limit.yml"), "-e", json.dumps(limit | dict(answers))]
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=90)
    assert (done.returncode == 2) is bool(sentence), done.stdout + done.stderr
    assert sentence in done.stdout


def told(playbook: Path) -> Iterator[str]:
    """The keys of the result that the tasks of a playbook publish."""
    for play in yaml.safe_load(playbook.read_text(encoding="utf-8")):
        for task in play.get("tasks", []):
            result = task.get("sky.clusters.tell", {}).get("result", {})
            yield from result if isinstance(result, dict) else re.findall(r"'(\w+)':", result)


def test_all_of_the_result_is_documented() -> None:
    guide = (tree.ROOT / "docs/docsite/rst/guide_awx.rst").read_text(encoding="utf-8")
    table = guide.partition(".. artifact\n")[2].partition("\n\nA job of")[0]
    documented = {name for line in re.findall(r"^   \* - (.*)$", table, re.MULTILINE) for name in re.findall(r"``(\w+)``", line)}
    keys = {path.stem: set(told(path)) for path in (tree.ROOT / "playbooks").glob("*.yml")}
    assert {"cluster", "nodes", "ready"} <= set().union(*keys.values()) <= documented
    assert {name: keys[name] - {"cluster"} for name in ("usage", "costs", "spark_jobs")} == {
        "usage": {"totals", "usage"},
        "costs": {"totals"},
        "spark_jobs": {"jobs"},
    }


SITE = dict.fromkeys(("aap_hostname", "aap_token", "sky_project_url", "sky_image", "sky_private_key", "sky_clouds_yaml"), "x")


def load(folder: Path, site: Mapping[str, Any]) -> str:
    """What the loader says that a run can read without the collections that it calls; with all variables it fails for want of these."""
    command = [str(BIN / "ansible-playbook"), "-i", "localhost,", str(folder / "load_aap.yml"), "-e", json.dumps(site)]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False, timeout=90)  # where its ansible.cfg is
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("missing", sorted(SITE))
def test_a_variable_that_a_site_lacks_is_named_before_anything_is_loaded(missing: str) -> None:
    """By the loader that a run can read without the collections that it calls; the other one begins with the same file."""
    said = load(AWX, {name: value for name, value in SITE.items() if name != missing})
    named = "aap_token, or aap_username and aap_password" if missing == "aap_token" else missing
    assert re.findall(r'"msg": "(.*?): must be set in the file of -e @site.yml"', said) == [named]
    plays = [yaml.safe_load((AWX / name).read_text(encoding="utf-8"))[0] for name in ("load.yml", "load_aap.yml")]
    assert [task["ansible.builtin.import_tasks"] for play in plays for task in play["pre_tasks"]] == ["check_site.yml"] * 2


def test_what_a_site_writes_into_the_configuration_is_asked_for_if_it_is_a_variable_without_a_default(tmp_path: Path) -> None:
    """A password may be in a vault, and text for AWX !unsafe."""
    folder = Path(shutil.copytree(AWX, tmp_path / "awx"))
    own = [
        'inputs: {username: git, ssh_key_data: "{{ lookup(\'file\', site_key_file) }}", password: "{{site_git_password}}"}',
        "description: \"{{ site_words | default('git') }} {{ site_more|d('x') }}\" # or {{ site_comment }}",
        "hidden: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      3331",
        "shown: !unsafe '{{ site_text }}'",
    ]
    with (folder / "config/access.yml").open("a", encoding="utf-8") as access:
        access.write("\n    ".join(["\n  # {{ site_forgotten }}\n  - name: sky git", "organization: sky", *own]) + "\n")
    login = {"aap_username": "ada", "aap_password": "x"}
    site = {name: value for name, value in SITE.items() if name != "aap_token"} | login
    assert re.findall(r'"msg": "(\w+): must be set', load(folder, site)) == ["site_git_password"]
    said = load(folder, site | {"site_git_password": "x"})
    assert "must be set" not in said
    assert "infra.aap_configuration" in said  # the first thing that it lacks
