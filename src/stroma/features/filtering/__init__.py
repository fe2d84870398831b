"""Extractors that are filters, and what they are computed with."""
