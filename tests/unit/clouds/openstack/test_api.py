# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls over real HTTP: logging in, pages, and everything that a cloud may answer instead."""

from __future__ import annotations

import os
import re
import socket
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openstack.config
import pytest
import yaml
from openstack.config import loader

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import CloudError, Denied, Invalid, Shortage, Unavailable
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack import _api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._api import COMPUTE, IMAGE, NETWORK, VOLUME, Api
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._errors import Missing, translated
from ansible_collections.sky.clusters.plugins.module_utils._clouds.openstack._options import OpenStackOptions
from ansible_collections.sky.clusters.tests.unit.clouds.openstack.little_cloud import (
    PASSWORD,
    PROJECT,
    TOKEN,
    Answer,
    LittleCloud,
    Request,
    clouds_yaml,
    recorded,
    running,
)

Options = Callable[..., OpenStackOptions]
FIRST_SETTINGS = "dXNlcg=="
URL = {"auth_url": "http://127.0.0.1:9/v3"}
USER = {"username": "skyg", "password": "p"}
CREDENTIAL = {"application_credential_id": "77"}
HTML = "<html><head><title>500 Internal Server Error</title></head><body><h1>Oops</h1>\n<p>The server could not.</p></body></html>"


def configured(**clouds: Any) -> None:
    """Write the test's clouds.yaml anew."""
    Path(os.environ["OS_CLIENT_CONFIG_FILE"]).write_text(yaml.safe_dump({"clouds": clouds}), encoding="utf-8")


# lists


@pytest.mark.parametrize(
    ("service", "path", "key", "following"),
    [
        (COMPUTE, "/servers/detail", "servers", lambda link: {"servers_links": [{"rel": "next", "href": link}]}),
        (NETWORK, "/ports", "ports", lambda link: {"ports_links": [{"rel": "previous", "href": "x"}, {"rel": "next", "href": link}]}),
        (VOLUME, "/volumes/detail", "volumes", lambda link: {"volumes_links": [{"rel": "next", "href": link}]}),
        (IMAGE, "/images", "images", lambda _link: {"next": "/v2/images?marker=m&limit=2&kind=a&kind=b"}),
    ],
)
def test_pages_are_followed_to_the_end(cloud: LittleCloud, api: Api, service: str, path: str, key: str, following: Callable[[str], Any]) -> None:
    link = "http://somewhere.else:8774/v2.1/list?marker=m&limit=2&kind=a&kind=b"
    pages = [{key: [{"id": "1"}, {"id": "2"}]} | following(link), {key: [{"id": "3"}]} | following(link), {key: []}]
    cloud.answers("GET", service, path, *map(Answer, pages))
    assert [item["id"] for item in api.all(service, path, key, kind=["a", "b"])] == ["1", "2", "3"]
    first, second, third = cloud.asked("GET", service, path)
    assert "marker" not in first.query
    assert {"marker": "m", "limit": "2"}.items() <= second.query.items() == third.query.items()
    assert first.query["kind"] == second.query["kind"] == "b"  # the last of both


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer('{"servers": [{"id": "1"}, {"id"'), "compute GET /servers: the answer is not JSON"),
        (Answer("<html>Welcome to nginx!</html>", headers={"Content-Type": "text/html"}), "compute GET /servers: the answer is not JSON"),
        (Answer({"flavors": []}), "compute GET /servers: the answer is not a list of servers"),
        (Answer({"servers": None}), "compute GET /servers: the answer is not a list of servers"),
        (Answer({"servers": {"id": "1"}}), "compute GET /servers: the answer is not a list of servers"),
        (Answer([]), "compute GET /servers: the answer is not a list of servers"),
        (Answer(None), "compute GET /servers: the answer is not a list of servers"),
        (Answer({"servers": [{"id": "1"}] * 50}, cut=True), "compute GET /servers: "),
        (Answer(reset=True), "compute GET /servers: "),
    ],
)
def test_a_list_that_is_cut_short_is_no_list(cloud: LittleCloud, api: Api, answer: Answer, sentence: str) -> None:
    """Neither on the first page, nor on a later one."""
    page = Answer({"servers": [{"id": "0"}], "servers_links": [{"rel": "next", "href": "http://x/?marker=0"}]})
    cloud.answers("GET", COMPUTE, "/servers", answer, page, answer)
    for _page in (1, 2):
        with pytest.raises(Unavailable) as raised:
            list(api.all(COMPUTE, "/servers", "servers"))
        assert str(raised.value).startswith(sentence)
        assert raised.value.retry_after is None
    assert len(cloud.asked("GET", COMPUTE)) == 3  # and none is asked for again here


