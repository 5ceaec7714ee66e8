"""What an image may take, by its header alone: the same answer on every machine."""

from dataclasses import dataclass

from clearset.store.errors import UnreadableImage

MIN_SIDE = 10  # fastdup's own limit: both engines see the same images
MAX_PIXELS = 2**28  # a larger one is a mistake or an attack; decoding it could take all memory
PAGES = 1000  # of a TIFF, overviews and all
GIGABYTE = 10**9
# Bytes a pixel that measuring takes, from runs of 1 to 9 megapixels: the grey levels and what is
# made of them, the colours they come from, and the stored values, a few times over.
LEVELS, COLOURS, STORED = 42, 24, 2
COUNTED = 5  # times the stored values, while those of many bands are described


@dataclass(frozen=True)
class Extent:
    """How large an image is once it is decoded: sides in px, bands, and bytes of a value.

    `decoded` are the pixels that the decoder makes where they are more than the image's: of tiles.
    """

    height: int
    width: int
    bands: int = 1
    value: int = 1
    decoded: int = 0

    @property
    def bytes(self) -> int:
        """What describing and measuring it takes in one process, in bytes, beside the program."""
        stored = self.bands * self.value
        levels = LEVELS + (COLOURS if self.bands > 2 else 0) + STORED * stored
        beyond = max(self.decoded - self.height * self.width, 0) * stored
        return self.height * self.width * max(levels, COUNTED * stored + COUNTED) + beyond


def check_size(height: int, width: int) -> None:
    """Raise `UnreadableImage` for an image too small to be measured, or too large for anything."""
    if min(height, width) < MIN_SIDE:
        raise UnreadableImage(f"{width} x {height} px: smaller than {MIN_SIDE} px a side")
    if height * width > MAX_PIXELS:
        raise UnreadableImage(f"{width} x {height} px: more than {MAX_PIXELS} px")


def check_memory(extent: Extent, memory: float) -> None:
    """Raise `UnreadableImage` for an image whose measuring takes more than `memory` gigabytes."""
    needed = extent.bytes / GIGABYTE
    if needed > memory:
        raise UnreadableImage(
            f"{extent.width} x {extent.height} px: measuring it takes about {needed:.3g} GB, and "
            f"fetch.memory allows {memory:g}: raise it, or cut it into tiles"
        )
