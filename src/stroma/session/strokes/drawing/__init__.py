"""From what a hand does to pixels."""
