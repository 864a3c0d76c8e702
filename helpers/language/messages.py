"""Say a text in the language of the reader.

Code writes English, as plain strings and f-strings. `say` stands where a text leaves the program (the
sentence below a picture, a label, feedback, an error) and finds its Chinese in a gettext catalogue, which
tools/translate.py keeps. The message of an f-string has the names of its fields: "step {step} of {steps}" is
the message of "step 3 of 9", and what stands in a field is said in Chinese too.
"""
import os
import re
from functools import cache, lru_cache
from pathlib import Path

from helpers.language.catalogue import WORD, catalogue, closed, letters

LANGUAGES = "en", "zh"
VARIABLE = "GRADIENTS_LANGUAGE"
EDGE = re.compile(r"([\s,;:.]*)(.*?)([\s,;:.]*)", re.DOTALL)     # what stands around a message
HAN = "[\u4e00-\u9fff]"
# Where a text that is no message is divided, outside of brackets, and what stands there in Chinese.
# The widest come first.
JOINTS = ({"\n": "\n"}, {". ": "。", "? ": "", "! ": ""}, {"; ": "；", ": ": "：", ", ": "，"},
          {" and ": " 和 ", " or ": " 或 "})
ENDS = "\n", ". ", "? ", "! ", "; ", ": "          # of a clause
STOPS = {".": "。", ",": "，", ";": "；", ":": "："}
# What a reading costs by itself: by an f-string, by two texts; a comma, or the end of a clause, in a field.
FITTED, JOINED, LISTED, CROSSED = 0.01, 0.03, 0.03, 1


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
def translated(text: str) -> tuple[str, float]:
    """A text in Chinese, and its cost: the English letters left in it, and a little for each guess.

    A text is read as a message, as the message of an f-string, or as two texts with a stop between them; of
    all readings the one of least cost is taken.
    """
    before, core, after = EDGE.fullmatch(text).groups()
    if not WORD.search(core):
        return text, 0
    for form in _forms(core):
        if form in _catalogue().known:
            return _with_edges(before, _catalogue().known[form], after), 0
    readings = [(core, letters(core))]
    for form in _forms(core):
        readings += [*_by_template(form), *_by_joints(form), *_by_template(form, weak=True), *_by_words(form),
                     *_by_list(form), *_by_bracket(form)]
    best, cost = min(readings, key=lambda reading: reading[1])
    return _with_edges(before, _tidy(best), after), cost


def _catalogue():
    return catalogue(language())


def _forms(text):
    """A text; with a small letter in front; with single blanks, as messages have them."""
    return dict.fromkeys((text, text[0].lower() + text[1:] if text[:2].istitle() else text,
                          re.sub(r"[^\S\n]+", " ", text)))


def _by_template(text, *, weak=False):
    """The readings of a text as the message of an f-string, one with few letters, or one with many."""
    for message in _catalogue().templates[weak]:
        for match in message.matches(text):
            fields = {name: (value, 0) if name in message.code else translated(value)
                      for name, value in match.groupdict().items()}
            if weak and any(cost >= 1 and " " in value for value, (_, cost) in zip(
                    match.groups(), fields.values(), strict=True)):
                continue
            filled = message.translation.format(**{name: said for name, (said, _) in fields.items()})
            yield filled, FITTED + sum(map(_crossed, match.groups())) + sum(
                cost for _, cost in fields.values())


def _crossed(text):
    """What it costs that this text is one field: much, where a clause ends in it and it is no message."""
    if text in _catalogue().known:
        return 0
    if WORD.search(text) and any(_places(text, joint) for joint in ENDS):
        return CROSSED
    listed = " (" in text or _places(text, ", ") or re.match(r"[^A-Za-z]+ and .*[A-Za-z]", text)
    return LISTED if listed and WORD.search(text) else FITTED if listed else 0


def _by_joints(text):
    """The readings of a text as two, divided at each of the widest joints that it has."""
    for joints in JOINTS:
        places = [(at, joint) for joint in joints for at in _places(text, joint)
                  if 0 < at < len(text) - len(joint)]
        for at, joint in places:
            end = at + (joint in ("? ", "! "))                # the sign of a question is part of its message
            (first, some), (second, more) = translated(text[:end]), translated(text[at + len(joint):])
            yield first + joints[joint] + second, JOINED + some + more
        if places:
            return


def _by_words(text):
    """The readings of a text as two messages side by side, one of which may be without words."""
    for at in _places(text, " "):
        first, second = (half if not WORD.search(half) else _catalogue().known.get(half)
                         for half in (text[:at], text[at + 1:]))
        if first and second and not re.match(r"[=(\[]", text[at + 1:]):      # x = 3 is code, and x (2, 3)
            yield f"{first} {second}", JOINED


def _by_list(text):
    """The reading of a text as a list, such as "W, b and x"."""
    found = re.fullmatch(r"(.+, .+)( and | or )(.+)", text)
    if found and not any(map(text.count, (*ENDS, ", and"))):
        *items, joint, last = *found[1].split(", "), found[2], found[3]
        said = [translated(item) for item in (*items, last)]
        if all(map(closed, items)):
            yield "、".join(one for one, _ in said[:-1]) + JOINTS[-1][joint] + said[-1][0], FITTED + sum(
                cost for _, cost in said)


def _by_bracket(text):
    """The reading of a text that ends with words in brackets."""
    found = re.fullmatch(r"(.+) \(([^()]+)\)", text)
    if found and WORD.search(found[2]):
        (said, some), (inner, more) = map(translated, found.groups())
        if more < 1:
            yield f"{said}（{inner}）", JOINED + some + more


def _places(text, joint):
    """Where the joint stands outside of brackets and code."""
    return [match.start() for match in re.finditer(re.escape(joint), text) if closed(text[:match.start()])]


def _tidy(text):
    """Chinese stops, and no blanks, beside Chinese signs; a blank between these and Latin ones."""
    text = re.sub(f"(?<=\\d|%)[.] ?(?={HAN})", "。", text)
    text = re.sub(f"(?<={HAN})(?=[A-Za-z0-9α-ω`])|(?<=[A-Za-z0-9α-ω%`])(?={HAN})", " ", text)
    text = re.sub(f"(?<={HAN})[?]", "？", text)
    return re.sub(f"(?<=[。，；：、？）]|{HAN}) +(?={HAN})|(?<=[。，；：、？）]) +| +(?=（)", "", text)


def _with_edges(before, said, after):
    """Put the punctuation back that stood around a text: Chinese, where the text is."""
    if not re.search(HAN, said):
        return before + said + after
    before, after = (re.sub(r"([,;:.])\s*", lambda stop: STOPS[stop[1]], end) for end in (before, after))
    return before + said + after
