"""Experiments side by side: a dataset's own metrics, and only what differs."""

from clearset.versions.experiments import compared

SHOWN = """Experiment,rev,eyes.f1,other.f1,eyes.filter.dark.min,params.yaml:eyes.filter.blur.min
,workspace,0.5,0.1,70,1
main,1234567,0.5,0.1,70,1
strict,89abcde,0.75,0.1,70,2
"""


def test_metrics_of_the_dataset_stand_beside_the_params_that_differ() -> None:
    assert compared(SHOWN, "eyes").splitlines() == [
        "Experiment,rev,eyes.f1,params.yaml:eyes.filter.blur.min",
        ",workspace,0.5,1",
        "main,1234567,0.5,1",
        "strict,89abcde,0.75,2",
    ]


def test_without_an_experiment_there_is_no_row() -> None:
    assert compared("", "eyes").strip() == ""
