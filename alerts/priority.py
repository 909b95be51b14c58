"""How urgent: four words in order, compared as numbers."""

from enum import IntEnum


class Priority(IntEnum):
    """low < medium < high < critical."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The small word used in rulebooks, stories, JSON and pages."""
        return self.name.lower()

    def __str__(self) -> str:
        return self.word

    @classmethod
    def of(cls, word: str) -> "Priority":
        """The priority called `word`; raises ValueError."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"{word!r} is not one of {', '.join(each.word for each in cls)}") from None
