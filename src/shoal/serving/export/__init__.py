"""Export to safetensors, GGUF and ONNX: each written model is read back and compared with its source.

A format is one file in `formats` with one subclass of `ExportFormat`. Importing this folder imports no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
