"""Three witnesses for a gradient, central differences, comparison with torch's optimizers."""
from helpers.verify.differences import KinkError
from helpers.verify.following import CONSTANT, GRADIENTS, START, follows, scheduled_rates, strays
from helpers.verify.witnesses import refuted, three_witnesses

__all__ = [
    "CONSTANT", "KinkError", "GRADIENTS", "START", "follows", "refuted", "scheduled_rates", "strays",
    "three_witnesses",
]
