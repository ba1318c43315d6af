# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a playbook that people want to read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: brief
type: stdout
short_description: Show one line for each step that changes something or takes long
version_added: 0.5.0
author:
  - The sky.clusters authors (@sky-clusters)
description:
  - Shows a line for each step that changed something or took 5 seconds, and what the collection itself prints in between. Other steps are left out.
  - A step that takes long is shown while it runs, then every 30 seconds.
  - Failures, unreachable nodes and warnings are shown in full. With C(--diff) each difference is shown once, after the names of its hosts and task.
  - With C(-v) the output is that of P(ansible.builtin.default#callback).
  - The options O(display_failed_stderr), O(show_custom_stats), O(show_per_host_start), O(show_task_path_on_failure), O(result_format) and
    O(pretty_results) have their usual meaning. The other options have an effect only with C(-v).
  - Only what is printed differs. Exit codes, results and log files are those of Ansible.
extends_documentation_fragment:
  - ansible.builtin.default_callback
  - ansible.builtin.result_format_callback
requirements:
  - set as C(stdout_callback) in C(ansible.cfg), or as E(ANSIBLE_STDOUT_CALLBACK)
"""

EXAMPLES = r"""
# In ansible.cfg:
# [defaults]
# stdout_callback = sky.clusters.brief

# For one command:
# ANSIBLE_STDOUT_CALLBACK=sky.clusters.brief ansible-playbook -i demo.sky.yml sky.clusters.spark_cluster
"""

import contextlib
import functools
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ansible import constants, context
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.sky.clusters.plugins.plugin_utils import _brief
from ansible_collections.sky.clusters.plugins.plugin_utils._failure_text import natural
from ansible_collections.sky.clusters.plugins.plugin_utils._screen import HANGING, WIDEST, screen_width, wrapped

COLORS: Any = constants  # defines its names as it is imported
TICK = 1.0  # seconds between two looks at the running step
DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
SHOWN = "sky_shown"  # a variable of tasks that fail only to end what has failed before, and was shown then


def in_brief(method: Callable[..., None]) -> Callable[..., None]:
    """A method that is replaced by the default callback's own one with -v."""

    @functools.wraps(method)
    def chosen(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        if self._display.verbosity:
            getattr(Default, method.__name__)(self, *args, **kwargs)
        else:
            method(self, *args, **kwargs)

    return chosen


class CallbackModule(Default):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "sky.clusters.brief"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of Ansible's own
        self._begun = time.monotonic()
        self._step: _brief.Step | None = None
        self._changes: dict[tuple[str, str], list[str]] = {}  # hosts, by task and difference
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clock: threading.Thread | None = None
        screen_width()  # for the workers

    # steps

    @in_brief
    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Not shown."""

    @in_brief
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        self._end_step()

    @in_brief
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002
        self._begin_step(task)

    @in_brief
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._begin_step(task)

    @in_brief
    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Not shown."""

    def _begin_step(self, task: Any) -> None:
        self._end_step()
        if self._clock is None:
            self._clock = threading.Thread(target=self._watch, daemon=True)
            self._clock.start()
        self._step = _brief.Step(_title(task), time.monotonic(), once=bool(task.run_once))

    def _end_step(self) -> None:
        with self._lock:
            step, self._step = self._step, None
        self._show_changes()
        here = step and context.CLIARGS["check"] and not step.on_nodes()  # a plan names what would be done in the clouds
        if step and not here and (line := step.ended(time.monotonic(), self._width())):
            self._display.display(line, color=COLORS.COLOR_CHANGED if step.changed else None)

    def _show_changes(self) -> None:
        """Show the differences that the step has made."""
        for (task, difference), hosts in sorted(self._changes.items(), key=lambda each: min(map(natural, each[1]))):
            self._display.display("\n".join([*_brief.changes(task, hosts, self._width()), difference]))
        self._changes.clear()

    def _watch(self) -> None:
        """Show that a long step still runs."""
        while not self._over.wait(TICK):
            with self._lock:
                line = self._step.running(time.monotonic(), self._width()) if self._step else ""
            if line:
                self._display.display(line)

    # results

    @in_brief
    def v2_runner_on_ok(self, result: Any) -> None:
        with self._done(result) as (host, task, found):
            if self._step and found.get("changed"):
                self._step.changed.add(host)
            self._handle_warnings(found)
            if not task.loop:
                self._say(result)

    @in_brief
    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._handle_warnings(_found(result))
        self._say(result)

    @in_brief
    def v2_runner_on_skipped(self, result: Any) -> None:
        self._handle_warnings(_found(result))

    @in_brief
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        """Not shown."""

    @in_brief
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        with self._done(result) as (_host, task, found):
            self._handle_warnings(found)
            items_shown = task.loop and "results" in found
            if not (ignore_errors or items_shown or task.vars.get(SHOWN)):
                self._fail("failed", result)

    @in_brief
    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._handle_warnings(_found(result))
        if not _task(result).ignore_errors:
            self._fail("failed", result)

    @in_brief
    def v2_runner_on_unreachable(self, result: Any) -> None:
        with self._done(result) as (_host, task, found):
            self._handle_warnings(found)
            if not task.ignore_unreachable:
                self._fail("unreachable", result)

    @in_brief
    def v2_on_file_diff(self, result: Any) -> None:
        found = _found(result)
        for part in found["results"] if _task(result).loop and "results" in found else [found]:
            if part.get("changed") and part.get("diff") and (difference := self._get_diff(part["diff"])):  # type: ignore[no-untyped-call]
                self._changes.setdefault((_title(_task(result)), difference), []).append(_host(result))

    @in_brief
    def v2_runner_retry(self, result: Any) -> None:
        """Not shown."""

    @contextlib.contextmanager
    def _done(self, result: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
        """A task has ended on one host."""
        host = _host(result)
        yield host, _task(result), _found(result)
        if self._step:
            self._step.hosts.add(host)

    def _say(self, result: Any) -> None:
        """Show what a task of debug has to say."""
        if _task(result).action not in DEBUG:
            return
        found = _found(result)
        self._clean_results(found, _task(result).action)  # type: ignore[no-untyped-call]
        said = found["msg"] if isinstance(found.get("msg"), str) else self._dump_results(found)
        self._display.display("\n".join(f"  {line}" for line in said.splitlines()))

    def _fail(self, kind: str, result: Any) -> None:
        lines = _brief.failure(kind, self.host_label(result), _title(_task(result)), _found(result), self._width())
        color = COLORS.COLOR_UNREACHABLE if kind == "unreachable" else COLORS.COLOR_ERROR
        to_stderr: bool = self.get_option("display_failed_stderr")  # type: ignore[no-untyped-call]
        self._display.display("\n".join(lines), color=color, stderr=to_stderr)
        if kind == "failed" and self.get_option("show_task_path_on_failure"):  # type: ignore[no-untyped-call]
            self._print_task_path(_task(result))  # type: ignore[no-untyped-call]

    # the rest

    @in_brief
    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Not shown."""

    @in_brief
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Not shown."""

    @in_brief
    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._over.set()
        self._end_step()
        self._show_statistics(stats.custom)
        seconds = time.monotonic() - self._begun
        line = _brief.ending(seconds, check=bool(context.CLIARGS["check"]), failed=stats.failures, unreachable=stats.dark)
        bad = bool(stats.failures or stats.dark)
        self._display.display("\n".join(wrapped(line, self._width(), hanging=HANGING)), color=COLORS.COLOR_ERROR if bad else COLORS.COLOR_OK)

    def _show_statistics(self, custom: dict[str, Any]) -> None:
        """Show those of set_stats as the default callback does, if they are asked for."""
        if self.get_option("show_custom_stats"):  # type: ignore[no-untyped-call]
            for name in sorted(custom):
                shown = self._dump_results(custom[name], indent=1).replace("\n", "")
                self._display.display(f"\t{'RUN' if name == '_run' else name}: {shown}")

    def _width(self) -> int:
        return min(shutil.get_terminal_size().columns, WIDEST)


# ansible-core 2.19 has public names for what 2.18 keeps in private ones


def _found(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = result.result if hasattr(result, "result") else result._result
    return found


def _task(result: Any) -> Any:
    return result.task if hasattr(result, "task") else result._task


def _host(result: Any) -> str:
    host = result.host if hasattr(result, "host") else result._host
    return str(host.get_name())


def _title(task: Any) -> str:
    """The name of a task without that of its role, which says little to people."""
    return str(task.get_name().strip().rsplit(" : ", 1)[-1])
