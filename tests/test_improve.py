"""`ImproveImage`: what it writes, what it leaves alone, and what it refuses."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from matplotlib.figure import Figure
from PIL import Image

from clearset.generate.retina.synthesis import Made
from clearset.measure import metrics
from clearset.numeric.grey import of_levels
from clearset.repair.improve import ImproveImage
from clearset.store.errors import ClearsetError

Pixels = npt.NDArray[np.generic]
FORMATS = {  # by suffix, channels and bits
    "grey.png": (0, 8),
    "grey_alpha.png": (2, 8),
    "rgb.png": (3, 8),
    "rgba.png": (4, 8),
    "deep.png": (0, 16),
    "grey.tif": (0, 8),
    "deep.tiff": (0, 16),
    "rgb.tif": (3, 8),
    "deep_rgb.tif": (3, 16),
    "grey.jpg": (0, 8),
    "rgb.jpeg": (3, 8),
    "grey.bmp": (0, 8),
    "rgb.webp": (3, 8),
}


@pytest.fixture(scope="module")
def eye(eyes: list[Made]) -> npt.NDArray[np.uint8]:
    return eyes[0].pixels[:60, :80]


@pytest.fixture
def source(tmp_path: Path, eye: npt.NDArray[np.uint8]) -> Path:
    return write(tmp_path / "in" / "eye.png", eye)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out"


def write(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".tif", ".tiff"):
        tifffile.imwrite(path, pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
    else:
        Image.fromarray(pixels).save(path)
    return path


def read(path: Path) -> Pixels:
    if path.suffix in (".tif", ".tiff"):
        return tifffile.imread(path)
    return np.asarray(Image.open(path))


def laplacian_variance(path: Path) -> float:
    return metrics.laplacian_variance(of_levels(read(path), 255))


def made_as(name: str, eye: npt.NDArray[np.uint8]) -> Pixels:
    channels, bits = FORMATS[name]
    pixels = eye if bits == 8 else eye.astype(np.uint16) * 200 + 77
    return np.dstack([pixels // (i + 1) for i in range(channels)]) if channels else pixels


def everything(folder: Path) -> dict[Path, bytes]:
    """Return every file below a folder with its bytes."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", [str, Path])
def test_a_single_path_is_improved(kind: type, source: Path, target: Path) -> None:
    assert ImproveImage(kind(source), kind(target)).save() == [target / "eye.png"]
    assert (target / "eye.png").is_file()


def test_a_list_is_improved_in_its_order(source: Path, target: Path) -> None:
    other = write(source.with_name("a.png"), read(source))
    written = ImproveImage([source, str(other)], target).save()
    assert written == [target / "eye.png", target / "a.png"]
    assert set(everything(target)) == set(written)


def test_the_result_is_sharper(source: Path, target: Path) -> None:
    (written,) = ImproveImage(source, target).save()
    assert laplacian_variance(written) > laplacian_variance(source)


def test_a_higher_amount_sharpens_more(source: Path, target: Path) -> None:
    saved = [ImproveImage(source, target / f"{a}", amount=a).save()[0] for a in (0.5, 1.0, 3.0)]
    values = [laplacian_variance(path) for path in saved]
    assert values == sorted(values)
    assert len(set(values)) == 3


def test_the_default_is_mild(source: Path, target: Path) -> None:
    (default,) = ImproveImage(source, target / "default").save()
    (told,) = ImproveImage(source, target / "told", radius=1.0, amount=1.0).save()
    assert default.read_bytes() == told.read_bytes()


def test_another_method_takes_its_own_options(source: Path, target: Path) -> None:
    (written,) = ImproveImage(source, target, method="gamma", gamma=0.5).save()
    assert read(written).mean() > read(source).mean()


@pytest.mark.parametrize("name", FORMATS)
def test_format_mode_size_and_bit_depth_are_kept(
    name: str, tmp_path: Path, target: Path, eye: npt.NDArray[np.uint8]
) -> None:
    source = write(tmp_path / "in" / name, made_as(name, eye))
    (written,) = ImproveImage(source, target).save()
    with Image.open(source) as before, Image.open(written) as after:
        kept = [(i.format, i.mode, i.size) for i in (before, after)]
    assert kept[0] == kept[1]
    assert written.name == name
    assert read(written).shape == read(source).shape
    assert read(written).dtype == read(source).dtype
    assert not np.array_equal(read(written), read(source))


@pytest.mark.parametrize("name", [name for name in FORMATS if not name.endswith(("jpg", "jpeg"))])
def test_a_method_that_changes_nothing_keeps_every_value(
    name: str, tmp_path: Path, target: Path, eye: npt.NDArray[np.uint8]
) -> None:
    pixels = made_as(name, eye)
    source = tmp_path / "in" / name
    source.parent.mkdir()
    if name.endswith("webp"):
        Image.fromarray(pixels).save(source, lossless=True)
    else:
        write(source, pixels)
    (written,) = ImproveImage(source, target, amount=0.0).save()
    assert np.array_equal(read(written), pixels)


