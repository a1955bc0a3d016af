"""The documentation site: Sphinx, Furo, pages in Markdown, a reference from docstrings.

Build it with ``sphinx-build -n -W --keep-going docs site``: any warning is an error, and
nothing is fetched from the network.
"""

from __future__ import annotations

import inspect
from importlib import metadata

from sphinx.application import Sphinx

from pytest_optum_auth import plugin

project = "pytest-optum-auth"
author = "the pytest-optum-auth authors"
release = metadata.version(project)
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
nitpicky = True
# Names of the standard library and of pytest are written as they are: looking up where
# they are documented would need the network.
nitpick_ignore_regex = [("py:.*", r"(?!pytest_optum_auth).*")]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
add_module_names = False
python_maximum_signature_line_length = 90
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Let autodoc see the functions behind pytest's fixtures, with their docstrings."""
    for name, value in list(vars(plugin).items()):
        if name.startswith("optum_") and callable(value):
            setattr(plugin, name, inspect.unwrap(value))
