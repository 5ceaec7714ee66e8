"""`Report`: what a check has found and done, as tables, pictures and a released folder."""

import difflib
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from PIL import Image as Pillow

from clearset.config import params
from clearset.config.bounds import with_bounds
from clearset.config.schema import Dataset
from clearset.decide.measures import measures
from clearset.inspection import summary
from clearset.inspection.pairs import pairs
from clearset.report import pictures, sheets
from clearset.store import documents, dossiers, layout, tables
from clearset.store.dossiers import Dossier
from clearset.store.errors import ClearsetError, listed

NAME = "images"  # of a dataset that nobody has named
STAGES = ("fetch", "analyze", "filter", "enhance")
PAGE = "index.html"


@dataclass(frozen=True)
class Report:
    """What `check` has found and done: tables of pandas, pictures of Pillow.

    `folder` is where everything lies, `name` what the dataset is called there: `Report(folder)`
    opens what an earlier check has left. The folder of a check that was given none goes with its
    report.
    """

    folder: Path
    name: str = NAME

    def __post_init__(self) -> None:
        """Refuse a folder in which no check has run to its end."""
        object.__setattr__(self, "folder", Path(self.folder))
        if not self._of("release").is_dir():
            raise ClearsetError(
                f"{self.folder} has no check called {self.name}: clearset.check(source, "
                f"folder={str(self.folder)!r}) makes one"
            )

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an image: where it lies in the source, what is to become of it, all measures.

        `decision` is keep, review, enhance (a repair was called for) or drop, `rules` are those
        that flagged it. Each measure is empty where an image could not be measured.
        """
        images = self._dossier.catalogue.images[["image_id", "source", "split"]]
        decisions = self._dossier.selection.decisions[["image_id", "decision", "rules"]]
        table = images.rename(columns={"source": "path"}).merge(decisions, validate="1:1")
        values = measures(self._dossier.survey)
        table = table[["image_id", "path", "split", "decision", "rules"]]
        return table.merge(values, left_on="image_id", right_index=True, validate="1:1")

    @cached_property
    def flags(self) -> pd.DataFrame:
        """One row a flag: image, rule, value, the rule's bounds and what it asks for."""
        return self._dossier.selection.flags

    @cached_property
    def duplicates(self) -> pd.DataFrame:
        """One row a pair of images that are the same or nearly so, the most similar first.

        `similarity` is that of what they look like, at most 1; `same_pixels` is 1 where no pixel
        differs. How alike two are to be is what the rules on `nearest_similarity` say.
        """
        dossier = self._dossier
        return pairs(dossier.catalogue.images, dossier.analysis.neighbours, self._section)

    @property
    def galleries(self) -> list[str]:
        """The names of the galleries that there are."""
        return sorted(path.stem for path in (self._of("report") / "galleries").glob("*.png"))

    def gallery(self, name: str) -> Pillow.Image:
        """Return a gallery as a picture: the ends of a measure, strangers, pairs, components.

        Raises `ClearsetError` for a name that is not known.
        """
        if name not in self.galleries:
            raise ClearsetError(f"there is no gallery {name!r}; known: {', '.join(self.galleries)}")
        with Pillow.open(self._of("report") / "galleries" / f"{name}.png") as picture:
            return picture.copy()

    def compare(self, image_id: str) -> Pillow.Image:
        """Return an image before and after its repair, whole and a detail of each, as a picture.

        Raises `ClearsetError` for an image that is not known, can not be read, or was not repaired.
        """
        outcomes = tables.read("outcomes", self._of("compare")).set_index("image_id")
        self._refuse_unrepaired(image_id, outcomes.index.tolist())
        images, carried = self._dossier.catalogue.images, self._of("fetch") / "carried"
        row, one = outcomes.loc[image_id], images[images["image_id"] == image_id]
        before, after = (
            pictures.full_size(pictures.files(one, self._of(stage) / "images", carried)[image_id])
            for stage in ("fetch", "enhance")
        )
        title = f"{image_id}: {row['steps']}\n{row['verdict'].replace('_', ' ')}"
        return Pillow.fromarray(sheets.pair(before, after, title))

    def page(self) -> Path:
        """Return the path of the report as a page for a browser, with its pictures beside it."""
        found = self._page()
        if found is None:
            text = layout.REPORTS / self.name / "report.md"
            raise ClearsetError(f"there is no page {PAGE} in {self.folder}: see {text} there")
        return found

    def release(self, target: str | os.PathLike[str]) -> Path:
        """Copy the cleaned dataset, laid out as the source, to a folder that is not there yet.

        Returns its path; `manifest.csv` in it says what became of every image and why.
        """
        place = Path(target)
        if place.exists() or place.is_symlink():
            raise ClearsetError(f"{target} is there already: name a folder that is not")
        with layout.replacing(place) as incomplete:
            shutil.copytree(self._of("release"), incomplete)
        return place

    def __repr__(self) -> str:
        """What was found, in words, and what can be done next."""
        return "\n".join(summary.lines(self._numbers, str(self._page() or "")))

    def _repr_html_(self) -> str:
        """The same, as a notebook shows it."""
        return summary.html(self._numbers, str(self._page() or ""))

    @cached_property
    def _numbers(self) -> summary.Numbers:
        selection = self._dossier.selection
        return summary.numbers(selection.decisions, selection.flags, self._dossier.catalogue.images)

    @cached_property
    def _dossier(self) -> Dossier:
        return dossiers.of({stage: self._of(stage) for stage in STAGES})

    @cached_property
    def _section(self) -> Dataset:
        """The settings, with the bounds that the images have chosen."""
        path = self.folder / params.PARAMS
        given = params.check(self.name, documents.mapping(path)[self.name], str(path))
        return with_bounds(given, self._dossier.selection.own_bounds)

    def _of(self, stage: str) -> Path:
        return self.folder / layout.stage_folder(stage, self.name)

    def _page(self) -> Path | None:
        folders = (self._of("report"), self.folder / layout.REPORTS / self.name)
        return next((path for path in (f / PAGE for f in folders) if path.is_file()), None)

    def _refuse_unrepaired(self, image_id: str, repaired: list[str]) -> None:
        """Raise `ClearsetError` for an image that has no before and after, and say why not."""
        decisions = self._dossier.selection.decisions.set_index("image_id")
        if image_id not in decisions.index:
            near = difflib.get_close_matches(str(image_id), decisions.index, n=5, cutoff=0)
            raise ClearsetError(f"there is no image {image_id!r}; the nearest: {listed(near)}")
        if image_id not in repaired:
            row, some = decisions.loc[image_id], listed(repaired) or "none"
            why = f" ({row['rules']})" if row["rules"] else ""
            raise ClearsetError(
                f"{image_id} was not repaired: its decision is {row['decision']}{why}. "
                f"Repaired: {some}"
            )
