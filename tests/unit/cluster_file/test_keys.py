# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that nodes let in, and those that this controller logs in with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.sky.clusters.plugins.module_utils._cluster_file import _keys
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._cluster import ClusterFileError, Settings
from ansible_collections.sky.clusters.plugins.module_utils._cluster_file._keys import authorised_keys, private_folder, ring, with_agent, with_login
from ansible_collections.sky.clusters.tests.support.clusters import cluster_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without keys, and no ssh agent."""
    (tmp_path / ".ssh").mkdir()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "none"))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "a"))
    monkeypatch.setitem(vars(_keys), "LONGEST", 200)
    return tmp_path


@pytest.fixture
def agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """An ssh agent; gives what hands a key to it."""
    place = f"/tmp/sky-agent-{os.getpid()}"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL)
    monkeypatch.setenv("SSH_AUTH_SOCK", place)
    while not Path(place).exists():
        pass
    yield lambda key: subprocess.run(["ssh-add", "-q", str(key)], check=True).check_returncode()
    process.terminate()
    process.wait(10)
    assert home.is_dir()


def key(path: Path) -> str:
    """Make a key; its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)], check=True)
    return Path(f"{path}.pub").read_text(encoding="ascii").strip()


def chosen(home: Path, settings: Settings, private_key: str = "") -> tuple[str, ...]:
    """The files that ssh is given to log in with."""
    cluster = cluster_of(home, {"p": 1})
    own = ring(home, private_key)
    return with_login(type(cluster)(cluster.name, cluster.clouds, cluster.pools, settings), own).login.identities


def test_where_there_is_no_key_at_all_nobody_could_log_in(home: Path) -> None:
    with pytest.raises(ClusterFileError, match="no key in the file, in the ssh agent or in"):
        authorised_keys(Settings(), ring(home))


def test_a_key_of_the_home_is_authorised_and_used(home: Path) -> None:
    public = key(home / ".ssh" / "id_ed25519")
    assert authorised_keys(Settings(), ring(home)) == (public,)
    assert chosen(home, Settings()) == (str(home / ".ssh" / "id_ed25519"),)


def test_of_an_agent_with_many_keys_that_of_the_file_is_used(home: Path, agent: Callable[[Path], None]) -> None:
    publics = [key(home / f"k{number}") for number in range(9)]
    for number in range(9):
        agent(home / f"k{number}")
    settings = Settings(ssh_keys=(publics[8],))
    assert authorised_keys(settings, ring(home)) == (publics[8],)
    (file,) = chosen(home, settings)
    assert Path(file).read_text(encoding="ascii").strip() == publics[8]
    assert Path(file).parent == Path(private_folder())
    assert authorised_keys(Settings(), ring(home)) == tuple(publics)
    assert len(chosen(home, Settings())) == 5  # sshd hears six


def test_a_file_whose_keys_this_run_cannot_use_is_refused(home: Path, agent: Callable[[Path], None]) -> None:
    other, own = key(home / "other"), key(home / "own")
    agent(home / "own")
    with pytest.raises(ClusterFileError, match="this run has none of their private keys") as refused:
        authorised_keys(Settings(ssh_keys=(other,)), ring(home))
    assert own in str(refused.value)
    assert authorised_keys(Settings(ssh_keys=(other, own)), ring(home)) == (other, own)


def test_the_keys_of_the_agent_are_added_once(home: Path, agent: Callable[[Path], None]) -> None:
    other, own = key(home / "other"), key(home / "own")
    assert with_agent([other], ring(home)) == [other]
    agent(home / "own")
    assert with_agent([other], ring(home)) == [other, own]
    again = f"{own} of ada"
    assert with_agent([again, other], ring(home)) == [again, other]


def test_the_key_that_ansible_is_configured_to_use_is_authorised(home: Path, agent: Callable[[Path], None]) -> None:
    first, named = key(home / "first"), key(home / "named")
    agent(home / "first")
    Path(f"{home / 'named'}.pub").unlink()  # its public half is asked of itself
    found = authorised_keys(Settings(), ring(home, str(home / "named")))
    assert [line.split()[1] for line in found] == [line.split()[1] for line in (first, named)]
    assert str(home / "named") in chosen(home, Settings(), str(home / "named"))


def test_a_key_that_others_may_read_is_refused_with_the_reason(home: Path, agent: Callable[[Path], None]) -> None:
    file = home / ".ssh" / "id_ed25519"
    public = key(file)
    file.chmod(0o644)
    with pytest.raises(ClusterFileError, match=r"id_ed25519: ssh ignores this private key because others can read it \(mode 0644\); run: chmod 600"):
        authorised_keys(Settings(), ring(home))
    file.chmod(0o600)
    agent(file)
    file.chmod(0o644)  # of no weight while the agent has it
    assert authorised_keys(Settings(), ring(home)) == (public,)


def test_the_folder_is_short_and_nobody_else_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "r"
    runtime.mkdir()
    monkeypatch.setitem(vars(_keys), "SHORTEST", tmp_path)
    monkeypatch.setitem(vars(_keys), "LONGEST", len(str(tmp_path)) + 12)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / ("long" * 20)))
    assert private_folder() == str(runtime / "sky")
    (runtime / "sky").chmod(0o777)
    last = tmp_path / f"sky-{os.geteuid()}"
    assert private_folder() == str(last)
    last.rmdir()
    last.symlink_to(runtime)
    assert private_folder() == ""


def test_the_path_of_a_key_without_a_comment_is_no_part_of_it(home: Path, agent: Callable[[Path], None]) -> None:
    """AWX gives its key to the agent of each job from another file."""
    named, bare = home / "named", home / "bare"
    key(named)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(bare)], check=True)
    bare.with_suffix(".pub").rename(home / "elsewhere.pub")
    for path in (bare, named):
        agent(path)
    lines = authorised_keys(Settings(), ring(home))
    assert sorted(len(line.split()) for line in lines) == [2, 3]
    assert not [line for line in lines if str(home) in line]
    assert [line.split()[2] for line in lines if len(line.split()) == 3] == ["named"]
