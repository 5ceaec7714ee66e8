"""A source's content as a list of hashes: what DVC is given to tell whether a source has changed.

DVC walks through a folder by itself, and stops at a dangling link, a socket or a name that is not
UTF-8. Here each of these is a line with its reason.
"""

from pathlib import Path

from clearset.config.schema_fetch import Links
from clearset.sources.entries import Entry, entries
from clearset.store import checksums, tables
from clearset.store.parallel import mapped

Known = dict[str, list[str]]  # by place: what a file's size and dates were, and its sha256


def write(source: Path, links: Links, target: Path) -> Path:
    """Write the list of a source's files to `target`, and return its path.

    What has the size and the dates of the last time is not read again.
    """
    memory = target.with_name(f".{target.name}.json")
    known = _known(memory)
    every = entries(source, links)
    present = {ascii(str(entry.place))[1:-1]: entry for entry in every}
    stamps = {place: _stamp(entry) for place, entry in present.items() if not entry.reason}
    fresh = [place for place, stamp in stamps.items() if known.get(place, [""])[0] != stamp]
    hashes = mapped(checksums.sha256, [present[place].file for place in fresh], "source")
    digests = {place: known[place][1] for place in stamps if place not in set(fresh)}
    digests |= dict(zip(fresh, hashes, strict=True))
    tables.write_json({place: [stamps[place], digests[place]] for place in stamps}, memory)
    odd = {place: entry.reason for place, entry in present.items() if entry.reason}
    return checksums.write_list(digests | odd, target)


def _known(memory: Path) -> Known:
    """Return what was known the last time; nothing where that is no such file any more."""
    try:
        content = tables.read_json(memory) if memory.is_file() else {}
        return {place: [str(stamp), str(sha256)] for place, (stamp, sha256) in content.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _stamp(entry: Entry) -> str:
    own = entry.file.stat()
    return f"{own.st_size} {own.st_mtime_ns} {own.st_ctime_ns} {own.st_ino}"
