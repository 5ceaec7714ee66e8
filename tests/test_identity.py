"""An image is its pixels with what it declares: the same in other bytes, another by one of them."""

import hashlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from clearset.images.identity import identities, identity, judged, remark, verify
from clearset.store import checksums
from clearset.store.errors import UnreadableImage
from conftest import write_image

Pixels = npt.NDArray[Any]
NODATA = (42113, "s", 0, "0", True)
SCALE = (33550, "d", 3, (0.5, 0.5, 0.0), True)  # GeoTIFF: metres a pixel


def drawn(shape: tuple[int, ...] = (40, 30), dtype: npt.DTypeLike = np.uint8) -> Pixels:
    """Return smooth pixels, which compression levels and filters do differently."""
    rows = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) * 3
    pixels = rows if len(shape) == 2 else np.stack([rows + band for band in range(shape[2])], 2)
    return pixels.astype(dtype)


def png(path: Path, pixels: Pixels, **options: Any) -> Path:
    Image.fromarray(pixels).save(path, format="PNG", **options)
    return path


def tif(path: Path, pixels: Pixels, **options: Any) -> Path:
    tifffile.imwrite(path, pixels, metadata=None, **({"software": False} | options))
    return path


def flipped(pixels: Pixels) -> Pixels:
    other = pixels.copy()
    other.flat[-1] ^= 1
    return other


@pytest.mark.parametrize(
    "pixels",
    [drawn(), drawn(dtype=np.uint16), drawn((40, 30, 3)), drawn((40, 30, 4)), drawn() > 90],
    ids=["grey", "16 bits", "colour", "alpha", "bilevel"],
)
def test_a_png_of_another_compression_is_the_same_image(tmp_path: Path, pixels: Pixels) -> None:
    files = [png(tmp_path / f"{n}.png", pixels, compress_level=n) for n in (0, 1, 9)]
    assert len({file.read_bytes() for file in files}) == 3
    assert len({identity(file) for file in files}) == 1


STORED: list[dict[str, Any]] = [
    {"compression": "adobe_deflate", "predictor": True},
    {"compression": "lzw"},
    {"compression": "zstd"},
    {"rowsperstrip": 3},
    {"tile": (16, 16)},
    {"byteorder": ">"},
    {"bigtiff": True},
    {"software": "another program", "datetime": "2026:01:02 03:04:05"},
]


@pytest.mark.parametrize("options", STORED, ids=" ".join)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_stored_otherwise_is_the_same_image(
    tmp_path: Path, options: dict[str, Any], dtype: npt.DTypeLike
) -> None:
    plain = tif(tmp_path / "plain.tif", drawn(dtype=dtype), extratags=[NODATA, SCALE])
    other = tif(tmp_path / "other.tif", drawn(dtype=dtype), extratags=[NODATA, SCALE], **options)
    assert plain.read_bytes() != other.read_bytes()
    assert identity(plain) == identity(other)


@pytest.mark.parametrize("write", [png, tif])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_pixel_by_one_level_is_another_image(
    tmp_path: Path, write: Callable[[Path, Pixels], Path], dtype: npt.DTypeLike
) -> None:
    suffix = f".{write.__name__}"
    first = write(tmp_path / f"a{suffix}", drawn(dtype=dtype))
    second = write(tmp_path / f"b{suffix}", flipped(drawn(dtype=dtype)))
    assert identity(first) != identity(second)


def test_the_same_values_of_another_type_or_shape_are_another_image(tmp_path: Path) -> None:
    flat = np.zeros((20, 30), np.uint8)
    shapes: list[Pixels] = [flat, flat.T, flat.astype(np.uint16), np.zeros((20, 30, 3), np.uint8)]
    made = [png(tmp_path / f"{n}.png", pixels) for n, pixels in enumerate(shapes)]
    made.append(tif(tmp_path / "4.tif", flat))
    assert len({identity(file) for file in made}) == 5


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[274] = orientation
    return block.tobytes()


