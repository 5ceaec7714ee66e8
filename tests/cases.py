"""Small data sets laid out as people keep theirs, each for a kind: generated, a second in all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from scipy import ndimage

SIDE = 128
Pixels = npt.NDArray[Any]
CASES: dict[str, Callable[[Path], None]] = {}
GEO = [(33550, 12, 3, (10.0, 10.0, 0.0), True)]  # GeoTIFF's size of a pixel


def case(function: Callable[[Path], None]) -> Callable[[Path], None]:
    """Register a case under its own name."""
    CASES[function.__name__] = function
    return function


def grey(seed: int, mean: float = 110.0, contrast: float = 35.0) -> npt.NDArray[np.float64]:
    """Return a scene with edges and fine structure, 0 to 255."""
    rng = np.random.default_rng(seed)
    smooth, fine = (ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), s) for s in (9, 1.5))
    image = smooth / smooth.std() + 0.7 * fine / fine.std()
    for _ in range(6):
        row, column, radius = *rng.uniform(0, SIDE, 2), rng.uniform(5, 25)
        image[disc(row, column, radius)] += rng.normal()
    image += rng.normal(size=image.shape) * 0.1
    return np.asarray(np.clip((image - image.mean()) / image.std() * contrast + mean, 0, 255))


def colour(seed: int, factor: float = 1.0) -> Pixels:
    """Return a scene in colour, 8 bits."""
    tint = ndimage.gaussian_filter(
        np.random.default_rng(seed).normal(size=(SIDE, SIDE, 3)), (9, 9, 0)
    )
    image = grey(seed)[..., None] + tint / tint.std() * 18
    return np.asarray((np.clip(image, 0, 255) * factor).round().astype(np.uint8))


def disc(row: float, column: float, radius: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 < radius**2)


def lines(seed: int) -> npt.NDArray[np.bool_]:
    """Return drawn lines."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((SIDE, SIDE), bool)
    for _ in range(5):
        place, angle = rng.uniform(20, SIDE - 20, 2), rng.uniform(0, 6.28)
        for _ in range(90):
            angle += rng.normal() * 0.15
            place += np.sin(angle), np.cos(angle)
            row, column = np.clip(place.astype(int), 0, SIDE - 1)
            mask[row, column] = True
    return np.asarray(ndimage.binary_dilation(mask, iterations=2))


