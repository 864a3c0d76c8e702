"""In the place of scikit-learn, which is large: what helpers.data and the notebooks take from it."""
