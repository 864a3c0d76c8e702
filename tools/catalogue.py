"""The gettext catalogues: .po files, which translators write, and the .mo that Python reads.

One is of helpers and what else is Python, one of what the web page says by itself.
"""
import io
from datetime import UTC, datetime
from pathlib import Path

import messages
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
HELPERS = ROOT / "helpers/language/locale/zh/LC_MESSAGES/helpers.po"
PAGE = ROOT / "site/locale/zh_CN/LC_MESSAGES/page.po"
SOURCES = {HELPERS: messages.messages, PAGE: messages.of_the_page}
MADE = datetime(2026, 11, 30, tzinfo=UTC)       # always the same: a new date is not a change


def updated(po: Path) -> Catalog:
    """The catalogue with all messages of the program and none else; new ones have no translation."""
    catalog = Catalog(locale="zh", project="Gradients by Hand", creation_date=MADE, revision_date=MADE,
                      fuzzy=False, charset="utf-8")
    old = stored(po)
    for message in SOURCES[po]():
        known = old.get(message.text)
        catalog.add(message.text, known.string if known else "", [(message.file, None)])
    return catalog


def stored(po: Path) -> Catalog:
    """The catalogue as it stands in a .po file."""
    if not po.exists():
        return Catalog(locale="zh")
    with po.open("rb") as file:
        return read_po(file, locale="zh")


def files(po: Path, catalog: Catalog) -> dict[Path, bytes]:
    """What its files hold: the page reads the .po when it is built, and has no .mo."""
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=110, include_lineno=False)
    write_mo(compiled, catalog)
    return {po: text.getvalue()} | ({} if po == PAGE else {po.with_suffix(".mo"): compiled.getvalue()})


def untranslated(catalog: Catalog) -> list[str]:
    """The messages without a translation."""
    return [str(message.id) for message in catalog if message.id and not message.string]
