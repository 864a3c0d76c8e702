"""The explorers of the notebooks: one file or one folder for each."""
