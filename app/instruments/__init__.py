"""One file per instrument, named as its system, read top to bottom: controls, recipe, result, views."""
