"""A source's files to the files of a planted dataset, and the truth about each of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from clearset.config.schema_fetch import Mapping as Mapped
from clearset.config.schema_fetch import PixelRange, Plant
from clearset.generate.retina.synthesis import foreign
from clearset.images import codec, levels, masks
from clearset.images.levels import Image, Pixels, Reading
from clearset.plant import planting
from clearset.plant.edits import Edit, random_for
from clearset.plant.eyes import unique_eyes
from clearset.plant.faults import FAULTS
from clearset.plant.planting import Planted
from clearset.sources.inventory import Item
from clearset.store.errors import ClearsetError
from clearset.store.parallel import mapped

LABELLED = {*FAULTS, "exact_copy"}  # after which a label says what it said before
STORED = {"empty", "overlap"}  # what is known by the numbers in the file, not by the light
BROKEN = 0.6  # share of a file's bytes that are left of a broken one
Recrop = Callable[[str, planting.Random], Pixels]  # an eye's name -> its scene from further aside
Files = Mapping[str, Item]  # by the eye's name
Job = tuple[Planted, Files]
SAME_FILE = {"exact_copy", "conflict", "mask_size", "corrupt"}  # the source's own bytes, or some


@dataclass(frozen=True)
class Making:
    """What every planted image is made with."""

    seed: int
    folder: Path  # to write below
    span: Reading | None  # in which faults are planted
    recrop: Recrop | None


def plant(
    sources: Sequence[Item],
    plan: Plant,
    folder: Path,
    pixel_range: PixelRange,
    recrop: Recrop | None = None,
) -> tuple[list[Item], pd.DataFrame]:
    """Return the planted dataset's items and its table `truth`, with `path` for `image_id`.

    Images with the same pixels are one eye, of which the first is taken; images that can not be
    read or released are left out. Clean images stay the source's own files; the others are written
    below `folder` where they would lie in the source: beside their eye's image and mask. `recrop`
    takes an eye's scene again, which overlaps need: without it they are a `ClearsetError`.
    """
    if plan.overlaps and recrop is None:
        raise ClearsetError(
            f"fetch.plant.overlaps is {plan.overlaps}: only generated satellite tiles can overlap"
        )
    eyes = unique_eyes(sources, plan.same_eye)
    planted = planting.schedule(list(eyes), plan)
    files = {eye.name: item for eye, item in eyes.items()}
    make = partial(_write, Making(plan.seed, folder, _span(pixel_range), recrop))
    written = iter(mapped(make, _jobs(planted, files), "plant"))
    items = [files[p.eye.name] if p.fault == planting.CLEAN else next(written) for p in planted]
    parts = planting.parts([p.eye.subject for p in planted], plan.held_out, plan.seed)
    rows = [
        {
            "path": str(PurePosixPath(item.split, item.name)),
            "eye": p.eye.subject,
            "source": p.eye.name,
            "part": parts[p.eye.subject],
            "fault": p.fault,
            "kinds": p.kinds,
            "severity": p.severity,
            "parameters": p.parameters,
        }
        for p, item in zip(planted, items, strict=True)
    ]
    return sorted(items, key=lambda item: (item.split, item.name)), pd.DataFrame(rows)


def _span(pixel_range: PixelRange) -> Reading | None:
    """Return the range in which faults are planted; it must be known before the images are."""
    if pixel_range.mapping is Mapped.type:
        return None
    if pixel_range.mapping is not Mapped.fixed:
        raise ClearsetError(
            f"fetch.plant needs a range that is known beforehand, not {pixel_range.mapping.value}: "
            "set fetch.range.mapping to fixed or type"
        )
    return Reading(pixel_range.low, pixel_range.high, pixel_range.nodata)


def _jobs(planted: Sequence[Planted], files: Files) -> list[Job]:
    """Return what is to be written, each with the few files that it takes.

    Those are its eye's, the one whose mask it gets, and to stand in for them the dataset's and its
    split's first.
    """
    first: dict[str, str] = {}
    for name, item in files.items():
        first.setdefault(item.split, name)
    jobs = []
    for one in planted:
        names = (next(iter(files)), first[one.split], one.eye.name, one.mask_of)
        jobs.append((one, {name: files[name] for name in names if name in files}))
    return [(one, few) for one, few in jobs if one.fault != planting.CLEAN]


def _write(making: Making, job: Job) -> Item:
    """Write one planted image with its mask and label, and return where they lie."""
    planted, files = job
    # A stranger comes in the format of any image of the dataset.
    source = files.get(planted.eye.name) or next(iter(files.values()))
    rng = random_for(making.seed, planted.name)
    name = PurePosixPath(planted.name + source.file.suffix)
    target = making.folder / _beside(files, planted).parent / name
    target.parent.mkdir(parents=True, exist_ok=True)
    edit = None
    if planted.fault in SAME_FILE:
        content = source.file.read_bytes()
        size = int(BROKEN * len(content)) if planted.fault == "corrupt" else len(content)
        target.write_bytes(content[:size])
    elif planted.fault in STORED:
        stored = _stored(source.file, planted, rng, making.recrop)
        codec.write_stored(source.file, stored, target)
    else:
        edit = _write_image(source.file, target, planted, rng, making.span)
    item = Item(planted.split, name, target, None, making.folder)
    if planted.fault in LABELLED and source.label is not None:
        label = _place(making, job, Path(source.source_label))
        label.write_bytes(source.label.read_bytes())
        item = replace(item, label=label)
    if not planted.eye.masked or planted.fault in planting.ELSEWHERE:
        return item
    return replace(item, mask=_write_mask(making, job, source, edit))


def _write_mask(making: Making, job: Job, source: Item, edit: Edit | None) -> Path:
    planted, files = job
    own = files[planted.mask_of or planted.eye.name].mask
    if own is None:
        raise ValueError(f"{planted.name}: its eye has no mask")
    mask = planting.planted_mask(masks.decode(own), planted, edit)
    if planted.mask_of:
        mask = _fitted(mask, codec.decode(source.file).shape)
    path = _place(making, job, Path(files[planted.eye.name].source_mask)).with_suffix(".png")
    path.write_bytes(codec.png_bytes(mask))
    return path


def _beside(files: Files, planted: Planted) -> PurePosixPath:
    """Return the image to lie beside: its eye's, or any of its split for a leak or a stranger."""
    own = files.get(planted.eye.name)
    if own is None or own.split != planted.split:
        own = next(item for item in files.values() if item.split == planted.split)
    return PurePosixPath(own.source)


