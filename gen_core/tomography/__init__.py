"""Limited-angle tomography: reconstruct a slice from the few directions that were measured, and tell what was invented."""
