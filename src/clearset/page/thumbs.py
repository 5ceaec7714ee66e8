"""The pictures beside a page: small ones, and full ones where a browser shows no file."""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from clearset.config.schema import Action
from clearset.images import codec, masks, views
from clearset.images.levels import Pixels, declared
from clearset.report.pictures import Stored
from clearset.report.study import Study
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.errors import UnreadableImage
from clearset.store.parallel import mapped

SIDE = 256  # px: of a small picture
QUALITY = 80
SHOWABLE = {".png", ".jpg", ".jpeg"}  # files that every browser shows as they are,
BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # where they are what they are called
# Okabe and Ito's colours, told apart by everybody: of a mask's values but the background, in order.
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


@dataclass(frozen=True)
class Shots:
    """Which pictures there are, by image_id: paths from the page's folder of pictures."""

    any: bool  # False: the dataset is tables alone
    thumbs: frozenset[str]
    before: Mapping[str, str]  # full size
    after: Mapping[str, str]
    masks: Mapping[str, str]
    leaks: Mapping[tuple[str, str], str]
    classes: Mapping[str, str]  # colour of each class of the masks


@dataclass(frozen=True)
class Job:
    """One image's pictures: its file, where they go, and which are asked for."""

    row: Any
    number: int
    files: tuple[Stored, Stored | None]  # before, and after where it was repaired
    mask: Path | None
    full: bool  # whether it is one to decide on


def shoot(study: Study, target: Path) -> Shots:
    """Write the pictures into `target` and say which there are; none of tables without images."""
    dossier, section = study.dossier, study.section
    classes = section.classes
    root = dossier.folders["fetch"] / "images"
    images = dossier.catalogue.images.sort_values("image_id", ignore_index=True)
    readable = images[images["error"] == ""] if root.exists() else images[:0]
    target.mkdir(parents=True, exist_ok=True)
    listed = jobs(dossier, readable)
    made = mapped(partial(_pictures, target, tuple(classes.values())), listed, "pictures")
    ids = [job.row.image_id for job in listed]
    full, after, drawn = (
        {i: m[k] for i, m in zip(ids, made, strict=True) if m[k]} for k in ("full", "after", "mask")
    )
    colours = dict(zip(classes, map(colour, range(len(classes))), strict=False))
    fits = study.result.leaks.sort_values(
        ["inliers", "image_id"], ascending=[False, True], kind="stable"
    )
    shown = fits.head(section.compare.gallery if root.exists() else 0)
    leaks = {
        (row.image_id, row.other_id): f"leaks/{number:03d}.png"
        for number, row in enumerate(shown.itertuples())
    }
    return Shots(root.exists(), frozenset(ids), full, after, drawn, leaks, colours)


def jobs(dossier: Dossier, readable: pd.DataFrame) -> list[Job]:
    """Return one job a readable image."""
    fetched, enhanced = dossier.folders["fetch"], dossier.folders["enhance"]
    decisions = dossier.selection.decisions
    asked = set(decisions.loc[decisions["decision"] != Action.keep.value, "image_id"])
    asked |= set(dossier.cleaning.repairs["image_id"])
    repaired = set(dossier.cleaning.repairs["image_id"])
    result = []
    for row in readable.itertuples():
        reading = declared(row, fetched / "carried")
        before = Stored(fetched / "images" / row.path, reading)
        after = Stored(enhanced / "images" / row.path, reading)
        mask = fetched / "masks" / row.mask if row.mask and not row.mask_error else None
        flagged = row.image_id in asked
        files = (before, after if row.image_id in repaired else None)
        result.append(Job(row, int(row.Index), files, mask if flagged else None, flagged))
    return result


def _pictures(target: Path, classes: tuple[int, ...], job: Job) -> dict[str, str]:
    """Write an image's pictures; return the paths of the full ones."""
    name = f"{job.number:06d}"
    before, after = job.files
    view = views.view(before.path, before.reading)
    shown = view.shown()
    _small(shown, target / "thumbs" / f"{name}.jpg")
    made = {"full": _link(job.row, before, "fetch"), "after": "", "mask": ""}
    if job.full and not made["full"]:
        made["full"] = _whole(shown, target, f"full/{name}.png")
    if job.mask is not None:
        made["mask"] = _mask(job.mask, view, classes, target / "masks" / f"{name}.png")
    if after is not None and not (linked := _link(job.row, after, "enhance")):
        repaired = views.view(after.path, after.reading).shown()
        made["after"] = _whole(repaired, target, f"after/{name}.png")
    elif after is not None:
        made["after"] = linked
    return made


def _link(row: Any, stored: Stored, stage: str) -> str:
    """Return the way to a file that a browser shows as it was measured; empty where it does not."""
    plain = stored.path.suffix.lower() in SHOWABLE and int(row.bit_depth) == 8
    with stored.path.open("rb") as file:
        plain = plain and file.read(8).startswith(BEGINNINGS)
    upright = row.orientation in ("", "1", 1) and not row.alpha and not row.shown
    whole = (row.low, row.high) == (0, 255) and np.isnan(row.nodata) and row.seen != "page"
    try:
        path = quote(PurePosixPath(row.path).as_posix())
    except UnicodeEncodeError:  # a name that is no text
        return ""
    away = f"../../{stage}/{stored.path.parents[len(PurePosixPath(row.path).parts)].name}/images"
    return f"{away}/{path}" if plain and upright and whole else ""


def _small(shown: Pixels, path: Path) -> None:
    """Write a small picture; a smaller one stays as it is."""
    picture = Image.fromarray(shown)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with layout.replacing(path) as incomplete:
        picture.save(incomplete, format="JPEG", quality=QUALITY)


def _whole(shown: Pixels, target: Path, place: str) -> str:
    """Write a picture in full below `target`; return where."""
    path = target / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with layout.replacing(path) as incomplete:
        incomplete.write_bytes(codec.png_bytes(shown, compress_level=1))
    return place


def _mask(mask: Path, view: views.View, classes: tuple[int, ...], path: Path) -> str:
    """Write a mask as a picture that lies over its image: background transparent."""
    try:
        values = view.mask(masks.decode(mask))
    except UnreadableImage:
        return ""
    if values.shape != view.pixels.shape[:2]:
        return ""
    picture = Image.fromarray(ranked(values, classes))
    picture.putpalette([0, 0, 0] + [c for n in range(255) for c in _rgb(colour(n))])
    path.parent.mkdir(parents=True, exist_ok=True)
    with layout.replacing(path) as incomplete:
        picture.save(incomplete, format="PNG", transparency=0)
    return f"masks/{path.name}"


def ranked(values: Pixels, classes: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return which colour each value of a mask has, the same in every mask: 0 the background.

    The classes have the first ones, and a value that is none has one after these.
    """
    ranks = {value: place + 1 for place, value in enumerate(classes)}
    drawn = np.zeros(values.shape, np.uint8)
    for value in np.unique(values[values != 0]).tolist():
        drawn[values == value] = min(ranks.get(value, len(ranks) + value), 255)
    return drawn


def colour(number: int) -> str:
    """Return the colour of the n-th class of a mask, as `#rrggbb`."""
    if number < len(COLOURS):
        return COLOURS[number]
    red, green, blue = colorsys.hsv_to_rgb((number * 0.618) % 1, 0.6, 0.9)
    return f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"


def _rgb(text: str) -> list[int]:
    return [int(text[place : place + 2], 16) for place in (1, 3, 5)]