PNG: list[dict[str, Any]] = [
    {"dpi": (300, 300)},
    {"dpi": (72, 72)},
    {"icc_profile": b"one profile"},
    {"icc_profile": b"another profile"},
    {"exif": exif(3)},
    {"exif": exif(6)},
    {"transparency": 0},
    {"transparency": 9},
]
TIFF: list[dict[str, Any]] = [
    {"extratags": [NODATA]},
    {"extratags": [(42113, "s", 0, "255", True)]},
    {"extratags": [SCALE]},
    {"extratags": [(33550, "d", 3, (0.5, 0.25, 0.0), True)]},
    {"extratags": [(274, "H", 1, 6, True)]},
    {"extratags": [(280, "H", 1, 0, True)]},
    {"iccprofile": b"a profile" * 20},
    {"resolution": (300, 300), "resolutionunit": "INCH"},
    {"resolution": (300, 300), "resolutionunit": "CENTIMETER"},
    {"description": "PhysicalSizeX=0.5"},
]


@pytest.mark.parametrize(("write", "every"), [(png, PNG), (tif, TIFF)])
def test_each_other_declaration_is_another_image(
    tmp_path: Path, write: Callable[..., Path], every: list[dict[str, Any]]
) -> None:
    suffix = f".{write.__name__}"
    files = [
        write(tmp_path / f"{number}{suffix}", drawn(), **options)
        for number, options in enumerate([{}, *every])
    ]
    assert len({identity(file) for file in files}) == len(every) + 1


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def test_exif_behind_the_pixels_counts_too(tmp_path: Path) -> None:
    file = png(tmp_path / "a.png", drawn())
    before, end = identity(file), chunk(b"IEND", b"")
    content = file.read_bytes()
    file.write_bytes(content.removesuffix(end) + chunk(b"eXIf", exif(6)[6:]) + end)
    assert identity(file) != before


def test_a_comment_says_nothing_of_the_pixels(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "another program")
    first = png(tmp_path / "a.png", drawn())
    assert identity(first) == identity(png(tmp_path / "b.png", drawn(), pnginfo=text))


def test_a_palette_is_what_its_numbers_mean(tmp_path: Path) -> None:
    made = []
    for number, colours in enumerate(([0, 0, 0, 255, 0, 0], [0, 0, 0, 0, 255, 0])):
        mask = Image.fromarray(np.eye(20, dtype=np.uint8), mode="P")
        mask.putpalette(colours)
        for level in (1, 9):
            mask.save(tmp_path / f"{number} {level}.png", compress_level=level)
            made.append(identity(tmp_path / f"{number} {level}.png"))
    assert made[0] == made[1]
    assert made[2] == made[3] != made[0]


def test_a_name_is_no_part_of_an_image(tmp_path: Path) -> None:
    first = png(tmp_path / "a.png", drawn())
    before = identity(first)
    assert identity(first.rename(tmp_path / "=b.PNG")) == before


@pytest.mark.parametrize(
    ("stored", "mode", "name"), [("|u1", "L", "uint8"), ("<u2", "I;16", "uint16")]
)
def test_an_identity_is_the_same_for_ever(
    tmp_path: Path, stored: str, mode: str, name: str
) -> None:
    """Released lists hold it: what it is taken of can only change with another scheme."""
    facts = (
        f'{{"format":"PNG","mode":"{mode}","palette":null,"scheme":"image 1","shape":[40,30],'
        f'"type":"{name}"}}\n'
    )
    pixels = drawn(dtype=stored)
    expected = hashlib.sha256(facts.encode() + pixels.tobytes()).hexdigest()
    assert identity(png(tmp_path / "a.png", pixels)) == expected


NOT_EXACT: dict[str, Callable[[Path], object]] = {
    "a.jpg": lambda path: Image.fromarray(drawn()).save(path),
    "b.png": lambda path: Image.fromarray(drawn()).save(path, format="JPEG"),  # by its content
    "a.webp": lambda path: Image.fromarray(drawn((40, 30, 3))).save(path, quality=90),
    "a.tif": lambda path: tif(path, drawn(), compression="jpeg"),
    "c.tif": lambda path: tif(path, drawn(dtype=np.complex64)),
    "d.tif": lambda path: tif(path, drawn((2, 40, 30)), photometric="minisblack"),  # two pages
    "empty.png": lambda path: path.write_bytes(b""),
    "none.png": lambda path: path.write_bytes(b"no image"),
    "none.tif": lambda path: path.write_bytes(b"II*\0\xff\xff\xff\xff"),
    "small.png": lambda path: png(path, drawn((4, 4))),
}


@pytest.mark.parametrize("name", NOT_EXACT)
def test_what_is_lossy_or_no_image_has_no_identity_but_its_bytes(tmp_path: Path, name: str) -> None:
    NOT_EXACT[name](tmp_path / name)
    with pytest.raises(UnreadableImage):
        identity(tmp_path / name)
    assert identities(tmp_path, [name, ""]) == ["", ""]


