"""Search in Chinese, where nothing tells words apart: by single signs and pairs of neighbours."""
import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

WORDS = re.compile(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+")


class SearchChinese(SearchEnglish):
    """Latin words as in English; of a run of Chinese, its signs and its pairs of signs."""

    lang = "zh"         # the language's name stays: by it the page finds the stemmer
    js_splitter_code = r"""
const words = /[\u4e00-\u9fff]+|(?:(?![\u4e00-\u9fff])[\p{Letter}\p{Number}_])+/gu;
var splitQuery = query => (query.match(words) ?? []).flatMap(word =>
  /^[\u4e00-\u9fff]{2}/.test(word) ? [...word].slice(1).map((sign, k) => word[k] + sign) : [word]);
"""

    def split(self, text: str) -> list[str]:
        """The words to be found."""
        found = []
        for word in WORDS.findall(text):
            pairs = [word[k:k + 2] for k in range(len(word) - 1)]
            found += [*word, *pairs] if word >= "\u4e00" else [word]
        return found


def setup(app: Sphinx) -> dict:
    """Take it in the place of Sphinx's own, which needs a dictionary."""
    app.add_search_language(SearchChinese)
    return {"parallel_read_safe": True}
