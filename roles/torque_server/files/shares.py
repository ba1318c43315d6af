# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give users their shares in Slurm's accounting.

Argument: name of the cluster. Standard input: the shares of each user by name.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping

ACCOUNT = "users"
SECONDS = 60  # that the accounting may take to answer


class SharesError(Exception):
    """The accounting does not do what it is asked; the message is one sentence."""


def sacctmgr(*words: str) -> str:
    done = subprocess.run(["sacctmgr", "--immediate", "--noheader", "--parsable2", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SharesError(f"'sacctmgr {' '.join(words)}' failed: {' '.join((done.stderr or done.stdout).split())}")
    return done.stdout


def known(cluster: str) -> dict[tuple[str, str], int]:
    """The shares by account and user, once the accounting answers; the user is empty for those of an account."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            shown = sacctmgr("show", "association", f"cluster={cluster}", "format=account,user,fairshare")
        except SharesError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)
        else:
            rows = (line.split("|") for line in shown.splitlines())
            return {(account, user): int(shares) if shares.isdigit() else 1 for account, user, shares in rows}


def changes(cluster: str, before: Mapping[tuple[str, str], int], wanted: Mapping[str, int]) -> list[list[str]]:
    """What sacctmgr has to do, in this order. Users who are no longer wanted keep what they have used."""
    found = []
    if not before:
        found.append(["add", "cluster", cluster])
    if (ACCOUNT, "") not in before:
        found.append(["add", "account", ACCOUNT, f"cluster={cluster}"])
    for user, shares in sorted(wanted.items()):
        if (ACCOUNT, user) not in before:
            found.append(["add", "user", user, f"account={ACCOUNT}", f"cluster={cluster}", f"fairshare={shares}"])
        elif before[ACCOUNT, user] != shares:
            where = ["where", f"name={user}", f"account={ACCOUNT}", f"cluster={cluster}"]
            found.append(["modify", "user", *where, "set", f"fairshare={shares}"])
    return found


def main(cluster: str) -> bool:
    wanted = {str(user): int(shares) for user, shares in json.load(sys.stdin).items()}
    words = changes(cluster, known(cluster), wanted)
    for each in words:
        sacctmgr(*each)
    return bool(words)


if __name__ == "__main__":
    try:
        sys.stdout.write("changed\n" if main(sys.argv[1]) else "")
    except SharesError as error:
        sys.exit(str(error))
