"""A class that ipywidgets names."""


class InteractiveShell:
    """No shell is one."""
