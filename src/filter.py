"""Flag the images that a rule finds outside its bounds, and decide what becomes of each."""

from functools import partial
from pathlib import Path

import pandas as pd

from clearset.config import params
from clearset.config.stage import run
from clearset.decide import rules
from clearset.images.codec import Pixels, decode_mask
from clearset.similar import duplicates
from clearset.store import layout, tables
from clearset.truth import bounds, calibration

ADOPT = "calibrated.yaml"
MEASURED = ("metrics", "masks", "neighbours", "links", "outliers", "registrations")


def main(dataset: str) -> str:
    """Write flags, every image's fate, the counts, and what every other bound would do."""
    section = params.load(dataset)
    fetched, analyzed = (layout.stage_folder(stage, dataset) for stage in ("fetch", "analyze"))
    found = read(fetched, analyzed, section.classes)
    judged = rules.judge(section.filter, found)
    own, flags = judged.bounds, judged.flags
    rules.refuse_all(judged.values, own, flags)
    summary = rules.summary(section.filter, own, flags)
    chosen, *calibrated = calibration.calibrate(own, judged.values, found, section.calibrate)
    dropping = rules.dropping(own, flags)
    written = {
        "flags": flags,
        "decisions": rules.decide(found["images"], flags),
        "conflicts": found["conflicts"],
        "curation": duplicates.curation(found["images"], dropping, judged.surplus),
        **dict(zip(("calibration", "curves"), calibrated, strict=True)),
    }
    target, reports = layout.stage_folder("filter", dataset), layout.REPORTS / dataset
    with layout.replacing(target) as begun:
        begun.mkdir()
        for name, table in written.items():
            tables.write(name, table, begun)
        if chosen:
            (begun / ADOPT).write_text(calibration.to_adopt(chosen), encoding="utf-8")
    tables.write("rules", summary, reports)
    tables.write("bounds", bounds.swept(judged, found), reports)
    counts = rules.counts(written["decisions"])
    counts |= duplicates.savings(found["images"], written["curation"])
    few = {name: counts[name] for name in ("flagged", "dropped")}
    tables.write_metrics(few, dataset, reports / "counts.json")
    return said(counts, summary, target, bool(chosen))


def read(fetched: Path, analyzed: Path, classes: dict[str, int]) -> dict[str, pd.DataFrame]:
    """Return the tables that rules are judged by."""
    found = {name: tables.read(name, analyzed) for name in MEASURED}
    found |= {name: tables.read(name, fetched) for name in ("images", "truth")}
    masks = partial(read_mask, fetched / "masks")
    return found | {"conflicts": duplicates.conflicts(found["images"], classes, masks)}


def said(counts: dict[str, int], summary: pd.DataFrame, target: Path, chosen: bool) -> str:
    """Return what was done, for a person."""
    flagged = [f"{row.rule} {row.flagged}" for row in summary.itertuples() if row.flagged]
    done = (
        f"filter: {counts['flagged']} of {counts['images']} images flagged "
        f"({', '.join(flagged) or 'by no rule'}), decisions in {target}"
    )
    if dropped := counts["duplicates_dropped"]:
        share = counts["duplicates_dropped_bytes"] / max(counts["bytes"], 1)
        done += (
            f"\n  {dropped} duplicates dropped, {counts['duplicates_dropped_train']} of them for "
            f"training: {counts['duplicates_dropped_bytes'] / 1e6:.1f} MB, {share:.1%} of the "
            f"dataset; each with what stays in its stead in {target}/curation.csv"
        )
    adopt = f"\n  bounds chosen on known truth, to adopt if you like: {target}/{ADOPT}"
    return done + (adopt if chosen else "")


def read_mask(folder: Path, path: str) -> Pixels:
    """Return a mask's values."""
    return decode_mask(folder / path)


if __name__ == "__main__":
    run(main)
