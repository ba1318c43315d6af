# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the site of the documentation in a real browser, on a wide and on a narrow screen.

Run as ``python tests/tools/look_at_site.py FOLDER`` by site.sh. No page may be wider than the screen, miss a picture, or have an error.
A page that has all of these faults comes first, so that finding none means something. Without chromium, and without the right to install it, nothing
is looked at, and the last line says so.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from ansible_collections.sky.clusters.tests.support.browser import PROGRAMS, chromium

WIDTHS = (1280, 390)  # of a desk, and of a telephone
HEIGHT = 844
ALSO = ("index.html", "clouds_inventory.html", "spark_submit_module.html", "node_role.html", "timeline_callback.html")  # beside the guides
SHOWN = 3  # of what sticks out
SECONDS = 20  # that a page may take on a busy machine
SETTLED = """
const pictures = [...document.images];
pictures.forEach(picture => { picture.loading = 'eager'; });
return document.readyState === 'complete' && pictures.every(picture => picture.complete);
"""
# What sticks out, the innermost elements alone: the theme cuts it off. What scrolls by itself, such as a long line of code, may be as wide as it is
SEEN = """
const width = document.documentElement.clientWidth;
const scrolls = each => each && (['auto', 'scroll'].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
const sticks = each => { const box = each.getBoundingClientRect(); return box.width > 0 && box.right > width + 1 && !scrolls(each.parentElement); };
const wide = [...document.body.querySelectorAll('*')].filter(sticks);
const inner = wide.filter(each => !wide.some(other => other !== each && each.contains(other)));
const named = each => `${each.tagName.toLowerCase()} '${(each.textContent || '').trim().slice(0, 40)}'`;
return {
  width: width,
  page: document.documentElement.scrollWidth,
  wide: inner.map(named),
  broken: [...document.images].filter(picture => !picture.naturalWidth).map(picture => picture.src),
};
"""


BROKEN = '<!doctype html><body style="overflow: hidden"><div style="width: 2000px">wide</div><img src="none.png"><script>undefined()</script>'
FAULTS = ("wider than the screen: div 'wide'", "no picture", "TypeError")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Without a line for each request."""

    def log_message(self, *_words: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder is served."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def faults(driver: Chrome, address: str, page: str, width: int) -> Iterator[str]:
    """What is wrong with a page at this width."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": width < 500})
    driver.get(f"{address}/{page}")
    WebDriverWait(driver, SECONDS, 0.05).until(lambda found: found.execute_script(SETTLED))
    seen = driver.execute_script(SEEN)
    if seen["wide"] or seen["page"] > seen["width"]:
        yield f"{page} at {width} px: wider than the screen: {'; '.join(seen['wide'][:SHOWN])}"
    yield from (f"{page} at {width} px: no picture {source}" for source in seen["broken"])
    for entry in driver.execute("getLog", {"type": "browser"})["value"]:
        if entry["level"] == "SEVERE" and not entry["message"].startswith("https://"):  # what other sites hold is not fetched
            yield f"{page} at {width} px: {entry['message']}"


def blind(driver: Chrome) -> list[str]:
    """Faults of a broken page that are not found."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "broken.html").write_text(BROKEN, encoding="utf-8")
        with served(Path(folder)) as address:
            found = "\n".join(fault for width in WIDTHS for fault in faults(driver, address, "broken.html", width))
    return [f"not found in a broken page: {fault}" for fault in FAULTS if found.count(fault) < len(WIDTHS)]


def main(folder: Path) -> int:
    if not all(map(shutil.which, PROGRAMS)) and (os.geteuid() != 0 or not shutil.which("apt-get")):
        print("site: not looked at in a browser: chromium and chromedriver are missing, and only root can install them")
        return 0
    pages = [*ALSO, *sorted(f"docsite/{path.name}" for path in (folder / "docsite").glob("*.html"))]
    with served(folder) as address, chromium() as driver:
        began = time.monotonic()
        wrong = blind(driver) + [fault for width in WIDTHS for page in pages for fault in faults(driver, address, page, width)]
        took = time.monotonic() - began
    print("\n".join([*wrong, f"site: {len(pages)} pages looked at in a browser at {' and '.join(map(str, WIDTHS))} px in {took:.0f} s"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
