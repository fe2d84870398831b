"""In place of the errors of bioio-base."""


class UnsupportedFileFormatError(Exception):
    pass
