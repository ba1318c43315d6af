# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging in: passwords, certificates, and authorities; and what each refusal says."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import socket
import ssl
import urllib.error
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.sky.clusters.plugins.module_utils._clouds._contract import (
    CloudError,
    Denied,
    ImageSpec,
    Invalid,
    Scope,
    Stage,
    Unavailable,
)
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab import StratusLabCloud, StratusLabOptions
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._certificate import files
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._errors import of_status, refused
from ansible_collections.sky.clusters.plugins.module_utils._clouds.stratuslab._pdisk import number, read
from ansible_collections.sky.clusters.tests.clouds.stratuslab.certificates import Authority, Pair
from ansible_collections.sky.clusters.tests.clouds.stratuslab.pdisk import Answer
from ansible_collections.sky.clusters.tests.clouds.stratuslab.site import JANE, Site
from ansible_collections.sky.clusters.tests.support.stratuslab_bench import options_of
from ansible_collections.sky.clusters.tests.unit.clouds.stratuslab.conftest import spec

Opened = Callable[..., StratusLabCloud]


def with_file(site: Site, path: Path, user: str, **more: str) -> StratusLabCloud:
    file = site.user_file(path, user, **more)
    image = site.marketplace.entries[0].identifier
    return StratusLabCloud("lal", StratusLabOptions(image=image, user_file=str(file), ca_file=str(site.authority.file)), Scope("a"))


def test_a_password_logs_in_whatever_it_consists_of(opened: Opened) -> None:
    for user in ("alice", "bob"):  # one with a blank and a quote, one with a colon and an at sign
        cloud = opened(user=user)
        assert (cloud.identity(), cloud.listing().nodes) == (user, ())


def test_a_certificate_logs_in_to_all_services(site: Site, tmp_path: Path) -> None:
    pem = {"pem_certificate": str(site.jane.certificate), "pem_key": str(site.jane.key)}
    cloud = with_file(site, tmp_path / "jane.cfg", "jane", **pem)
    assert cloud.access.machines.endswith("/one-proxy/cert/xmlrpc")
    assert cloud.identity() == "CN_3DJane_Tester_2COU_3DTesting_Department_2CO_3DStratusLab_Project_2CC_3DEU"[:64]
    (event,) = cloud.create([spec(cloud)])
    assert event.stage is Stage.MADE
    (node,) = cloud.listing().nodes
    assert site.oned.vms[int(node.id)].uname == "CN%3DJane+Tester%2COU%3DTesting+Department%2CO%3DStratusLab+Project%2CC%3DEU"
    list(cloud.delete([node]))


def p12(pair: Pair, file: Path, password: str) -> Path:
    """The same certificate and key in one file, as browsers export them."""
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey)
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"me", key, certificate, None, serialization.BestAvailableEncryption(password.encode())))
    return file


def test_a_certificate_of_a_browser_logs_in_and_signs_images(site: Site, tmp_path: Path) -> None:
    file = p12(site.jane, tmp_path / "jane.p12", "secret")
    cloud = with_file(site, tmp_path / "jane.cfg", "jane", p12_certificate=str(file), p12_password="secret")
    assert cloud.listing().nodes == ()
    own = files(cloud.access.signer)
    assert b"ENCRYPTED" in own.key.read_bytes()
    assert own.key.parent.stat().st_mode & 0o077 == 0
    shutil.rmtree(own.key.parent)  # as a forked process does when it ends
    content = tmp_path / "image.raw"
    content.write_bytes(b"image" * 100)
    spec_ = ImageSpec("mine", f"sha256:{hashlib.sha256(content.read_bytes()).hexdigest()}")
    with content.open("rb") as opened_:
        assert cloud.add_image(spec_, opened_).ours
    cloud.delete_image(next(image for image in cloud.images() if image.name == "mine"))


def test_a_file_of_a_browser_that_cannot_be_opened_is_reported_as_such(site: Site, tmp_path: Path) -> None:
    file = p12(site.jane, tmp_path / "jane.p12", "secret")
    cloud = with_file(site, tmp_path / "jane.cfg", "jane", p12_certificate=str(file), p12_password="wrong")
    with pytest.raises(Denied, match=r"^p12_certificate .*jane\.p12 cannot be read with p12_password: "):
        cloud.listing()


def test_a_key_with_a_passphrase_is_refused_and_nobody_waits_for_it(site: Site, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(site.jane.key.read_bytes(), None)
    path = tmp_path / "userkey.pem"
    encryption = serialization.BestAvailableEncryption(b"secret")
    for style in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, style, encryption))
        cloud = with_file(site, tmp_path / "jane.cfg", "jane", pem_certificate=str(site.jane.certificate), pem_key=str(path))
        with pytest.raises(Denied, match=r"^pem_key .*userkey\.pem is encrypted, and a run cannot ask"):
            cloud.listing()
        with pytest.raises(Denied, match="is encrypted"):
            cloud._images._check_signer()


