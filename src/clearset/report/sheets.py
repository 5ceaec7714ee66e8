"""Sheets of pictures under their captions, laid out in whole pixels.

Pillow draws them: a place in a figure of matplotlib costs thirty milliseconds before it shows
anything, and a page of galleries has two hundred.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clearset.images.levels import Pixels

Picture = tuple[Pixels, str]  # what `View.shown` gives, and its caption
SIDE = 260  # px: of the square that a picture is fitted into
GAP = 6  # px between places, and around them
LINES = 2  # of a caption
TEXT, TITLE = 11, 14  # px: sizes of letters
LEAST = 520  # px: width of a sheet, so that a title has room


def sheet(pictures: Sequence[Picture], title: str, columns: int = 4, side: int = SIDE) -> Pixels:
    """Return a sheet, uint8 (h, w) or (h, w, 3): pictures in reading order, `columns` in a row.

    Small pictures are enlarged pixel by pixel, large ones reduced by area; no grey is stretched.
    What of a caption or the title does not fit ends in dots.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = title.splitlines()
    top, below = GAP + len(lines) * (TITLE + 5), LINES * (TEXT + 3) + 2
    width = max(columns * (side + GAP) + GAP, LEAST)
    size = (width, top + rows * (below + side + GAP) + GAP)
    canvas = Image.new("L" if all(p.ndim == 2 for p, _ in pictures) else "RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        place = (width / 2, GAP + number * (TITLE + 5))
        draw.text(place, fitted(line, TITLE, width), "black", font(TITLE), anchor="ma")
    for number, (pixels, caption) in enumerate(pictures):
        row, column = divmod(number, columns)
        x, y = GAP + column * (side + GAP), top + row * (below + side + GAP)
        _captioned(draw, (x, y), caption, side)
        canvas.paste(picture(pixels, side, canvas.mode), (x, y + below))
    return np.asarray(canvas)


def _captioned(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """Write a caption at the foot of its room, so that it stands right over its picture."""
    lines = text.splitlines()[:LINES]
    for number, line in enumerate(lines, LINES - len(lines)):
        at = (place[0] + width / 2, place[1] + number * (TEXT + 3))
        draw.text(at, fitted(line, TEXT, width), "black", font(TEXT), anchor="ma")


def picture(pixels: Pixels, side: int, mode: str) -> Image.Image:
    """Return pixels as large as fits into a square, on white, in the mode of a sheet."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = side / max(image.size)
    width, height = (max(round(length * scale), 1) for length in image.size)
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    place = Image.new(mode, (side, side), "white")
    small = image.convert(mode).resize((width, height), way)
    place.paste(small, ((side - width) // 2, (side - height) // 2))
    return place


def fitted(line: str, size: int, width: int) -> str:
    """Return a line of text that is no wider than so many px; what can not be seen becomes `?`."""
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    if font(size).getlength(line) <= width:
        return line
    while line and font(size).getlength(line + "...") > width:
        line = line[:-1]
    return line + "..."


@cache
def font(size: int) -> Any:
    """Return the font of all figures in so many px."""
    file = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def pair(before: Pixels, after: Pixels, title: str) -> Pixels:
    """Return the original beside the repaired image, and a detail of each below."""
    height, width = before.shape[:2]
    detail = np.s_[height // 3 : height // 3 + height // 4, width // 3 : width // 3 + width // 4]
    sides = (("before", before), ("after", after))
    pictures = [(pixels, name) for name, pixels in sides]
    pictures += [(pixels[detail], f"{name}, centre detail") for name, pixels in sides]
    return sheet(pictures, title, columns=2, side=384)


def registered(first: Pixels, second: Pixels, moved: Pixels, title: str) -> Pixels:
    """Return two images of one scene, and the first laid on the second in alternate squares."""
    names = ("first", "second", "first on second")
    pictures = zip((first, second, woven(moved, second)), names, strict=True)
    return sheet(list(pictures), title, columns=3, side=384)


def woven(first: Pixels, second: Pixels) -> Pixels:
    """Return alternate squares, eight along each side, of two images of one shape."""
    rows, columns = (np.arange(side) // max(side // 8, 1) for side in second.shape[:2])
    squares = (rows[:, None] + columns[None]) % 2 == 0
    return np.where(squares.reshape((*squares.shape, 1)[: second.ndim]), first, second)
