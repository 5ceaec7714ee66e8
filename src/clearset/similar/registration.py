"""Whether two images show the same scene: keypoints matched, and one fit that most of them obey.

Made for the same eye at another exposure, visit or field, which the similarity of whole images is
not sure to find. Positions are (column, row) in pixels of the image.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clearset.numeric.exact import box_mean, cv2, settled, whole
from clearset.numeric.grey import Grey
from clearset.numeric.seen import inner

Image = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]  # as OpenCV has them
Bits = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

SIDE = 384  # px: an image's longer side when keypoints are sought
LIGHT = 61  # px of the reduced image, twice: what is larger (sigma 25) is light, not structure
MOST = 600  # keypoints of an image
STRONGEST = 100  # of them, for the first look at many pairs
PATCH = 15  # px of the reduced image: what a keypoint's descriptor looks at lies as near
ALIKE = 64  # of a descriptor's 256 bits: where more differ, there is no match in the first look
RATIO = 0.85  # of the distance to the best match by that to the second best: Lowe's test, at most
TOLERANCE = 5.0  # px of the reduced image: an inlier lies as near as this
ZOOM = (0.5, 2.0)  # of one scene against the other
CELL = 16  # px of the reduced image: matches in one cell count once, as in burnt-in text
FEWEST = 4  # matches below which no fit is tried
CHUNK = 64  # images looked at together


@dataclass(frozen=True)
class Keypoints:
    """What of an image can be found again in another one, strongest first; n may be 0."""

    positions: Points  # (n, 2): column and row, px of the reduced image
    descriptors: Bits  # (n, 32): 256 bits each
    width: int  # px of the image
    scale: float  # px of the image for one of the reduced image


@dataclass(frozen=True)
class Sight:
    """An image's keypoints as it is and as its mirror image."""

    plain: Keypoints
    mirrored: Keypoints


@dataclass(frozen=True)
class Registration:
    """How one image lies on another; no inliers when it does not."""

    inliers: int  # cells of matches that agree with the fit
    mirrored: bool
    matrix: Matrix  # (2, 3): maps (column, row, 1) of the first to (column, row) of the second


NONE = Registration(0, False, np.eye(2, 3))


def sight(image: Grey) -> Sight:
    """Return the keypoints of an image; none of a constant one, and none at the rim of a gap."""
    small = reduced(image)
    even, inside = flattened(small), _inside(image, small.shape)
    width, scale = image.shape[1], image.shape[1] / small.shape[1]
    mirrored = np.ascontiguousarray(even[:, ::-1])
    turned = None if inside is None else np.ascontiguousarray(inside[:, ::-1])
    return Sight(keypoints(even, inside, width, scale), keypoints(mirrored, turned, width, scale))


def keypoints(even: Bits, inside: Bits | None, width: int, scale: float) -> Keypoints:
    """Return oriented corners of a reduced and flattened image, and their binary descriptors.

    They are sought where `inside` is not 0; None: everywhere. `width` and `scale` are those of
    `Keypoints`. ORB: Rublee et al., 2011, doi:10.1109/ICCV.2011.6126544.
    """
    corners, descriptors = cv2.ORB.create(MOST).detectAndCompute(even, inside)
    if descriptors is None:
        return Keypoints(np.zeros((0, 2), np.float32), np.zeros((0, 32), np.uint8), width, scale)
    order = np.argsort([-corner.response for corner in corners], kind="stable")
    positions = np.array([corner.pt for corner in corners], np.float32)
    return Keypoints(positions[order], np.asarray(descriptors, np.uint8)[order], width, scale)


def reduced(image: Grey) -> Image:
    """Return the image, 0 to 1, with its longer side at most 384 px, by area means."""
    values = image.levels / image.white
    factor = SIDE / max(image.shape)
    if factor >= 1:
        return values
    height, width = (max(round(side * factor), 1) for side in image.shape)
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))