def _place(making: Making, job: Job, own: Path) -> Path:
    """Return where a planted mask or label lies: beside its eye's, named as that is.

    `own` is the place of its eye's in the source.
    """
    planted, files = job
    stem = files[planted.eye.name].file.stem
    before, middle, behind = own.stem.partition(stem)
    name = f"{before}{planted.name}{behind}" if middle else planted.name
    path = making.folder / own.with_name(f"{name}{own.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_image(
    source: Path,
    target: Path,
    planted: Planted,
    rng: planting.Random,
    span: Reading | None,
) -> Edit | None:
    """Write what a planted image shows, in its source's format; return the edit for its mask."""
    pixels = codec.decode(source)
    reading = codec.declaration(source, pixels)
    if span is not None:
        reading = replace(reading, low=span.low, high=span.high, nodata=span.nodata)
    whole = levels.unit(pixels, reading)
    image, edit = _image(levels.data(whole, reading), planted, rng)
    if image.shape != whole.shape:  # transparency stays as it is
        image = np.dstack([image, whole[..., -1]])
    # Not `write_like`: what lies beyond the range would stay where it was before an edit.
    codec.write_stored(source, levels.quantised(image, pixels.dtype, reading), target)
    return edit


def _stored(source: Path, planted: Planted, rng: planting.Random, recrop: Recrop | None) -> Pixels:
    """Return the numbers of a planted image: another crop of its scene, or 0 for most of it."""
    if planted.fault == "overlap" and recrop is not None:
        return recrop(planted.eye.name, rng)
    pixels = codec.decode(source).copy()
    alpha = codec.declaration(source, pixels).alpha
    (pixels if alpha is None else pixels[..., :alpha])[
        planting.without_data(pixels.shape[:2], rng)
    ] = 0
    return pixels


def _fitted(mask: Pixels, shape: tuple[int, ...]) -> Pixels:
    """Return a mask at another size, by its nearest pixels."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(shape[:2], mask.shape, strict=True))
    return mask[np.ix_(rows, columns)]


def _image(image: Image, planted: Planted, rng: planting.Random) -> tuple[Image, Edit | None]:
    if planted.fault != "foreign":
        return planting.planted_image(image, planted, rng)
    height, width = image.shape[:2]
    other = foreign(rng, max(height, width))[:height, :width]
    return (other if image.ndim == 2 else np.dstack([other] * image.shape[2])), None
