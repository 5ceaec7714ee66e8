"""Generated satellite tiles as files: georeferenced images, and texts of their buildings."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import tifffile

from clearset.config.schema_fetch import Fetch, Scene, Source
from clearset.generate.satellite.tile import Tile, boxes_text, tile
from clearset.images.levels import Pixels
from clearset.store.parallel import mapped

ASIDE = (0.2, 0.4)  # shares of the side by which an overlapping tile lies further down or right
GROUND = 0.5  # metres a pixel
ORIGIN = (600_000.0, 3_500_000.0)  # metres east and north: where the first tile lies
ROW = 100  # tiles side by side


def generate(folder: Path, fetch: Fetch) -> None:
    """Write the tiles as a source: <split>/images, and <split>/labelTxt of those for training."""
    mapped(partial(_write, folder, fetch), range(fetch.count), "generate")


def recropper(fetch: Fetch) -> Callable[[str, np.random.Generator], Pixels] | None:
    """Return a function from a tile's name to another crop of its scene; None: there are no tiles.

    The crop lies 0.2 to 0.4 of the side further up or down and to the left or right.
    """
    if fetch.source is not Source.generated or fetch.scene is not Scene.satellite:
        return None
    return partial(_recrop, fetch)


def _recrop(fetch: Fetch, name: str, rng: np.random.Generator) -> Pixels:
    down, right = rng.uniform(*ASIDE, 2) * rng.choice([-1, 1], 2)
    return _tile(fetch, int(name.rpartition("_")[2]), (float(down), float(right))).pixels


def _tile(fetch: Fetch, number: int, aside: tuple[float, float] = (0.0, 0.0)) -> Tile:
    return tile(
        number,
        count=fetch.count,
        size=fetch.size,
        bands=fetch.channels,
        seed=fetch.seed,
        aside=aside,
    )


def _write(folder: Path, fetch: Fetch, number: int) -> None:
    tile = _tile(fetch, number)
    image = folder / tile.split / "images" / f"{tile.name}.tif"
    image.parent.mkdir(parents=True, exist_ok=True)
    _write_tile(image, tile.pixels, number)
    if tile.split == "train":
        label = folder / tile.split / "labelTxt" / f"{tile.name}.txt"
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(boxes_text(tile), encoding="ascii", newline="\n")


def _write_tile(file: Path, pixels: Pixels, number: int) -> None:
    """Write a GeoTIFF: where it lies, and that 0 is no data."""
    side, (row, column) = GROUND * len(pixels), divmod(number, ROW)
    corner = (ORIGIN[0] + side * column, ORIGIN[1] - side * row)
    tags = [
        (33550, "d", 3, (GROUND, GROUND, 0.0), True),  # ModelPixelScale
        (33922, "d", 6, (0.0, 0.0, 0.0, *corner, 0.0), True),  # ModelTiepoint
        (42113, "s", 0, "0", True),  # GDAL_NODATA
    ]
    colours = "minisblack" if pixels.ndim == 2 else "rgb"
    tifffile.imwrite(
        file, pixels, photometric=colours, metadata=None, software="Clearset", extratags=tags
    )
