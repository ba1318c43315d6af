# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A notebook in a real browser."""

from __future__ import annotations

from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 180  # that a page or a cell may take on a busy machine
IDLE = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
ENDS = [f".jp-CodeCell .jp-OutputArea-output[data-mime-type='application/vnd.jupyter.{kind}']" for kind in ("stdout", "error")]


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
