"""The tables of a dataset to what its page knows."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from clearset.page.facts import VERSION, Adoption, Facts, Images, Numbers, Relations, plain
from clearset.page.rules import rule_facts
from clearset.page.thumbs import Shots
from clearset.report.study import Study
from clearset.share import delivery, manifest
from clearset.similar.duplicates import order
from clearset.store import layout
from clearset.store.dossiers import Dossier
from clearset.store.stages import Comparison

NEAREST = 6  # most similar images that are shown beside one
LINKS = 50_000  # most links of a dataset that its page holds, the strongest


def facts(study: Study, shots: Shots, adoption: Adoption) -> Facts:
    """Return everything that the page of a dataset knows; `shots` says which pictures there are."""
    section, dossier, judgement = study.section, study.dossier, study.judgement
    table = fates(study, shots)
    places = {image_id: number for number, image_id in enumerate(table["image_id"])}
    wanted = dict.fromkeys(rule.metric for rule in judgement.bounds.values())
    values = judgement.values.reindex(list(places))
    return Facts(
        version=VERSION,
        name=study.name,
        title=section.about.title or study.name,
        review=(layout.REVIEW / f"{study.name}.csv").as_posix(),
        releases=bool((table["fate"] != "").any()),
        adoption=adoption,
        images=images(table, dossier, shots),
        metrics={metric: numbers(values[metric]) for metric in wanted},
        rules=rule_facts(study, places),
        relations=relations(dossier, study.result, places, shots),
        classes=dict(shots.classes),
    )


def fates(study: Study, shots: Shots) -> pd.DataFrame:
    """Return, by image_id, what becomes of every image in the release where nobody has ruled.

    Columns image_id, fate, reason and those of `images`, `decisions`, `verdicts`; no fate where a
    dataset is tables alone.
    """
    dossier, result, section = study.dossier, study.result, study.section
    catalogue, selection = dossier.catalogue, dossier.selection
    table = catalogue.images.merge(selection.decisions[["image_id", "decision"]], on="image_id")
    repairs = dossier.cleaning.repairs[["image_id", "steps"]]
    verdicts = result.verdicts[["image_id", "verdict", "refused_by"]]
    for part in (repairs, verdicts):
        table = table.merge(part, on="image_id", how="left")
    table[["steps", "verdict", "refused_by"]] = table[["steps", "verdict", "refused_by"]].fillna("")
    table = table.sort_values("image_id", ignore_index=True)
    if not shots.any:
        return table.assign(fate="", reason="")
    grounds = manifest.Grounds(
        images=catalogue.images,
        files=catalogue.files,
        flags=selection.flags,
        decisions=selection.decisions,
        curation=selection.curation,
        repairs=dossier.cleaning.repairs,
        verdicts=result.verdicts,
    )
    uncopied = delivery.uncopied(catalogue.images)
    plan = manifest.manifest(grounds, {}, section.release.update, uncopied)
    plan = plan[["image_id", "decision", "reason"]].rename(columns={"decision": "fate"})
    return table.merge(plan, on="image_id")


def images(table: pd.DataFrame, dossier: Dossier, shots: Shots) -> Images:
    """Return what the page knows of every image."""
    ids = table["image_id"].tolist()
    best_first = order(dossier.catalogue.images, dossier.analysis.metrics)
    rank = {image_id: number for number, image_id in enumerate(best_first)}
    uncopied = delivery.uncopied(dossier.catalogue.images)
    text = {
        column: table[column].astype(str).tolist()
        for column in ("split", "decision", "fate", "reason", "error", "steps", "verdict")
    }
    return Images(
        id=ids,
        **text,
        refused_by=table["refused_by"].astype(str).tolist(),
        rank=[rank.get(image_id, len(ids)) for image_id in ids],
        width=whole(table["width"]),
        height=whole(table["height"]),
        bits=whole(table["bit_depth"]),
        bytes=whole(table["bytes"]),
        keepable=[int(image_id not in uncopied) for image_id in ids],
        copies=copies(table),
        thumb=[int(image_id in shots.thumbs) for image_id in ids],
        before=[shots.before.get(image_id, "") for image_id in ids],
        after=[shots.after.get(image_id, "") for image_id in ids],
        mask=[shots.masks.get(image_id, "") for image_id in ids],
    )


def copies(table: pd.DataFrame) -> list[int]:
    """Return the number of each image's group with the same pixels; -1 where it is alone."""
    pixels = table["pixels_sha256"].where(table["error"] == "", "")
    shared = pixels[(pixels != "") & pixels.duplicated(keep=False)]
    codes = pd.Series(-1, table.index)
    codes[shared.index] = pd.factorize(shared)[0]
    return whole(codes)


def relations(
    dossier: Dossier, result: Comparison, places: Mapping[str, int], shots: Shots
) -> Relations:
    """Return which images belong together."""
    links = dossier.analysis.links.sort_values("similarity", ascending=False, kind="stable")
    leaks = result.leaks.sort_values(["inliers", "image_id"], ascending=[False, True])
    conflicts = dossier.selection.conflicts
    return Relations(
        links=[
            (places[row.image_id], places[row.other_id], float(row.similarity))
            for row in links.head(LINKS).itertuples()
        ],
        leaks=[
            (
                places[row.image_id],
                places[row.other_id],
                int(row.inliers),
                shots.leaks.get((row.image_id, row.other_id), ""),
            )
            for row in leaks.itertuples()
        ],
        conflicts=[
            (places[row[0]], places[row[1]], str(row[2]), float(row[3]))
            for row in conflicts[["image_id", "other_id", "class", "dice"]].itertuples(index=False)
        ],
        nearest=nearest(dossier.analysis.neighbours, places),
    )


def nearest(neighbours: pd.DataFrame, places: Mapping[str, int]) -> list[list[tuple[int, float]]]:
    """Return the most similar images of each, most similar first."""
    result: list[list[tuple[int, float]]] = [[] for _ in places]
    ordered = neighbours.sort_values(["similarity"], ascending=False, kind="stable")
    for row in ordered.groupby("image_id", sort=False).head(NEAREST).itertuples():
        result[places[row.image_id]].append((places[row.neighbour_id], float(row.similarity)))
    return result


def numbers(column: Iterable[Any]) -> Numbers:
    """Return a column as JSON has it."""
    return [plain(value) for value in column]


def whole(column: pd.Series) -> list[int]:
    """Return a column of whole numbers; 0 where there is none."""
    filled = np.nan_to_num(column.to_numpy(float))
    return [int(value) for value in filled]
