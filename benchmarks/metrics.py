"""What each metric costs on one image of 768 x 768, beside a Gaussian filter of the same image.

`PYTHONPATH=src python benchmarks/metrics.py` prints a table: milliseconds of one core, and the
ratio to the filter, both the median of fifteen runs taken in turn.
"""

import os
import time
from collections.abc import Callable
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is loaded

import numpy as np
from scipy import ndimage

from clearset.generate.retina.synthesis import eye
from clearset.measure.metrics import METRICS
from clearset.numeric.grey import Grey
from clearset.similar.registration import sight

SIZE, RUNS = 768, 15
YARDSTICK = "Gaussian filter, sigma 2 (scipy)"


def main() -> None:
    """Print the table."""
    levels = np.rint(eye(np.random.default_rng(0), SIZE)[0] * 255).astype(np.uint8)
    values = levels / 255
    calls: dict[str, Callable[[Grey], object]] = {
        YARDSTICK: lambda _: ndimage.gaussian_filter(values, 2)
    }
    calls |= {name: metric.function for name, metric in METRICS.items()}
    calls["keypoints, both ways round"] = sight
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(RUNS):
        for name, call in calls.items():
            image = Grey(levels, 255)  # that nothing has been computed of
            start = time.perf_counter()
            call(image)
            took[name].append(1000 * (time.perf_counter() - start))
    found = {name: median(times) for name, times in took.items()}
    found["all metrics"] = sum(found[name] for name in METRICS)
    print("| what | ms | ratio |\n| --- | --- | --- |")
    for name, value in found.items():
        print(f"| {name} | {value:.1f} | {value / found[YARDSTICK]:.2f} |")


if __name__ == "__main__":
    main()
