"""Everything that a rule can bound, in one table: measured, counted, or true of a file."""

import pandas as pd

from clearset.images.ranges import formats, odd_formats
from clearset.similar.duplicates import Surplus, copies, label_dice, most_inliers, surplus
from clearset.store.stages import Survey

# Metrics that a declared range of values moves.
BRIGHTNESS = [
    *("blur", "dark_share", "highlights", "laplacian_variance", "max", "mean", "min"),
    *("noise_sigma", "stdv", "white_share"),
]
ODD = 0.1  # share of the images up to which a kind is the exception
NEAREST = "nearest_similarity"
RELATIONS = ["isolation_z", "published_outlier", "edge_similarity", "kind_similarity"]


def measures(survey: Survey, spare: Surplus | None = None) -> pd.DataFrame:
    """Return everything that a rule can bound: one row an image, one column a metric.

    Beside the measured metrics: `unreadable` (1: broken) and `unmeasured` (1: of a kind that is not
    read, or given up), `byte_copies` and `pixel_copies` (how many other images are the same),
    `nearest_similarity` (in the whole dataset), `surplus_similarity` and `surplus_copies` (of a
    group all but the best: see `duplicates.merges`), `odd_format` (1: other bands or bit depth than
    most), `nodata_share`, `isolation_z`, `published_outlier`, `edge_similarity` and
    `kind_similarity` (in the split), `label_dice` (with another mask of the same pixels; 1 without
    one), `leak_inliers` (of the best fit onto an image of another split; 0 without one),
    `mask_share`, `mask_unknown` and `mask_agreement` (of images with a mask), `mask_fault` (1: its
    mask can not be used), `size_deviation`, `aspect_deviation` (see `ranges.formats`),
    `odd_colours` (1: in colour among grey ones, or grey among coloured). Empty where there is
    nothing to measure, and of brightness where nobody declared a range.
    """
    images, neighbours = survey.images, survey.neighbours
    spare = spare or surplus(images, survey.metrics, survey.links)
    table = survey.metrics.set_index("image_id").reindex(sorted(images["image_id"]))
    about = images.set_index("image_id")
    table["unreadable"] = (about["broken"] == 1).astype(float)
    table["unmeasured"] = _unmeasured(about, survey.unmeasured["image_id"]).astype(float)
    table["byte_copies"] = copies(images, "sha256")
    table["pixel_copies"] = copies(images, "pixels_sha256")
    table = table.join(survey.outliers.set_index("image_id")[RELATIONS])
    table[NEAREST] = neighbours.groupby("image_id")["similarity"].max()
    table.loc[table.index.isin(survey.unmeasured["image_id"]), [*RELATIONS, NEAREST]] = float("nan")
    readable = about["error"].reindex(table.index) == ""
    for name, column in spare.measures().items():
        table[name] = column.reindex(table.index).fillna(0.0).where(readable)
    table["odd_format"] = odd_formats(images)
    gaps = table["nodata_share"] if "nodata_share" in table else pd.Series(0.0, table.index)
    table["nodata_share"] = gaps.fillna(0.0).where(readable)
    agreement = label_dice(survey.conflicts).reindex(table.index)
    table["label_dice"] = agreement.fillna(1.0).where(readable)
    inliers = most_inliers(survey.registrations).reindex(table.index)
    table["leak_inliers"] = inliers.fillna(0).where(readable)
    table = table.join(survey.masks.set_index("image_id"))
    table["mask_fault"] = faulty_masks(images)
    table = table.join(formats(images))
    table["odd_colours"] = odd_colours(images)
    # A range that nobody declared tells nothing of light.
    assumed = set(images.loc[images["assumed"] == 1, "image_id"])
    unknown = [name for name in BRIGHTNESS if name in table]
    table.loc[table.index.isin(assumed), unknown] = float("nan")
    return table.astype(float)


def _unmeasured(about: pd.DataFrame, lost: pd.Series) -> pd.Series:
    """Return, by image_id, whether an image is not known to be broken and has no measure."""
    unknown = (about["error"] != "") & (about["broken"] == 0)
    return unknown | unknown.index.isin(lost)


def odd_colours(images: pd.DataFrame) -> pd.Series:
    """Return, by image_id, 1 where a readable image is in colour among grey ones, or the reverse.

    Odd are those of the rarer kind, if they are a tenth of all at most.
    """
    colours = images[images["error"] == ""].set_index("image_id")["colours"].astype(int)
    share = colours.mean() if len(colours) else 0.5
    usual = 0 if share <= ODD else 1 if share >= 1 - ODD else None
    return (colours != usual).astype(float) if usual is not None else colours * 0.0


def faulty_masks(images: pd.DataFrame) -> pd.Series:
    """Return, by image_id, 1 where a readable image's mask can not be used, 0 where it can."""
    own = images[(images["error"] == "") & ((images["mask"] != "") | (images["mask_error"] != ""))]
    return (own.set_index("image_id")["mask_error"] != "").astype(float)
