# Copyright (c) 2026, the sky.clusters authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image of a cloud: added once, replaced on demand, deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from .._base._schema import hint, shown
from .._clouds._contract import Cloud, CloudError, Image, ImageSpec, Invalid
from ._resource import Change, asked

MATCHED = ("architecture", "format")  # what images have beside their properties that they can be found by
KEYS = ("name", "id", "status", "ours", "size", "checksum", "format", "architecture", "properties")


def as_result(cloud: str, image: Image) -> dict[str, Any]:
    """An image as a module returns it."""
    return {key: getattr(image, key) for key in KEYS} | {"cloud": cloud}


def having(images: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The images, as results, with these properties, architecture and format; letter case is ignored."""
    return [image for image in images if all(_known(image).get(key, "").lower() == value.lower() for key, value in wanted.items())]


def unknown(images: Sequence[Mapping[str, Any]], wanted: Iterable[str]) -> list[str]:
    """One sentence for each wanted property that no image has."""
    keys = sorted({*MATCHED, *(key for image in images for key in image["properties"])})
    return [f"properties: no image has '{key}'{hint(key, keys)}" for key in wanted if key not in keys]


def _known(image: Mapping[str, Any]) -> dict[str, str]:
    return dict(image["properties"]) | {key: image[key] for key in MATCHED}


def checked(spec: ImageSpec) -> ImageSpec:
    """The same image, with its checksum in lower case.

    Raises:
        Invalid: it is no checksum, or a number is none.
    """
    checksum = spec.checksum.lower()
    if re.fullmatch(r"sha256:[0-9a-f]{64}", checksum) is None:
        raise Invalid(f"checksum: must be 'sha256:' and 64 hexadecimal digits, got {shown(spec.checksum)}")
    for key in ("min_disk", "min_memory"):
        if getattr(spec, key) < 0:
            raise Invalid(f"{key}: must be 0 or more, got {getattr(spec, key)}")
    return dataclasses.replace(spec, checksum=checksum)


def present(cloud: Cloud, spec: ImageSpec, opened: Callable[[], AbstractContextManager[BinaryIO]], force: bool, check: bool) -> Change:
    """Add an image, unless it is there.

    Args:
        opened: opens its file, read and found to be as its checksum says.
        force: whether one with another checksum is replaced.

    Raises:
        CloudError: it cannot be added; the sentence says why.
    """
    known = _named(cloud, spec.name)
    foreign = [image for image in known if not image.ours]
    if foreign:
        raise Invalid(f"cloud {cloud.name}: the name {spec.name} is taken by image {foreign[0].id}, which is not ours: choose another name")
    whole = [image for image in known if image.status == "active"]
    others = [image for image in whole if image.checksum != spec.checksum]
    if len(whole) == len(known) == 1 and not others:
        return Change(as_result(cloud.name, whole[0]), as_result(cloud.name, whole[0]))
    if len(others) == len(whole) > 0 and not force:
        raise Invalid(
            f"cloud {cloud.name}: image {spec.name} exists with the checksum {others[0].checksum or 'unknown'}, not {spec.checksum}: "
            "choose another name, or replace it with force: true"
        )
    before = as_result(cloud.name, known[0]) if known else {}
    if check:
        return Change(before, {"name": spec.name, "cloud": cloud.name, "checksum": spec.checksum, "status": "active", "ours": True}, changed=True)
    with opened() as file, _placed(cloud):
        made = cloud.add_image(spec, file)
    return Change(before, as_result(cloud.name, made), changed=True)


def absent(cloud: Cloud, name: str, check: bool) -> Change:
    """Delete all that we added under a name.

    Raises:
        CloudError: the image of this name is not ours, or in use; it is left alone.
    """
    known = _named(cloud, name)
    ours = [image for image in known if image.ours]
    if known and not ours:
        raise Invalid(f"cloud {cloud.name}: image {name} ({known[0].id}) is not ours: it is left alone")
    for image in ours if not check else []:
        with _placed(cloud):
            asked(lambda image=image: cloud.delete_image(image), f"delete image {name}")  # type: ignore[misc]
    return Change(as_result(cloud.name, ours[0]), {}, changed=True) if ours else Change()


@contextlib.contextmanager
def fetched(cloud: Cloud, name: str, folder: str) -> Iterator[tuple[Image, BinaryIO, str]]:
    """An image of a cloud, its file, and the file's checksum; the file has no name, so nothing of it is left.

    Raises:
        CloudError: there is no such image, or not exactly one, or its file is not what its checksum says.
    """
    image = _readable(cloud, name)
    wanted = image.content or image.checksum
    algorithm, _colon, digits = wanted.partition(":")
    sums = {each: hashlib.new(each, usedforsecurity=False) for each in ("sha256", algorithm) if each in hashlib.algorithms_available}
    with tempfile.TemporaryFile(dir=folder) as file:

        def take(part: bytes) -> None:
            file.write(part)
            for each in sums.values():
                each.update(part)

        with _placed(cloud):
            cloud.fetch_image(image, take)
        if digits and algorithm in sums and sums[algorithm].hexdigest() != digits:
            raise CloudError(f"cloud {cloud.name}: the file of image {name} has the checksum {algorithm}:{sums[algorithm].hexdigest()}, not {wanted}")
        file.flush()
        file.seek(0)
        yield image, file, f"sha256:{sums['sha256'].hexdigest()}"


def copied(source: Cloud, target: Cloud, names: tuple[str, str], wanted: ImageSpec, folder: str, force: bool, check: bool) -> Change:
    """Copy an image from one cloud to another, with its checksum.

    Args:
        names: of the image there and here.
        wanted: what else is known of it; its checksum and name are those of the file.
    """
    with fetched(source, names[0], folder) as (image, file, checksum):
        spec = dataclasses.replace(wanted, name=names[1], checksum=checksum, format=wanted.format or image.format)
        return present(target, spec, lambda: contextlib.nullcontext(file), force, check)


def _readable(cloud: Cloud, name: str) -> Image:
    """The image of this name; else the one that has it as an identifier or an alias."""
    known = [image for image in _listed(cloud) if image.status == "active"]
    found = [image for image in known if image.name == name] or [image for image in known if name in (image.id, *image.aliases)]
    if len(found) != 1:
        which = f": name it by its identifier: {', '.join(sorted(image.id for image in found))}" if found else ""
        raise Invalid(f"cloud {cloud.name}: {len(found)} images are called {name}, one is needed{which}")
    return found[0]


def _named(cloud: Cloud, name: str) -> list[Image]:
    return [image for image in _listed(cloud) if image.name == name]


def _listed(cloud: Cloud) -> list[Image]:
    with _placed(cloud):
        return asked(cloud.images, "images")


@contextlib.contextmanager
def _placed(cloud: Cloud) -> Iterator[None]:
    """Say where a fault is; a cloud does not know its name."""
    try:
        yield
    except CloudError as error:
        raise type(error)(f"cloud {cloud.name}: {error}") from error
