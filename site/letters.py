"""Letters of Chinese pictures in the browser: a free font of this machine, cut to the signs that are used."""
import os
import re
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FILES = "NotoSansSC*", "NotoSansCJK*-Regular.*", "SourceHanSans*-Regular.*", "wqy-*"
# helpers/plotting/lettering.py knows them by these names. Those of macOS and Windows may not be given away.
FAMILIES = ("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
            "WenQuanYi Zen Hei")
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts",
           "~/Library/Fonts", f"{os.environ.get('WINDIR', '/Windows')}/Fonts")
FAMILY = 1                              # the number of this name in a font
LATIN = "".join(map(chr, range(32, 127)))
CHINESE = re.compile("[\u2e80-\uffef]")


def cut(text: str, into: Path) -> bool:
    """Write a font with the Chinese signs of a text; False where this machine has none to take them from."""
    if not (font := found()):
        return False
    subsetter = Subsetter(Options(layout_features=[], hinting=False, name_IDs=["*"], notdef_outline=True))
    subsetter.populate(text=LATIN + "".join(CHINESE.findall(text)))
    subsetter.subset(font)
    font.save(into)
    return True


def found() -> TTFont | None:
    """The first font of these families."""
    for pattern in FILES:
        for folder in FOLDERS:
            for path in sorted(Path(folder).expanduser().rglob(pattern)):
                faces = TTCollection(path).fonts if path.suffix == ".ttc" else [TTFont(path)]
                for face in faces:
                    if face["name"].getDebugName(FAMILY) in FAMILIES:
                        return face
    return None
