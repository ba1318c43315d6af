# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where credentials and addresses come from, and what is said when they are missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Invalid, Scope
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._addresses import ONED
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._credentials import (
    ENDPOINTS,
    FROM_OPTIONS,
    MARKETPLACE,
    Gateway,
    access,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._options import InstanceType
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import Site
from ansible_collections.sky.clusters.tests.support.stratuslab_bench import options_of

from .conftest import spec

FILE = """\
[default]
endpoint = cloud.lal.example.org
username = jane
password = per%cent
selected_section = grid
pem_key = %(home)s/nothing

[grid]
endpoint = https://cloud.grid.example.org/one-proxy/xmlrpc
pdisk_endpoint = https://pdisk.grid.example.org/pdisk/

[plain]
marketplace_endpoint = http://mp.example.org/

[instance_types]
big = 8, 16384, 0
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "user.cfg"
    path.write_text(FILE, encoding="utf-8")
    return str(path)


def options(**more: object) -> StratusLabOptions:
    return StratusLabOptions(image="x", **more)  # type: ignore[arg-type]


def test_the_selected_section_overrides_the_default_one(file: str) -> None:
    found = access(options(user_file=file), {})
    assert found.machines == "https://cloud.grid.example.org/one-proxy/pswd/xmlrpc"
    assert found.disks == "https://pdisk.grid.example.org/pdisk/pswd"
    assert found.marketplace == "https://marketplace.stratuslab.eu"
    assert (found.login.session, found.login.kind) == ("jane:per%cent", "pswd")  # values are not expanded
    assert found.types["big"] == InstanceType(8, 16384, 0)
    assert found.types["m1.small"] == InstanceType(1, 1536, 1536)


def test_another_section_is_chosen_by_the_cluster_file_or_the_environment(file: str) -> None:
    for found in (access(options(user_file=file, section="plain"), {}), access(options(user_file=file), {"STRATUSLAB_USER_CONFIG_SECTION": "plain"})):
        assert found.machines == "https://cloud.lal.example.org:2634/pswd/xmlrpc"
        assert found.disks == "https://cloud.lal.example.org:8445/pswd"
        assert found.marketplace == "http://mp.example.org"


def test_the_cluster_file_wins_over_the_environment_and_that_over_the_user_file(file: str) -> None:
    environment = {"STRATUSLAB_ENDPOINT": "env.example.org", "STRATUSLAB_USERNAME": "bob", "STRATUSLAB_PDISK_ENDPOINT": "env.example.org"}
    found = access(options(user_file=file, endpoint="file.example.org"), environment)
    assert found.machines == "https://file.example.org:2634/pswd/xmlrpc"
    assert (found.login.username, found.disks) == ("bob", "https://env.example.org:8445/pswd")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_on_the_front_end_oned_is_called_itself(file: str, host: str) -> None:
    found = access(options(user_file=file, endpoint=host), {})
    assert (found.machines, found.direct) == (ONED, True)


def test_a_certificate_is_used_where_there_is_no_password(tmp_path: Path) -> None:
    pem = tmp_path / "proxy.pem"
    pem.touch()
    found = access(options(endpoint="https://h/one-proxy/xmlrpc"), {"STRATUSLAB_PEM_CERTIFICATE": str(pem), "STRATUSLAB_PEM_KEY": str(pem)})
    assert (found.machines, found.login.session) == ("https://h/one-proxy/cert/xmlrpc", "dummy:pass")
    assert found.disks == "https://h/one-proxy/xmlrpc/cert"


def test_port_translation_is_of_the_cluster_file_or_the_user_file(file: str) -> None:
    assert access(options(user_file=file), {}).ports is None
    here = access(options(user_file=file, port_translation=True, pat_gateway_host="gate.example.org"), {}).ports
    assert here == Gateway("cloud.grid.example.org", "gate.example.org")


ADDRESSES = {  # endpoint, pdisk_endpoint, marketplace_endpoint: where the services are
    "a host": (
        ("h", "d", "m"),
        ("https://h:2634/pswd/xmlrpc", "https://d:8445/pswd", "https://m"),
    ),
    "a host with a port": (
        ("h:1", "d:2", "m:3"),
        ("https://h:1/pswd/xmlrpc", "https://d:2/pswd", "https://m:3"),
    ),
    "a host whose port is not that of its disks": (("h:1", "", ""), ("https://h:1/pswd/xmlrpc", "https://h:8445/pswd", MARKETPLACE)),
    "a host whose name begins as an address does": (("httpd.example.org", "", ""), (
        "https://httpd.example.org:2634/pswd/xmlrpc", "https://httpd.example.org:8445/pswd", MARKETPLACE,
    )),
    "an address of IPv6": (("[::1]", "[::1]:2", ""), ("https://[::1]:2634/pswd/xmlrpc", "https://[::1]:2/pswd", MARKETPLACE)),
    "without https": (
        ("h/one-proxy/xmlrpc", "d/pdisk/", "m/mp/"),
        ("https://h/one-proxy/pswd/xmlrpc", "https://d/pdisk/pswd", "https://m/mp"),
    ),
    "whole": (
        ("https://h:1/one-proxy/xmlrpc", "http://d:2/pdisk", "http://m:3/"),
        ("https://h:1/one-proxy/pswd/xmlrpc", "http://d:2/pdisk/pswd", "http://m:3"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses_are_completed(file: str, name: str) -> None:
    written, expected = ADDRESSES[name]
    found = access(options(user_file=file, section="default", **dict(zip(ENDPOINTS, written, strict=True))), {})
    assert (found.machines, found.disks, found.marketplace) == expected


WRONG = {
    "https://h:99999/x": "its port must be a number up to 65535",
    "https://h:8a/x": "its port must be a number up to 65535",
    "h:2634:2634": "its port must be a number up to 65535",
    "https://[::1/x": "Invalid IPv6 URL",
    "https:///x": "it names no host",
    "ftp://h/x": "only http and https are possible",
}


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("key", FROM_OPTIONS)
def test_an_address_that_is_none_is_refused_with_its_place(file: str, key: str, text: str) -> None:
    variable, inside = f"STRATUSLAB_{key.upper()}", Path(file)
    reason = rf": '{re.escape(text)}' is not an address: {re.escape(WRONG[text])}$"
    with pytest.raises(Invalid, match=rf"^{key} in the cluster file{reason}"):
        access(options(user_file=file, port_translation=True, **{key: text}), {})
    if key in ENDPOINTS:
        with pytest.raises(Invalid, match=rf"^{key} in {variable}{reason}"):
            access(options(user_file=file), {variable: text})
    inside.write_text(f"[default]\nendpoint = h\nusername = a\npassword = b\nport_translation = yes\n{key} = {text}\n".replace(
        "endpoint = h\n", "" if key == "endpoint" else "endpoint = h\n", 1
    ))  # fmt: skip
    with pytest.raises(Invalid, match=rf"^{key} in user file {re.escape(file)}{reason}"):
        access(options(user_file=file), {})


@pytest.mark.parametrize("endpoint", [f"https://{'a' * 64}.example.org/x", "https://h..example.org/x", "http://127.0.0.1:9/é"])
def test_an_address_that_only_the_library_refuses_is_reported(file: str, endpoint: str) -> None:
    cloud = StratusLabCloud("lal", options(user_file=file, section="default", endpoint=endpoint), Scope("a"))
    with pytest.raises(Invalid, match=rf"^one\.\w+\.info at {re.escape(endpoint.rpartition('/')[0])}"):
        cloud.listing()


BAD = {
    "no file": ({"user_file": "/none/such.cfg"}, None, Invalid, "user_file: /none/such.cfg does not exist"),
    "no section": ({"section": "none"}, FILE, Invalid, r"section: user file .* has no section \[none\]; it has default, grid"),
    "no default section": ({}, "[other]\nendpoint = x\n", Invalid, r"has no section \[default\]"),
    "no endpoint": ({}, "[default]\nusername = x\npassword = y\n", Invalid, "no endpoint: set endpoint"),
    "no credentials": ({}, "[default]\nendpoint = x\n", Denied, "missing credentials: set username and password"),
    "no key": ({}, "[default]\nendpoint = x\npem_certificate = /none.pem\n", Denied, "missing credentials: /none.pem does not exist"),
    "no P12 file": ({}, "[default]\nendpoint = x\np12_certificate = /a.p12\n", Denied, "missing credentials: /a.p12 does not exist"),
    "a wrong instance type": ({}, FILE + "worse = 0, 1, 1\n", Invalid, r"instance type worse in .*: must be cpu, ram, swap .* got '0, 1, 1'"),
    "no syntax": ({}, "endpoint = x\n", Invalid, "cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_missing_or_wrong_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    more, content, kind, reason = BAD[name]
    path = tmp_path / "user.cfg"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    known = {"user_file": str(path)} | more
    with pytest.raises(CloudError, match=reason) as error:
        access(options(**known), {})
    assert error.type is kind
    assert "\n" not in str(error.value)


def test_the_user_file_says_which_type_and_which_method_are_used_by_default(tmp_path: Path) -> None:
    path = tmp_path / "user.cfg"
    path.write_text("[default]\nendpoint = x\nusername = a\npassword = b\ndefault_instance_type = c1.xlarge\ndefault_context_method = one\n")
    found = access(options(user_file=str(path)), {})
    assert (found.default_type, found.context_method) == ("c1.xlarge", "one")
    assert access(options(user_file=str(path), context_method="cloud-init"), {}).context_method == "cloud-init"
    path.write_text(path.read_text().replace("= one", "= two"))
    with pytest.raises(Invalid, match=r"default_context_method in .*user\.cfg: must be cloud-init or one, got 'two'"):
        access(options(user_file=str(path)), {})


def test_a_node_of_the_default_type_is_of_the_type_that_this_means(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "user.cfg"
    site.user_file(file, default_instance_type="m1.large")
    cloud = StratusLabCloud("lal", options_of(site, user_file=str(file), flavor="default"), Scope("a"))
    wanted = spec(cloud)
    list(cloud.create([wanted]))
    (node,) = cloud.listing().nodes
    assert (node.flavor, node.cores, node.memory) == ("m1.large", 2, 6144)
    assert cloud.definitions([wanted])[0].parts["flavor"] == "m1.large"
    list(cloud.delete([node]))
    cloud.dismantle()
    site.user_file(file, default_instance_type="m1.larg")
    cloud = StratusLabCloud("lal", options_of(site, user_file=str(file), flavor="default"), Scope("a"))
    assert cloud.definitions([wanted])[0].unknown == ("unknown instance type 'm1.larg'; did you mean 'm1.large'?",)


def test_a_comment_may_follow_a_value(tmp_path: Path) -> None:
    """As the parser of the old client has it: after a blank, and only with a semicolon."""
    path = tmp_path / "user.cfg"
    path.write_text("[default]\nendpoint = h ; the site\nusername = a;b\npassword = c#d # e ; mine\n[instance_types]\nbig = 8, 16384, 0 ; 1 2\n")
    found = access(options(user_file=str(path)), {})
    assert (found.machines, found.login.session) == ("https://h:2634/pswd/xmlrpc", "a;b:c#d # e")
    assert found.types["big"] == InstanceType(8, 16384, 0)


def test_without_a_word_nodes_are_small_and_use_cloud_init(file: str) -> None:
    found = access(options(user_file=file), {})
    assert (found.default_type, found.context_method) == ("m1.small", "cloud-init")
