"""shoal: a laboratory for small language models.

Every verb of the command line is a function here; each is imported when it is first asked for, so that ``import
shoal`` costs nothing. In IPython and Jupyter the results of these functions are shown as pages.
"""

import sys

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _show_pages() -> None:
    """Register the pages of results with the notebook that imports shoal, if one does."""
    # A notebook has IPython loaded; looking for it elsewhere would import it in vain.
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return
    from shoal.reports import enable_notebook

    enable_notebook()


_show_pages()
