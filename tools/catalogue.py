"""The gettext catalogue of helpers: messages.po, which translators write, and the .mo that Python reads."""
import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from messages import messages

FOLDER = Path(__file__).resolve().parents[1] / "helpers" / "language" / "locale" / "zh" / "LC_MESSAGES"
PO, MO = FOLDER / "helpers.po", FOLDER / "helpers.mo"
MADE = datetime(2026, 11, 30, tzinfo=UTC)       # always the same: a new date is not a change


def updated() -> Catalog:
    """The catalogue with all messages of the program and none else; new ones have no translation."""
    catalog = Catalog(locale="zh", project="Gradients by Hand", creation_date=MADE, revision_date=MADE,
                      fuzzy=False, charset="utf-8")
    old = stored()
    for message in messages():
        known = old.get(message.text)
        catalog.add(message.text, known.string if known else "", [(message.file, None)])
    return catalog


def stored() -> Catalog:
    """The catalogue as it stands in helpers.po."""
    if not PO.exists():
        return Catalog(locale="zh")
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def files(catalog: Catalog) -> dict[Path, bytes]:
    """What helpers.po and helpers.mo hold for this catalogue."""
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=110, include_lineno=False)
    write_mo(compiled, catalog)
    return {PO: text.getvalue(), MO: compiled.getvalue()}


def untranslated(catalog: Catalog) -> list[str]:
    """The messages without a translation."""
    return [str(message.id) for message in catalog if message.id and not message.string]
