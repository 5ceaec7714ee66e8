"""conf/ to params.yaml: what is committed is what conf/ says, and a slip fails by its name."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from clearset.config import composition, params
from clearset.repair.steps import check_steps
from clearset.store.errors import ClearsetError

ROOT = Path(__file__).resolve().parents[1]
GROUPS = {
    "analyze": "analyze={}",
    "dataset": "+dataset@ravir_again={}",
    "enhance": "enhance@ravir={}",
    "accept": "accept@ravir_repairs={}",
    "trials": "trials@ravir_repairs={}",
    "filter": "filter@sample={}",
    "execution": "execution={}",
    "experiment": "experiment={}",
}
OPTIONS = [
    GROUPS[group].format(path.stem)
    for group in GROUPS
    for path in sorted((ROOT / "conf" / group).glob("*.yaml"))
    # those for the rules of certain datasets, which use them, are composed with these
    if path.stem not in ("by_fault", "satellite")
]


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def sections(*overrides: str) -> dict[str, Any]:
    composed: Any = OmegaConf.to_container(composition.composed(overrides), enum_to_str=True)
    return dict(composed)


def test_params_yaml_is_what_conf_composes_to() -> None:
    committed = (ROOT / params.PARAMS).read_text(encoding="utf-8")
    assert composition.text(composition.composed()) == committed


@pytest.mark.parametrize("engine", ["native", "fastdup"])
def test_real_tiles_are_near_duplicates_by_their_engines_similarity_and_not_dropped(
    engine: str,
) -> None:
    composed = sections(f"analyze={engine}")
    for name in ("mafat_labeled", "mafat_unlabeled"):
        rule = composed[name]["filter"]["near_duplicate"]
        assert rule["max"] == composed["analyze"]["component_similarity"]
        assert rule["action"] == "review"


def test_composing_twice_gives_the_same_text() -> None:
    first, second = (composition.text(composition.composed()) for _ in range(2))
    assert first == second


def test_the_engine_is_chosen_for_ravir_alone() -> None:
    before, after = sections(), sections("analyze=native")
    assert before["ravir"]["analyze"]["engine"] == "fastdup"
    assert after["ravir"]["analyze"]["engine"] == "native"
    similarity = after["analyze"]["component_similarity"]
    assert similarity != before["analyze"]["component_similarity"]
    assert after["ravir"]["analyze"]["component_similarity"] == similarity
    assert after["ravir"]["filter"]["near_duplicate"]["max"] == similarity
    assert after["sample"] == before["sample"]


def test_one_override_changes_one_value() -> None:
    before, after = sections(), sections("ravir.filter.blur.min=500")
    assert after["ravir"]["filter"]["blur"].pop("min") == 500.0
    assert before["ravir"]["filter"]["blur"].pop("min") == 700.0
    assert after == before


def test_strict_asks_for_more_and_lenient_for_less_of_each_bound_that_they_move() -> None:
    lenient, plain, strict = (sections(f"experiment={n}") for n in ("lenient", "none", "strict"))
    moved = []
    for dataset in set(plain) - params.GROUPS:
        for rule, bounds in plain[dataset]["filter"].items():
            for side in ("min", "max"):
                values = [each[dataset]["filter"][rule][side] for each in (lenient, plain, strict)]
                if len(set(values)) > 1:
                    moved.append(dataset)
                    assert values == sorted(set(values), reverse=side == "max"), (dataset, rule)
            assert strict[dataset]["filter"][rule]["action"] == bounds["action"]
        same = [{**each[dataset], "filter": None} for each in (lenient, plain, strict)]
        assert same[0] == same[1] == same[2]
    assert {name: moved.count(name) for name in set(moved)} == {
        "sample": 4,
        "ravir": 2,
        "satellite_sample": 4,
    }


def test_the_published_repair_is_an_experiment() -> None:
    steps = sections("experiment=published")["ravir"]["enhance"]
    by_rule = {step["rule"]: step for step in steps}
    blur = {"rule": "blur", "method": "unsharp_mask", "radius": 1.0, "amount": 15.0}
    assert by_rule == {"blur": blur, "dark": {"rule": "dark", "method": "gamma", "gamma": 1.0}}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_composes_to_checked_sections(option: str) -> None:
    composed = sections(option)
    for name in set(composed) - params.GROUPS:
        check_steps(params.check(name, composed[name], option).enhance)


def test_every_group_of_conf_is_tried() -> None:
    folders = {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()}
    assert folders == {*GROUPS, "checksums", "recorded", "review", "sweeps"}


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("ravir.filter.blur.mn=500", "Key 'mn' not in 'Rule' full_key: ravir.filter.blur.mn"),
        ("ravr.filter.blur.min=500", "ravr"),
        ("ravir.filter.blur.min=low", "Value 'low' .* Float full_key: ravir.filter.blur.min"),
        ("ravir.analyze.neighbours=2.5", "Integer full_key: ravir.analyze.neighbours"),
        ("ravir.filter.blur.action=repair", "'repair', expected one of .*keep, review"),
        ("ravir.analyze.engine=fastdupe", "'fastdupe', expected one of .*native, fastdup"),
        ("analyze.engine=fastdupe", "'fastdupe', expected one of .*full_key: analyze.engine"),
        ("analyze=nativ", "Could not find 'analyze/nativ' Available options .* fastdup native"),
        ("experiment=stric", "Could not find 'experiment/stric' .* lenient none published strict"),
        ("enhance@ravir=mid", "Could not find 'enhance/mid' .* by_fault mild published"),
        ("+dataset@mine=foldr", "Could not find 'dataset/foldr' .* folder"),
        ("ravir.about.title=[1", r"\[1"),
        ("ravir.about.title=${no.such}", "no.such"),
    ],
)
def test_a_slip_in_an_override_is_named(override: str, reason: str) -> None:
    with pytest.raises(ClearsetError, match=f"^conf/ does not compose: .*{reason}") as caught:
        composition.composed([override])
    assert "\n" not in str(caught.value)


def test_broken_yaml_in_conf_is_named(in_folder: Path) -> None:
    (in_folder / "conf").mkdir()
    (in_folder / "conf/config.yaml").write_text("defaults: [\n")
    with pytest.raises(ClearsetError, match=r"^conf/ does not compose: .*config\.yaml"):
        composition.composed()


def test_a_folder_without_conf_is_named(in_folder: Path) -> None:
    with pytest.raises(ClearsetError, match=r"^conf/ does not compose: "):
        composition.composed()


def test_an_error_does_not_spoil_the_next_composition() -> None:
    before = sections()
    with pytest.raises(ClearsetError):
        composition.composed(["analyze=nativ"])
    assert sections() == before


def test_the_schema_is_registered_for_every_typed_group() -> None:
    composition.composed()  # loads the plugins
    for group in ("analyze", "dataset"):
        assert "schema.yaml" in ConfigStore.instance().list(group)


def test_the_schema_of_this_tree_goes_before_an_installed_one(tmp_path: Path) -> None:
    (tmp_path / "clearset").mkdir()
    (tmp_path / "clearset/__init__.py").touch()
    program = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; sys.path += [{str(ROOT / 'src')!r}]\n"
        "import hydra_plugins.clearset_schema, clearset\n"
        "print(clearset.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert Path(done.stdout.strip()).is_relative_to(ROOT / "src")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1", "while parsing a flow sequence"),
        (b"5", "Invalid loaded object type: int"),
        (b"defaults: 5", "defaults must be a list"),
        (b"a: !!python/object:os.system {}", "could not determine a constructor"),
        (b"a: 1\nb: \xff", r"config\.yaml, line 2: no UTF-8"),
    ],
)
def test_files_of_conf_that_are_none_are_refused(
    in_folder: Path, content: bytes, said: str
) -> None:
    composition.CONF.mkdir()
    (composition.CONF / "config.yaml").write_bytes(content)
    with pytest.raises(ClearsetError, match=said):
        composition.composed()
