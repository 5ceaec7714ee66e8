"""The sections of a report: title, text, the table that is shown, what is said when it is empty.

Without the last, a section with an empty table is left out. The report is read in a minute: long
tables stay CSV, and the page beside it shows every image.
"""

SECTIONS = [
    (
        "What each rule finds on these images",
        "Faults were planted into a sample of these very images, from just visible ones on, and "
        "each rule's bound was chosen by them: beyond what nearly all of the typical images reach. "
        "From the level given here on it finds at least nine of ten of a fault, and is expected to "
        "on images like these; of milder ones fewer, or none. `interval` is where the bound would "
        "lie for nine of ten other samples. "
        "tables/recalls.csv has each level.",
        "own_rules",
        "",
    ),
    (
        "What was found",
        "Rules that ask for something, those that flag most first; tables/flags.csv has each flag. "
        "`precision` and `recall` are on known truth, among all images, with these bounds, where "
        "faults were planted into the dataset.\n\n![Rules](figures/rules.png)",
        "findings",
        "No rule flags any image.",
    ),
    (
        "How far to trust a flag",
        "Faults were planted, so the truth is known: the figure has each fault at each severity. "
        "Below, detectors on eyes that nothing was chosen on (`held_out`), with bounds chosen on "
        "the others; tables/detection.csv and severities.csv have all.\n\n"
        "![Detectors](figures/detection.png)\n\n![Bounds](figures/curves.png)",
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
        "Warnings",
        "Rules that flag every image they measure: look at the bound before the images.",
        "warnings",
        "",
    ),
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
        "Same subject in two splits",
        "Pairs of images of different splits whose keypoints one rigid fit joins: a model trained "
        "on one and tested on the other has seen the answer. The more inliers, the surer.",
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
        "Whether a repair may stand in the original's stead is decided without any mask: it is "
        "accepted, refused, or not told, and then the original stays too. tables/outcomes.csv and "
        "verdicts.csv have each with its evidence. Sharpening raises every measure of sharpness by "
        "construction, so a change of a metric is no evidence that a model does better "
        "(figures/changes.png).",
        "repairs",
        "No image was repaired.",
    ),
    (
        "Do repairs help vessels?",
        "How well vessels are found by two detectors that need no training and share no filter, "
        "scored against the masks by average precision: what both grant, the lesser change where "
        "they agree in sign and 0 where they do not. `applied` is what the flags called for, other "
        "repairs were tried on every image with a mask. Means over eyes, paired, with bootstrap "
        "95 % intervals and Wilcoxon's p. A change below 0.003 can not be told. tables/gains.csv "
        "has each detector, group and score.\n\n![Gains](figures/gains.png)",
        "both_gains",
        "",
    ),
    (
        "Does the rule know?",
        "Of the repairs that changed average precision by more than 0.003, as both detectors have "
        "it: the share that the rule decided, and accepted; of the decided ones the share for "
        "which that is what the masks say; what accepting all or none would score; and the share "
        "of the accepted ones that did harm.",
        "knowing",
        "",
    ),
]
# Where what a report leaves out is found: below tables/, beside the report.
REST = """## Where the rest is

[index.html](index.html) is the same to look through: every doubtful image before and after, bounds
to move, decisions to take. Opened from a clone in which the stages have run it shows the pictures;
`clearset view {name}` saves what you decide.

| table (with more than 1,000 rows: below data/ alone) | holds |
| --- | --- |
| tables/flags.csv, decisions.csv | each flag; what the rules ask for of each image |
| tables/metrics.csv, masks.csv | every measure of every image and mask |
| tables/outliers.csv, components.csv, pairs.csv | which images are alike, and which like none |
| tables/outcomes.csv, verdicts.csv | each repair, and its evidence |
| tables/comparison.csv, changes.csv | what repairs changed of each metric |
| tables/gains.csv, vessels.csv, agreement.csv | vessels found before and after |
| tables/detection.csv, severities.csv, crosstalk.csv, calibration.csv | detectors on known truth |
| rules.csv, bounds.csv | each rule; what every other bound of it would do |
"""
