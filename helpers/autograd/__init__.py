"""A tape: arrays that remember how they were computed, and gradients of gradients; in the words of torch."""
from helpers.autograd.curvature import curvature_in_training, hessian_vector_product, largest_eigenvalue
from helpers.autograd.functions import checkpoint, with_vjp
from helpers.autograd.memory import allocated_bytes, kept_bytes
from helpers.autograd.sweep import grad, ordered
from helpers.autograd.variable import Variable

__all__ = ["Variable", "allocated_bytes", "checkpoint", "curvature_in_training", "grad",
           "hessian_vector_product", "kept_bytes", "largest_eigenvalue", "ordered", "with_vjp"]
