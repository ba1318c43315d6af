# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real browser without a screen, and a tunnel for it, as a user of a notebook has them."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 180  # that a page or a cell may take on a busy machine
PROGRAMS = ("chromium", "chromedriver")
PACKAGES = ("chromium", "chromium-driver")
IDLE = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
ENDS = [f".jp-CodeCell .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("stdout", "error")]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def tunnel(ssh: str, node: str, port: int) -> Iterator[int]:
    """The port of this machine behind which a port of the node's loopback address is, by the command that a run shows."""
    here = free_port()
    command = [*shlex.split(ssh), "-N", "-o", "ExitOnForwardFailure=yes", "-L", f"{here}:localhost:{port}", node]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + SECONDS
            while not listens(here):
                assert process.poll() is None, "the tunnel has ended"
                assert time.monotonic() < end, "the tunnel does not open"
                time.sleep(0.2)
            yield here
        finally:
            process.terminate()


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """Debian's chromium, which is installed if it is missing."""
    if not all(map(shutil.which, PROGRAMS)):
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", "-o", "DPkg::Lock::Timeout=300", "--quiet", *words], check=True, stdout=subprocess.DEVNULL)
    options = webdriver.ChromeOptions()
    # as root, which chromium refuses to isolate; without a graphics card
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--window-size=1200,760"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})  # what pages write to the console
    with tempfile.TemporaryDirectory(prefix="sky-browser-", ignore_cleanup_errors=True) as place:  # which it does not clear itself
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"), env=os.environ | {"TMPDIR": place})
        driver = webdriver.Chrome(options=options, service=service)
        try:
            yield driver
        finally:
            driver.quit()


def run_a_cell(driver: webdriver.Chrome, page: str, token: str, code: str, picture: Path) -> str:
    """Log in to JupyterLab, open a new notebook and run a cell in it; what it prints, or its error.

    Args:
        page: where JupyterLab is.
        picture: file for a picture of the page at the end.
    """
    wait = WebDriverWait(driver, SECONDS)
    driver.get(page)
    wait.until(lambda found: found.find_element(By.ID, "password_input")).send_keys(token, Keys.ENTER)
    wait.until(lambda found: found.find_element(By.CSS_SELECTOR, ".jp-LauncherCard[data-category='Notebook']")).click()
    cell = wait.until(lambda found: found.find_element(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell .cm-content"))
    wait.until(lambda found: found.find_element(By.CSS_SELECTOR, IDLE))  # a cell that is run before is lost
    cell.click()
    driver.execute_cdp_cmd("Input.insertText", {"text": code})
    cell.send_keys(Keys.SHIFT, Keys.ENTER)
    said = wait.until(lambda found: found.find_element(By.CSS_SELECTOR, ", ".join(ENDS))).text
    driver.save_screenshot(str(picture))
    return str(said)
