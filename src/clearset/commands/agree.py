"""Say whether a run gave what is committed, or what differs."""

import click

from clearset.store.errors import ClearsetError
from clearset.versions import record

HEAD = "HEAD"


@click.command
@click.argument("dataset")
@click.argument("revision", default=HEAD)
@click.option("--line", is_flag=True, help="The last line alone; ends well whatever differs.")
def command(dataset: str, revision: str, line: bool) -> str:
    """Set the results of DATASET beside those committed, or those of a REVISION (a tag).

    Every file below reports/DATASET column by column, within the tolerances that are declared for
    it, and every folder of data/ by its hash in dvc.lock.
    """
    return last_line(dataset) if line else agree(dataset, revision)


def agree(dataset: str, revision: str = HEAD) -> str:
    """Return what agrees; raises `ClearsetError` naming what differs beyond tolerance."""
    results = record.record(dataset, revision)
    beyond = differences(results, revision)
    details = [
        "\n".join([f"{name}:", *(f"  {line}" for line in lines)]) for name, lines in beyond.items()
    ]
    details += [f"{folder}: dvc.lock has another hash of it" for folder in results.folders]
    text = "\n".join([*details, conclusion(dataset, revision, results, len(beyond))])
    if beyond:
        raise ClearsetError(f"{dataset} differs\n{text}: see above")
    return text


def last_line(dataset: str) -> str:
    """Return whether a run gave what is committed, in one line, whatever may be wrong."""
    try:
        results = record.record(dataset, HEAD)
        beyond = differences(results, HEAD)
    except (ClearsetError, OSError) as error:
        return f"agree: can not tell whether this is what is committed: {error}"
    where = f": make agree DATASET={dataset} names it" if beyond or results.folders else ""
    return conclusion(dataset, HEAD, results, len(beyond)) + where


def differences(results: record.Record, revision: str) -> dict[str, list[str]]:
    """Return what differs beyond tolerance in each file that does."""
    if not results.changed:
        return {}
    from clearset.versions import sides  # noqa: PLC0415 - heavy, and needed only where bytes differ

    every = {name: sides.compared(name, revision) for name in sorted(results.changed)}
    return {name: lines for name, lines in every.items() if lines}


def conclusion(dataset: str, revision: str, results: record.Record, beyond: int) -> str:
    """Return the last line: how many files are the same bytes, near enough, or neither."""
    what = "what is committed" if revision == HEAD else f"what {revision} has"
    count, near = len(results.files), len(results.changed) - beyond
    if not results.changed:
        line = f"agree: all {count} files of {dataset} are {what}, byte for byte"
    else:
        same = count - len(results.changed)
        line = f"agree: of {count} files of {dataset} {same} are {what}, byte for byte"
        line += f", {near} within tolerance" if near else ""
        line += f", and {beyond} differ{'s' * (beyond == 1)} from it" if beyond else ""
    folders = len(results.folders)
    has = "has" if folders == 1 else "have"
    return line + (f"; {folders} of its folders in data/ {has} other bytes" if folders else "")
