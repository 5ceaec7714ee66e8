"""Rules as the page shows them: in words, with what their bounds are scored on."""

from collections.abc import Mapping

import pandas as pd

from clearset.config.schema import Rule
from clearset.measure.typical import FAR, distances
from clearset.page.facts import Cases, RuleFacts, Trial, plain
from clearset.report.own_rules import CHANCE, found
from clearset.report.study import Study
from clearset.report.words import said
from clearset.store.dossiers import Dossier
from clearset.truth import evaluation
from clearset.truth.kin import DIFFERENT, PLANTED
from clearset.truth.own import PAIRED, judged

OUTLIER = "published_outlier"
CERTAIN = {"byte_copies", "mask_fault", "mask_share", "mask_unknown", "nodata_share"}
CERTAIN |= {"odd_format", "pixel_copies", "surplus_copies", "unmeasured", "unreadable"}
CERTAIN |= {"aspect_deviation", "odd_colours", "size_deviation", "label_dice"}
TRUE = "images whose faults are known, since they were planted"
PAIRS = "pairs of images of which it is known whether they are one"
KIN = "pairs of your images: light edits of one, and different ones"


def rule_facts(study: Study, places: Mapping[str, int]) -> list[RuleFacts]:
    """Return every rule as the page shows it, those that ask for most first."""
    dossier, judgement = study.dossier, study.judgement
    own = dossier.selection.own_bounds.set_index("rule")
    away = distances(judgement.values) if len(own) else pd.DataFrame()
    facts = []
    for name, rule in judgement.bounds.items():
        one, many = said(rule, name)
        chosen = name in own.index and not own.loc[name, "reason"]
        asked = study.section.filter[name]
        facts.append(
            RuleFacts(
                name=name,
                metric=rule.metric,
                one=one,
                many=many,
                action=rule.action.value,
                min=rule.min,
                max=rule.max,
                trust=trust(name, rule.metric, study),
                settings=f"filter.{name}.",
                reset=[f"filter.{name}.quantile=null"] if asked.quantile is not None else [],
                cases=cases(name, rule, study, places),
                trials=trials(name, rule, dossier) if chosen else [],
                atypical=atypical(rule, str(own.loc[name, "side"]), away, places) if chosen else [],
                chosen=int(chosen),
            )
        )
    return facts


def trust(name: str, metric: str, study: Study) -> str:
    """Return in a sentence how far to trust a rule on these images."""
    about, detection = study.section.about, study.result.detection
    known = detection[(detection["bounds"] == "default") & (detection["part"] == "all")]
    row = known[known["rule"] == name]
    if len(row):
        return measured(row.iloc[0])
    own = study.dossier.selection.own_bounds
    row = own[own["rule"] == name]
    if len(row):
        return tried(row.iloc[0], study.dossier.selection.recalls)
    if metric == OUTLIER or study.section.filter[name].quantile is not None:
        return "A quota: some image is always among them."
    if metric in CERTAIN:
        return "Certain: counted or read, not estimated."
    if about.measured_on:
        return f"Measured on {about.measured_on}: these images with faults planted."
    return "Not tried on these images: look before you believe it."


def tried(row: pd.Series, recalls: pd.DataFrame) -> str:
    """Return what the faults that were planted into the images say of a bound of their own."""
    if row["reason"]:
        return f"Not tried on these images: {row['reason']}."
    finds = found(recalls[recalls["rule"] == row["rule"]])
    planted = "Faults were planted into some of these images to choose this bound. "
    if finds == CHANCE:
        return f"{planted}It is {finds}."
    return f"{planted}Nine of ten are found: {finds}."


def measured(row: pd.Series) -> str:
    """Return what a detector did on known truth, in words."""
    total = int(row["positives"])
    if not total:
        return "No image is known to have this fault, so nothing tells how much is found."
    hits = f"{round(row['recall'] * total)} of {total} planted ones are found"
    if pd.isna(row["precision"]):
        return f"{hits}, on images whose faults are known."
    return f"{hits}, and {row['precision']:.0%} of the flags are right, where faults are known."


def cases(name: str, rule: Rule, study: Study, places: Mapping[str, int]) -> Cases | None:
    """Return what the rule is scored on: known truth, or pairs planted into the dataset."""
    dossier = study.dossier
    if rule.finds in evaluation.PAIRED and len(dossier.catalogue.truth):
        table = evaluation.examples(rule, study.judgement.values, dossier.survey)
        return of_pairs(table, PAIRS)
    if rule.finds and len(dossier.catalogue.truth):
        numbered = pd.DataFrame({rule.metric: dict(places)}, dtype=float)  # in place of measures
        table = evaluation.examples(rule, numbered, dossier.survey)
        judged, positive = table["value"].astype(int), table["positive"].to_numpy(bool)
        left_out = sorted(set(places.values()) - set(judged))
        return Cases(TRUE, [], [int(place) for place in judged[positive]], left_out)
    if rule.metric == PAIRED[0] and name in set(dossier.selection.own_bounds["rule"]):
        kin = dossier.analysis.kin
        return of_pairs(kin[kin["kind"].isin([PLANTED, DIFFERENT])], KIN)
    return None


def of_pairs(table: pd.DataFrame, what: str) -> Cases | None:
    """Return the pairs of a table with the columns value and positive; none of an empty one."""
    positive = [place for place, true in enumerate(table["positive"]) if true]
    return Cases(what, [plain(v) for v in table["value"]], positive, []) if len(table) else None


def trials(name: str, rule: Rule, dossier: Dossier) -> list[Trial]:
    """Return the planted faults that a rule is to find, by level, mildest first."""
    if rule.metric in PAIRED:
        return []
    recalls = dossier.selection.recalls
    levels = recalls[recalls["rule"] == name].sort_values(["fault", "step"])
    table = judged(rule, dossier.analysis.trials)
    return [
        Trial(
            row.fault.replace("_", " "),
            row.parameters,
            [
                plain(v)
                for v in table.loc[
                    (table["fault"] == row.fault) & (table["step"] == row.step), rule.metric
                ]
            ],
        )
        for row in levels.itertuples()
    ]


def atypical(rule: Rule, side: str, away: pd.DataFrame, places: Mapping[str, int]) -> list[int]:
    """Return the images that are too far out to say what a typical one is."""
    if rule.metric not in away:
        return []
    sign = 1 if side == "max" else -1
    far = ~(sign * away[rule.metric] <= FAR)
    return [places[image_id] for image_id in away.index[far]]