def test_a_wrong_password_is_reported_as_such(site: Site, tmp_path: Path) -> None:
    cloud = with_file(site, tmp_path / "x.cfg", "alice", password="wrong")
    for ask in (cloud.listing, cloud.pdisk.disks):
        with pytest.raises(
            Denied,
            match=rf" at {site.base}/\S+ as user 'alice': .* the credentials \(401 Unauthorized, StratusLab Password Realm\)$",
        ):
            ask()


def test_a_service_that_is_not_there_is_named_with_its_address(site: Site, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"127.0.0.1:{server.getsockname()[1]}"
    for endpoint, why in ((nobody, "Connection refused"), ("nowhere.invalid", "[Nn]ame|resolution")):
        cloud = with_file(site, tmp_path / "x.cfg", "alice", endpoint=f"https://{endpoint}/one", pdisk_endpoint=f"https://{endpoint}/pdisk")
        for ask in (cloud.listing, cloud.pdisk.disks):
            with pytest.raises(Unavailable, match=rf"^\S.* at https://{endpoint}/\S+: .*({why})"):
                ask()


def test_a_disk_service_that_is_elsewhere_is_reported_as_such(site: Site, tmp_path: Path) -> None:
    """Without pdisk_endpoint it is looked for at the endpoint, as by the old client."""
    cloud = with_file(site, tmp_path / "x.cfg", "alice", pdisk_endpoint=f"{site.base}/one-proxy/xmlrpc")
    with pytest.raises(Invalid, match=r"^there is no disk service at https://.*/one-proxy/xmlrpc/pswd: set pdisk_endpoint$"):
        cloud.listing()


def test_the_proxy_answers_as_the_real_one(site: Site) -> None:
    context = ssl.create_default_context(cafile=str(site.authority.file))
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{site.base}/one-proxy/pswd/xmlrpc", b"x", context=context)
    assert error.value.code == 401
    assert error.value.headers["WWW-Authenticate"] == 'basic realm="StratusLab Password Realm"'
    error.value.close()


def test_a_certificate_that_nobody_knows_is_reported_as_such(site: Site, tmp_path: Path) -> None:
    stranger = site.authority.issue("stranger", "CN=Stranger,O=Nowhere,C=EU")
    cloud = with_file(site, tmp_path / "s.cfg", "s", pem_certificate=str(stranger.certificate), pem_key=str(stranger.key))
    with pytest.raises(Denied, match="StratusLab Certificate Realm"):
        cloud.listing()
    other = Authority(tmp_path / "other").issue("eve", JANE)
    cloud = with_file(site, tmp_path / "e.cfg", "e", pem_certificate=str(other.certificate), pem_key=str(other.key))
    with pytest.raises((Denied, Unavailable)) as error:  # TLS 1.3 reports it with the first answer, or breaks the connection
        cloud.listing()
    assert "one.vmpool.info" in str(error.value)


def test_a_key_that_is_not_the_certificates_is_reported_as_such(site: Site, tmp_path: Path) -> None:
    other = site.authority.issue("other", "CN=Other,O=Nowhere,C=EU")
    cloud = with_file(site, tmp_path / "k.cfg", "k", pem_certificate=str(site.jane.certificate), pem_key=str(other.key))
    with pytest.raises(Invalid, match=r"^pem_certificate \S+jane\.pem and pem_key \S+other\.key cannot be used \(key values mismatch\)$"):
        cloud.listing()


def test_a_service_of_an_unknown_authority_is_not_used(site: Site) -> None:
    cloud = StratusLabCloud("lal", StratusLabOptions(image="x", user_file=options_of(site).user_file), Scope("a"))
    with pytest.raises(Invalid, match=r"the certificate of 127\.0\.0\.1:\d+ cannot be verified \(.*\): set ca_file to that of its authority"):
        cloud.listing()


AUTHORITIES: dict[str, tuple[Callable[[Path], object], str]] = {  # how the file of the authorities comes to be, and what is said of it
    "missing": (lambda _path: None, "no such file or directory"),
    "a folder": (lambda path: path.mkdir(), ".+"),
    "without a certificate": (lambda path: path.write_text("nothing\n"), "no certificate or crl found"),
    "damaged": (lambda path: path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ".+"),
}


@pytest.mark.parametrize("name", AUTHORITIES)
def test_a_file_of_authorities_that_cannot_be_used_is_named(site: Site, tmp_path: Path, name: str) -> None:
    make, reason = AUTHORITIES[name]
    file = tmp_path / "ca.pem"
    make(file)
    cloud = StratusLabCloud("lal", StratusLabOptions(image="x", user_file=options_of(site).user_file, ca_file=str(file)), Scope("a"))
    for ask in (cloud.listing, cloud.pdisk.disks, cloud.marketplace.all):
        with pytest.raises(Invalid, match=rf"^ca_file {re.escape(str(file))} cannot be used \({reason}\)$"):
            ask()


def test_a_certificate_that_cannot_be_read_is_named(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "jane.pem"
    file.write_text("nothing\n")
    cloud = with_file(site, tmp_path / "j.cfg", "j", pem_certificate=str(file), pem_key=str(site.jane.key))
    with pytest.raises(Invalid, match=rf"^pem_certificate {re.escape(str(file))} and pem_key \S+ cannot be used \(.+\)$"):
        cloud.pdisk.disks()


def test_an_authority_of_ones_own_is_believed_beside_those_of_the_system(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's is one of the system's, and ca_file has another."""
    monkeypatch.setenv("SSL_CERT_FILE", str(site.authority.file))
    other = Authority(tmp_path / "other")
    cloud = StratusLabCloud("lal", StratusLabOptions(image="x", user_file=options_of(site).user_file, ca_file=str(other.file)), Scope("a"))
    assert cloud.listing().nodes == ()


def test_who_gives_a_certificate_is_named_by_it_whatever_the_path(site: Site) -> None:
    """A password lets the call pass, and the certificate is what oned gets to see."""
    context = ssl.create_default_context(cafile=str(site.authority.file))
    email = site.authority.issue("mail", "CN=A#B,O=O,C=EU")
    context.load_cert_chain(email.certificate, email.key)
    body = xmlrpc.client.dumps(("dummy:pass", -1), "one.user.info").encode()
    word = base64.b64encode(f"carol:{site.plan.passwords['carol']}".encode()).decode()
    request = urllib.request.Request(f"{site.base}/one-proxy/pswd/xmlrpc", body, {"Authorization": f"Basic {word}", "Content-Type": "text/xml"})
    with urllib.request.urlopen(request, context=context) as answer:
        (said,), _method = xmlrpc.client.loads(answer.read())
    assert "<NAME>CN%3DA%5C%23B%2CO%3DO%2CC%3DEU</NAME>" in str(said)  # as Java writes a number sign


def test_a_service_that_does_not_listen_is_unavailable(site: Site, tmp_path: Path) -> None:
    cloud = with_file(site, tmp_path / "n.cfg", "alice", endpoint="http://127.0.0.1:9/one-proxy/xmlrpc")
    with pytest.raises(Unavailable, match="Connection refused"):
        cloud.listing()


@pytest.mark.parametrize(
    ("message", "code", "kind"),
    [
        ("[VirtualMachineAllocate] User [2] : CPU quota exceeded (Quota: 2.0, Used: 0.0, Requested: 4.0).", 512, "Shortage"),
        ("[VirtualMachineAllocate] User [2] not authorized to perform action on virtual machine.", 512, "Unavailable"),
        ("[VirtualMachineAllocate] Auth request timeout.", 512, "Unavailable"),
        ("[VirtualMachineInfo] User [2] : Not authorized to perform USE VM [0].", 512, "Denied"),
        ("[VirtualMachineInfo] User couldn't be authenticated, aborting call.", 256, "Denied"),
        ("[VirtualMachineInfo] Error getting virtual machine [9999].", 1024, "Missing"),
        ("[VirtualMachineAction] Wrong state to perform action", 2048, "Conflict"),
        ("[VirtualMachineAllocate] Error allocating a new virtual machine. Could not get virtual network for VM.", 8192, "Shortage"),
        ("[VirtualMachineAllocate] Error allocating a new virtual machine. Could not get disk image for VM.", 8192, "Invalid"),
        ("[TemplateAllocate] ... NAME is already taken by TEMPLATE 0.", 8192, "Conflict"),
        ("something else", 8192, "CloudError"),
    ],
)
def test_refusals_of_the_server_and_what_they_mean(message: str, code: int, kind: str) -> None:
    error = refused("one.vm.allocate", message, code)
    assert type(error).__name__ == kind
    assert str(error) == f"one.vm.allocate: {message} ({code})"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "Invalid"), (401, "Denied"), (403, "Denied"), (404, "Missing"), (409, "Conflict"), (429, "Unavailable"), (503, "Unavailable")],
)
def test_statuses_and_what_they_mean(status: int, kind: str) -> None:
    assert type(of_status("pdisk GET /disks", status, "no")).__name__ == kind


def test_numbers_of_the_disk_service_have_separators() -> None:
    assert [number(text) for text in ("1", "1,000", "1,024,000")] == [1, 1000, 1024000]
    assert read({"uuid": "u", "size": "1,000", "count": "0"}).size == 1000
    for wrong in ({}, {"uuid": "u", "size": "big"}, "text"):
        with pytest.raises(CloudError):
            read(wrong)


def test_an_attachment_whose_answer_names_no_target_did_not_work(site: Site, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.pdisk, "_mount", lambda _disk, _form: Answer(200, {"node": "h", "vm_id": "7"}))
    disks = opened().pdisk
    uuid = disks.create(1, "t")
    with pytest.raises(Unavailable, match=rf"the answer does not say where disk {uuid} was attached to machine 7$"):
        disks.attach(uuid, "h", 7)


def test_machines_without_a_network_are_listed(site: Site, opened: Opened) -> None:
    """The old client ended with an error at such a one, whoever's it was."""
    site.oned.call("one.vm.allocate", [f"alice:{'a' * 40}", 'NAME = "bare"'])
    site.oned.call("one.vm.allocate", [f"alice:{'a' * 40}", 'NAME = "a-p-0"\nSKY_MARK = "sky/1 alice a p 0"'])
    (node,) = opened().listing().nodes
    assert (node.name, node.addresses) == ("a-p-0", ())
