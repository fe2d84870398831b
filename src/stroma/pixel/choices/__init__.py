"""What a model can be built on: names, defaults, classifiers."""
