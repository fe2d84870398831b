"""Extractors with networks of others."""
