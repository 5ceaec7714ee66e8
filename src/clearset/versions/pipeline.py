"""The user's own DVC, as a program."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from clearset.config import provenance
from clearset.store import layout, locks
from clearset.store.errors import ClearsetError

RECORDED = ("fetch", "analyze", "filter", "enhance", "compare")  # say what they were made under


def dvc(*arguments: str, visible: bool = False) -> str:
    """Run a DVC command; return what it printed, unless that was `visible` at once.

    Raises `ClearsetError` when it fails.
    """
    process = _process(arguments, visible)
    if process.returncode:
        reason = "see above" if visible else " ".join(process.stderr.split())
        raise ClearsetError(f"dvc {' '.join(arguments[:3])} stopped: {reason}")
    return "" if visible else process.stdout


def succeeds(*arguments: str, holding: Sequence[int] = ()) -> bool:
    """Run a DVC command, its output visible; whether it ended well.

    `holding` are descriptors of locks that it is to hold too, should it outlive this process.
    """
    return not _process(arguments, visible=True, holding=holding).returncode


def _process(
    arguments: Sequence[str], visible: bool, holding: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    command = ["dvc", *arguments]
    try:
        return subprocess.run(
            command,
            check=False,
            text=True,
            capture_output=not visible,
            pass_fds=holding,
            preexec_fn=locks.end_with_parent,
        )
    except FileNotFoundError:
        raise ClearsetError("dvc is not on the path: source .venv/bin/activate") from None


def forget_cut(lock: Path) -> None:
    """Remove a lock file that a kill has cut short, at which DVC would stop for ever.

    What it said of results is lost with it: they are made again, or come out of DVC's cache.
    """
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA  # noqa: PLC0415 - heavy
    from voluptuous import Invalid  # noqa: PLC0415

    try:
        if lock.is_file():
            COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(lock.read_bytes()))
    except (yaml.YAMLError, UnicodeDecodeError, Invalid):
        lock.unlink()


def uncertify(lock: Path, name: str) -> list[str]:
    """Take the stages out of a lock file whose folder was made under other params than it says.

    DVC looks at params once a stage has ended: whoever edits them in between has it write down what
    nobody has run. Returns these stages; a next run runs them again.
    """
    content = yaml.safe_load(lock.read_bytes()) if lock.is_file() else {}
    stages: dict[str, Any] = (content or {}).get("stages") or {}
    odd = [key for key, entry in stages.items() if _of_others(key.partition("@")[0], name, entry)]
    if odd:
        content["stages"] = {key: entry for key, entry in stages.items() if key not in odd}
        with layout.replacing(lock) as incomplete:
            incomplete.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return odd


def _of_others(stage: str, name: str, entry: dict[str, Any]) -> bool:
    """Whether a stage's folder says other params than a lock file's entry."""
    record = layout.stage_folder(stage, name) / provenance.RECORD
    if stage not in RECORDED or not record.is_file():
        return False
    told = {key: value for own in entry.get("params", {}).values() for key, value in own.items()}
    made = yaml.safe_load(record.read_bytes())[name]
    own = {key: told.get(f"{name}.{key}") for key in made}
    source = own.get("fetch")
    if isinstance(source, dict):  # the record is without where it lies
        own["fetch"] = {key: value for key, value in source.items() if key != "path"}
    return bool(plain(own) != plain(made))


def plain(content: Any) -> Any:
    """Return params as numbers and words: two writers of YAML write 1e-06 in two ways."""
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [plain(value) for value in content]
    try:
        return content if content is None or isinstance(content, bool) else float(content)
    except ValueError:
        return content
