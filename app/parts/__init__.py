"""Pieces every page uses. Only session.py touches session state and the query string, only cache.py holds caches."""
