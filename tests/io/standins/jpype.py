"""In place of jpype: what Java raises."""


class JException(Exception):
    pass
