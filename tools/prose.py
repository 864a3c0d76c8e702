"""Read a Markdown cell as its reader does: words, headings, links and pictures."""
import functools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark").enable("table")
STAND_IN = "ƒ"   # one word in place of an inline formula or a code span; not ASCII on purpose
# Formulas go before Markdown is parsed, as in JupyterLab: in $f[i](x)$ there is no link. Code goes
# first, because a dollar in code opens no formula.
CODE_OR_FORMULA = re.compile(
    r"(?P<code>^(?P<fence>```+|~~~+).*?(?:^(?P=fence)[^\n]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<display>(?<!\\)\$\$.+?\$\$|\\begin\{(?P<env>[^}]+)\}.+?\\end\{(?P=env)\})"
    r"|(?P<inline>(?<!\\)\$(?:\\.|[^$\\\n]|\n(?!\s*\n))+\$)",
    re.DOTALL | re.MULTILINE)


@dataclass
class Page:
    """What one Markdown cell says."""

    text: str = ""      # prose: no code, no formulas, no tables, no alternative text
    tables: str = ""    # the same of its tables
    headings: list[tuple[int, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)   # (address, alternative text)

    @property
    def words(self) -> int:
        """Count the words of the prose; an inline formula or a code span counts as one."""
        return sum(bool(re.search(r"\w", word)) for word in self.text.split())


class Html(HTMLParser):
    """Collect the links, the pictures and the text of a piece of HTML."""

    def __init__(self, source: str):
        """Read it at once."""
        super().__init__()
        self.links, self.images, self.text = [], [], ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note a picture or a link."""
        found = dict(attrs)
        if tag == "img":
            self.images.append((found.get("src") or "", found.get("alt") or ""))
        if tag == "a" and "href" in found:
            self.links.append(found["href"] or "")

    def handle_data(self, data):
        """Note what is read."""
        self.text += data


def without_formulas(source: str) -> str:
    """Replace each inline formula by one stand-in word and drop the displayed ones."""
    def instead(found: re.Match) -> str:
        return found["code"] or (STAND_IN if found["inline"] else " ")
    return CODE_OR_FORMULA.sub(instead, source)


@functools.cache        # each rule reads each cell
def read(source: str) -> Page:
    """Read one Markdown cell."""
    page, in_table, before = Page(), False, None
    for token in MARKDOWN.parse(without_formulas(source)):
        in_table = token.type == "table_open" or (in_table and token.type != "table_close")
        text = ""
        if token.type == "html_block":
            text = _html(page, token.content)
        elif token.type == "inline":
            text = "".join(_inline(page, child) for child in token.children)
            if before.type == "heading_open":
                page.headings.append((int(before.tag[1]), _plain(token.children)))
        if in_table:
            page.tables += text + "\n"
        else:
            page.text += text + "\n"
        before = token
    return page


def anchor(heading: str) -> str:
    """Name a heading as JupyterLab and nbconvert do: spaces become hyphens, nothing else changes."""
    return heading.replace(" ", "-")


def _inline(page: Page, token) -> str:
    """Note a link, a picture or HTML; return what the token adds to the prose."""
    if token.type == "link_open":
        page.links.append(token.attrs["href"])
    elif token.type == "image":
        page.images.append((token.attrs["src"], token.content))
    elif token.type == "html_inline":
        return _html(page, token.content)
    elif token.type == "code_inline":
        return STAND_IN
    return {"text": token.content, "softbreak": "\n", "hardbreak": "\n"}.get(token.type, "")


def _html(page: Page, source: str) -> str:
    html = Html(source)
    page.links += html.links
    page.images += html.images
    return html.text


def _plain(children) -> str:
    return "".join(child.content for child in children if child.type in ("text", "code_inline"))
