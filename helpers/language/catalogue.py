"""The gettext catalogue of a language: its messages, and the patterns of those with fields."""
import gettext
import re
from functools import cache
from pathlib import Path
from string import Formatter

LOCALE = Path(__file__).with_name("locale")
# A word; dx, dW, dW1 are none, nor what stands before "(" or "′("; "a" is one before a blank.
WORD = re.compile(
    r"(?<![A-Za-z])(?!d(?:[a-z]|[A-Z][a-z]?)\d?\b)[A-Za-z]{2,}(?![A-Za-z_]*′*\()|\ba(?= )")
# What stands before a field that is code, and after one.
CODE = re.compile(".*(`|one of )"), re.compile(r": got|[.]\w")
STRONG = 12            # letters of a message that hardly fit another text by chance


def letters(text: str) -> int:
    """The number of letters of English words in a text."""
    return sum(map(len, WORD.findall(text)))


def closed(text: str) -> bool:
    """Whether each bracket of a text is closed, and each code; in code brackets do not count."""
    text = re.sub("`[^`]*`", "", text) if "`" in text else text
    return "`" not in text and all(
        text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))


class Template:
    """The message of an f-string: a pattern that its texts fit, and its translation."""

    def __init__(self, message: str, translation: str):
        """Raise ValueError where the fields are no names."""
        parts = list(Formatter().parse(message))
        self.translation, self.letters = translation, sum(letters(words) for words, *_ in parts)
        after = [words for words, *_ in parts[1:]] + [""]
        self.code = {name for (words, name, *_), then in zip(parts, after, strict=True)
                     if CODE[0].fullmatch(words) or CODE[1].match(then)}
        self.anchor = max((words for words, *_ in parts), key=len)     # most texts lack it: a quick test
        self.patterns = [re.compile("".join(
            re.escape(words) + (_field(name, words, most) if name else "") for words, name, *_ in parts),
            re.DOTALL) for most in ("*?", "*")]

    def matches(self, text: str) -> list[re.Match]:
        """How the text fits: with the shortest fields, and with the longest."""
        if self.anchor not in text or not (shortest := self.patterns[0].fullmatch(text)):
            return []
        found = {match.groups(): match for match in (shortest, self.patterns[1].fullmatch(text))}
        return [match for values, match in found.items() if all(map(_whole, values))]


def _whole(value):
    """Whether a field can have this value: with its brackets, and without the stop after it."""
    return closed(value) and not value.endswith((",", ";", ":"))


def _field(name, before, most):
    """The pattern of a field: after a word the ending of a plural or no letter; before one whole words."""
    if before.endswith("`"):
        return f"(?P<{name}>[^`]{most})"
    first = "(?![A-Za-z])" if re.search("[A-Za-z]{2}$", before) else ""
    return f"(?P<{name}>{first and 'e?s|'}{first}.{most})(?!(?<=[A-Za-z])[A-Za-z])"


class Catalogue(gettext.GNUTranslations):
    """The messages of a language: `known` by their English; `templates` with fields, the strong, the weak."""

    def __init__(self, file):
        """Read a compiled catalogue."""
        super().__init__(file)
        self.known = {english: said for english, said in self._catalog.items() if english and said}
        found = [Template(english, said) for english, said in self.known.items()
                 if re.search(r"\{\w+\}", english)]
        found.sort(key=lambda message: -message.letters)
        self.templates = [[one for one in found if (one.letters < STRONG) == weak] for weak in (False, True)]


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language. Raises FileNotFoundError where there is none."""
    return gettext.translation("helpers", LOCALE, [language], class_=Catalogue)