@pytest.mark.parametrize("answer", [{}, {"server": None}, {"server": {}}, {"server": "x"}, {"servers": [{"id": "1"}]}, [], None])
def test_an_answer_without_its_thing_is_none(cloud: LittleCloud, api: Api, answer: Any) -> None:
    cloud.answers("GET", COMPUTE, "/servers/1", Answer(answer))
    cloud.answers("POST", COMPUTE, "/servers", Answer(answer), Answer({"server": {"name": "a"}}), Answer({"server": {"id": "1"}}))
    with pytest.raises(Unavailable, match=r"^compute GET /servers/1: the answer has no server$"):
        api.one(COMPUTE, "/servers/1", "server")
    with pytest.raises(Unavailable, match=r"^compute POST /servers: the answer has no server$"):
        api.made(COMPUTE, "/servers", {}, "server")
    with pytest.raises(Unavailable, match=r"^compute POST /servers: the answer does not say what was created$"):
        api.made(COMPUTE, "/servers", {}, "server")
    assert api.made(COMPUTE, "/servers", {}, "server") == {"id": "1"}


@pytest.mark.parametrize("answer", [[], {}, None])
def test_an_image_is_the_answer_itself(cloud: LittleCloud, api: Api, answer: Any) -> None:
    cloud.answers("GET", IMAGE, "/images/1", Answer(answer), Answer({"id": "1"}))
    with pytest.raises(Unavailable, match=r"^image GET /images/1: the answer has no content$"):
        api.one(IMAGE, "/images/1", "")
    assert api.one(IMAGE, "/images/1", "") == {"id": "1"}


# refusals


PAUSES = [
    (Answer({"overLimit": {"code": 429, "message": "slow down"}}, 429, {"Retry-After": "77"}), 77.0),
    (Answer({"overLimit": {"code": 413, "message": "This request was rate-limited."}}, 413, {"Retry-After": "12"}), 12.0),
    (Answer("", 429), None),
    (Answer({"error": "busy"}, 503, {"Retry-After": "5"}), 5.0),
    (Answer("", 503, {"Retry-After": "Fri, 31 Dec 2032 23:59:59 GMT"}), None),  # by a clock that is not ours
    (Answer(HTML, 500, {"Content-Type": "text/html", "Retry-After": "9"}), None),
    (Answer("", 502), None),
    (Answer("", 504), None),
]


@pytest.mark.parametrize("verb", ["get", "post", "put", "delete"])
def test_what_may_be_asked_again(cloud: LittleCloud, api: Api, verb: str) -> None:
    cloud.answers(verb.upper(), NETWORK, "/ports", *(answer for answer, _pause in PAUSES))
    for answer, pause in PAUSES:
        with pytest.raises(Unavailable) as raised:
            getattr(api, verb)(NETWORK, "/ports", **({"body": {"port": {}}} if verb in ("post", "put") else {}))
        assert raised.value.retry_after == pause
        assert str(raised.value).startswith(f"network {verb.upper()} /ports: ")
        assert "<" not in str(raised.value)
        assert str(answer.status) in str(raised.value)
    assert len(cloud.asked(verb.upper(), NETWORK)) == len(PAUSES)


def test_the_words_of_a_page_for_browsers_are_read(cloud: LittleCloud, api: Api) -> None:
    cloud.answers("GET", COMPUTE, "/limits", Answer(HTML, 500))
    with pytest.raises(Unavailable, match=r"^compute GET /limits: 500 Internal Server Error Oops The server could not. \(500\)$"):
        api.get(COMPUTE, "/limits")


def test_a_token_that_is_refused_is_renewed_and_then_reported(cloud: LittleCloud, api: Api) -> None:
    unauthorized = Answer({"error": {"code": 401, "message": "The request you have made requires authentication."}}, 401)
    cloud.answers("GET", COMPUTE, "/limits", unauthorized, Answer({"limits": {}}), *[unauthorized] * 4)
    assert api.get(COMPUTE, "/limits") == {"limits": {}}
    assert len(cloud.logins) == 2
    with pytest.raises(Denied, match=r"^compute GET /limits: The request you have made requires authentication. \(401\); logged in as user 'skyg'"):
        api.get(COMPUTE, "/limits")


