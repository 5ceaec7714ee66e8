"""A generated folder of images to try a check on, with a few things in it to find."""

import os
import shutil
from pathlib import Path

import numpy as np

from clearset.config.schema_fetch import Fetch, Scene, Source
from clearset.images import codec
from clearset.numeric.exact import whole
from clearset.plant.faults import degrade
from clearset.sources.origin import generate
from clearset.store import layout
from clearset.store.errors import ClearsetError

COUNT, SIZE, SEED = 26, 128, 7
WHITE = {Scene.retina: 255, Scene.satellite: 2047}  # the stored value of white
FAULTS = ("gaussian_blur", "under_exposure", "over_exposure", "sensor_noise")
SEVERITY = 5  # of five
WHOLE = 0.6  # share of the broken file's bytes that are left


def sample(folder: str | os.PathLike[str], scene: str = "retina") -> Path:
    """Write a folder of generated images, of a scene `retina` or `satellite`; return its path.

    Retinas have 8 bits and masks, tiles 11 bits in 16. Of the images for training the first four
    are blurred, dark, over-exposed and noisy, the fifth is there again for testing, and the last
    for testing is broken. The same bytes each time. Raises `ClearsetError` for a folder that is
    there already, or another scene.
    """
    place, scenes = Path(folder), [one.value for one in Scene]
    if scene not in scenes:
        raise ClearsetError(f"there is no scene {scene!r}; known: {', '.join(scenes)}")
    if place.exists():
        raise ClearsetError(f"{folder} is there already: name a folder that is not")
    kind = Scene(scene)
    with layout.replacing(place) as incomplete:
        made = Fetch(source=Source.generated, scene=kind, count=COUNT, size=SIZE, seed=SEED)
        generate(incomplete, made)
        train, test = (sorted((incomplete / s / "images").iterdir()) for s in ("train", "test"))
        for file, fault in zip(train, FAULTS, strict=False):
            _spoil(file, fault, WHITE[kind])
        copied = train[len(FAULTS)]
        shutil.copyfile(copied, test[0].with_name(f"copy{copied.suffix}"))
        content = test[-1].read_bytes()
        test[-1].write_bytes(content[: int(WHOLE * len(content))])
    return place


def _spoil(file: Path, fault: str, white: int) -> None:
    """Give an image a fault, in its own format; what has no data stays so."""
    stored = codec.decode(file)
    image = degrade(stored / white, fault, SEVERITY, np.random.default_rng(SEED))
    with layout.replacing(file) as incomplete:
        codec.write_stored(file, whole(image * white, stored.dtype.type), incomplete)
