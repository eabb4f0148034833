"""Poisson: a conditional generative model as a solver of a law that is known exactly."""
