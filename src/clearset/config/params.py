"""params.yaml (and a folder pipeline's own) to typed, checked parameters."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from clearset.config.schema import Dataset
from clearset.store import documents, layout
from clearset.store.errors import ClearsetError

PARAMS = Path("params.yaml")
Tree = dict[str, Any]
FROZEN: ContextVar[tuple[Path, Tree] | None] = ContextVar("frozen", default=None)  # see `frozen`
GROUPS = {"analyze", "execution", "experiment"}  # sections of params.yaml that are no dataset


def own(dataset: str) -> Path:
    """Return where the parameters of a folder of one's own are kept, for a person to edit."""
    return layout.FOLDERS / dataset / "params.yaml"


def kept(name: str) -> Any:
    """Return what is kept of a folder of one's own, as OmegaConf has it: a section, its source.

    Raises `ClearsetError` for what was edited so that it is no such thing any more.
    """
    path = own(name)
    section = documents.mapping(path).get(name)
    fetch = section.get("fetch") if isinstance(section, dict) else None
    try:
        if isinstance(fetch, dict) and isinstance(fetch.get("path"), str):
            config: Any = OmegaConf.load(path)  # its numbers are those of --set, 1e-3 too
            OmegaConf.resolve(config)
            return config
        reason = f"it has no {name}.fetch.path"
    except (YAMLError, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split())
    raise ClearsetError(
        f"{path} is not as it was written: {reason}. Mend it, or remove {path.parent} to begin anew"
    )


def of_run(dataset: str) -> Path:
    """Return where the run of a folder of one's own reads its parameters: no one else writes it."""
    return layout.FOLDERS / dataset / "run.yaml"


def place(dataset: str) -> Path:
    """Return the file that a dataset's parameters are read from."""
    return next((path for path in (of_run(dataset), own(dataset)) if path.exists()), PARAMS)


def pipeline(dataset: str) -> str:
    """Return what stands before a stage's name where DVC is told of it."""
    return "" if place(dataset) == PARAMS else f"{layout.FOLDERS / dataset / 'dvc.yaml'}:"


def tree(dataset: str) -> tuple[Path, Tree]:
    """Return the file that a dataset's parameters are read from, and all that is in it.

    Inside `frozen` it is read once. Raises `ClearsetError` for a file that is missing or no YAML.
    """
    return FROZEN.get() or read(dataset)


def read(dataset: str) -> tuple[Path, Tree]:
    """Return the same as `tree`, from the file as it is now."""
    path = place(dataset)
    if not path.exists():
        raise ClearsetError(f"{path} is missing. Run `dvc repro config`: it composes it from conf/")
    return path, documents.mapping(path)


@contextmanager
def frozen(dataset: str) -> Iterator[None]:
    """Read a dataset's parameters now, and give them to whoever asks until the block ends."""
    token = FROZEN.set(read(dataset))
    try:
        yield
    finally:
        FROZEN.reset(token)


def load(dataset: str) -> Dataset:
    """Return a dataset's section, checked against the schema.

    Raises `ClearsetError` for a missing file or section, a misspelt key, a wrong type or an
    impossible range.
    """
    path, sections = tree(dataset)
    if dataset not in sections:
        names = ", ".join(sorted(set(sections) - GROUPS)) or "none"
        raise ClearsetError(
            f"{path} has no dataset '{dataset}' (known: {names}). A new dataset needs its "
            "conf/dataset/ file and its name in conf/config.yaml and dvc.yaml; for a folder of "
            "images: make folder SOURCE=/path NAME=mine"
        )
    where = own(dataset) if path == of_run(dataset) else path
    return check(dataset, sections[dataset], str(where))


def check(dataset: str, section: Mapping[str, Any], where: str, mend: str = "") -> Dataset:
    """Return `section` as a `Dataset`, or raise `ClearsetError` naming key and place.

    `mend` says where a person changes it, if that is not where it is read.
    """
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Dataset), OmegaConf.create(dict(section)))
        for name, rule in merged.filter.items():
            _checked_rule(name, rule)
        result = OmegaConf.to_object(merged)
    except (OmegaConfBaseException, TypeError, ValueError) as error:
        key = getattr(error, "full_key", None)  # OmegaConf's, apart from its reason
        reason = (f"{key}: " if key else "") + str(error).split("\n")[0]
        composed = "conf/dataset/ (params.yaml is composed from there) or in the -S override"
        mend = mend or (composed if where == str(PARAMS) else f"{where} or in SET")
        raise ClearsetError(f"{where}, dataset '{dataset}': {reason}. Mend it in {mend}") from None
    if not isinstance(result, Dataset):
        raise TypeError(f"{dataset}: the schema gave {type(result)}")
    return result


def _checked_rule(name: str, rule: Any) -> None:
    """Put the rule's name before what is wrong with it; tables list names apart by spaces."""
    if not name.isprintable() or name.split() != [name]:
        raise ValueError(f"filter: {name!a} is no name of a rule: one word, letters and digits")
    try:
        OmegaConf.to_object(rule)
    except ValueError as error:
        raise ValueError(f"filter.{name}: {error}") from None


def single(path: Path) -> tuple[str, Dataset]:
    """Return the name and the params of a released folder or a recipe, which have one dataset."""
    content = documents.mapping(path)
    if "${" in documents.text(path):
        raise ClearsetError(f"{path} asks for values of this machine (${{...}}): do not trust it")
    if len(content) != 1:
        raise ClearsetError(f"{path} has not just one dataset: it is of no recipe")
    ((name, section),) = content.items()
    return str(name), check(name, section, str(path))
