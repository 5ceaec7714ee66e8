"""A released dataset described in Croissant 1.1, for machines.

Akhtar et al., Croissant: A Metadata Format for ML-Ready Datasets, doi:10.1145/3650203.3663326.
"""

import fnmatch
import glob
import json
import mimetypes
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import mlcroissant as mlc
import pandas as pd

from clearset.share.cards import Released
from clearset.sources import places
from clearset.store.columns import FLOAT
from clearset.store.columns.release import EVIDENCE, MEANING

VERSION = "http://mlcommons.org/croissant/1.1"
KINDS = {"images": "output", "masks": "mask"}  # record sets of files; the manifest's column
BESIDE = ("image_id", "split", "decision")  # of the manifest, beside each file
Files = Collection[str]


def croissant(released: Released) -> str:
    """Return the text of croissant.json, which names every file set and column of a release.

    A recipe has no file of the source, and the record set of the manifest alone.
    """
    context = mlc.Context(conforms_to=VERSION)
    about, manifest, files = released.section.about, released.manifest, released.files
    table = mlc.FileObject(
        ctx=context,
        id=places.MANIFEST,
        name=places.MANIFEST,
        content_url=released.own[places.MANIFEST],
        encoding_formats=["text/csv"],
        sha256=released.sha256,
    )
    sets = {kind: _file_set(context, kind, manifest[at], files) for kind, at in KINDS.items()}
    present = {kind: file_set for kind, file_set in sets.items() if file_set is not None}
    metadata = mlc.Metadata(
        ctx=context,
        name=released.name,
        description=about.description or about.title or released.name,
        creators=[mlc.Organization(ctx=context, name=creator) for creator in about.creators],
        license=[about.licence_url or about.licence or "unknown"],
        cite_as=about.citation or None,
        url=released.section.fetch.homepage or None,
        date_published=datetime.fromisoformat(about.published) if about.published else None,
        version=released.version,
        distribution=[table, *present.values()],
        record_sets=[
            _rows(context, manifest),
            *(_record_set(context, kind, KINDS[kind]) for kind in present),
        ],
    )
    return json.dumps(metadata.to_json(), indent=1, ensure_ascii=False, default=str) + "\n"


def _file_set(context: Any, kind: str, column: pd.Series, files: Files) -> Any | None:
    """Return the set of a column's files; none where the folder holds none of them."""
    paths = sorted({PurePosixPath(place).as_posix() for place in column if place} & {*files})
    if not paths:
        return None
    return mlc.FileSet(
        ctx=context,
        id=f"{kind}-files",
        name=f"{kind}-files",
        encoding_formats=sorted({mimetypes.guess_type(place)[0] or "" for place in paths} - {""}),
        includes=patterns(paths, files),
    )


def patterns(paths: Sequence[str], files: Files) -> list[str]:
    """Return globs that match these files and no other: one a folder, or else each file's path."""
    folders = {
        f"{glob.escape(str(PurePosixPath(place).parent))}/*{PurePosixPath(place).suffix}"
        for place in paths
        if "/" in place
    }
    matches = {place for pattern in folders for place in fnmatch.filter(files, pattern)}
    return sorted(folders) if matches == {*paths} else [glob.escape(place) for place in paths]


def _rows(context: Any, manifest: pd.DataFrame) -> Any:
    """Return the record set `manifest`: every image of the source, released or not."""
    fields = [_column(context, "manifest", name, kind) for name, kind in manifest.dtypes.items()]
    return mlc.RecordSet(
        ctx=context,
        id="manifest",
        name="manifest",
        description="one row for each image of the source: what became of it and why",
        key="manifest/image_id",
        fields=fields,
    )


def _record_set(context: Any, kind: str, column: str) -> Any:
    """Return the record set of the released images, or of their masks, joined to the manifest."""
    manifest = mlc.Extract(ctx=context, column=column)
    source = mlc.Source(ctx=context, file_object=places.MANIFEST, extract=manifest)
    path = _of_file(context, kind, "path", "fullpath")
    path.references = source
    content = _of_file(context, kind, "content", "content")
    columns = [*BESIDE, f"{column}_sha256"]
    return mlc.RecordSet(
        ctx=context,
        id=kind,
        name=kind,
        description=f"the released {kind}",
        fields=[path, content, *(_column(context, kind, name, "str") for name in columns)],
    )


def _of_file(context: Any, kind: str, name: str, extract: str) -> Any:
    """Return a field of each file itself: its path, which a transform makes text, or its pixels."""
    text = extract == "fullpath"
    return mlc.Field(
        ctx=context,
        id=f"{kind}/{name}",
        name=name,
        description="below the root" if text else "the pixels",
        data_types=mlc.DataType.TEXT if text else mlc.DataType.IMAGE_OBJECT,
        source=mlc.Source(
            ctx=context,
            file_set=f"{kind}-files",
            extract=mlc.Extract(ctx=context, file_property=extract),
            transforms=[mlc.Transform(ctx=context, regex="^(.*)$")] if text else [],
        ),
    )


def _column(context: Any, record_set: str, name: str, kind: Any) -> Any:
    extract = mlc.Extract(ctx=context, column=name)
    return mlc.Field(
        ctx=context,
        id=f"{record_set}/{name}",
        name=name,
        description=MEANING.get(name, EVIDENCE),
        data_types=mlc.DataType.FLOAT if kind == FLOAT else mlc.DataType.TEXT,
        source=mlc.Source(ctx=context, file_object=places.MANIFEST, extract=extract),
    )
