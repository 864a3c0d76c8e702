"""Keep the Chinese edition in step with the English: notebooks/zh and the catalogue of helpers.

    python tools/translate.py                  copy what is copied; name what is left to translate
    python tools/translate.py --check          change nothing; name what is not in step
    python tools/translate.py --draft 03       print the cells of 03 that have no Chinese, or an old one
    python tools/translate.py --take 03 FILE   put the Chinese of such a text, edited, into notebooks/zh

Messages of the program are translated in helpers/language/locale/zh/LC_MESSAGES/helpers.po; the .mo beside
it is written from it. Those of the web page are in site/locale/zh_CN/LC_MESSAGES/page.po. Outputs in Chinese
come from `python3 tasks.py refresh zh`.
"""
import argparse
import sys
from pathlib import Path

import catalogue
import chinese
import refresh


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say, and return the exit status: 1 when something is left to do."""
    parser = argparse.ArgumentParser(description="Keep the Chinese edition in step with the English.")
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--draft", metavar="NOTEBOOK", help="print what is to be translated")
    parser.add_argument("--take", nargs=2, metavar=("NOTEBOOK", "FILE"), help="take a translation")
    options = parser.parse_args(arguments)
    if options.draft:
        print(chinese.draft(*refresh.find(options.draft)))
        return 0
    if options.take:
        [english], text = refresh.find(options.take[0]), Path(options.take[1]).read_text(encoding="utf-8")
        chinese.FOLDER.mkdir(exist_ok=True)
        refresh.save(refresh.dumps(chinese.take(english, text)), chinese.FOLDER / english.name)
    found = [*_notebooks(options.check), *_messages(options.check)]
    print("\n".join(found) or "The Chinese edition is in step.")
    return int(bool(found))


def _notebooks(check: bool) -> list[str]:
    """Bring the notebooks in step unless `check`; what is wrong with them."""
    found = []
    for english in refresh.notebooks():
        path = chinese.FOLDER / english.name
        nb, faults = chinese.in_step(english)
        text, found = refresh.dumps(nb), found + faults
        if not path.exists() or text != path.read_text(encoding="utf-8"):
            if check:
                found.append(f"zh/{english.name}: not as `python3 tasks.py translate` writes it")
            else:
                path.parent.mkdir(exist_ok=True)
                refresh.save(text, path)
    for path in chinese.FOLDER.glob("*.ipynb"):
        if not (refresh.FOLDER / path.name).exists():
            found.append(f"zh/{path.name}: there is no such notebook in English")
    return found


def _messages(check: bool) -> list[str]:
    """Bring the catalogues in step unless `check`; what is wrong with them."""
    catalogs = {po: catalogue.updated(po) for po in catalogue.SOURCES}
    found = [f"{po.name}, no translation: {message}" for po, catalog in catalogs.items()
             for message in catalogue.untranslated(catalog)]
    contents = [pair for one in catalogs.items() for pair in catalogue.files(*one).items()]
    for path, content in contents:
        if not path.exists() or path.read_bytes() != content:
            if check:
                found.append(f"{path.name}: not as `python3 tasks.py translate` writes it")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return found


if __name__ == "__main__":
    sys.exit(main())
