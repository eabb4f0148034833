"""A toy tracker, and models that stand for its simulation: what fidelity costs in events a second."""
