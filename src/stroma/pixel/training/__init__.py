"""From strokes to rows of features, and what is remembered of them."""