def test_a_token_that_is_refused_to_several_calls_at_once_is_renewed_for_all(cloud: LittleCloud, api: Api) -> None:
    at_once = threading.Barrier(3, timeout=20)
    refused: list[str] = []

    def refuse(request: Request) -> Answer | None:
        with cloud.lock:
            known = request.path in refused
            refused.append(request.path)
        if known:
            return Answer({"limits": {}})
        return Answer(status=401)

    paths = ("/limits", "/flavors", "/servers")
    for path in paths:
        cloud.reacts("GET", COMPUTE, path, refuse)
    api.access()

    def ask(path: str) -> Any:
        at_once.wait()
        return api.get(COMPUTE, path)

    for _round in range(10):
        refused.clear()
        with ThreadPoolExecutor(max_workers=3) as pool:
            assert list(pool.map(ask, paths)) == [{"limits": {}}] * 3


def test_a_wrong_password_is_reported_by_the_first_call_whatever_it_is(cloud: LittleCloud, options: Options) -> None:
    entry = clouds_yaml(cloud, password="wrong-one-77")["clouds"]["little"]
    configured(little=entry)
    calls: list[Callable[[Api], Any]] = [Api.access, lambda api: api.get(NETWORK, "/ports"), lambda api: api.get(COMPUTE, "/limits")]
    for call in calls:
        with pytest.raises(Denied) as raised:
            call(Api(options()))
        told = f": the identity service does not accept user 'skyg' of project 'skyg' at {cloud.url}/v3: The request you have made requires"
        assert re.match(rf"^(logging in|network GET /ports|compute GET /limits){re.escape(told)}", str(raised.value))
        assert "wrong-one-77" not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401),
        Answer(HTML, 500),
        Answer("", 503),
        Answer(reset=True),
        Answer({"x": 1}, cut=True),
        Answer("no JSON"),
        recorded("nova_400_flavor"),
        recorded("nova_404"),
        recorded("nova_409"),
        recorded("nova_quota"),
        recorded("nova_403"),
    ],
)
@pytest.mark.parametrize("where", ["logging in", "asking"])
def test_no_error_shows_a_secret(cloud: LittleCloud, api: Api, answer: Answer, where: str) -> None:
    if where == "logging in":
        cloud.login = answer
    cloud.answers("POST", COMPUTE, "/servers", answer, answer)
    with pytest.raises(CloudError) as raised:
        api.post(COMPUTE, "/servers", {"server": {"user_data": FIRST_SETTINGS}})
    told = "".join(traceback.format_exception(raised.value))
    assert [word for word in (PASSWORD, TOKEN, FIRST_SETTINGS) if word in told] == []
    assert str(raised.value).startswith("compute POST /servers: ")
    assert "\n" not in str(raised.value)


def test_what_is_gone_already_is_deleted(cloud: LittleCloud, api: Api) -> None:
    cloud.answers("DELETE", VOLUME, "/volumes/1", recorded("cinder_404"), Answer(None, 202), recorded("cinder_400_in_use"))
    api.delete(VOLUME, "/volumes/1")
    api.delete(VOLUME, "/volumes/1")
    with pytest.raises(Invalid, match="Volume status must be available"):
        api.delete(VOLUME, "/volumes/1")


def test_refusals_come_as_what_they_are(cloud: LittleCloud, api: Api) -> None:
    cloud.answers("POST", COMPUTE, "/servers", recorded("nova_quota"))
    cloud.answers("GET", IMAGE, "/images/1", recorded("glance_404"))
    with pytest.raises(Shortage, match="Requested 1, but already used 6 of 3 instances"):
        api.post(COMPUTE, "/servers", {})
    with pytest.raises(Missing, match="No image found with ID"):
        api.get(IMAGE, "/images/1")


# logging in


