"""params.yaml to typed parameters: what can not be right is refused, by name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from clearset.commands.folder import configured
from clearset.config import params, schema_fetch
from clearset.config.schema import Action, Dataset, Engine, Rule
from clearset.config.schema_fetch import Source
from clearset.store.errors import ClearsetError

SECTION: dict[str, Any] = {
    "fetch": {"source": "generated", "count": 4, "size": 64},
    "filter": {
        "blur": {"metric": "blur", "min": 700, "action": "enhance"},
        "dark": {"metric": "mean", "min": 70},
    },
    "enhance": [{"rule": "blur", "method": "unsharp_mask", "radius": 1.0, "amount": 1}],
}
SATELLITE = SECTION["fetch"] | {"scene": "satellite"}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return SECTION with one value, by its dotted path, replaced or added."""
    section: dict[str, Any] = yaml.safe_load(yaml.safe_dump(SECTION))
    *parents, last = path.split(".")
    place = section
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return section


def check(section: Any) -> Dataset:
    return params.check("tiny", section, "params.yaml")


def saved(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_section_becomes_typed() -> None:
    checked = check(SECTION)
    assert isinstance(checked, Dataset)
    assert checked.fetch.source is Source.generated
    assert checked.filter["blur"] == Rule(metric="blur", min=700.0, action=Action.enhance)
    assert checked.filter["dark"].action is Action.review
    assert checked.analyze.engine is Engine.native
    assert checked.enhance == SECTION["enhance"]


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("fetch.count", 0, "fetch.count is 0: at least 1"),
        ("fetch.size", 63, "fetch.size is 63: at least 64"),
        ("fetch", {"source": "archive"}, "fetch.url is empty: an archive needs it"),
        ("analyze.neighbours", 1, r"graph_neighbours is 2: from 1 to neighbours \(1\)"),
        ("analyze.exact_images", 0, "analyze.exact_images is 0: at least 1"),
        ("analyze.graph_neighbours", 0, "analyze.graph_neighbours is 0: from 1"),
        ("analyze.graph_neighbours", 11, r"is 11: from 1 to neighbours \(10\)"),
        ("analyze.outlier_share", 0, "analyze.outlier_share is 0.0: between 0 and 1"),
        ("analyze.outlier_share", 1, "analyze.outlier_share is 1.0: between 0 and 1"),
        ("analyze.component_similarity", 1.1, "analyze.component_similarity is 1.1: from -1 to 1"),
        ("analyze.component_similarity", -2, "component_similarity is -2.0: from -1 to 1"),
        ("filter", {}, "filter has no rule"),
        ("filter.dark", {"min": 1}, "filter.dark: metric is empty"),
        ("filter.dark", {"metric": "mean"}, "filter.dark: needs bounds"),
        (
            "filter.dark",
            {"metric": "mean", "min": 1, "quantile": 0.5},
            "filter.dark: needs bounds .* not both",
        ),
        ("filter.dark", {"metric": "mean", "min": 2, "max": 1}, "dark: min 2.0 is above max 1.0"),
        ("filter.dark", {"metric": "mean", "quantile": 0}, "filter.dark: quantile is 0.0: between"),
        ("filter.dark", {"metric": "mean", "quantile": 1}, "filter.dark: quantile is 1.0: between"),
        ("filter.dark.action", "enhance", "filter.dark asks to enhance, but .* rule: dark"),
        ("enhance", [], "filter.blur asks to enhance, but enhance has no step with rule: blur"),
        ("enhance", [{"rule": "blr", "method": "x"}], "unknown rule 'blr'; known: blur, dark"),
        ("enhance", [{"method": "gamma"}], "enhance: step .*gamma.* needs rule and method"),
        ("enhance", [{"rule": "blur"}], "enhance: step .*blur.* needs rule and method"),
        ("compare.resamples", 99, "compare.resamples is 99: at least 100"),
        ("compare.gallery", 0, "compare.gallery is 0: at least 1"),
        ("compare.pairs", -1, "compare.pairs is -1: at least 0"),
        ("analyze.leak_candidates", -1, "analyze.leak_candidates is -1: at least 0"),
        ("analyze.leak_registered", -1, "analyze.leak_registered is -1: at least 0"),
        ("calibrate.precision", 0, "calibrate.precision is 0.0: above 0, at most 1"),
        ("calibrate.precision", 1.1, "calibrate.precision is 1.1: above 0, at most 1"),
        ("fetch.plant", {"in_place": -1}, "plant.in_place is -1: at least 0"),
        ("fetch.plant", {"leaks": -2}, "plant.leaks is -2: at least 0"),
        ("fetch.plant", {"per_eye": 6}, "plant.per_eye is 6: at most 5"),
        ("fetch.plant", {"held_out": 0}, "plant.held_out is 0.0: between 0 and 1"),
        ("fetch.plant", {"held_out": 1}, "plant.held_out is 1.0: between 0 and 1"),
        ("fetch.plant", {"seed": -1}, "plant.seed is -1: at least 0"),
        ("fetch.plant", {"empty": -1}, "plant.empty is -1: at least 0"),
        ("fetch.plant", {"overlaps": -1}, "plant.overlaps is -1: at least 0"),
        ("fetch.plant", {"overlaps": 2}, "plant.overlaps is 2: only generated satellite tiles"),
        ("fetch.channels", 3, "fetch.channels is 3: 1, or 3 of a satellite"),
        ("fetch", SATELLITE | {"channels": 2}, "fetch.channels is 2: 1, or 3 of a satellite"),
    ],
)
def test_an_impossible_value_is_refused_by_name(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ClearsetError, match=rf"^params\.yaml, dataset 'tiny': .*{reason}"):
        check(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fetch.count", 1),
        ("analyze.neighbours", 2),
        ("analyze.component_similarity", -1),
        ("analyze.component_similarity", 1),
        ("filter.dark", {"metric": "mean", "min": 1, "max": 1}),
        ("filter.dark", {"metric": "mean", "quantile": 0.001}),
        ("filter.dark", {"metric": "mean", "max": 0}),
        ("compare", {"resamples": 100, "gallery": 1, "pairs": 0}),
        ("analyze", {"leak_candidates": 0, "leak_registered": 0}),
        ("calibrate.precision", 1),
        ("calibrate.precision", None),
        ("fetch.plant", {"per_eye": 5, "in_place": 0, "held_out": 0.001}),
        ("fetch.plant", {}),
        ("fetch.plant", None),
        ("fetch", SATELLITE | {"channels": 3, "plant": {"overlaps": 2, "empty": 1}}),
    ],
)
def test_the_ends_of_a_range_are_possible(path: str, value: Any) -> None:
    assert isinstance(check(changed(path, value)), Dataset)


