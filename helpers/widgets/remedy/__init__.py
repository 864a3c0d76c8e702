"""One deep net that does not learn, and every remedy a switch: the bench of notebook 06."""
from helpers.widgets.remedy.bench import NETS, fate, remedy_bench, training

__all__ = ["NETS", "fate", "remedy_bench", "training"]
