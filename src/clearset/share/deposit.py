"""A released folder for an archive: as one file, with what is said of it, if others may have it."""

import html
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearset.config import params
from clearset.config.schema import About, Dataset
from clearset.images import identity
from clearset.sources import places
from clearset.store import checksums, layout
from clearset.store.errors import ClearsetError, listed
from clearset.store.parallel import watched

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # every file's time, so that the same release is the same file
COMMONS = re.compile(r"cc0|cc-by(-nc)?(-sa|-nd)?")  # licences that archives know by our names


def refuse_restricted(folder: Path) -> tuple[str, Dataset]:
    """Return the name and the params of a released folder or a recipe that others may have.

    Raises `ClearsetError` for one whose pictures may not be passed on, and for a folder that is
    not as it was released.
    """
    if differences := identity.verify(folder).wrong:
        names = listed(f"{one.path!a} ({one.what})" for one in differences)
        raise ClearsetError(f"{folder} is not as released: {names}. Get it again, then the same")
    name, section = params.single(layout.own(folder, places.PARAMS))
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ClearsetError(f"{folder} is of a dataset called {name!a}, which is no file's name")
    more = sorted({*checksums.below(folder)} - places.OWN - {places.RELEASE})
    if more and not section.about.redistributable:
        raise ClearsetError(
            f"{name} may not be passed on (about.redistributable in conf/dataset/), and {folder} "
            f"is no recipe: it holds {listed(map(ascii, more))}. Nothing was sent. Deposit its "
            f"recipe instead: {layout.stage_folder('recipe', name)}"
        )
    return name, section


def metadata(name: str, about: About, version: str, licence: str = "") -> dict[str, Any]:
    """Return what an archive is told of a dataset: all of it is what conf/ says of it.

    `licence` is the archive's own name of one that is no Creative Commons licence. Raises
    `ClearsetError` for what an archive can not do without, and what is not stated.
    """
    missing = [key for key in ("title", "description", "creators") if not getattr(about, key)]
    if missing:
        raise ClearsetError(
            f"{name} does not say its {listed(missing)}, which an archive asks for. Give it "
            f"about.{missing[0]} in conf/dataset/, make the release again, then the same"
        )
    return {
        "upload_type": "dataset",
        "title": about.title,
        "description": f"<p>{html.escape(about.description)}</p>",
        "creators": [{"name": creator} for creator in about.creators],
        "access_right": "open",
        "license": licence or known_licence(name, about.licence),
        "version": version,
        "keywords": ["image-quality", "data-cleaning"],
        "notes": html.escape(f"{about.licence}. {about.licence_url}".strip()),
        "references": [about.citation] if about.citation else [],
    }


def known_licence(name: str, licence: str) -> str:
    """Return what archives call a Creative Commons licence; raises `ClearsetError` for others.

    An archive would publish what says none under a licence of its choice.
    """
    words = licence.lower().replace(" ", "-").rpartition("-")
    if not COMMONS.fullmatch(words[0]) or not re.fullmatch(r"[1-4]\.\d", words[2]):
        raise ClearsetError(
            f"{name} has the licence {licence!a}, which is none that is known here. Say how the "
            "archive calls it: --licence other-open, say (https://zenodo.org/api/vocabularies/licenses)"
        )
    return "-".join((words[0], words[2]))


def version(folder: Path) -> str:
    """Return the version by content that the card of a release names."""
    return f"1.0.0+{checksums.sha256(layout.own(folder, places.MANIFEST))[:12]}"


@contextmanager
def packed(folder: Path, name: str) -> Iterator[Path]:
    """Yield a zip of a folder, whose files lie in one named after the dataset; then remove it.

    Its bytes hang on those of the files alone. Archives know files without folders.
    """
    with TemporaryDirectory(prefix="clearset-") as scratch:
        target = Path(scratch) / f"{name}.zip"
        files = sorted(checksums.below(folder))
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for file in watched(files, len(files), "pack"):
                entry = zipfile.ZipInfo(f"{name}/{file}", LONG_AGO)
                entry.external_attr = 0o644 << 16
                with (folder / file).open("rb") as source, archive.open(entry, "w") as packed_file:
                    while part := source.read(2**20):
                        packed_file.write(part)
        yield target