def test_a_lossless_webp_has_one(tmp_path: Path) -> None:
    for number, method in enumerate((0, 6)):
        picture = Image.fromarray(np.random.default_rng(0).integers(0, 99, (40, 30, 3), np.uint8))
        picture.save(tmp_path / f"{number}.webp", lossless=True, exact=True, method=method)
    first, second = identities(tmp_path, ["0.webp", "1.webp"])
    assert first == second != ""


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_hostile_file_is_unreadable_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    (png if suffix == ".png" else tif)(path, drawn())
    content, draw = path.read_bytes(), np.random.default_rng(0)
    for place in draw.integers(0, len(content), 300):
        broken = bytearray(content)
        broken[place] ^= int(draw.integers(1, 256))
        path.write_bytes(broken)
        assert len(identities(tmp_path, [path.name])[0]) in (0, 64)
        path.write_bytes(content[:place])
        assert len(identities(tmp_path, [path.name])[0]) in (0, 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A released folder of an image, a mask, a JPEG and a text, with both of its lists."""
    write_image(tmp_path / "images/a.png", drawn())
    write_image(tmp_path / "images/c.jpg", drawn())
    write_image(tmp_path / "masks/a.png", drawn() // 40)
    (tmp_path / "readme.txt").write_text("text")
    places = ["images/a.png", "images/c.jpg", "masks/a.png"]
    values = dict(zip(places, identities(tmp_path, places), strict=True))
    listed = {place: value for place, value in values.items() if value}
    checksums.write_list(listed, tmp_path / checksums.IDENTITIES)
    checksums.write(tmp_path)
    return tmp_path


def wrong(folder: Path) -> list[tuple[str, str]]:
    return [(one.path, one.what) for one in verify(folder).wrong]


def test_an_image_compressed_anew_is_told_from_a_changed_one(folder: Path) -> None:
    assert verify(folder) == verify(folder)
    assert (wrong(folder), verify(folder).same) == ([], [])
    png(folder / "images/a.png", drawn(), compress_level=1)
    assert (wrong(folder), verify(folder).same) == ([], ["images/a.png"])
    png(folder / "masks/a.png", flipped(drawn() // 40), compress_level=1)
    Image.fromarray(drawn()).save(folder / "images/c.jpg", quality=100)
    (folder / "readme.txt").write_text("Text")
    assert wrong(folder) == [
        ("images/c.jpg", "changed"),
        ("masks/a.png", "changed"),
        ("readme.txt", "changed"),
    ]
    assert verify(folder).same == ["images/a.png"]


def test_an_image_in_anothers_place_is_a_changed_one(folder: Path) -> None:
    (folder / "images/a.png").rename(folder / "images/b.png")
    png(folder / "masks/a.png", drawn())
    assert wrong(folder) == [
        ("images/a.png", "missing"),
        ("images/b.png", "not listed"),
        ("masks/a.png", "changed"),
    ]


def test_a_list_of_identities_that_was_changed_proves_nothing(folder: Path) -> None:
    png(folder / "images/a.png", flipped(drawn()))
    text = (folder / checksums.IDENTITIES).read_text()
    lines = [f"{identity(folder / 'images/a.png')}  images/a.png", text.splitlines()[1]]
    (folder / checksums.IDENTITIES).write_text("\n".join(lines) + "\n")
    assert wrong(folder) == [("identities.sha256", "changed"), ("images/a.png", "changed")]


def test_a_folder_of_before_there_were_identities_goes_by_its_bytes(folder: Path) -> None:
    (folder / checksums.IDENTITIES).unlink()
    checksums.write(folder)
    assert wrong(folder) == []
    png(folder / "images/a.png", drawn(), compress_level=1)
    assert wrong(folder) == [("images/a.png", "changed")]


def test_only_what_changed_can_be_the_same_image(folder: Path) -> None:
    gone = [checksums.Difference("images/a.png", "missing")]
    values = {"images/a.png": identity(folder / "images/a.png")}
    assert judged(folder, gone, values).wrong == gone


def test_a_remark_counts_and_names() -> None:
    assert remark([]) == ""
    assert remark(["a\n.png"]) == (
        "  same pixels, other bytes: 1 file, compressed anew ('a\\n.png')\n"
    )
    assert "7 files, compressed anew ('a', 'b', 'c', 'd', 'e' and 2 more)" in remark([*"abcdefg"])