@pytest.mark.parametrize(("status", "kind"), [(429, Unavailable), (503, Unavailable), (500, Unavailable), (403, Denied), (404, CloudError)])
def test_a_login_that_is_refused(cloud: LittleCloud, api: Api, status: int, kind: type[CloudError]) -> None:
    cloud.login = Answer({"error": {"message": "not now"}}, status, {"Retry-After": "9"})
    with pytest.raises(CloudError, match=rf"^logging in: user 'skyg' of project 'skyg' at {cloud.url}/v3: ") as raised:
        api.access()
    assert raised.type is kind
    assert getattr(raised.value, "retry_after", None) == (9 if kind is Unavailable else None)


def test_many_threads_log_in_once(cloud: LittleCloud, api: Api) -> None:
    cloud.holds(COMPUTE, "servers", {"id": "1", "name": "a"})
    cloud.holds(NETWORK, "ports")
    services = [(COMPUTE, "/servers", "servers"), (NETWORK, "/ports", "ports")] * 10
    at_once = threading.Barrier(20)

    def ask(where: tuple[str, str, str]) -> int:
        at_once.wait(30)
        return len(list(api.all(*where)))

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(ask, services))
    assert found == [1, 0] * 10
    assert len(cloud.logins) == 1
    assert api.calls == {"compute GET": 10, "network GET": 10}


def test_versions_and_places_are_those_that_the_services_want(cloud: LittleCloud, api: Api) -> None:
    for service, path in ((COMPUTE, "/limits"), (VOLUME, "/limits"), (NETWORK, "/ports"), (IMAGE, "/images")):
        cloud.answers("GET", service, path, Answer({}))
        assert api.get(service, path) == {}
    versions = {found.service: found.headers.get("OpenStack-API-Version", "") for found in cloud.requests}
    assert versions == {COMPUTE: "compute 2.52", VOLUME: "volume 3.42", NETWORK: "", IMAGE: ""}
    assert all(found.headers["X-Auth-Token"] == f"{TOKEN}-1" for found in cloud.requests)
    assert all("sky.clusters" in found.headers["User-Agent"] for found in cloud.requests)


@pytest.mark.parametrize("endpoint", ["/network", "/network/", "/network/v2.0", "/network/v2.0/"])
def test_the_network_service_s_version_is_added_where_its_entry_has_none(cloud: LittleCloud, options: Options, endpoint: str) -> None:
    configured(little=clouds_yaml(cloud)["clouds"]["little"] | {"network_endpoint_override": f"{cloud.url}{endpoint}"})
    cloud.holds(NETWORK, "ports", {"id": "1"})
    assert list(Api(options()).all(NETWORK, "/ports", "ports")) == [{"id": "1"}]


def test_who_is_logged_in(api: Api) -> None:
    access = api.access()
    assert (access.username, access.project_id) == ("skyg", PROJECT)


