"""Networks of other programs, and ours for them."""
