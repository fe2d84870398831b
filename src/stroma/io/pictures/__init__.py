"""Pictures that are decoded whole: PNG and JPEG."""