def test_the_time_is_the_cloud_s(cloud: LittleCloud, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on from the first login, whatever call that was for, and whatever is renewed later."""
    passed = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(_api, "time", SimpleNamespace(monotonic=lambda: passed.seconds))
    began = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    cloud.holds(NETWORK, "ports")
    assert list(api.all(NETWORK, "/ports", "ports")) == []
    passed.seconds += 20
    assert api.now() == began + timedelta(seconds=20)
    passed.seconds += 10
    cloud.issued = "2035-01-01T00:00:00.000000Z"
    api.access()
    assert api.now() == began + timedelta(seconds=30)


def test_a_token_that_the_sdk_kept_is_no_clock(cloud: LittleCloud, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have been issued long ago: who wants the time logs in for it, once."""
    kept: dict[tuple[str, str], str] = {}
    ring = SimpleNamespace(get_password=lambda *name: kept.get(name), set_password=lambda group, name, text: kept.update({(group, name): text}))
    monkeypatch.setattr("openstack.config.cloud_region.keyring", ring)
    file = Path(os.environ["OS_CLIENT_CONFIG_FILE"])
    file.write_text(yaml.safe_dump(clouds_yaml(cloud) | {"cache": {"auth": True}}), encoding="utf-8")
    earlier = openstack.config.get_cloud_region(cloud="little")
    earlier.get_session().get_token()
    earlier.set_auth_cache()
    cloud.issued = "2031-05-06T19:00:00.000000Z"
    cloud.holds(NETWORK, "ports")
    api = Api(options())
    assert list(api.all(NETWORK, "/ports", "ports")) == []
    assert [found.headers["X-Auth-Token"] for found in cloud.requests] == [f"{TOKEN}-1"]
    first = api.now()
    assert api.now() >= first >= datetime(2031, 5, 6, 19, tzinfo=UTC)
    assert len(cloud.logins) == 2


# what a user may have got wrong


@pytest.mark.parametrize(
    ("clouds", "cloud_name", "sentence"),
    [
        ({"other": {}, "next": {}}, "nowhere", r"^opening cloud 'nowhere': there is no entry 'nowhere'; \S+/clouds.yaml has: next, other$"),
        ({}, "nowhere", r"there is no entry 'nowhere'; \S+/clouds.yaml has: none$"),
        ({}, "", r"^opening the cloud of the OS_\* variables: no entry is chosen by 'cloud' or OS_CLOUD, .* has: none$"),
        ({"other": {}, "next": {}}, "", r"no entry is chosen by 'cloud' or OS_CLOUD, and OS_AUTH_URL is not set; \S+/clouds.yaml has: next, other$"),
        ({"little": {"auth": {"username": "skyg"}}}, "little", r"lacks auth_url \(under auth\)$"),
        ({"little": {}}, "little", r"the entry 'little' of \S+/clouds.yaml lacks auth_url \(under auth\)$"),
        ({"little": {"auth": URL | {"username": "skyg"}}}, "little", r"the entry 'little' of \S+/clouds.yaml lacks password \(under auth\)$"),
        ({"little": {"auth": URL}}, "little", r"lacks username or user_id and password \(under auth\)$"),
        ({"little": {"auth": URL, "auth_type": "v3password"}}, "little", r"lacks password \(under auth\)$"),
        ({"little": {"auth": URL, "auth_type": "v3token"}}, "little", r"lacks token \(under auth\)$"),
        ({"little": {"auth": URL | CREDENTIAL, "auth_type": "v3applicationcredential"}}, "little", r"the entry 'little' of .* an auth secret"),
        ({"little": {"auth": URL | CREDENTIAL}}, "little", r"the entry 'little' of .*: its auth_type does not take application_credential_id$"),
        ({"little": {"auth": USER | {"auth_url": "keystone:5000"}}}, "little", r"clouds.yaml: auth_url must be an address such as https://"),
        ({"little": {"auth_type": "nosuch"}}, "little", r"nosuch"),
        ({"little": 5}, "little", r"^opening cloud 'little': the entry 'little' of \S+/clouds.yaml cannot be used"),
        ({"little": {"auth": 5}}, "little", r"^opening cloud 'little': "),
    ],
)
def test_a_wrong_clouds_yaml_is_reported_in_a_sentence(
    cloud: LittleCloud, options: Options, clouds: dict[str, Any], cloud_name: str, sentence: str
) -> None:
    assert cloud.url
    configured(**clouds)
    with pytest.raises(CloudError, match=sentence) as raised:
        Api(options(cloud=cloud_name)).access()
    assert not isinstance(raised.value, Unavailable)  # nothing that asking again could mend
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("clouds.yaml", "clouds:\n  little:\n    auth: {password: *the-secret}\n", " at line 3, column 22"),
        ("clouds.yaml", "clouds:\n  little: [\n", " at line 3, column 1"),
        ("clouds.yaml", "clouds: \0", ""),
        ("clouds.json", '{"clouds":\n {"little": {"password": the-secret}}}', " at line 2, column 26"),
        ("secure.yaml", "clouds: {little: {auth: {password: !the-secret x}}}", " at line 1, column 36"),
    ],
)
def test_a_broken_file_is_reported_with_its_place_and_none_of_its_words(
    cloud: LittleCloud, options: Options, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str, place: str
) -> None:
    """The SDK goes on as if it was not there: without the cloud, or without its password."""
    assert cloud.url
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE" if name == "secure.yaml" else "OS_CLIENT_CONFIG_FILE", str(file))
    with pytest.raises(Invalid) as raised:
        Api(options()).access()
    assert str(raised.value) == f"opening cloud 'little': {file} is broken{place}"
    assert "the-secret" not in "".join(traceback.format_exception(raised.value))
    file.unlink()
    if name == "secure.yaml":
        Api(options()).access()  # nothing of it is remembered


