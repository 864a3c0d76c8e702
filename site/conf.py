"""Sphinx: each notebook is a page with the outputs that are stored in it; nothing runs.

The pages in Chinese are a project of their own, built with the tag `zh`.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "site"))

language, project = ("zh_CN", "手推梯度") if tags.has("zh") else ("en", "Gradients by Hand")    # noqa: F821
html_title = project
author = project_copyright = ""
extensions = ["myst_nb", "search_in_chinese"]
exclude_patterns = ["zh"]
locale_dirs = ["../locale"]
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath", "html_image"]
myst_heading_anchors = 4
myst_heading_slug_func = "sources.anchor"
mathjax_path = "mathjax/tex-chtml.js"
html_theme = "furo"
templates_path = ["templates"]
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["page.css"]
html_js_files = [("page.js", {"type": "module"})]
html_copy_source, html_show_sphinx, html_show_copyright = False, False, False
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": ["view"]}
