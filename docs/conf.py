"""The settings of the documentation site; nothing here needs a network."""

from __future__ import annotations

import sys
from pathlib import Path

import fleet

sys.path.insert(0, str(Path(__file__).parent))

project = "fleet"
author = "the fleet authors"
release = version = fleet.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "fleet_docs"]
exclude_patterns = ["fleet_docs"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
smartquotes = False  # what is shown can be copied into a file
default_role = "code"  # docstrings write code as Markdown does
autodoc_typehints = "description"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
html_theme = "furo"
html_title = "fleet"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