def test_without_a_file_the_places_that_were_searched_are_told(cloud: LittleCloud, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cloud.url
    file = Path(os.environ["OS_CLIENT_CONFIG_FILE"])
    file.unlink()
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(file.parent / "a" / "clouds.yaml"), str(file.parent / "b" / "clouds.yaml")])
    searched = f"there is no clouds.yaml in {file.parent}/a, {file.parent}/b, and no file {file} (OS_CLIENT_CONFIG_FILE)"
    for name, sentence in {"little": "cloud 'little': there is no entry 'little'", "": "no entry is chosen by 'cloud' or OS_CLOUD"}.items():
        with pytest.raises(Invalid) as raised:
            Api(options(cloud=name)).access()
        assert sentence in str(raised.value)
        assert str(raised.value).endswith(searched)


def test_an_error_of_no_kind_is_the_sdk_s_and_a_bug_stays_one() -> None:
    with pytest.raises(Invalid, match=r"^logging in: passcode is a required attribute$"), translated("logging in"):
        raise Exception("passcode is a required attribute")
    with pytest.raises(KeyError), translated("logging in"):
        raise KeyError("name")


def test_variables_that_are_not_enough_are_named(cloud: LittleCloud, options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", f"{cloud.url}/v3")
    with pytest.raises(Invalid, match=r": the environment \(OS_\*\) lacks OS_USERNAME or OS_USER_ID and OS_PASSWORD$"):
        Api(options(cloud="")).access()


def test_a_region_that_is_not_there_is_reported(cloud: LittleCloud, options: Options) -> None:
    assert cloud.url
    with pytest.raises(Invalid, match=r"^opening cloud 'little': Region RegionTwo is not .* choices are RegionOne"):
        Api(options(region="RegionTwo")).get(COMPUTE, "/limits")


def test_a_service_that_is_not_there_is_reported(cloud: LittleCloud, options: Options) -> None:
    assert cloud.url
    configured(little=clouds_yaml(cloud)["clouds"]["little"] | {"block_storage_service_name": "cinder-of-another-world"})
    with pytest.raises(Invalid, match=r"^block-storage GET /limits: "):
        Api(options()).get(VOLUME, "/limits")


@pytest.mark.parametrize("path", ["/v3", ""])  # without a version the SDK asks for it first
def test_a_cloud_that_is_not_there_may_come_back(cloud: LittleCloud, options: Options, path: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
    configured(little=clouds_yaml(cloud, auth_url=f"http://me:the-secret@{place}{path}")["clouds"]["little"])
    with pytest.raises(Unavailable, match=rf"^logging in: no answer from http://{place}{path}\S*: Connection refused$"):
        Api(options()).access()


def test_a_host_without_an_address_is_named(cloud: LittleCloud, options: Options) -> None:
    configured(little=clouds_yaml(cloud, auth_url="http://nowhere.invalid:5000/v3")["clouds"]["little"])
    with pytest.raises(Unavailable, match=r"^logging in: no answer from http://nowhere.invalid:5000/v3\S*: [^()]*([Nn]ame|resolution)[^()]*$"):
        Api(options()).access()


def test_what_is_no_tls_is_no_silence(cloud: LittleCloud, options: Options) -> None:
    address = cloud.url.replace("http", "https")
    for path in ("/v3", ""):
        configured(little=clouds_yaml(cloud, auth_url=f"{address}{path}")["clouds"]["little"])
        with pytest.raises(Invalid, match=rf"^logging in: no answer from {address}\S*: \[SSL"):
            Api(options()).access()
    configured(little=clouds_yaml(cloud, auth_url=f"{address}/v3")["clouds"]["little"] | {"cacert": "/nowhere/ca.pem"})
    with pytest.raises(Invalid, match=r"^logging in: .*/nowhere/ca.pem"):
        Api(options()).access()


def test_one_that_goes_away_may_come_back(api: Api, cloud: LittleCloud, options: Options) -> None:
    with running() as other:
        configured(little=clouds_yaml(other)["clouds"]["little"])
        other.holds(NETWORK, "ports")
        gone = Api(options())
        assert list(gone.all(NETWORK, "/ports", "ports")) == []
    with pytest.raises(Unavailable, match=rf"^network GET /ports: no answer from {other.url}\S*/ports: Connection refused$"):
        list(gone.all(NETWORK, "/ports", "ports"))
    assert (api.calls, cloud.logins) == ({}, [])