def _inside(image: Grey, shape: tuple[int, ...]) -> Bits | None:
    """Return where a keypoint of the reduced image hangs on nothing but what was seen, as 1."""
    if image.seen is None:
        return None
    seen = image.seen.astype(np.float64)
    share = cv2.resize(seen, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(inner(np.asarray(share > 1 - 1e-9), PATCH), np.uint8)


def flattened(small: Image) -> Bits:
    """Return the image with its background and local contrast divided out, as 8 bits."""
    relative = small / np.maximum(_around(small), 0.02) - 1
    spread = np.sqrt(np.maximum(_around(relative**2), 1e-4))
    return whole(np.clip(128 + 40 * relative / spread, 0, 255), np.uint8)


def _around(small: Image) -> Image:
    """Return local means: two box filters, which cost the same whatever their size."""
    return box_mean(box_mean(small, LIGHT), LIGHT)


def votes(one: Words, mirrored: Words, others: Words) -> npt.NDArray[np.int64]:
    """Return for each of `others` how many strongest keypoints are each other's best match.

    A first look at many pairs, a tenth of a millisecond each: whom to register at all. `one` and
    its mirror image are `strongest` keypoints, `others` several of them, (n, 100, 4).
    """
    result = np.zeros(len(others), np.int64)
    for start in range(0, len(others), CHUNK):
        pool = others[start : start + CHUNK]
        best = [_mutual(points, pool) for points in (one, mirrored)]
        result[start : start + len(pool)] = np.maximum(*best)
    return result


def strongest(points: Keypoints) -> Words:
    """Return the strongest keypoints' bits, (100, 4) words; zeros for those missing."""
    bits = points.descriptors[:STRONGEST]
    return np.pad(bits, ((0, STRONGEST - len(bits)), (0, 0))).view(np.uint64)


def _mutual(one: Words, pool: Words) -> npt.NDArray[np.int64]:
    distances = np.zeros((len(pool), STRONGEST, STRONGEST), np.uint16)
    for word in range(one.shape[1]):
        distances += np.bitwise_count(one[None, :, None, word] ^ pool[:, None, :, word])
    distances[:, ~np.asarray(one.any(axis=1))] = 256  # a keypoint that is missing matches none
    distances[np.broadcast_to(~np.asarray(pool.any(axis=2))[:, None], distances.shape)] = 256
    nearest, back = distances.argmin(axis=2), distances.argmin(axis=1)
    mutual = np.take_along_axis(back, nearest, axis=1) == np.arange(STRONGEST)
    close = np.take_along_axis(distances, nearest[..., None], axis=2)[..., 0] <= ALIKE
    return np.asarray((mutual & close).sum(axis=1), np.int64)


def register(first: Sight, second: Sight) -> Registration:
    """Return the best fit of the first image, or of its mirror image, onto the second."""
    plain, turned = _fit(first.plain, second.plain), _fit(first.mirrored, second.plain)
    if turned.inliers <= plain.inliers:
        return plain
    mirror = np.array([[-1, 0, first.plain.width - 1], [0, 1, 0], [0, 0, 1]], np.float64)
    return Registration(turned.inliers, True, turned.matrix @ mirror)


def _fit(first: Keypoints, second: Keypoints) -> Registration:
    """Return turn, zoom and shift that most matches agree with.

    Random sample consensus: Fischler and Bolles, 1981, doi:10.1145/358669.358692; the ratio test:
    Lowe, 2004, doi:10.1023/B:VISI.0000029664.99615.94.
    """
    if min(len(first.positions), len(second.positions)) < FEWEST:
        return NONE
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(first.descriptors, second.descriptors, k=2)
    clear = [best for best, other in pairs if best.distance < RATIO * other.distance]
    if len(clear) < FEWEST:
        return NONE
    source = first.positions[[match.queryIdx for match in clear]]
    target = second.positions[[match.trainIdx for match in clear]]
    cv2.setRNGSeed(0)  # the same draws for each pair, whatever came before
    _, inside = cv2.estimateAffinePartial2D(
        source, target, ransacReprojThreshold=TOLERANCE, refineIters=0
    )
    if inside is None or not inside.any():
        return NONE
    agree = inside.ravel() > 0
    matrix = _turn(source[agree], target[agree])
    if not ZOOM[0] < np.sqrt(np.square(matrix[0, :2]).sum()) < ZOOM[1]:
        return NONE
    inliers = min(_cells(source[agree]), _cells(target[agree]))
    down, up = np.diag([1 / first.scale, 1 / first.scale, 1]), np.diag([second.scale] * 2)
    return Registration(inliers, False, settled(up @ matrix @ down))


def _turn(source: Points, target: Points) -> Matrix:
    """Return the turn, zoom and shift, (2, 3), that least squares fit between places.

    OpenCV refines a fit by steps that end by a tolerance, in another last digit on each processor.
    Written as complex numbers, places are fitted by one division (Umeyama, 1991,
    doi:10.1109/34.88573, without a mirror).
    """
    before, after = (places.astype(np.float64) @ np.array([1, 1j]) for places in (source, target))
    centred = before - before.mean()
    factor = (centred.conj() * (after - after.mean())).sum() / max((abs(centred) ** 2).sum(), 1e-9)
    shift = after.mean() - factor * before.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def _cells(positions: Points) -> int:
    return len(np.unique(positions // CELL, axis=0))


def onto(image: npt.NDArray[np.uint8], matrix: Matrix, shape: tuple[int, int]) -> Bits:
    """Return an image as it lies on another one of `shape` (height, width); black outside."""
    return np.asarray(cv2.warpAffine(image, matrix, shape[::-1]), np.uint8)
