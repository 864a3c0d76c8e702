"""Rate of convergence of gradient descent with momentum: the phase diagram of notebook 05."""
from helpers.widgets.phase_diagram.explorer import phase_diagram

__all__ = ["phase_diagram"]
