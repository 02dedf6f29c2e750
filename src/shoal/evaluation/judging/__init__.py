"""Judges of stories, and the certificate that says what a judge can and cannot see."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
