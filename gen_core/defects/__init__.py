"""Drift and diffusion of defects from snapshots of their positions, without trajectories."""
