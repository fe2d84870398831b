import hypothesis

hypothesis.settings.register_profile("stroma", deadline=None, max_examples=40)
hypothesis.settings.load_profile("stroma")
