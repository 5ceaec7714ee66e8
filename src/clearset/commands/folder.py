"""Run the stages on a folder of your own images, editing no tracked file."""

import re
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import click
import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from clearset.config import composition, params
from clearset.repair.steps import check_steps
from clearset.sources import listing, origin
from clearset.sources.glances import glance, unseen
from clearset.sources.inventory import inventory
from clearset.sources.plan import lines
from clearset.sources.work_folder import recognised
from clearset.store import layout, locks, remote
from clearset.store.errors import ClearsetError, listed
from clearset.store.isolation import apart
from clearset.versions import pipeline

USAGE = "clearset folder SOURCE NAME, or make folder SOURCE=/path/to/images NAME=mine"
PIPELINE = Path("dvc.yaml")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
COPY = "# What the last run read: a copy, made anew by each run. Edit params.yaml beside it.\n"
EDITED = "{own} was edited meanwhile, and stays as it is now: run again to apply it"
LISTING = "source.sha256"  # beside a folder's pipeline: what lies in its source


@click.command
@click.argument("source", required=False, default="")
@click.argument("name", required=False, default="")
@click.option("--source", "moved", metavar="NEW", help="Where a known NAME's images lie now.")
@click.option("--plan", is_flag=True, help="Print what would be read as what, and stop.")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter to change and keep, like mine.filter.dark.min=40; may be given again.",
)
def command(
    source: str, name: str, moved: str | None, plan: bool, overrides: tuple[str, ...]
) -> str:
    """Run all stages on SOURCE as NAME: a folder, archive or file of images, or a work folder.

    SOURCE may lie elsewhere, such as at s3://bucket/folder: what is new there is brought first.
    Archives are zip and tar; a work folder is fastdup's. Makes folders/NAME with a pipeline and its
    parameters. Run it again after SOURCE or the parameters have changed: only what that changes is
    done again. A NAME that is known needs no SOURCE.
    """
    source, name = arguments([word for word in (source, name) if word], moved, plan)
    if plan:
        return plan_of(source, name, list(overrides))
    return folder(source, name, list(overrides), moved=bool(moved))


def arguments(words: list[str], moved: str | None, plan: bool) -> tuple[str, str]:
    """Return SOURCE and NAME of the words of a command; a known NAME has its SOURCE."""
    known = len(words) == 1 and bool(NAME.fullmatch(words[0])) and params.own(words[0]).exists()
    if plan and len(words) == 1 and not known:
        return words[0], "planned"
    if len(words) == 1 and moved:
        return moved, words[0]
    if known:
        return str(params.kept(words[0])[words[0]].fetch.path), words[0]
    if len(words) != 2 or moved:
        raise ClearsetError(f"SOURCE or NAME is missing: {USAGE}")
    return words[0], words[1]


def plan_of(source: str, name: str, overrides: list[str]) -> str:
    """Return what would be read as what."""
    refuse_unfit(source, name)
    place = here(source, name)
    if recognised(place):
        return f"{source} is a fastdup work folder: its tables are read, and no image"
    section = configured(address(source), name, overrides, params.own(name))
    fetch = params.check(name, section[name], "--set").fetch
    with origin.source_folder(name, fetch) as folder:
        look = lru_cache(maxsize=4096)(apart(partial(glance, fetch.memory), unseen))
        table = "\n".join(lines(inventory(folder, fetch, look)))
    return f"what is in {source}\n{table}"


def folder(source: str, name: str, overrides: list[str], moved: bool = False) -> str:
    """Write the folder's pipeline and run it; return the next step. `moved`: SOURCE is new."""
    refuse_unfit(source, name)
    with locks.alone(f"clearset folder {name}") as lock:
        return reproduced(source, name, overrides, moved, lock)


def reproduced(source: str, name: str, overrides: list[str], moved: bool, lock: int) -> str:
    """Write the folder's pipeline and run it, under the project's lock; the same as `folder`.

    Its params are kept once it has run to its end: until then they are as they were.
    """
    place, home, own = here(source, name), layout.FOLDERS / name, params.own(name)
    alone = recognised(place)  # tables without images
    before = content_of(own)
    section = configured(address(source), name, overrides, own, moved=moved)
    checked = params.check(name, section[name], str(own))
    check_steps(checked.enhance, f"{own}, enhance")
    content = listing.write(place, checked.fetch.links, home / LISTING)
    # What runs reads a copy: neither an editor nor a kill can part a result from its params.
    save(section, params.of_run(name), COPY)
    save(rewired(name, content, alone), home / "dvc.yaml")
    pipeline.forget_cut(home / "dvc.lock")
    well = pipeline.succeeds("repro", str(home / "dvc.yaml"), holding=[lock])
    if odd := pipeline.uncertify(home / "dvc.lock", name):
        raise ClearsetError(
            f"{params.of_run(name)} was edited while {listed(odd)} ended: what that made is "
            f"recorded as of nothing. Edit {own} instead, and run the same again"
        )
    if not well:
        if any(overrides):
            click.echo(f"not kept: --set {' '.join(overrides)}", err=True)
        raise SystemExit(1)  # what failed has said so itself
    if content_of(own) != before:
        return f"{finished(name, home, alone)}\n  {EDITED.format(own=own)}"
    save(section, own)
    return finished(name, home, alone)


