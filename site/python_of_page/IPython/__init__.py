"""In the place of IPython in the worker of a page, which has no shell: what ipywidgets and helpers import."""

version_info = 8, 23      # Matplotlib asks for it


def get_ipython() -> None:
    """There is no shell."""
