"""What the published fastdup reports count, beside what is true of the images.

fastdup joins each image to its k most similar ones: k directed edges an image, k + 1 with the one
to itself that older versions counted too. Its report gives numbers of edges as percentages of all
edges, where a reader expects numbers of images as percentages of images.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clearset.config.schema import Analyze
from clearset.similar.links import components
from clearset.store.stages import Analysis

NAMES = {0.99: "fully identical", 0.98: "nearly identical"}  # as the report words them
SINGLE = ("blur", "bright", "dark")  # rules that the report counts by images, as it should
COLUMNS = ["finding", "bound", "edges", "published_percentage", "edge_percentage"]
COLUMNS += ["pairs", "groups", "images", "image_percentage"]


def published(
    images: pd.DataFrame, analysis: Analysis, flags: pd.DataFrame, settings: Analyze
) -> pd.DataFrame:
    """Return the table `published`; of `flags` counts what rules blur, bright and dark find."""
    readable = images.loc[images["error"] == "", "image_id"].tolist()
    rows = [
        {
            "finding": NAMES.get(row.similarity, f"similarity from {row.similarity:g}"),
            "bound": row.similarity,
            "edges": row.edges,
            "pairs": row.pairs,
            "groups": components(readable, analysis.links, row.similarity)[
                "component_id"
            ].nunique(),
            "images": row.images,
        }
        for row in analysis.pairs.iloc[::-1].itertuples()
    ]
    rows += _singles(analysis, flags, settings)
    table = pd.DataFrame(rows, columns=COLUMNS)
    count = max(len(readable), 1)
    edges = settings.graph_neighbours * count
    table["published_percentage"] = 100 * table["edges"] / (edges + count)
    table["edge_percentage"] = 100 * table["edges"] / edges
    table["image_percentage"] = 100 * table["images"] / count
    return table


def _singles(analysis: Analysis, flags: pd.DataFrame, settings: Analyze) -> list[dict[str, Any]]:
    """Return the rows that are not of pairs: outliers, components, and what rules find."""
    outliers, grouped = analysis.outliers, analysis.components
    rows: list[dict[str, Any]] = [
        {
            "finding": "outliers",
            "bound": settings.outlier_share,
            "edges": outliers["published_edges"].sum(),
            "images": (outliers["published_outlier"] == 1).sum(),
        },
        {
            "finding": "components",
            "bound": settings.component_similarity,
            "groups": grouped["component_id"].nunique(),
            "images": len(grouped),
        },
    ]
    for name in sorted(set(SINGLE) & set(flags["rule"])):
        rows.append({"finding": name, "images": int((flags["rule"] == name).sum())})
    return rows


def findings(table: pd.DataFrame) -> list[str]:
    """Return the findings of the table `published` as a reader expects them: pairs first."""
    pairs = table[table["pairs"].notna()].sort_values("bound", ascending=False, kind="stable")
    rest = ["outliers", "components", *SINGLE]
    return [*pairs["finding"], *(name for name in rest if name in set(table["finding"]))]


def explained(table: pd.DataFrame, settings: Analyze) -> str:
    """Return two sentences for a reader of a published report, with this dataset's own numbers."""
    neighbours, example = settings.graph_neighbours, ""
    counted = table[table["edges"].gt(0) & table["pairs"].gt(0)]
    if not counted.empty:
        row = counted.iloc[0]
        example = (
            f": here {row['edges']:.0f} edges from {row['bound']:g} read "
            f"{row['published_percentage']:.2f} %, where {row['images']:.0f} images, "
            f"{row['image_percentage']:.2f} % of all, lie in {row['pairs']:.0f} pairs"
        )
    quota = 100 * settings.outlier_share * neighbours / (neighbours + 1)
    return (
        "A published fastdup report counts directed edges of the graph that joins each image to "
        f"its {neighbours} most similar ones, so that a pair counts up to twice, and divides them "
        f"by all edges, {neighbours + 1} an image with the one to itself{example}. Its outliers "
        f"are a quota, the least similar {100 * settings.outlier_share:g} % of the edges between "
        f"images, so that about {quota:.1f} % of any dataset's edges are outliers, whatever it "
        "shows."
    )


def measured_by(engine: Mapping[str, Any]) -> str:
    """Return which engine measured a dataset, and how its numbers stand to those on record."""
    line = f"Measured by {engine['name']} {engine['version']} ({engine['model']})."
    if search := engine.get("neighbours"):
        line += f" {_looked_for(search)}"
    if engine["name"] == "native":
        return line
    repaired = (
        "Repaired images are measured by the open engine, whose statistics follow fastdup's "
        "formulas; of its descriptors no repaired image has one, so similarities and outliers stay "
        "those of the originals."
    )
    record = engine.get("record")
    return " ".join([line, *([_recorded(record)] if record else []), repaired])


def _looked_for(search: Mapping[str, Any]) -> str:
    """Return how many of the true neighbours an index has found, where one was asked."""
    copies = ", ".join(f"{share:.0%} at {level}" for level, share in search["planted"].items())
    return (
        f"Neighbours were looked for in an index ({search['method']}), not among all images: of "
        f"{search['sample']} images it found {search['first']:.0%} of the nearest and "
        f"{search['recall']:.0%} of the recorded neighbours; of planted pairs, by similarity, "
        f"{copies}. What it misses is in no table; what is in one is exact."
    )


def _recorded(record: Mapping[str, Any]) -> str:
    """Return how the numbers of fastdup stand to those on record."""
    link = f"[{record['folder']}](../../{record['folder']}/record.json)"
    run = f"fastdup {record['version']} gave on these images on {record['made']}"
    if record["equal"]:
        return (
            f"Its statistics and descriptors are those that {link} holds, which {run}: a run that "
            "has fastdup at hand is held to them, and takes them where they agree but for the last "
            "digits of single precision; one that has not takes them as they are."
        )
    gaps = ", ".join(f"{value:g} in {name}" for name, value in record["apart"].items())
    return f"Its numbers differ by up to {gaps} from those that {link} holds, which {run}."
