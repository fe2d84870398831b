"""Pictures that are decoded whole: PNG, JPEG, BMP, GIF and WebP."""
