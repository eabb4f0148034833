"""The guided tours, one file an instrument."""
