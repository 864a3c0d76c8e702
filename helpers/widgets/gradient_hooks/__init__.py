"""Gradients by layer, as hooks of a network collect them: a figure and an explorer of notebook 07."""
from helpers.widgets.gradient_hooks.explorer import gradient_by_layer, gradient_over_steps, summaries

__all__ = ["gradient_by_layer", "gradient_over_steps", "summaries"]