@pytest.mark.parametrize("key", ["url", "sha256", "checksums", "splits"])
def test_an_archive_needs(key: str) -> None:
    fetch: dict[str, Any] = {"source": Source.archive, "url": "u", "sha256": "s", "checksums": "c"}
    fetch["splits"] = {"all": schema_fetch.Split("*")}
    assert schema_fetch.Fetch(**fetch).url == "u"
    with pytest.raises(ValueError, match=f"fetch.{key} is empty: an archive needs it"):
        schema_fetch.Fetch(**fetch | {key: type(fetch[key])()})


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("filtr", {}, "filtr: Key 'filtr' not in 'Dataset'"),
        ("filter.dark.mn", 70, "filter.dark.mn: Key 'mn' not in 'Rule'"),
        ("analyze.neigbours", 3, "analyze.neigbours: Key 'neigbours' not in 'Analyze'"),
        ("filter.dark.min", "low", "filter.dark.min: Value 'low' .* Float"),
        ("filter.dark.min", [1], "filter.dark.min: "),
        ("filter.dark.action", "repair", "dark.action: .*keep, review, enhance, drop"),
        ("analyze.engine", "fastdupe", "analyze.engine: .*native, fastdup"),
        ("analyze.neighbours", 2.5, "analyze.neighbours: Value '2.5' .* Integer"),
        ("compare.seed", "x", "compare.seed: "),
        ("classes", {"artery": "red"}, "classes.artery: "),
        ("about.title", "${no.such}", "about.title: Interpolation key 'no.such' not found"),
        ("filter.dark", None, "filter.dark"),
        ("filter", ["dark"], "merge"),
        ("enhance", ["gamma"], "str"),
    ],
)
def test_a_misspelt_key_and_a_wrong_type_are_named(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ClearsetError, match=rf"^params\.yaml, dataset 'tiny': .*{reason}"):
        check(changed(path, value))


@pytest.mark.parametrize("section", [None, 5, "text", []])
def test_a_section_that_is_none_is_refused(section: Any) -> None:
    with pytest.raises(ClearsetError, match=r"^params\.yaml, dataset 'tiny': "):
        check(section)


def test_the_error_says_where_to_mend_it() -> None:
    section = changed("compare.gallery", 0)
    with pytest.raises(ClearsetError, match="Mend it in conf/dataset/"):
        params.check("tiny", section, "params.yaml")
    with pytest.raises(ClearsetError, match=r"Mend it in folders/tiny/params\.yaml"):
        params.check("tiny", section, "folders/tiny/params.yaml")


def test_checking_does_not_change_the_section() -> None:
    section = changed("compare.gallery", 3)
    check(section)
    assert section == changed("compare.gallery", 3)


def test_load_gives_the_named_section(in_folder: Path) -> None:
    saved(params.PARAMS, {"tiny": SECTION, "other": changed("fetch.count", 9)})
    assert params.load("tiny") == check(SECTION)
    assert params.load("other").fetch.count == 9


def test_a_folder_of_ones_own_has_params_of_its_own(in_folder: Path) -> None:
    saved(params.PARAMS, {"tiny": SECTION})
    saved(Path("folders/tiny/params.yaml"), {"tiny": changed("fetch.count", 9)})
    assert params.load("tiny").fetch.count == 9