def here(source: str, name: str) -> Path:
    """Return where a source lies on this machine, brought here from elsewhere."""
    if remote.is_elsewhere(source):
        return remote.mirrored(source, layout.INCOMING / name)
    return Path(source).resolve()


def address(source: str) -> str:
    """Return what is kept of a source's place: what it is from wherever one stands."""
    return source if remote.is_elsewhere(source) else str(Path(source).resolve())


def content_of(path: Path) -> bytes | None:
    """Return what is in a file; nothing where it is not there."""
    return path.read_bytes() if path.is_file() else None


def refuse_unfit(source: str, name: str) -> None:
    """Raise `ClearsetError` for a source that is not there, or a name that can not be taken."""
    if not source or not name:
        raise ClearsetError(f"SOURCE or NAME is missing: {USAGE}")
    if not NAME.fullmatch(name):
        raise ClearsetError(f"NAME is '{name}': letters, digits, - and _ only. {USAGE}")
    if name in project()[0] or name in params.GROUPS:
        raise ClearsetError(f"'{name}' is a dataset of the project: choose another NAME")
    if not remote.is_elsewhere(source) and not Path(source).exists():
        raise ClearsetError(f"SOURCE is '{source}': no such folder or archive. {USAGE}")


def project() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the project's datasets and stages; raises `ClearsetError` elsewhere than in one."""
    try:
        content = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
        return dict(content["vars"][0]["datasets"]), dict(content["stages"])
    except FileNotFoundError:
        raise ClearsetError(f"there is no {PIPELINE} here: cd into a clone of Clearset") from None
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        raise ClearsetError(f"{PIPELINE} here is not that of Clearset: cd into a clone") from None


def finished(name: str, home: Path, alone: bool) -> str:
    """Return where the results are and what a person can do next; `alone`: tables, no image."""
    report = layout.REPORTS / name / "report.md"
    if alone:
        return (
            f"folder: report in {report}, from the tables of a fastdup work folder alone: there is "
            f"no image to repair or release. To change a bound, edit {home}/params.yaml or say "
            f"SET='{name}.filter.blur.min=200'; then run the same again"
        )
    released = layout.stage_folder("release", name)
    manifest = layout.own(released, "manifest.csv").name
    return (
        f"folder: report in {report}; to look and decide: clearset view {name}; the cleaned "
        f"dataset, laid out as "
        f"SOURCE is, in {released}, where {manifest} says what "
        f"became of each image and why. To decide about an image yourself, give it a line in "
        f"{layout.REVIEW / name}.csv; to change a bound, edit {home}/params.yaml or say "
        f"SET='{name}.filter.dark.min=40'; then run the same again"
    )


def configured(
    source: str | Path, name: str, overrides: list[str], own: Path, *, moved: bool = False
) -> dict[str, Any]:
    """Return the params: the last run's, or else conf/dataset/folder.yaml; then the overrides.

    Raises `ClearsetError` for a NAME that stands for another source, unless that has `moved`.
    """
    if own.exists():
        config: Any = params.kept(name)
        if (kept := config[name].fetch.path) != str(source) and not moved:
            raise ClearsetError(
                f"NAME '{name}' stands for {kept}, with bounds of its own: choose another NAME, or "
                f"remove {own.parent} to begin anew; if the images lie elsewhere now: "
                f"clearset folder --source {source} {name}"
            )
    else:
        kind = "work_folder" if recognised(Path(source)) else "folder"
        config = OmegaConf.create({name: composition.section(name, kind)})
    try:
        changes = OmegaConf.from_dotlist([word for word in overrides if word.strip()])
    except (yaml.YAMLError, OmegaConfBaseException, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ClearsetError(f"--set {' '.join(overrides)}: no KEY=VALUE ({reason})") from None
    if unknown := set(changes) - {name}:
        raise ClearsetError(
            f"--set (SET): {', '.join(sorted(map(str, unknown)))!r} does not begin with {name}."
        )
    merged = OmegaConf.merge(config, changes, {name: {"fetch": {"path": str(source)}}})
    section: dict[str, Any] = OmegaConf.to_container(merged)  # type: ignore[assignment]
    return section


def rewired(name: str, content: Path, alone: bool) -> dict[str, Any]:
    """Return the project's pipeline for one dataset with params and a source of its own.

    `content` is the list of what lies in that source. `alone`: of tables without images there is
    nothing to release.
    """
    stages = {stage: body for stage, body in project()[1].items() if "foreach" in body}
    if alone:
        del stages["release"]
    own = str(params.of_run(name))
    for body in stages.values():
        deps = [str(content) if dep == "conf.stamp" else dep for dep in body["do"]["deps"]]
        body["do"] |= {"wdir": "../..", "deps": deps, "params": [{own: body["do"]["params"]}]}
    return {"vars": [{"datasets": {name: {"pixels": "private"}}}], "stages": stages}


def save(content: dict[str, Any], path: Path, heading: str = "") -> None:
    """Write YAML, whole or not at all."""
    text = heading + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    with layout.replacing(path) as incomplete:
        incomplete.write_text(text, "utf-8")
