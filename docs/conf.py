"""How Sphinx builds the site: `make docs`. Warnings are errors there, and nothing is fetched from anywhere.

What the pages take from the code (protocol pages, diagrams, costs, commands) is made by the extension `builder`,
beside this file.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "mpcnet"
author = "the authors of mpcnet"
release = "0.1"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "builder"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["builder/**"]

# Pages
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "tasklist"]
myst_heading_anchors = 3

# The reference, from docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_numpy_docstring = False
napoleon_use_rtype = False
default_role = "code"
python_use_unqualified_type_names = True
add_module_names = False
nitpicky = True

# The theme: its own fonts and scripts only
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = "mpcnet"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