@pytest.mark.parametrize("name", ["grey_alpha.png", "rgba.png"])
def test_alpha_is_kept(name: str, tmp_path: Path, target: Path, eye: npt.NDArray[np.uint8]) -> None:
    source = write(tmp_path / "in" / name, made_as(name, eye))
    (written,) = ImproveImage(source, target).save()
    assert np.array_equal(read(written)[..., -1], read(source)[..., -1])


def test_a_preview_shows_both_and_writes_nothing(
    source: Path, target: Path, tmp_path: Path
) -> None:
    before = everything(tmp_path)
    figure = ImproveImage(
        [source, write(source.with_name("b.png"), read(source))], target
    ).preview()
    assert isinstance(figure, Figure)
    assert [axes.get_title() for axes in figure.axes] == [
        "eye.png: original",
        "eye.png: unsharp_mask",
        "b.png: original",
        "b.png: unsharp_mask",
    ]
    assert set(everything(tmp_path)) == {*before, source.with_name("b.png")}
    assert not target.exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_preview_shows_what_save_would_write(
    name: str, tmp_path: Path, target: Path, eye: npt.NDArray[np.uint8]
) -> None:
    improved = ImproveImage(write(tmp_path / "in" / name, made_as(name, eye)), target)
    shown = np.asarray(improved.preview().axes[1].images[0].get_array(), int)
    (written,) = improved.save()
    saved = read(written)
    bands = saved.shape[2] if saved.ndim == 3 else 1
    saved = saved[..., : bands - 1].squeeze() if bands in (2, 4) else saved
    saved = saved // 257 if saved.dtype == np.uint16 else saved
    far = 40 if written.suffix in (".jpg", ".jpeg") else 1  # JPEG loses some
    assert np.abs(shown - saved.astype(int)).max() <= far


def test_the_input_is_left_alone(source: Path, target: Path) -> None:
    before = source.read_bytes()
    ImproveImage(source, target).save()
    assert source.read_bytes() == before


def test_the_input_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    before = everything(tmp_path)
    with pytest.raises(ClearsetError, match=r"eye\.png would be overwritten.*overwrite=True"):
        ImproveImage(source, source.parent).save()
    assert everything(tmp_path) == before


def test_the_input_is_overwritten_when_asked_for(source: Path) -> None:
    before = source.read_bytes()
    assert ImproveImage(source, source.parent, overwrite=True).save() == [source]
    assert source.read_bytes() != before
    assert set(everything(source.parent)) == {source}


def test_one_existing_output_stops_all(source: Path, target: Path, tmp_path: Path) -> None:
    other = write(source.with_name("a.png"), read(source))
    write(target / "eye.png", read(source))
    before = everything(tmp_path)
    with pytest.raises(ClearsetError, match="nothing was written"):
        ImproveImage([other, source], target).save()
    assert everything(tmp_path) == before


def test_an_existing_output_is_replaced_when_asked_for(source: Path, target: Path) -> None:
    ImproveImage(source, target).save()
    (again,) = ImproveImage(source, target, amount=3.0, overwrite=True).save()
    assert laplacian_variance(again) > 2 * laplacian_variance(source)


def test_a_missing_image_is_named(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match=r"missing\.png: no such image file"):
        ImproveImage([source, source.with_name("missing.png")], target)


def test_a_broken_image_is_named(source: Path, target: Path) -> None:
    source.write_bytes(b"no image")
    with pytest.raises(ClearsetError, match=r"eye\.png: broken or unknown file"):
        ImproveImage(source, target)


def test_a_folder_is_not_an_image(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match="in: no such image file"):
        ImproveImage(source.parent, target)


def test_no_image_is_an_error(target: Path) -> None:
    with pytest.raises(ClearsetError, match="no image was given"):
        ImproveImage([], target)


def test_two_inputs_of_one_name_are_refused(source: Path, target: Path) -> None:
    other = write(source.parent / "more" / "eye.png", read(source))
    with pytest.raises(ClearsetError, match=r"share the names eye\.png"):
        ImproveImage([source, other], target)


def test_an_unknown_method_is_named_with_the_known_ones(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match=r"unknown method 'sharpen'\. Known: .*unsharp_mask"):
        ImproveImage(source, target, method="sharpen")


def test_an_unknown_option_is_named(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match="unknown: strength"):
        ImproveImage(source, target, strength=2.0)


def test_a_method_without_its_options_is_refused(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match="missing: gamma"):
        ImproveImage(source, target, method="gamma")


def test_an_option_out_of_range_writes_nothing(source: Path, target: Path) -> None:
    with pytest.raises(ClearsetError, match=r"amount -1\.0"):
        ImproveImage(source, target, amount=-1.0).save()
    assert everything(target) == {}


def test_an_output_directory_that_is_a_file_is_refused(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a folder")
    with pytest.raises(ClearsetError, match="is a file: name a folder"):
        ImproveImage(source, file)
