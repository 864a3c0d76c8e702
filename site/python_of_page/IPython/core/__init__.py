"""As in IPython."""
