"""How long tests wait for what must come: for an event, never for a clock.

A wait that is given up is a failure, so it is given up late: on a machine that is busy with other
things everything takes many times as long, and what will never come costs time only once.
"""

PATIENCE = 300
"""Seconds."""
