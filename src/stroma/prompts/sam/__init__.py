"""Segment Anything and its kin: networks that were trained to answer prompts."""
