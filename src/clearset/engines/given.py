"""The engine that measures nothing: an analysis from the tables of a fastdup work folder."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from clearset.io.work_folder import WorkFolder
from clearset.links import components as of_links

MODEL = "as its version has it"


def nearest(edges: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows of similarity.csv as the table `neighbours`, most similar first."""
    place = {image_id: number for number, image_id in enumerate(ids)}
    table = edges.rename(columns={"other_id": "neighbour_id"}).drop_duplicates()
    order = table.assign(
        one=table["image_id"].map(place), away=-table["similarity"], two=table["neighbour_id"]
    )
    return table.loc[order.sort_values(["one", "away", "two"], kind="stable").index]


def outliers(work: WorkFolder, ids: Sequence[str]) -> pd.DataFrame:
    """Return the table `outliers`: what outliers.csv marks, and the similarities that are known."""
    rows = work.outliers.sort_values("similarity", kind="stable").groupby("image_id", sort=False)
    strongest = work.edges.groupby("image_id")["similarity"].max()
    table = pd.DataFrame({"image_id": list(ids), "split": "all"}).set_index("image_id")
    table["nearest_id"] = rows["other_id"].first().reindex(table.index).fillna("")
    table["nearest_similarity"] = strongest.reindex(table.index)
    table["isolation_z"] = np.nan  # takes every image's nearest one, which no table has
    table["published_edges"] = rows.size().reindex(table.index).fillna(0).astype(int)
    table["published_outlier"] = (table["published_edges"] > 0).astype(int)
    table["edge_similarity"] = rows["similarity"].first().reindex(table.index)
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