def save(pixels: Pixels, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@case
def beside(target: Path) -> None:
    """Masks beside their images: `p_1.tif`, `p_1_mask.tif`; one patient's hold 0 and 1."""
    for patient, top in (("CS_1", 255), ("DU_2", 1)):
        for i in range(1, 4):
            mask = disc(50 + 5 * i, 60, 10 + 4 * i)
            image = colour(i + (10 if top == 1 else 0))
            image[mask] = np.clip(image[mask] + 40.0, 0, 255).astype(np.uint8)
            save(image, target / patient / f"{patient}_{i}.tif")
            save((mask * top).astype(np.uint8), target / patient / f"{patient}_{i}_mask.tif")


@case
def drive(target: Path) -> None:
    """Two kinds of annotation: vessels (1st_manual) and the field of view (mask)."""
    view = disc(SIDE / 2, SIDE / 2, 58)
    for part, numbers in (("training", range(21, 24)), ("test", range(1, 4))):
        for i in numbers:
            drawn = lines(i) & view
            image = colour(i)
            image[drawn] = (image[drawn] * 0.6).astype(np.uint8)
            image[~view] = 0
            home = target / part
            save(image, home / "images" / f"{i:02d}_{part}.tif", compression="tiff_lzw")
            save((drawn * 255).astype(np.uint8), home / "1st_manual" / f"{i:02d}_manual1.gif")
            save((view * 255).astype(np.uint8), home / "mask" / f"{i:02d}_{part}_mask.gif")
            if part == "test":
                save((drawn * 255).astype(np.uint8), home / "2nd_manual" / f"{i:02d}_manual2.gif")


@case
def classes(target: Path) -> None:
    """Classes are folders, and two of their names end in a word that others use for masks."""
    for j, name in enumerate(("with_mask", "without_mask", "worn_incorrectly", "no_face")):
        for i in range(2):
            save(colour(100 * j + i), target / name / f"{i:03d}.png")


@case
def links(target: Path) -> None:
    """Curated by links: linked files, a linked folder, a hard link, one that dangles, a loop."""
    raw = target.parent / "links_raw"
    for i in range(3):
        save(colour(i), raw / "train" / f"r{i}.png")
        save(colour(20 + i), raw / "val" / f"v{i}.png")
    (target / "train").mkdir(parents=True)
    for i in range(2):
        (target / "train" / f"link{i}.png").symlink_to(raw / "train" / f"r{i}.png")
    os.link(raw / "train" / "r2.png", target / "train" / "hard2.png")
    (target / "train" / "gone.png").symlink_to("/nowhere/gone.png")
    (target / "train" / "self.png").symlink_to("self.png")
    (target / "val").symlink_to(raw / "val")
    (target / "again").symlink_to(raw / "val")
    os.mkfifo(target / "pipe")


@case
def names(target: Path) -> None:
    """Names that a file system takes: other spaces, emoji, a colon; one that is not UTF-8."""
    marks = {"narrow": "\u202f", "no-break": "\u00a0", "ideographic": "\u3000", "soft": "\u00ad"}
    for i, (name, mark) in enumerate(marks.items()):
        save(colour(i), target / f"{name} 1.23{mark}PM.png")
    save(colour(5), target / "\U0001f468\u200d\U0001f469.png")
    save(colour(6), target / "12:30.png")
    save(colour(7), target / "x.png")
    os.rename(target / "x.png", os.fsencode(target) + b"/caf\xe9.png")  # noqa: PTH104 - of bytes


@case
def geotiff(target: Path) -> None:
    """GeoTIFFs as their tools write them: overviews, a mask page, nodata; beside plain ones."""
    target.mkdir(parents=True)
    kind: dict[str, Any] = {"photometric": "rgb", "compression": "deflate", "metadata": None}
    tags = [*GEO, (42113, 2, 2, "0", True)]

    def bands(i: int, factor: float = 200.0) -> Pixels:
        return np.asarray(
            (np.stack([grey(i * 3 + k) for k in range(3)], -1) * factor).astype(np.uint16)
        )

    for i in range(3):
        tifffile.imwrite(target / f"plain{i}.tif", bands(i), extratags=tags, **kind)
    for i in range(3, 6):
        with tifffile.TiffWriter(target / f"cog{i}.tif") as file:
            file.write(bands(i), extratags=tags, **kind)
            file.write(np.ascontiguousarray(bands(i)[::2, ::2]), subfiletype=1, **kind)
    with tifffile.TiffWriter(target / "masked.tif") as file:
        file.write(bands(9), extratags=tags, **kind)
        file.write(disc(64, 64, 60), subfiletype=4, photometric="mask", metadata=None)


def scene(seed: int, count: int, factor: float = 1.0) -> Pixels:
    """Return a scene of so many bands, 16 bits, up to about 7,650."""
    bands = np.stack([grey(seed * 20 + band) for band in range(count)], -1)
    return np.asarray((bands * 30 * factor).astype(np.uint16))


def dark_last(target: Path, write: Callable[[Path, Pixels], None], count: int) -> None:
    """Write four scenes, the last one dark."""
    target.mkdir(parents=True)
    for i, name in enumerate(("a", "b", "c", "dark")):
        write(target / f"{name}.tif", scene(i, count, 0.05 if name == "dark" else 1))


@case
def sentinel(target: Path) -> None:
    """Chips of 13 bands, as Sentinel-2's, one of them dark."""

    def write(path: Path, pixels: Pixels) -> None:
        kind: dict[str, Any] = {"photometric": "minisblack", "planarconfig": "contig"}
        tifffile.imwrite(path, pixels, extratags=GEO, metadata=None, **kind)

    dark_last(target, write, 13)


@case
def bgrn(target: Path) -> None:
    """Tiles of blue, green, red and near infrared, which is no alpha; one of them dark."""

    def write(path: Path, pixels: Pixels) -> None:
        kind: dict[str, Any] = {"photometric": "rgb", "extrasamples": ["UNSPECIFIED"]}
        tifffile.imwrite(path, pixels, extratags=GEO, metadata=None, **kind)

    dark_last(target, write, 4)


@case
def cog(target: Path) -> None:
    """Cloud Optimized GeoTIFFs with overviews and nodata in a corner, one of them dark."""

    def write(path: Path, pixels: Pixels) -> None:
        pixels = np.maximum(pixels, 1)
        pixels[:40, :50] = 0
        kind: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64), "compression": "deflate"}
        tags = [*GEO, (42113, 2, 2, "0", True)]
        with tifffile.TiffWriter(path) as file:
            file.write(pixels, extratags=tags, metadata=None, **kind)
            for step in (2, 4):
                small = np.ascontiguousarray(pixels[::step, ::step])
                file.write(small, subfiletype=1, metadata=None, **kind)

    dark_last(target, write, 3)


