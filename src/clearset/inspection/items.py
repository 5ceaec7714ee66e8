"""What a sequence holds: images with labels or masks, however its library hands them out.

A sequence is anything with a length and numbered items: a list, an array, a dataset in the manner
of torch, or one of Hugging Face. An item is an image, an (image, label) or a row by columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clearset.inspection.pixels import is_image
from clearset.store.errors import ClearsetError
from clearset.store.parallel import watched

IMAGES = ("image", "img", "jpg", "png", "path", "file")  # names of columns, the likeliest first
MASKS = ("mask", "annotation", "segmentation")
LABELS = ("label", "labels", "class", "fine_label")
GIVE = "give a folder, a list of paths, or a sequence of images or of (image, label)"


@dataclass(frozen=True)
class Item:
    """An image, the name of its class (empty: none) and its mask (None: none)."""

    image: Any
    label: str = ""
    mask: Any = None


@dataclass(frozen=True)
class Columns:
    """Which column of a row is what; `names` are those of classes, by number."""

    image: str
    label: str = ""
    mask: str = ""
    names: tuple[str, ...] = ()


def refuse_none(source: Any) -> None:
    """Raise `ClearsetError` for what is no sequence, or none of images."""
    kind = type(source).__name__
    if hasattr(source, "iloc"):
        raise ClearsetError(f'a {kind} has columns: give one as a list, table["path"].tolist()')
    if not (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
        hint = ": list(...) makes a list of it" if hasattr(source, "__iter__") else ""
        raise ClearsetError(f"a {kind} has no length and no numbered items{hint}; {GIVE}")
    if is_path(source):
        raise ClearsetError(f"{source!r} is one path, where a list of images is expected")
    if isinstance(source, bytes) or _is_single(source):
        raise ClearsetError(f"this {kind} is one image: give a list of images, [image]")
    if len(source) == 0:
        raise ClearsetError(f"this {kind} is empty: there is no image to check")


def _is_single(source: Any) -> bool:
    """Whether an array has too few axes to be several images."""
    shape = source.shape if hasattr(source, "dtype") else (0, 0, 0, 0)
    return len(shape) < 3 or (len(shape) == 3 and shape[2] <= 4)


def is_paths(source: Any) -> bool:
    """Whether a sequence is a list of paths, and of nothing else."""
    return isinstance(source, list | tuple) and all(is_path(one) for one in source)


def is_path(value: Any) -> bool:
    """Whether a value is a path."""
    return isinstance(value, str) or hasattr(value, "__fspath__")


def items(source: Any) -> Iterator[Item]:
    """Yield the items of a sequence; raises `ClearsetError` naming the first that is none."""
    columns = None
    if hasattr(source, "features") and hasattr(source, "cast_column"):
        source, columns = _undecoded(source)
    classes = getattr(source, "classes", ())
    names = tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()
    for number in watched(range(len(source)), len(source), "read"):
        row = source[number]
        if isinstance(row, Mapping) and not is_image(row):
            columns = columns or _columns(list(row))
            yield _of_row(row, columns, f"item {number}")
        elif isinstance(row, tuple | list):
            if len(row) != 2:
                raise ClearsetError(f"item {number} has {len(row)} parts: {GIVE}")
            yield _labelled(row[0], row[1], names, f"item {number}")
        else:
            yield Item(row)


def _of_row(row: Mapping[str, Any], columns: Columns, what: str) -> Item:
    label = row.get(columns.label) if columns.label else None
    item = _labelled(row[columns.image], label, columns.names, what)
    if columns.mask and item.mask is None:
        return Item(item.image, item.label, row.get(columns.mask))
    return item


def _labelled(image: Any, label: Any, names: tuple[str, ...], what: str) -> Item:
    """Return an image with its label: the name of a class, or a mask."""
    if label is None:
        return Item(image)
    if is_image(label):
        return Item(image, mask=label)
    if getattr(label, "shape", None) == () and hasattr(label, "item"):
        label = label.item()
    if isinstance(label, bool | int) and 0 <= label < len(names):
        return Item(image, names[label])
    if isinstance(label, str | bool | int):
        return Item(image, str(label))
    raise ClearsetError(
        f"the label of {what} is of type {type(label).__name__}, and no text, whole number, mask "
        "or None. To check the images alone, give [image for image, _ in dataset]"
    )


def _undecoded(dataset: Any) -> tuple[Any, Columns]:
    """Return a dataset of Hugging Face, its images as the bytes of their files, and its columns."""
    kinds = {name: type(feature).__name__ for name, feature in dataset.features.items()}
    pictures = [name for name, kind in kinds.items() if kind == "Image"]
    for name in pictures:
        undecoded = type(dataset.features[name])(decode=False)
        dataset = dataset.cast_column(name, undecoded)
    columns = _columns(list(kinds), pictures)
    classes = [name for name, kind in kinds.items() if kind == "ClassLabel"]
    label = columns.label if columns.label in classes or not classes else classes[0]
    names = getattr(dataset.features.get(label), "names", None) or ()
    mask = columns.mask if columns.mask in pictures else ""
    return dataset.with_format(None), Columns(columns.image, label, mask, tuple(names))


def _columns(there: list[str], pictures: Sequence[str] = ()) -> Columns:
    """Return which column is what by its name; of `pictures` alone one holds the images."""
    beside = (*MASKS, *LABELS)
    images = [name for name in IMAGES if name in (pictures or there)]
    images += [name for name in pictures if name not in beside]
    if not images:
        raise ClearsetError(
            f"no column is called {', '.join(IMAGES)}; there are {', '.join(map(str, there))}"
        )
    mask, label = (next((n for n in names if n in there), "") for names in (MASKS, LABELS))
    return Columns(images[0], label, mask)
