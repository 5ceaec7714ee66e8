"""What was found and done, in sentences: the first screen of a page, and the head of a report."""

from dataclasses import dataclass

import pandas as pd

from clearset.config.schema import Action
from clearset.page.facts import Facts, RuleFacts
from clearset.report.words import ACTIONS, counted
from clearset.share.manifest import DROPPED, KEPT, REPAIRED

WEIGHTS = [ACTIONS[name] for name in ("drop", "enhance", "review", "keep")]  # gravest first


@dataclass(frozen=True)
class Finding:
    """A rule that flags some images: how many, in words, and how far to trust it."""

    rule: str
    count: int
    text: str  # `10 are blurred`
    action: str  # in words
    asks: bool  # for something: it does not only count
    trust: str


@dataclass(frozen=True)
class Summary:
    """The first screen."""

    head: str
    findings: list[Finding]
    quiet: list[str]  # rules that ask for something and flag nothing
    counting: list[Finding]  # rules that only count
    done: list[str]
    asked: int  # images that wait for a person's eye


def summary(facts: Facts, flags: pd.DataFrame) -> Summary:
    """Return the first screen of what a page knows; `flags` is the table of this name."""
    counts = flags.groupby("rule")["image_id"].count()
    findings = [
        finding(rule, int(counts[rule.name])) for rule in facts.rules if rule.name in counts.index
    ]
    keep = Action.keep.value
    asked = sum(decision != keep for decision in facts.images.decision)
    unread = sum(bool(error) for error in facts.images.error)
    total = len(facts.images.id)
    clean = total - asked
    lost = f" {unread} of them can not be used." if unread else ""
    head = (
        f"{counted(total, 'image')}.{lost} Nothing is said against {clean:,}; "
        f"{asked:,} {'is' if asked == 1 else 'are'} doubtful."
    )
    return Summary(
        head=head,
        findings=sorted(
            (each for each in findings if each.asks),
            key=lambda each: (WEIGHTS.index(each.action), -each.count, each.rule),
        ),
        quiet=[r.name for r in facts.rules if r.name not in counts.index and r.action != keep],
        counting=[each for each in findings if not each.asks],
        done=done(facts),
        asked=asked,
    )


def finding(rule: RuleFacts, count: int) -> Finding:
    """Return what a rule that flags `count` images found."""
    text = f"{count:,} {rule.one if count == 1 else rule.many}"
    asks = rule.action != Action.keep.value
    return Finding(rule.name, count, text, ACTIONS[rule.action], asks, rule.trust)


def done(facts: Facts) -> list[str]:
    """Return what was repaired, refused and dropped, and what a release holds."""
    lines = []
    verdicts = pd.Series([v for v in facts.images.verdict if v], dtype=str).value_counts()
    if total := int(verdicts.sum()):
        accepted, refused = (int(verdicts.get(name, 0)) for name in ("accepted", "refused"))
        lines.append(
            f"A repair was tried on {counted(total, 'image')}: {accepted} accepted, {refused} "
            f"refused, of {total - accepted - refused} it is not told whether it helps. Where it "
            "is not accepted the original stays."
        )
    if facts.releases:
        fates = pd.Series(facts.images.fate, dtype=str).value_counts()
        kept, repaired, dropped = (int(fates.get(name, 0)) for name in (KEPT, REPAIRED, DROPPED))
        lines.append(
            f"If you decide nothing, the cleaned dataset holds {counted(kept, 'image')} as "
            f"{'it is' if kept == 1 else 'they are'} and {repaired:,} repaired; "
            f"{dropped:,} {'is' if dropped == 1 else 'are'} left out."
        )
    return lines
