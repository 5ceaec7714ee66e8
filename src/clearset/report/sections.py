"""The sections of a report: title, text, the table that is shown, what is said when it is empty.

Without the last, a section with an empty table is left out.
"""

SECTIONS = [
    (
        "What each rule finds on these images",
        "Faults were planted into a sample of these very images, from just visible ones on, and "
        "each rule's bound was chosen by them: beyond what nearly all of the typical images reach. "
        "It finds at least nine of ten of a fault from the level given here on; of milder ones "
        "fewer, or none. `interval` is where the bound would lie for nine of ten other samples. "
        "tables/recalls.csv has each level.",
        "own_rules",
        "",
    ),
    (
        "Rules",
        "An image is flagged below `min` or above `max`; a `quantile` sets that bound by quota, so "
        "some image is always flagged. The metric `blur` is fastdup's statistic and grows with "
        "sharpness; `mean` is in 8-bit grey levels.\n\n![Rules](figures/rules.png)",
        "rules",
        "",
    ),
    (
        "How far to trust a flag",
        "Faults were planted, so the truth is known. Each detector is judged among all images: "
        "those of other faults are negatives too. `default` are this dataset's own bounds, on all "
        "eyes; `calibrated` ones were chosen on half of the eyes and are scored on the other half, "
        "`held_out`. Near duplicates are judged as pairs of images, leaks by their inliers.\n\n"
        "![Detectors](figures/detection.png)",
        "trust",
        "",
    ),
    (
        "What is missed",
        "Faults and severities of which less than nine in ten are found by the detector meant for "
        "them, with the calibrated bounds on the eyes held out.",
        "missed",
        "None.",
    ),
    (
        "Planted faults",
        "Each fault, all severities together, against the clean images alone; the figure above and "
        "tables/severities.csv have them one by one.",
        "faults",
        "",
    ),
    (
        "Chosen bounds",
        "To adopt one, write it into the dataset's file in conf/dataset/ (`calibrated.yaml` of the "
        "stage filter has the lines). F1 of the eyes it was chosen on, then of those held out, and "
        "what the given bound scores there.\n\n![Bounds](figures/curves.png)",
        "calibration",
        "",
    ),
    (
        "Warnings",
        "Rules that flag every image they measure: look at the bound before the images.",
        "warnings",
        "",
    ),
    ("Flags", "One row a flag.", "flags", "No image is flagged."),
    ("Unreadable", "Images that no stage can use.", "unreadable", "None."),
    (
        "What was read as what",
        "Every file of the source; data/fetch/<dataset>/files.csv has them one by one, and "
        "inventory.csv of the release says where each lies there.",
        "roles",
        "",
    ),
    ("Notes on the source", "What was passed over, and how it was read.", "notes", ""),
    (
        "Outliers",
        "The published rule marks the least similar edges of each split's neighbour graph: a "
        "quota, so some image is always marked. `isolation_z` is the robust z of the similarity "
        "to the nearest image; below -3.5 is far out.",
        "marked",
        "None: every split has fewer than three images.",
    ),
    (
        "The published counts, and what is true",
        "",
        "published",
        "",
    ),
    (
        "Dropped duplicates",
        "Of each group of copies or near copies the best image stays: one with a mask or label "
        "first, then the sharpest. `similarity` is the one at which the image joins a better "
        "one's group. ",
        "curation",
        "",
    ),
    (
        "Components",
        "Images that chains of similarities at or above the bound join.",
        "components",
        "None.",
    ),
    (
        "Same subject in two splits",
        "Pairs of images of different splits whose keypoints one rigid fit joins: a model trained "
        "on one and tested on the other has seen the answer. The more inliers, the surer; pictures "
        "of the registered pairs are in the folder `leaks` beside the galleries.",
        "leaks",
        "None.",
    ),
    (
        "Label conflicts",
        "The same pixels with different masks; the Dice between the masks is the most that a "
        "model can honestly reach.",
        "conflicts",
        "None.",
    ),
    (
        "Repairs",
        "PSNR (dB) and SSIM are against the original: they tell how much changed, not whether it "
        "got better. `clipped` is the share of values cut at black or white. `verdict` says "
        "whether the repair may stand in the original's stead, decided without any mask: it is "
        "accepted, refused, or `not_told`, and then the original stays too; `refused_by` names the "
        "bounds that its evidence broke.",
        "outcomes",
        "No image was repaired.",
    ),
    (
        "Evidence",
        "What the decision rests on. `expected_gain` is in average precision of vessels: what the "
        "repair adds for vessels drawn into the image and for its own, as two detectors both grant "
        "it; 0 where one expects a gain and the other harm, or neither anything.",
        "verdicts",
        "",
    ),
    (
        "Do repairs help vessels?",
        "How well vessels are found by two detectors that need no training and share no filter, "
        "scored against the masks by average precision: here what both grant, the lesser change "
        "where they agree in sign and 0 where they do not; below what each says. `applied` is "
        "what the flags called for, other repairs were tried on every image with a mask. `update` "
        "says which repairs enter: `all`, or the `accepted` ones. Means over eyes, paired, with "
        "bootstrap 95 % intervals and Wilcoxon's p; groups are all images with a mask, the flagged "
        "ones, and planted faults by kind (`none`: clean). tables/gains.csv has the other scores. "
        "A change below 0.003 can not be told.\n\n![Gains](figures/gains.png)",
        "both_gains",
        "",
    ),
    ("By the first detector, `vessels`", "", "ap_gains", ""),
    ("By the second detector, Sato's (`tubes`)", "", "sato_gains", ""),
    ("The first in Dice", "The overlap at a fixed threshold.", "dice_gains", ""),
    (
        "Does the rule know?",
        "Of the repairs that changed average precision by more than 0.003, as both detectors have "
        "it: the share that the rule decided, and accepted; of the decided ones the share for "
        "which that is what the masks say; what accepting all or none would score; and the share "
        "of the accepted ones that did harm.",
        "knowing",
        "",
    ),
    (
        "Change of each metric",
        "Mean over the repaired images, with a bootstrap 95 % interval. Sharpening raises every "
        "measure of sharpness by construction, noise included: a higher value here is no evidence "
        "that a model does better.\n\n![Changes](figures/changes.png)",
        "changes",
        "",
    ),
]
