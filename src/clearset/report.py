"""Tables to a page of Markdown that says what was found, what was done, and how far to trust it."""

from collections.abc import Mapping

import pandas as pd

from clearset.schema import About

ESCAPES = {ord(c): f"&#{ord(c)};" for c in "<>|&"} | {ord(c): f"\\{c}" for c in "\\`*_[]#$"}
LONGEST = 60  # rows shown of a table; the CSV beside the report has all


def escaped(text: object) -> str:
    """Return text that Markdown shows as it is: file names come from strangers."""
    if isinstance(text, float):
        return "" if pd.isna(text) else f"{text:.6g}"
    return str(text).translate(ESCAPES)


def markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown, at most its first 60 rows."""
    header = [escaped(name) for name in table.columns]
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    for row in table.head(LONGEST).itertuples(index=False):
        lines.append(f"| {' | '.join(escaped(cell) for cell in row)} |")
    if len(table) > LONGEST:
        lines.append(f"\n{len(table) - LONGEST} more rows in tables/.")
    return "\n".join(lines)


def section(title: str, text: str, table: pd.DataFrame | None = None, none: str = "None.") -> str:
    """Return a headed section: a text, then a table, or `none` for one without rows."""
    body = "" if table is None else f"\n\n{none if table.empty else markdown(table)}"
    return f"## {title}\n\n{text}{body}\n"


def report(
    dataset: str, about: About, tables: Mapping[str, pd.DataFrame], engine: Mapping[str, object]
) -> str:
    """Return a dataset's report from its tables (`io.tables` names their columns)."""
    flags, decisions, images = tables["flags"], tables["decisions"], tables["images"]
    fates = decisions["decision"].value_counts()
    counted = ", ".join(f"{fates.get(f, 0)} {f}" for f in ("keep", "review", "enhance", "drop"))
    facts = [f"# {escaped(about.title or dataset)}", f"{len(images)} images: {counted}."]
    facts += [f"Measured by {engine['name']} {engine['version']} ({engine['model']})."]
    facts += [f"Licence of the images: {escaped(about.licence)}."] if about.licence else []
    facts += [f"Cite: {escaped(about.citation)}."] if about.citation else []
    broken = images.loc[images["error"] != "", ["image_id", "error"]]
    found = tables["outliers"]
    marked = found[(found["published_outlier"] == 1)].drop(columns="published_outlier")
    parts = [
        "\n\n".join(facts) + "\n",
        section(
            "Rules",
            "An image is flagged below `min` or above `max`. `blur` is fastdup's statistic and "
            "grows with sharpness; `mean` is in 8-bit grey levels.\n\n![Rules](figures/rules.png)",
            tables["rules"],
        ),
        section("Flags", "One row a flag.", flags, "No image is flagged."),
        section("Unreadable", "Images that no stage can use.", broken),
        section(
            "Outliers",
            "The published rule marks the least similar edges of the neighbour graph of each "
            "split: a quota, so some image is always marked. `isolation_z` is the robust z of the "
            "similarity to the nearest image; below -3.5 is far out.",
            marked,
        ),
        section(
            "Similar pairs",
            "`pairs` are unordered and `images` are in such a pair. `edges` and their percentage "
            "are how fastdup's own report counts: directed edges of the neighbour graph.",
            tables["pairs"],
        ),
        section(
            "Components",
            "Images joined by similarities at or above the bound.",
            tables["components"],
        ),
        section(
            "Label conflicts",
            "The same pixels with different masks; the Dice between the masks is the most that a "
            "model can honestly reach.",
            tables["conflicts"],
        ),
        section(
            "Repairs",
            "PSNR (dB) and SSIM are against the original: they tell how much changed, not whether "
            "it got better. `clipped` is the share of values cut at black or white.",
            tables["outcomes"],
            "No image was repaired.",
        ),
    ]
    if not tables["changes"].empty:
        parts.append(
            section(
                "Change of each metric",
                "Mean over the repaired images, with a bootstrap 95 % interval. Sharpening raises "
                "every measure of sharpness by construction, noise included: a higher value here "
                "is no evidence that a model does better.\n\n![Changes](figures/changes.png)",
                tables["changes"],
            )
        )
    return "\n".join(parts)
