"""A deep net that does not learn, with a switch for every remedy: the remedy bench of notebook 06."""
from helpers.widgets.remedy.bench import NETS, outcome, outcomes, remedy_bench, trainings

__all__ = ["NETS", "outcome", "outcomes", "remedy_bench", "trainings"]
