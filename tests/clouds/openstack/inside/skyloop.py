# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cinder driver whose volumes are sparse files, attached as loop devices: it asks nothing of the kernel that a small virtual machine lacks.

A connector whose host is fake* gets a connection and no loop device.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from cinder import interface  # type: ignore[import-not-found]
from cinder.image import image_utils  # type: ignore[import-not-found]
from cinder.volume import configuration, driver  # type: ignore[import-not-found]
from oslo_config import cfg  # type: ignore[import-not-found]

OPTIONS = [cfg.StrOpt("sky_folder", help="where the volumes are")]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@interface.volumedriver
class LoopDriver(driver.VolumeDriver):  # type: ignore[misc]
    VERSION = "1.0"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.configuration.append_config_values(OPTIONS)
        self.folder = Path(self.configuration.sky_folder)

    def do_setup(self, _context: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def check_for_setup_error(self) -> None:
        pass

    def local_path(self, volume: Any) -> str:
        return str(self._file(volume))

    def _file(self, thing: Any) -> Path:
        return self.folder / str(thing["id"])

    def _loop(self, volume: Any) -> str:
        """The loop device that a volume is attached as; empty if none."""
        return run("losetup", "-j", str(self._file(volume))).split(":")[0]

    def _detach(self, volume: Any) -> None:
        device = self._loop(volume)
        if device:
            run("losetup", "-d", device)

    def create_volume(self, volume: Any) -> None:
        with self._file(volume).open("wb") as file:
            file.truncate(volume["size"] << 30)

    def delete_volume(self, volume: Any) -> None:
        self._detach(volume)
        self._file(volume).unlink(missing_ok=True)

    def extend_volume(self, volume: Any, size: int) -> None:
        os.truncate(self._file(volume), size << 30)
        device = self._loop(volume)
        if device:
            run("losetup", "-c", device)

    def create_snapshot(self, snapshot: Any) -> None:
        run("cp", "--sparse=always", str(self.folder / snapshot["volume_id"]), str(self._file(snapshot)))

    def delete_snapshot(self, snapshot: Any) -> None:
        self._file(snapshot).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        self._copy(snapshot, volume)

    def create_cloned_volume(self, volume: Any, source: Any) -> None:
        self._copy(source, volume)

    def _copy(self, source: Any, volume: Any) -> None:
        run("cp", "--sparse=always", str(self._file(source)), str(self._file(volume)))
        os.truncate(self._file(volume), volume["size"] << 30)

    def copy_image_to_volume(self, context: Any, volume: Any, image_service: Any, image_id: str, **_options: Any) -> None:
        image_utils.fetch_to_raw(context, image_service, image_id, str(self._file(volume)), "1M", size=volume["size"])
        os.truncate(self._file(volume), volume["size"] << 30)
        # a container cannot do it to the disk that it stands on; of an image that holds no ext file system it makes nothing
        subprocess.run(["resize2fs", str(self._file(volume))], capture_output=True, check=False)

    def ensure_export(self, context: Any, volume: Any) -> None:
        pass

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        pass

    def remove_export(self, context: Any, volume: Any) -> None:
        pass

    def initialize_connection(self, volume: Any, connector: Any, **_options: Any) -> dict[str, Any]:
        fake = (connector.get("host") or "").startswith("fake")
        device = "/dev/fake" if fake else self._loop(volume) or run("losetup", "-f", "--show", str(self._file(volume)))
        return {"driver_volume_type": "local", "data": {"device_path": device}}

    def terminate_connection(self, volume: Any, _connector: Any, **_options: Any) -> None:
        self._detach(volume)

    def _update_volume_stats(self) -> None:
        self._stats = {
            "volume_backend_name": self.configuration.safe_get("volume_backend_name"),
            "vendor_name": "sky",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            "total_capacity_gb": 1000000,  # they are sparse
            "free_capacity_gb": 1000000,
            "reserved_percentage": 0,
            "QoS_support": False,
            "multiattach": False,
        }