@case
def mask_kinds(target: Path) -> None:
    """One image for each kind of mask: 0/1, 0/255, colours, grey kept as RGB, palette, ..."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[20:60, 30:75], mask[75:100, 15:45] = 1, 2
    white, flat = ((mask > 0) * 255).astype(np.uint8), np.full(mask.shape, 255, np.uint8)
    painted = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)[mask]
    kinds = {
        "ones": mask,
        "white": white,
        "colours": painted,
        "grey_as_rgb": np.repeat(white[..., None], 3, 2),
        "colours_alpha": np.dstack([painted, flat]),
        "grey_alpha": np.dstack([mask, flat]),
        "bilevel": mask > 0,
        "sixteen": mask.astype(np.uint16),
        "other_size": mask[::2, ::2],
        "empty": mask * 0,
    }
    for i, (name, pixels) in enumerate(kinds.items()):
        save(colour(i), target / "images" / f"{name}.jpg", quality=94)
        save(pixels, target / "masks" / f"{name}.png")
    save(colour(20), target / "images" / "no_mask.jpg", quality=94)
    save(colour(21), target / "images" / "palette.jpg", quality=94)
    indexed = Image.fromarray(mask)
    indexed.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255] + [0] * 759)
    indexed.save(target / "masks" / "palette.png")


@case
def unknown_drawings(target: Path) -> None:
    """Photographs, and drawings of classes that no name ties to them."""
    for i in range(4):
        save(colour(i), target / "visits" / f"{i}.png")
    for i in range(2):
        drawn = (lines(i) * 2 + disc(64, 64, 30)).astype(np.uint8)
        save(drawn, target / "evening" / f"blob {'xy'[i]}.png")


@case
def transparent(target: Path) -> None:
    """Cut-outs of ordinary light on transparent black, line art by alpha alone, photographs."""
    full = np.full((SIDE, SIDE), 255, np.uint8)
    for i in range(3):
        drawn = (lines(i) * 255).astype(np.uint8)
        save(np.dstack([np.zeros((SIDE, SIDE, 3), np.uint8), drawn]), target / f"art{i}.png")
        save(np.dstack([colour(10 + i), full]), target / f"photo{i}.png")
        seen = disc(64, 64, 25)
        image = colour(20 + i)
        image[~seen] = 0
        save(np.dstack([image, (seen * 255).astype(np.uint8)]), target / f"cut{i}.png")


@case
def swath(target: Path) -> None:
    """16-bit tiles that name their nodata: two mostly nodata but of ordinary light, one dark."""
    target.mkdir(parents=True)

    def write(name: str, pixels: Pixels, nodata: str) -> None:
        tags = [*GEO, (42113, 2, len(nodata) + 1, nodata, True)]
        tifffile.imwrite(
            target / name, pixels, metadata=None, compression="deflate", extratags=tags
        )

    def ground(i: int, factor: float = 1.0) -> Pixels:
        return np.asarray((np.clip(grey(i), 3, 255) / 255 * 3000 * factor).astype(np.uint16))

    for i in range(5):
        write(f"t{i}.tif", ground(i), "0")
    low, high = ground(7), ground(8)
    low[:, :100], high[:, :112] = 0, 65535
    write("swath0.tif", low, "0")
    write("swath65535.tif", high, "65535")
    write("dark.tif", ground(9, 0.12), "0")


@case
def detection(target: Path) -> None:
    """A detection set: labels beside images, and what belongs to the whole: data.yaml, LICENSE."""
    for i in range(6):
        split = "train" if i < 4 else "val"
        save(colour(i, 0.1 if i == 3 else 1), target / f"images/{split}/{i:04d}.jpg", quality=93)
        label = target / f"labels/{split}/{i:04d}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text("0 0.5 0.5 0.2 0.2\n")
    (target / "images/train/0009.jpg").write_bytes(b"no image at all")
    rows = "".join(f"images/train/{i:04d}.jpg,1\n" for i in (0, 1, 2, 3, 9))
    (target / "metadata.csv").write_text("file_name,label\n" + rows)
    (target / "data.yaml").write_text("train: images/train\nval: images/val\nnc: 1\n")
    (target / "annotations").mkdir()
    (target / "annotations/instances.json").write_text('{"images":[{"file_name":"0001.jpg"}]}')
    (target / "classes.txt").write_text("vessel\n")
    (target / "LICENSE").write_text("CC BY 4.0\n")
    (target / "README.md").write_text("# data\n")
    (target / ".DS_Store").write_bytes(b"\0")


@case
def odd_files(target: Path) -> None:
    """Sound files that are not read, or not written back: pages, CMYK, HEIF, a palette, int16."""
    for i in range(2):
        save(colour(i), target / f"plain{i}.png")
    save(colour(2, 0.1), target / "dark.png")
    with tifffile.TiffWriter(target / "pages.tif") as file:
        for i in range(2):
            file.write(colour(i), photometric="rgb", metadata=None)
    Image.fromarray(colour(3)).convert("CMYK").save(target / "print.jpg")
    (target / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(200))
    save(colour(4)[:6, :6], target / "tiny.png")
    tifffile.imwrite(target / "depth.tif", (grey(5) * 20 - 900).astype(np.int16))
    Image.fromarray(colour(6, 0.1)).quantize(64).save(target / "palette.png")
    (target / "cut.png").write_bytes((target / "plain0.png").read_bytes()[:500])


@case
def all_dark(target: Path) -> None:
    """Nothing but dark images."""
    for i in range(3):
        save(colour(i, 0.1), target / f"{i}.png")


@case
def all_black(target: Path) -> None:
    """Four equal black images."""
    for i in range(4):
        save(np.zeros((SIDE, SIDE, 3), np.uint8), target / f"{i}.png")


@case
def worst_twice(target: Path) -> None:
    """Of eight images the least sharp is there twice: a quantile with a tie at its bound."""
    for i in range(6):
        save(colour(i), target / f"{i}.png")
    blurred = ndimage.gaussian_filter(colour(7).astype(float), (4, 4, 0)).astype(np.uint8)
    save(blurred, target / "soft.png")
    save(blurred, target / "soft_copy.png")
