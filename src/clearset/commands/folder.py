"""Run the stages on a folder of your own images, editing no tracked file."""

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import yaml
from omegaconf import OmegaConf

from clearset.config import composition, params
from clearset.repair.steps import check_steps
from clearset.sources.work_folder import recognised
from clearset.store import layout
from clearset.store.errors import ClearsetError

USAGE = "clearset folder SOURCE NAME, or make folder SOURCE=/path/to/images NAME=mine"
PIPELINE = Path("dvc.yaml")


@click.command
@click.argument("source")
@click.argument("name")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter to change and keep, like mine.filter.dark.min=40; may be given again.",
)
def command(source: str, name: str, overrides: tuple[str, ...]) -> Any:
    """Run all stages on SOURCE, a folder or zip of images or a fastdup work folder, as NAME.

    Makes folders/NAME with a pipeline and its parameters. Run it again after SOURCE or the
    parameters have changed: only what that changes is done again.
    """
    return folder(source, name, list(overrides))


def folder(source: str, name: str, overrides: list[str]) -> str | int:
    """Write the folder's pipeline and run it; returns the next step, or 1 where the run failed."""
    pipeline = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))
    refuse_unfit(source, name, pipeline)
    home = layout.FOLDERS / name
    own = home / "params.yaml"
    alone = recognised(Path(source))  # tables without images
    section = configured(Path(source).resolve(), name, overrides, own)
    check_steps(params.check(name, section[name], str(own)).enhance, f"{own}, enhance")
    before = own.read_bytes() if own.exists() else None
    save(section, own)
    if alone:
        del pipeline["stages"]["release"]
    save(rewired(pipeline, name, Path(source).resolve()), home / "dvc.yaml")
    process = subprocess.run(["dvc", "repro", str(home / "dvc.yaml")], check=False)  # noqa: S607
    if not process.returncode:
        return finished(name, home, alone)
    layout.remove(own)  # what failed has said so itself
    if before is not None:
        own.write_bytes(before)
    if overrides:
        click.echo(f"The values of --set (SET) were not kept: {' '.join(overrides)}", err=True)
    return 1


def refuse_unfit(source: str, name: str, pipeline: dict[str, Any]) -> None:
    """Raise `ClearsetError` for a source that is not there, or a name that can not be taken."""
    if not source or not name:
        raise ClearsetError(f"SOURCE or NAME is missing: {USAGE}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ClearsetError(f"NAME is '{name}': letters, digits, - and _ only. {USAGE}")
    if name in pipeline["vars"][0]["datasets"] or name in params.GROUPS:
        raise ClearsetError(f"'{name}' is a dataset of the project: choose another NAME")
    if not Path(source).exists():
        raise ClearsetError(f"SOURCE is '{source}': no such folder or zip. {USAGE}")


def finished(name: str, home: Path, alone: bool) -> str:
    """Return where the results are and what a person can do next; `alone`: tables, no image."""
    report = layout.REPORTS / name / "report.md"
    if alone:
        return (
            f"folder: report in {report}, from the tables of a fastdup work folder alone: there is "
            f"no image to repair or release. To change a bound, edit {home}/params.yaml or say "
            f"SET='{name}.filter.blur.min=200'; then run the same again"
        )
    return (
        f"folder: report in {report}; the cleaned dataset, laid out as "
        f"SOURCE is, in {layout.stage_folder('release', name)}, where manifest.csv says what "
        f"became of each image and why. To decide about an image yourself, give it a line in "
        f"{layout.REVIEW / name}.csv; to change a bound, edit {home}/params.yaml or say "
        f"SET='{name}.filter.dark.min=40'; then run the same again"
    )


def configured(source: Path, name: str, overrides: list[str], own: Path) -> dict[str, Any]:
    """Return the params: the last run's, or else conf/dataset/folder.yaml; then the overrides."""
    if own.exists():
        config: Any = OmegaConf.load(own)
        if (kept := config[name].fetch.path) != str(source):
            raise ClearsetError(
                f"NAME '{name}' stands for {kept}, with bounds of its own: choose another NAME, or "
                f"remove {own.parent} to begin anew"
            )
    else:
        kind = "work_folder" if recognised(source) else "folder"
        composed = composition.composed([f"+dataset@{name}={kind}"])
        config = OmegaConf.create({name: OmegaConf.to_container(composed[name], enum_to_str=True)})
    changes = OmegaConf.from_dotlist(overrides)
    if unknown := set(changes) - {name}:
        raise ClearsetError(
            f"SET: {', '.join(sorted(map(str, unknown)))} does not begin with {name}."
        )
    merged = OmegaConf.merge(config, changes, {name: {"fetch": {"path": str(source)}}})
    section: dict[str, Any] = OmegaConf.to_container(merged)  # type: ignore[assignment]
    return section


def rewired(pipeline: dict[str, Any], name: str, source: Path) -> dict[str, Any]:
    """Return the project's pipeline for one dataset with params and source of its own."""
    stages = {stage: body for stage, body in pipeline["stages"].items() if "foreach" in body}
    own = str(layout.FOLDERS / name / "params.yaml")
    for body in stages.values():
        deps = [str(source) if dep == "conf.stamp" else dep for dep in body["do"]["deps"]]
        body["do"] |= {"wdir": "../..", "deps": deps, "params": [{own: body["do"]["params"]}]}
    return {"vars": [{"datasets": {name: {"pixels": "private"}}}], "stages": stages}


def save(content: dict[str, Any], path: Path) -> None:
    """Write YAML, whole or not at all."""
    with layout.replacing(path) as incomplete:
        incomplete.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
