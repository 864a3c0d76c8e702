"""Say a text in the language of the reader.

Code writes English, as plain strings and f-strings. `say` stands where a text leaves the program (the
sentence below a picture, a label, feedback, an error) and finds its Chinese in a gettext catalogue, which
tools/translate.py keeps. The message of an f-string has the names of its fields: "step {step} of {steps}" is
the message of "step 3 of 9", and what stands in a field is said in Chinese too.
"""
import gettext
import os
import re
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter

LANGUAGES = "en", "zh"
VARIABLE = "GRADIENTS_LANGUAGE"
LOCALE = Path(__file__).with_name("locale")
EDGE = re.compile(r"([\s,;:.]*)(.*?)([\s,;:.]*)", re.DOTALL)     # what stands around a message
WORD = re.compile(r"(?<![A-Za-z])(?!d[A-Za-z]\b)[A-Za-z]{2,}")      # dx, dW … are no words
HAN = re.compile("[\u4e00-\u9fff]")
# Where a text that is no message is divided, outside of brackets, and what stands there in Chinese.
JOINTS = {"\n": "\n", ". ": "。", "? ": "？", "! ": "！", "; ": "；", ": ": "：", ", ": "，", " and ": "和",
          " or ": "或"}
FEW = 3                                            # words, which may be translated one by one
STRONG = 12                                        # letters of a message that hardly fit another by chance
STOPS = {".": "。", ",": "，", ";": "；", ":": "："}


@cache
def language() -> str:
    """The language: that of the environment variable GRADIENTS_LANGUAGE, or of the folder Python runs in.

    Raises ValueError when the variable names another language.
    """
    named = os.environ.get(VARIABLE) or next((name for name in LANGUAGES if name == Path.cwd().name), "en")
    if named not in LANGUAGES:
        raise ValueError(f"{VARIABLE}: got {named!r}, expected one of {', '.join(LANGUAGES)}")
    return named


def say(text: str) -> str:
    """`text` in the language chosen; what has no translation stays English."""
    return text if language() == "en" else translated(text)[0]


@lru_cache(2000)
def translated(text: str) -> tuple[str, int]:
    """A text in Chinese, and the number of English letters left in it: of all readings the one with fewest.

    A text is read as a message, as the message of an f-string, or as two texts with a stop between them.
    """
    before, core, after = EDGE.fullmatch(text).groups()
    if not WORD.search(core):
        return text, 0
    for form in _forms(core):
        if form in catalogue().known:
            return _with_edges(before, catalogue().known[form], after), 0
    readings = []
    for form in _forms(core):
        readings += [*_by_template(form), *_by_joints(form), *_by_template(form, weak=True)]
    best, left = min([*readings, (core, letters(core))], key=lambda reading: reading[1])
    return _with_edges(before, _tidy(best), after), left


def letters(text: str) -> int:
    """The number of letters of English words in a text."""
    return sum(map(len, WORD.findall(text)))


def _forms(text):
    """A text; with a small letter in front; with single blanks, as messages have them."""
    return dict.fromkeys((text, text[0].lower() + text[1:] if text[:2].istitle() else text,
                          " ".join(text.split())))


def _by_template(text, *, weak=False):
    """The readings of a text as the message of an f-string, one with few letters, or one with many."""
    for message in catalogue().templates[weak]:
        for match in message.matches(text):
            fields = {name: translated(value) for name, value in match.groupdict().items()}
            filled = message.translation.format(**{name: said for name, (said, _) in fields.items()})
            yield filled, sum(left for _, left in fields.values())


def _by_joints(text):
    """The readings of a text as two, divided at each of the widest joints that it has."""
    blank = {" ": ""} if len(text.split()) <= FEW else {}
    for joint, chinese in {**JOINTS, **blank}.items():
        places = [at for at in _places(text, joint) if 0 < at < len(text) - len(joint)]
        for at in places:
            (first, some), (second, more) = translated(text[:at]), translated(text[at + len(joint):])
            yield first + chinese + second, some + more
        if places:
            return


def _places(text, joint):
    """Where the joint stands outside of brackets."""
    return [match.start() for match in re.finditer(re.escape(joint), text) if _closed(text[:match.start()])]


def _closed(text):
    """Whether each bracket of a text is closed."""
    return all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}"))


def _tidy(text):
    """Chinese stops, and no blanks, beside Chinese signs."""
    text = re.sub(f"(?<=\\d|%)[.] ?(?={HAN.pattern})", "。", text)
    return re.sub(f"(?<=[。，；：、]|{HAN.pattern}) +(?={HAN.pattern})|(?<=[。，；：、]) +", "", text)


def _with_edges(before, said, after):
    """Put the punctuation back that stood around a text: Chinese, where the text is."""
    if not HAN.search(said):
        return before + said + after
    before, after = (re.sub(r"([,;:.])\s*", lambda stop: STOPS[stop[1]], end) for end in (before, after))
    return before + said + after


class Template:
    """The message of an f-string: a pattern that its texts fit, and its translation."""

    def __init__(self, message: str, translation: str):
        """Raise ValueError where the fields are no names."""
        parts = list(Formatter().parse(message))
        self.translation, self.letters = translation, sum(letters(words) for words, *_ in parts)
        self.anchor = max((words for words, *_ in parts), key=len)     # most texts lack it: a quick test
        self.patterns = [re.compile("".join(
            re.escape(words) + (_field(name, words, most) if name else "") for words, name, *_ in parts),
            re.DOTALL) for most in ("*?", "*")]

    def matches(self, text: str) -> list[re.Match]:
        """How the text fits: with the shortest fields, and with the longest."""
        if self.anchor not in text or not (shortest := self.patterns[0].fullmatch(text)):
            return []
        found = {match.groups(): match for match in (shortest, self.patterns[1].fullmatch(text))}
        return [match for values, match in found.items() if all(map(_closed, values))]


def _field(name, before, most):
    """The pattern of a field: after a letter the ending of a plural or no letter; before one whole words."""
    first = "(?![A-Za-z])" if before[-1:].isalpha() else ""
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
def catalogue() -> Catalogue:
    """The catalogue of the language chosen."""
    return gettext.translation("helpers", LOCALE, [language()], class_=Catalogue)