def test_missing_params_say_how_to_get_them(in_folder: Path) -> None:
    with pytest.raises(ClearsetError, match=r"params\.yaml is missing\. Run `dvc repro config`"):
        params.load("tiny")


def test_an_unknown_dataset_is_told_the_known_ones(in_folder: Path) -> None:
    saved(params.PARAMS, {"analyze": {}, "experiment": {}, "tiny": SECTION, "big": SECTION})
    with pytest.raises(ClearsetError, match=r"no dataset 'tny' \(known: big, tiny\)"):
        params.load("tny")


def test_empty_params_know_no_dataset(in_folder: Path) -> None:
    params.PARAMS.touch()
    with pytest.raises(ClearsetError, match=r"no dataset 'tiny' \(known: none\)"):
        params.load("tiny")


def test_what_is_no_yaml_is_named(in_folder: Path) -> None:
    Path("folders/tiny").mkdir(parents=True)
    Path("folders/tiny/params.yaml").write_text("tiny: {filter: [\n")
    with pytest.raises(ClearsetError, match=r"^folders/tiny/params\.yaml is no YAML: .* line 2"):
        params.load("tiny")


def test_actions_are_listed_from_weakest_to_strongest() -> None:
    assert [action.value for action in Action] == ["keep", "review", "enhance", "drop"]


def test_enough_is_said_where_a_requirement_fails() -> None:
    schema_fetch.require(True, "never said")
    with pytest.raises(ValueError, match="said"):
        schema_fetch.require(False, "said")


def test_without_a_word_nothing_is_planted() -> None:
    assert check(SECTION).fetch.plant is None


def test_what_is_to_be_planted_becomes_typed() -> None:
    plan = {"faults": ["jpeg"], "per_eye": 2, "same_eye": [["a", "b"]], "held_out": 0.25}
    expected = schema_fetch.Plant(faults=["jpeg"], per_eye=2, same_eye=[["a", "b"]], held_out=0.25)
    assert check(changed("fetch.plant", plan)).fetch.plant == expected


def test_a_misspelt_key_of_a_plan_is_named() -> None:
    with pytest.raises(ClearsetError, match=r"fetch\.plant\.per_eyes"):
        check(changed("fetch.plant", {"per_eyes": 2}))


def test_a_rule_may_say_what_it_finds() -> None:
    checked = check(changed("filter.dark.finds", "dark")).filter
    assert (checked["dark"].finds, checked["blur"].finds) == ("dark", "")


@pytest.mark.parametrize("bound", [".inf", "-.inf", ".nan"])
def test_a_bound_is_a_finite_number(in_folder: Path, bound: str) -> None:
    text = f"a: {{filter: {{dark: {{metric: mean, min: {bound}, action: review}}}}}}"
    Path("params.yaml").write_text(text)
    with pytest.raises(ClearsetError, match=r"filter\.dark: bound .*: give a finite number"):
        params.load("a")


@pytest.mark.parametrize("name", ["two words", "", "a\x1b[2J", " a"])
def test_the_name_of_a_rule_is_one_word(name: str) -> None:
    section = {"filter": {name: {"metric": "mean", "min": 1, "action": "review"}}}
    with pytest.raises(ClearsetError, match="is no name of a rule"):
        params.check("a", section, "params.yaml")


@pytest.mark.parametrize(("key", "most"), [("count", 10**6), ("size", 2**14), ("seed", 2**63 - 1)])
def test_what_is_generated_has_a_most(key: str, most: int) -> None:
    fetch = {"source": "generated", "count": 2, "size": 64, "seed": 0}
    rules = {"dark": {"metric": "mean", "min": 1, "action": "review"}}
    params.check("a", {"fetch": fetch | {key: most}, "filter": rules}, "params.yaml")
    with pytest.raises(ClearsetError, match=rf"fetch\.{key} is {most + 1}: at most {most}"):
        params.check("a", {"fetch": fetch | {key: most + 1}, "filter": rules}, "params.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1", "is no YAML"),
        ("- a", "holds a list"),
        ("mine: 5", "has no mine.fetch.path"),
        ("other: {}", "has no mine.fetch.path"),
        ("mine: {fetch: {path: 5}}", "has no mine.fetch.path"),
        ("mine: {fetch: {path: '${x}'}}", "Interpolation key 'x' not found"),
        ("mine: {fetch: {path: a}, fetch: {path: b}}", "duplicate key"),
    ],
)
def test_what_is_kept_of_a_folder_is_refused_where_it_is_no_such_thing(
    in_folder: Path, text: str, said: str
) -> None:
    params.own("mine").parent.mkdir(parents=True)
    params.own("mine").write_text(text)
    with pytest.raises(ClearsetError, match=rf"folders/mine/params\.yaml .*{said}"):
        params.kept("mine")


@pytest.mark.parametrize("value", ["[" * 500, "{fetch: &a [*a]}"])
def test_a_setting_without_end_is_no_setting(tmp_path: Path, value: str) -> None:
    with pytest.raises(ClearsetError, match="no KEY=VALUE"):
        configured(tmp_path, "own", [f"own.fetch={value}"], tmp_path / "params.yaml")
