"""Make a cleaned dataset from its recipe and its source: its bytes, or at least its very pixels.

`python src/rebuild.py RECIPE SOURCE TARGET`: a folder with a recipe, the folder or zip that the
source lies in, and the folder to make.
"""

from pathlib import Path

from clearset.commands import tool
from clearset.images import identity
from clearset.share import releases
from clearset.store import checksums


def main(recipe: str, source: str, target: str) -> str:
    """Return that every hash matches; raises `ClearsetError` saying what does not."""
    manifest, same = releases.rebuild(Path(recipe), Path(source), Path(target))
    path = Path(target) / checksums.CHECKSUMS
    files = len(checksums.read(path))
    fates = manifest["decision"].value_counts()
    became = ", ".join(f"{count} {fate}" for fate, count in fates.sort_index().items())
    hashes = "every pixel is the same" if same else "every hash matches"
    return (
        f"rebuild: {len(manifest)} images ({became}); each of {files} files is what was released, "
        f"{hashes}\n{identity.remark(same)}  {target}, content {checksums.sha256(path)}\n"
        f"  from Python: clearset.load_release({target!r})"
    )


if __name__ == "__main__":
    tool.run(main, "RECIPE SOURCE TARGET")
