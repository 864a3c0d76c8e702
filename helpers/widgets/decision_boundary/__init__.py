"""The decision boundary of a small network that is trained live: the explorer of notebook 04."""
from helpers.widgets.decision_boundary.explorer import RATES, boundary, decision_boundary
from helpers.widgets.decision_boundary.net import solved

__all__ = ["RATES", "boundary", "decision_boundary", "solved"]
