"""A deep net that does not learn, with a switch for every remedy: the remedy bench of notebook 06."""
from helpers.widgets.remedy.bench import NETS, outcome, remedy_bench, training

__all__ = ["NETS", "outcome", "remedy_bench", "training"]
