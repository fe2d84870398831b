"""Model packages of bioimage.io that others wrote: what they say, and the programs in them."""
