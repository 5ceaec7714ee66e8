"""What every setting of a sweep does to every planted fault, and which one each fault calls for."""

from collections.abc import Mapping

import pandas as pd

from clearset.plant.planting import PARTS
from clearset.proof.verdicts import APPLIED, EVERYONE, granted, groups


def settings(metrics: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Return the table `settings`: each setting's metrics, NaN for those that it has not."""
    frame = pd.DataFrame.from_dict(
        {name: dict(row) for name, row in metrics.items()}, orient="index"
    )
    return frame.rename_axis("setting").reset_index()


def table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table `sweep` from each setting's table `vessels`: one row a fault and severity.

    Severity 0 stands for all of a fault's; fault `all` for every image.
    """
    rows = []
    for setting, vessels in tables.items():
        own = vessels[vessels["repair"] == APPLIED]
        copies = [own.assign(fault=EVERYONE, severity=0)]
        copies += [own.assign(severity=0)] if (own["severity"] > 0).any() else []
        every = pd.concat([own[own["severity"] > 0], *copies])
        for part in (EVERYONE, *PARTS):
            of_part = every if part == EVERYONE else every[every["part"] == part]
            for (fault, severity), group in of_part.groupby(["fault", "severity"]):
                rows.append((setting, part, fault, severity, len(group), *_means(group)))
    columns = ["setting", "part", "fault", "severity", "images"]
    return pd.DataFrame(rows, columns=[*columns, *CHANGES])


CHANGES = {"ap_before": "", "ap_change": "", "dice_change": "dice"}
CHANGES |= {"psnr_change": "psnr", "ssim_change": "ssim"}


def _means(group: pd.DataFrame) -> list[float]:
    """Return means over eyes, as `CHANGES` names them; an infinite likeness counts for nothing.

    `ap_change` is what both detectors grant.
    """
    sides = group.set_index("eye").replace([float("inf")], float("nan"))
    means = [sides["ap_before"].groupby(level=0).mean().mean()]
    means.append(granted(sides).groupby(level=0).mean().mean())
    for score in list(CHANGES.values())[2:]:
        change = sides[f"{score}_after"] - sides[f"{score}_before"]
        means.append(change.groupby(level=0).mean().mean())
    return means


def best(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table `best`: the setting that each kind of fault calls for, and how it fares.

    Chosen by the mean change of average precision, as both detectors grant it, on the eyes of the
    part `calibrate`, scored on those held out; `runner_up` is the next best. The kind `all` is the
    single best setting for every image.
    """
    means = []
    for setting, vessels in tables.items():
        own = vessels[vessels["repair"] == APPLIED]
        own = own.assign(change=granted(own))
        for part in PARTS:
            for kind, _, rows in groups(own[own["part"] == part]):
                change = rows.groupby("eye")["change"].mean().mean()
                means.append((kind, part, setting, change))
    table = pd.DataFrame(means, columns=["kind", "part", "setting", "change"])
    table = table.drop_duplicates(["kind", "part", "setting"])
    wide = table.pivot(index=["kind", "setting"], columns="part", values="change").reset_index()
    wide = wide.sort_values(["kind", PARTS[0], "setting"], ascending=[True, False, True])
    first = wide.groupby("kind", sort=True).nth(0).set_index("kind")
    second = wide.groupby("kind", sort=True).nth(1).set_index("kind")["setting"]
    winners = first.rename(columns={"setting": "best"}).assign(runner_up=second)
    return winners.reset_index()[["kind", "best", *PARTS, "runner_up"]]
