"""The landscapes of helpers/theory/landscapes.py in torch, one point a row."""
import math


def ravine_torch(w, kappa, angle):
    """½(along² + κ·across²) in coordinates that are turned back: not a word of the matrix H."""
    along = math.cos(angle) * w[..., 0] + math.sin(angle) * w[..., 1]
    across = math.cos(angle) * w[..., 1] - math.sin(angle) * w[..., 0]
    return (along**2 + kappa * across**2) / 2


def rosenbrock_torch(w):
    x, y = w.unbind(-1)
    return (1 - x)**2 + 100 * (y - x**2)**2


def beale_torch(w):
    x, y = w.unbind(-1)
    return (1.5 - x + x * y)**2 + (2.25 - x + x * y**2)**2 + (2.625 - x + x * y**3)**2


def saddle_torch(w):
    x, y = w.unbind(-1)
    return 0.5 * x**2 + 0.25 * y**4 - 0.5 * y**2 + 0.25
