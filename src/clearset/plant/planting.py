"""What is planted where: from a dataset's eyes to the images that a test of detectors needs.

An eye is one subject, however many images show it. Every planted image names its eye, so that
bounds can be chosen on some eyes and scored on others.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from clearset.config.schema_fetch import Plant
from clearset.numeric.exact import settled
from clearset.plant.edits import EDITS, Edit, another_visit, edited, moved
from clearset.plant.faults import FAULTS, degrade, describe
from clearset.plant.shapes import SUITE
from clearset.store.errors import ClearsetError

Image = npt.NDArray[np.float64]
Mask = npt.NDArray[np.integer]
Random = np.random.Generator

CLEAN = "none"  # the fault of an image without one
PARTS = ("calibrate", "held_out")
UNKNOWN_VALUE = 77  # in a mask: of no class
MASKS = ("swapped_mask", "empty_mask", "unknown_mask")
ELSEWHERE = ("leak", "overlap")  # what lies in another split than its eye
# What is planted beside the faults of single images, and the kinds that detectors look for.
OTHERS = (
    dict.fromkeys(EDITS, "near_duplicate")
    | {"exact_copy": "duplicate", "conflict": "duplicate label_conflict", "leak": "leak"}
    | {name: name for name in MASKS}
    | {"foreign": "foreign", "corrupt": "unreadable", "mask_size": "duplicate mask_fault"}
    | {"empty": "empty", "overlap": "leak"}
)


@dataclass(frozen=True)
class Eye:
    """One image of the source: its name, its subject, its split, and whether it has a mask."""

    name: str
    subject: str  # the same for every image of one eye
    split: str
    masked: bool


@dataclass(frozen=True)
class Planted:
    """One image to be written: what is done to which eye."""

    name: str
    split: str
    eye: Eye
    fault: str
    kinds: str = ""  # that detectors are to find, separated by spaces
    severity: int = 0
    parameters: str = ""
    mask_of: str = ""  # the eye whose mask it gets in its own's stead


def known_kinds() -> set[str]:
    """Return every kind that a detector may be said to find."""
    single = {kind for fault in FAULTS.values() for kind in fault.kinds}
    return single | {kind for kinds in OTHERS.values() for kind in kinds.split()}


def schedule(eyes: Sequence[Eye], plan: Plant) -> list[Planted]:
    """Return every image of the planted dataset, the clean ones first.

    Raises `ClearsetError` for a fault that is not registered, or for more than the eyes allow.
    """
    names = plan.faults or list(SUITE)
    if unknown := sorted(set(names) - set(FAULTS)):
        raise ClearsetError(f"fetch.plant: unknown faults {unknown}. Known: {', '.join(FAULTS)}")
    if plan.in_place >= len(eyes):
        raise ClearsetError(
            f"fetch.plant.in_place is {plan.in_place}: fewer than the dataset's {len(eyes)} eyes"
        )
    spread = (np.arange(plan.in_place) + 0.5) * len(eyes) / max(plan.in_place, 1)
    in_place = [eyes[place] for place in spread.astype(int)]
    clean = [eye for eye in eyes if eye not in in_place]
    result = [Planted(eye.name, eye.split, eye, CLEAN) for eye in clean]
    for place, eye in enumerate(in_place):
        turn, number = divmod(place, len(names))
        result.append(_faulted(eye, names[number], (2 * turn + number) % 5 + 1))
    for place, eye in enumerate(clean):
        for number, fault in enumerate(names):
            levels = ((place + number + more) % 5 + 1 for more in range(plan.per_eye))
            result += [_faulted(eye, fault, severity) for severity in levels]
    return result + list(_others(clean, plan))


def _faulted(eye: Eye, fault: str, severity: int) -> Planted:
    kinds, words = " ".join(FAULTS[fault].kinds), describe(fault, severity)
    return Planted(f"{eye.name}-{fault}-{severity}", eye.split, eye, fault, kinds, severity, words)


def _others(eyes: Sequence[Eye], plan: Plant) -> Iterator[Planted]:
    """Yield what is planted beside the faults of single images.

    Eyes are taken in turn, so that few of them get several, and evenly over all of them.
    """
    splits = sorted({eye.split for eye in eyes})
    counts = dict.fromkeys(EDITS, plan.near_duplicates) | dict.fromkeys(MASKS, plan.masks)
    counts |= {"exact_copy": plan.duplicates, "conflict": plan.conflicts, "foreign": plan.foreign}
    counts |= {"leak": plan.leaks, "overlap": plan.overlaps} if len(splits) > 1 else {}
    counts |= {"corrupt": plan.broken, "mask_size": plan.broken, "empty": plan.empty}
    anyone, masked = (
        _dealt(several, sum(counts.values()))
        for several in (list(eyes), [eye for eye in eyes if eye.masked])
    )
    for name, kinds in OTHERS.items():
        dealer = masked if name in (*MASKS, "conflict", "mask_size") else anyone
        for number, eye in enumerate(dealer(counts.get(name, 0))):
            split = splits[(splits.index(eye.split) + 1) % len(splits)]
            place = split if name in ELSEWHERE else eye.split
            donor = _neighbour(eyes, eye) if name == "swapped_mask" else ""
            if name == "swapped_mask" and not donor:
                continue  # no other mask to give
            new_name = f"foreign_{number:02d}" if name == "foreign" else f"{eye.name}-{name}"
            subject = Eye(new_name, new_name, place, False) if name == "foreign" else eye
            words = f"mask of {donor}" if donor else ""
            yield Planted(new_name, place, subject, name, kinds, parameters=words, mask_of=donor)


def _neighbour(eyes: Sequence[Eye], eye: Eye) -> str:
    """Return the next eye of another subject that has a mask; an empty name where there is none."""
    masked = [other for other in eyes if other.masked]
    place = masked.index(eye)
    others = [*masked[place + 1 :], *masked[:place]]
    return next((other.name for other in others if other.subject != eye.subject), "")


def _dealt(eyes: list[Eye], total: int) -> Callable[[int], list[Eye]]:
    """Return a function that deals out eyes, going round, every n-th if there are n times more."""
    place, stride = 0, max(len(eyes) // max(total, 1), 1)

    def deal(count: int) -> list[Eye]:
        nonlocal place
        count = min(count, len(eyes))
        dealt = [eyes[(place + step) * stride % len(eyes)] for step in range(count)]
        place += count
        return dealt

    return deal


def parts(names: Sequence[str], held_out: float, seed: int) -> dict[str, str]:
    """Return to which part each eye belongs: `calibrate` or `held_out`, by a seeded draw."""
    ordered = sorted(set(names))
    order = np.random.default_rng(seed).permutation(len(ordered))
    limit = round(held_out * len(ordered))
    return {name: PARTS[int(rank < limit)] for name, rank in zip(ordered, order, strict=True)}


def without_data(shape: tuple[int, int], rng: Random) -> npt.NDArray[np.bool_]:
    """Return which pixels of an image (height, width) lie beyond the edge of what was taken.

    They are 60 to 95 % of it, on one side of a straight line that is 5 to 25 degrees off upright
    or level, as the edge of a satellite's swath.
    """
    share, slant, quarter = rng.uniform(0.6, 0.95), rng.uniform(5, 25), rng.integers(4)
    angle = np.deg2rad(90 * quarter + slant)
    y, x = np.mgrid[: shape[0], : shape[1]]
    along = settled(x * np.cos(angle) + y * np.sin(angle))  # of equals, all or none
    return np.asarray(along < np.quantile(along, share))


def planted_image(image: Image, planted: Planted, rng: Random) -> tuple[Image, Edit | None]:
    """Return what a planted image shows, and the edit that its mask is to follow, if any."""
    if planted.fault in FAULTS:
        return degrade(image, planted.fault, planted.severity, rng), None
    if planted.fault == "leak":
        visit = another_visit(rng)
        return edited(image, visit, rng), visit
    if planted.fault in EDITS:
        return edited(image, EDITS[planted.fault], rng), EDITS[planted.fault]
    if planted.fault in MASKS:  # pixels of its own, so that it is no copy of another
        return edited(image, Edit(gain=float(rng.uniform(0.9, 1.1)), noise=1.0), rng), None
    return image, None


def planted_mask(mask: Mask, planted: Planted, edit: Edit | None) -> Mask:
    """Return the mask of a planted image; `mask` is its eye's, or the one swapped in."""
    if planted.fault == "conflict":
        return np.asarray(ndimage.grey_dilation(mask, size=3), mask.dtype)
    if planted.fault == "empty_mask":
        return np.zeros_like(mask)
    if planted.fault == "unknown_mask":
        return np.where(mask == mask.max(), UNKNOWN_VALUE, mask).astype(mask.dtype)
    if planted.fault == "mask_size":
        return mask[: mask.shape[0] // 2]
    return mask if edit is None else np.asarray(moved(mask, edit, order=0), mask.dtype)
