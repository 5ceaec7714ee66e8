"""`ImproveImage`: the enhancement of a few image files from Python or a notebook."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearset.images import codec, views
from clearset.images.levels import Reading
from clearset.repair.files import repair, repaired
from clearset.repair.steps import check_steps
from clearset.store import layout
from clearset.store.errors import ClearsetError, UnreadableImage, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MILD = {"radius": 1.0, "amount": 1.0}  # sharpens without drowning fine vessels in noise
PathLike = str | os.PathLike[str]


class ImproveImage:
    """Enhance image files, look at the result, and save it.

    Parameters
    ----------
    paths
        One path or a list of them. The file names must differ: they are kept.
    output_directory
        Where `save` writes; made if need be.
    method, **options
        A method of `clearset.repair.enhancements.ENHANCEMENTS` and its options; `unsharp_mask` with
        radius 1 and amount 1 unless told otherwise. (The published study used amount 15.)
    overwrite
        Whether `save` may replace existing files, the input itself included.

    Raises
    ------
    ClearsetError
        For a missing or unreadable image, an unknown method or option, two inputs of one name,
        or an output that exists while `overwrite` is false; nothing is written then.

    Examples
    --------
    >>> improved = ImproveImage("eye.png", "sharpened", amount=2.0)  # doctest: +SKIP
    >>> improved.preview().savefig("preview.png")  # doctest: +SKIP
    >>> improved.save()  # doctest: +SKIP
    [PosixPath('sharpened/eye.png')]

    """

    def __init__(
        self,
        paths: PathLike | Sequence[PathLike],
        output_directory: PathLike,
        *,
        method: str = "unsharp_mask",
        overwrite: bool = False,
        **options: float,
    ) -> None:
        several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        self.paths = [Path(path) for path in several]
        self.output_directory = Path(output_directory)
        self.overwrite = overwrite
        settings = (MILD if method == "unsharp_mask" else {}) | options
        self.steps: list[dict[str, Any]] = [{"method": method, **settings}]
        check_steps(self.steps)
        self._check_paths()

    def preview(self) -> "Figure":
        """Return a figure with each original beside its enhanced version; nothing is written."""
        from clearset.repair.preview import gallery  # noqa: PLC0415 - matplotlib takes half a second

        pictures = []
        for path in self.paths:
            reading, method = _reading(path), str(self.steps[0]["method"])
            before, after = views.view(path, reading), repaired(path, reading, self.steps)
            pictures += [(before, f"{path.name}: original"), (after, f"{path.name}: {method}")]
        entries = [(view.shown(), caption) for view, caption in pictures]
        return gallery(entries, "original and enhanced", columns=2)

    def save(self) -> list[Path]:
        """Write the enhanced images under their own names and return the paths, in input order.

        Format, mode, bit depth and size are kept; a file in which no pixel would change is copied.
        """
        targets = [self.output_directory / path.name for path in self.paths]
        existing = [target for target in targets if target.exists()]
        if existing and not self.overwrite:
            raise ClearsetError(
                f"{listed(existing)} would be overwritten, nothing was written: choose another "
                "output_directory, or say overwrite=True"
            )
        for path, target in zip(self.paths, targets, strict=True):
            with layout.replacing(target) as incomplete:
                repair(path, incomplete, _reading(path), self.steps)
        return targets

    def _check_paths(self) -> None:
        if not self.paths:
            raise ClearsetError("no image was given: pass one path or a list of paths")
        names = [path.name for path in self.paths]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ClearsetError(f"inputs share the names {listed(twice)}: they would be one output")
        if self.output_directory.exists() and not self.output_directory.is_dir():
            raise ClearsetError(
                f"output_directory {self.output_directory} is a file: name a folder"
            )
        for path in self.paths:
            if not path.is_file():
                raise ClearsetError(f"{path}: no such image file")
            try:
                codec.decode(path)
                codec.check(path)
            except UnreadableImage as error:
                raise ClearsetError(f"{path}: {error}") from None


def _reading(path: Path) -> Reading:
    """Return what a file declares of its own values."""
    reading = codec.declaration(path, pixels := codec.decode(path))
    if math.isnan(reading.high):
        raise ClearsetError(f"{path}: type {pixels.dtype} has no range of its own, 0 to 1")
    return reading
