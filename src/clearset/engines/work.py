"""The engine that measures nothing: an analysis from the tables of a fastdup work folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clearset.similar.links import components as of_links
from clearset.similar.neighbours import isolation
from clearset.sources.work_folder import WorkFolder

MODEL = "as its version has it"


def nearest(edges: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows of similarity.csv, both ways, as the table `neighbours`."""
    place = {image_id: number for number, image_id in enumerate(ids)}
    ways = [edges[["image_id", "other_id"]], edges[["other_id", "image_id"]]]
    both = pd.concat([way.set_axis(["image_id", "neighbour_id"], axis=1) for way in ways])
    table = both.assign(similarity=[*edges["similarity"], *edges["similarity"]])
    table = table.drop_duplicates(["image_id", "neighbour_id"], ignore_index=True)
    order = pd.DataFrame(
        {
            "one": table["image_id"].map(place),
            "away": -table["similarity"],
            "two": table["neighbour_id"].map(place),
        }
    )
    return table.loc[order.sort_values(["one", "away", "two"], kind="stable").index]


def outliers(marked: pd.DataFrame, neighbours: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """Return the table `outliers`: what outliers.csv marks, and what similarity.csv tells.

    An image's isolation takes every image's nearest one: it is empty unless the table has them all,
    as after a run with threshold -1.
    """
    rows = marked.sort_values("similarity", kind="stable").groupby("image_id", sort=False)
    best = neighbours.groupby("image_id", sort=False).first()
    table = pd.DataFrame({"image_id": list(ids), "split": "all"}).set_index("image_id")
    other = rows["other_id"].first().reindex(table.index)
    table["nearest_id"] = best["neighbour_id"].reindex(table.index).fillna(other).fillna("")
    table["nearest_similarity"] = best["similarity"].reindex(table.index)
    complete = bool(table["nearest_similarity"].notna().all())
    table["isolation_z"] = isolation(table["nearest_similarity"]) if complete else np.nan
    table["published_edges"] = rows.size().reindex(table.index).fillna(0).astype(int)
    table["published_outlier"] = (table["published_edges"] > 0).astype(int)
    table["kind_similarity"] = np.nan  # its tables do not tell
    table["edge_similarity"] = rows["similarity"].min().reindex(table.index)
    return table.reset_index()


def components(work: WorkFolder, links: pd.DataFrame, bound: float) -> pd.DataFrame:
    """Return the table `components`: fastdup's own groups, or without its table those of links."""
    ids = work.metrics["image_id"].tolist()
    if work.components.empty:
        return of_links(ids, links, bound)
    own = work.components[work.components["image_id"].isin(ids)]
    own = own.set_index("image_id")["component_id"].reindex(ids).dropna()
    table = own.rename("label").reset_index()
    table["images"] = table.groupby("label")["image_id"].transform("count")
    table = table[table["images"] > 1]
    label = table.set_index("image_id")["label"]
    one, two = links["image_id"].map(label), links["other_id"].map(label)
    weakest = links.loc[one == two, "similarity"].groupby(one[one == two]).min()
    return table.assign(
        component_id=table.groupby("label", sort=False).ngroup(),
        min_similarity=table["label"].map(weakest),
    ).drop(columns="label")


def pairs(edges: pd.DataFrame, bounds: Sequence[float]) -> pd.DataFrame:
    """Return how many pairs and images reach each bound, as far as the tables have them."""
    ends = np.sort(edges[["image_id", "other_id"]].to_numpy(str), axis=1)
    table = pd.DataFrame({"one": ends[:, 0], "two": ends[:, 1], "similarity": edges["similarity"]})
    rows = []
    for bound in bounds:
        above = table[table["similarity"] >= bound].drop_duplicates(["one", "two"])
        rows.append((bound, len(above), pd.concat([above["one"], above["two"]]).nunique()))
    return pd.DataFrame(rows, columns=["similarity", "pairs", "images"])


def info() -> dict[str, Any]:
    """Return what identifies this engine in engine.json."""
    return {"name": "fastdup work folder", "version": "of any version", "model": MODEL}
