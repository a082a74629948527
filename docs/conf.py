"""Sphinx: MyST pages, the reference from docstrings, tables from the code itself so that they cannot drift."""

import sys
from pathlib import Path

import affekt

sys.path.insert(0, str(Path(__file__).parent / "_extension"))

project = "affekt"
author = "The affekt maintainers"
copyright = author
version = release = affekt.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "affekt_tables",
    "affekt_math",
]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_extension"]

html_theme = "furo"
html_title = f"affekt {release}"
html_show_sourcelink = False

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_use_ivar = True
napoleon_attr_annotations = False
napoleon_use_admonition_for_examples = False
html_math_renderer = "mathml"
