"""Small NumPy modules, one concept each: what the notebooks derive and then import by name."""
