"""How near the generated retinas come to RAVIR's: the same measurements on both, as tables.

First what the images are like, then whether the metrics rank alike on them, fault by fault.
`CLEARSET_RAVIR=/path PYTHONPATH=src python benchmarks/realism.py` prints medians and p10-p90.
Pixels are counted at the image's own size, so only images of about 768 pixels compare with RAVIR.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image as Pictures
from scipy import ndimage
from skimage.morphology import skeletonize

from clearset.generate.retina.synthesis import ARTERY, VEIN, Image, Pixels, eye
from clearset.measure.metrics import METRICS, measure, noise_sigma
from clearset.measure.vessels import auroc
from clearset.numeric.grey import of_unit
from clearset.plant.faults import FAULTS, degrade

KINDS = {"artery": ARTERY, "vein": VEIN}
COUNT, SIZE = 24, 768  # generated images
NEAR = 10.0  # px: what is smoother than this is background, what is finer is texture
FAR = 60.0  # px: illumination and anatomy, without vessels and texture
BAND = (0.02, 0.25)  # cycles/px: coarser is anatomy, finer is the sensor
LAGS = (1, 2, 4)  # px


def statistics(image: Image, mask: Pixels | None) -> dict[str, float]:
    """Return the measurements of an image from 0 to 1; those of vessels need its mask."""
    grey = image.astype(np.float64) * 255
    drawn = np.zeros(grey.shape, bool) if mask is None else mask > 0
    free = ~ndimage.binary_dilation(drawn, iterations=3)
    near, far = background(grey, free, NEAR), background(grey, free, FAR)
    found = {} if mask is None else vessels(grey, mask, near)
    found |= {
        "noise sigma (levels)": noise_sigma(of_unit(image)),
        "background mean (levels)": float(grey[free].mean()),
        "background variation": float(far.std() / far.mean()),
    }
    return found | texture(grey - near, free) | {"spectrum slope": slope(grey)}


def background(
    grey: npt.NDArray[np.float64], free: npt.NDArray[np.bool_], sigma: float
) -> npt.NDArray[np.float64]:
    """Return the Gaussian mean of the pixels that are free, whatever lies on the others."""
    weight = ndimage.gaussian_filter(free.astype(np.float64), sigma)
    return ndimage.gaussian_filter(grey * free, sigma) / np.maximum(weight, 1e-9)


def vessels(
    grey: npt.NDArray[np.float64], mask: Pixels, near: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Return widths (px), contrasts on the centre line (0 none, 1 black) and share of pixels."""
    found = {}
    for kind, value in KINDS.items():
        inside = mask == value
        line = skeletonize(inside)
        if not line.any():
            continue
        widths = 2 * ndimage.distance_transform_edt(inside)[line]
        for rank in (10, 50, 90):
            found[f"{kind} width p{rank} (px)"] = float(np.percentile(widths, rank))
        found[f"{kind} contrast"] = float(np.median(1 - grey[line] / near[line]))
        found[f"{kind} share"] = float(inside.mean())
    return found


def texture(fine: npt.NDArray[np.float64], free: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return what the background does below NEAR: its spread (levels) and autocorrelation."""
    spread = fine[free].std()
    found = {"texture sd (levels)": float(spread)}
    for lag in LAGS:
        products = []
        for axis in (0, 1):
            both = free & np.roll(free, lag, axis)
            shifted = np.roll(fine, lag, axis)
            products.append(np.corrcoef(fine[both], shifted[both])[0, 1])
        found[f"texture autocorrelation, {lag} px"] = float(np.mean(products))
    return found


def slope(grey: npt.NDArray[np.float64]) -> float:
    """Return the exponent of the radially averaged power spectrum within BAND."""
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    axes = [np.fft.fftfreq(length) for length in grey.shape]
    radius = np.hypot(axes[0][:, None], axes[1])
    edges = np.geomspace(*BAND, 25)
    rings = np.digitize(radius, edges)
    means = [power[rings == ring].mean() for ring in range(1, edges.size)]
    centres = np.sqrt(edges[1:] * edges[:-1])
    return float(np.polyfit(np.log(centres), np.log(means), 1)[0])


def real(folder: Path) -> list[tuple[Image, Pixels]]:
    """Return RAVIR's training images, which have masks."""
    found = []
    for path in sorted(folder.rglob("training_images/*.png")):
        mask = np.asarray(Pictures.open(path.parents[1] / "training_masks" / path.name))
        found.append((np.asarray(Pictures.open(path)) / 255, mask))
    return found


def generated(count: int, size: int) -> list[tuple[Image, Pixels]]:
    """Return generated eyes, rounded to 8 bits as files are."""
    found = (eye(np.random.default_rng([seed]), size) for seed in range(count))
    return [(rounded(image), mask) for image, mask in found]


def rounded(image: Image) -> Image:
    """Return an image as an 8-bit file holds it."""
    return np.asarray(np.rint(np.clip(image, 0, 1) * 255) / 255)


def summary(table: pd.DataFrame) -> pd.Series:
    """Return median and p10-p90 of each column as text."""
    low, middle, high = (table.quantile(rank) for rank in (0.1, 0.5, 0.9))
    return pd.Series(
        {name: f"{middle[name]:.3g} ({low[name]:.3g}-{high[name]:.3g})" for name in table}
    )


def ability(images: Sequence[Image]) -> pd.DataFrame:
    """Return how well each metric tells each fault, of severity 3, from the clean images.

    Rows are faults, columns metrics, values the AUROC of the metric's larger values.
    """
    clean = pd.DataFrame([measure(of_unit(image)) for image in images])
    rows = {}
    for name in FAULTS:
        faulty = [
            measure(of_unit(rounded(degrade(image, name, 3, np.random.default_rng([number])))))
            for number, image in enumerate(images)
        ]
        table = pd.DataFrame(faulty)
        rows[name] = {m: auroc(table[m].to_numpy(), clean[m].to_numpy()) for m in METRICS}
    return pd.DataFrame(rows).T


def main() -> None:
    """Print both tables."""
    folder = Path(os.environ.get("CLEARSET_RAVIR", "../shared/ravir"))
    sides = real(folder), generated(COUNT, SIZE)
    first, second = (pd.DataFrame([statistics(*one) for one in side]) for side in sides)
    print(f"| statistic | RAVIR ({len(first)}) | generated ({len(second)}) |\n| --- | --- | --- |")
    measured, made = summary(first), summary(second)
    for name in first:
        print(f"| {name} | {measured[name]} | {made[name]} |")
    on_real, on_made = (ability([image for image, _ in side]) for side in sides)
    print("\n| fault, severity 3 | rank correlation of the metrics' AUROC |\n| --- | --- |")
    for name in FAULTS:
        print(f"| {name} | {on_real.loc[name].corr(on_made.loc[name], method='spearman'):.2f} |")
    together = on_real.stack().corr(on_made.stack(), method="spearman")
    print(f"| all {on_real.size} | {together:.2f} |")


if __name__ == "__main__":
    main()
