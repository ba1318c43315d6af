# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a cloud as the SDK reads clouds.yaml and OS_*."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._contract import Invalid
from ._entry import Entry, check, chosen, unusable
from ._errors import translated
from ._options import OpenStackOptions

SECONDS = 60.0  # that one answer may take


def opened(options: OpenStackOptions) -> Any:
    """The SDK's region of a cloud; makes no call.

    Raises:
        Invalid: a file of the SDK's is broken, or has no such cloud.
    """
    where = f"opening cloud '{options.cloud}'" if options.cloud else "opening the cloud of the OS_* variables"
    with translated(where), warnings.catch_warnings(), _broken_files_told(where):
        from openstack.config import OpenStackConfig  # who uses no OpenStack needs no SDK

        warnings.simplefilter("ignore")  # the SDK's, of what it will drop some day: nothing that a user could fix
        entry = Entry(options.cloud, "clouds.yaml")
        try:
            config = OpenStackConfig(app_name="sky.clusters")
            entry = chosen(config, options.cloud)
            region = _region(config, options, entry)
            region.get_session()
        except Invalid as error:
            raise Invalid(f"{where}: {error}") from None
        except (AttributeError, TypeError, ValueError) as error:  # what the SDK makes of a file that is not of its shape
            raise Invalid(f"{where}: {unusable(entry, error)}") from None
        return region


def _region(config: Any, options: OpenStackOptions, entry: Entry) -> Any:
    from keystoneauth1.exceptions import MissingRequiredOptions, OptionError

    try:
        region = config.get_one(cloud=options.cloud or None, region_name=options.region or None, api_timeout=SECONDS)
    except MissingRequiredOptions as error:
        raise entry.lacks([option.dest for option in error.options]) from None
    except OptionError as error:
        raise Invalid(f"{entry}: {error}") from None
    check(entry, region.config.get("auth") or {}, str(region.config.get("auth_type")))
    return region


class _Skipped(logging.Handler):
    """Records which broken files the SDK skips: it continues as if they did not exist."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        path, error = record.args if isinstance(record.args, tuple) and len(record.args) == 2 else ("", None)
        if isinstance(error, Exception):
            self.files.append(f"{path} is broken{_place(error)}")


@contextmanager
def _broken_files_told(where: str) -> Iterator[None]:
    """Raise what is wrong with a file instead of what follows from its absence."""
    for name in ("keystoneauth", "openstack"):  # the errors contain what they log; without a handler it would go to stderr
        logging.getLogger(name).addHandler(logging.NullHandler())
    log, skipped = logging.getLogger("openstack.config"), _Skipped()
    log.addHandler(skipped)
    try:
        yield
    except Exception:
        if not skipped.files:
            raise
    finally:
        log.removeHandler(skipped)
    if skipped.files:
        raise Invalid(f"{where}: {skipped.files[0]}") from None


def _place(error: Exception) -> str:
    """Where a file is broken, and nothing of its content, which may be a password."""
    mark = getattr(error, "problem_mark", None)  # YAML's
    line, column = (mark.line + 1, mark.column + 1) if mark else (getattr(error, "lineno", 0), getattr(error, "colno", 0))
    return f" at line {line}, column {column}" if line else ""
