"""Where a dataset's files come from, and which of them are images and masks."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from clearset.config.schema_fetch import Fetch, Scene, Source
from clearset.generate.retina.synthesis import Made, sample
from clearset.generate.satellite import tiles
from clearset.images.codec import png_bytes
from clearset.sources import archives
from clearset.sources.entries import Entry
from clearset.sources.inventory import is_picture
from clearset.store import layout, remote
from clearset.store.errors import ClearsetError
from clearset.store.parallel import mapped


@contextmanager
def source_folder(dataset: str, fetch: Fetch) -> Iterator[Path]:
    """Yield the folder in which the source's files lie, proven where a list proves them.

    An archive is looked for in the environment (`CLEARSET_` and the name of its checksums, or the
    dataset's), then in data/incoming/, then downloaded if it can be; a zip is unpacked for the
    length of the block.
    """
    unpacked = layout.INCOMING / f".{dataset}.unpacked"
    layout.remove(unpacked)
    try:
        place = unpacked if fetch.source is Source.generated else find(dataset, fetch)
        if fetch.source is Source.generated:
            generate(unpacked, fetch)
        elif place.is_file() and not is_picture(Entry(PurePosixPath(place.name), place)):
            archives.unpack(place, unpacked)
            place = unpacked
        if fetch.checksums:
            checksums = archives.read_checksums(layout.CHECKSUMS / f"{fetch.checksums}.sha256")
            place = root(place, checksums)
            archives.prove(place, checksums)
        yield place
    finally:
        layout.remove(unpacked)


def find(dataset: str, fetch: Fetch) -> Path:
    """Return the folder or zip that holds a dataset, downloaded if need be."""
    if fetch.source is Source.folder and remote.is_elsewhere(fetch.path):
        return remote.mirrored(fetch.path, layout.INCOMING / dataset)
    if fetch.source in (Source.folder, Source.work_folder):
        if not fetch.path or not Path(fetch.path).exists():
            raise ClearsetError(f"fetch.path of {dataset} is '{fetch.path}': no such folder or zip")
        return Path(fetch.path)
    archive = fetch.checksums or dataset  # several datasets may come from one archive
    variable = f"CLEARSET_{archive.upper().replace('-', '_')}"
    if path := os.environ.get(variable, ""):
        if not Path(path).exists():
            raise ClearsetError(f"{variable} is '{path}': no such folder or zip")
        return Path(path)
    if fetch.source is Source.incoming:
        return _by_hand(dataset, fetch, variable)
    first = next(iter(archives.read_checksums(layout.CHECKSUMS / f"{fetch.checksums}.sha256")))
    for place in sorted(layout.INCOMING.glob("[!.]*")):
        if _holds(place, first):
            return place
    target = layout.INCOMING / f"{archive}.zip"
    try:
        archives.download(fetch.url, fetch.sha256, target)
    except ClearsetError as error:
        raise ClearsetError(
            f"no copy of {dataset} was found. Tried: {variable} (not set), {layout.INCOMING}/ "
            f"(holds none), download ({error}). Get it by hand from {fetch.homepage or fetch.url} "
            f"and put the zip or the unpacked folder into {layout.INCOMING}/, or say where it "
            f"is: {variable}=/path; then run the same command again"
        ) from None
    return target


def _by_hand(dataset: str, fetch: Fetch, variable: str) -> Path:
    """Return the folder or zip that a person has put into data/incoming/ under a dataset's name."""
    places = [layout.INCOMING / dataset, layout.INCOMING / f"{dataset}.zip"]
    for place in places:
        if place.exists():
            return place
    raise ClearsetError(
        f"no copy of {dataset} was found. It lies behind a registration: get it from "
        f"{fetch.homepage} and put it, as a folder or a zip, at {places[0]} or {places[1]}, or say "
        f"where it is: {variable}=/path. Expected there: {fetch.expected}. Then run the "
        "same command again"
    )


def generate(folder: Path, fetch: Fetch) -> None:
    """Write generated images as a source: <split>/images, and beside it masks or label texts."""
    if fetch.scene is Scene.satellite:
        tiles.generate(folder, fetch)
        return
    make = partial(sample, count=fetch.count, size=fetch.size, seed=fetch.seed)
    mapped(partial(_write_eye, folder, make), range(fetch.count), "generate")


def _write_eye(folder: Path, make: Callable[[int], Made], number: int) -> None:
    eye = make(number)
    for kind, pixels in (("images", eye.pixels), ("masks", eye.mask)):
        if pixels is not None:
            file = folder / eye.split / kind / f"{eye.name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png_bytes(pixels))


def _holds(place: Path, name: str) -> bool:
    """Whether a folder or zip holds a file whose path ends like `name`."""
    if place.is_dir():
        return (root(place, {name: ""}) / name).is_file()
    try:
        with zipfile.ZipFile(place) as archive:
            return any(f"/{member}".endswith(f"/{name}") for member in archive.namelist())
    except archives.BROKEN:
        return False


def root(place: Path, names: Iterable[str]) -> Path:
    """Return the folder that the listed paths start from: `place`, its parent, or one below."""
    first = next(iter(names))
    below = [*sorted(place.glob("*/")), *sorted(place.glob("*/*/"))]
    candidates = [place, place.absolute().parent, *below]
    return next((folder for folder in candidates if (folder / first).is_file()), place)
