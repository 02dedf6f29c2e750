"""Arrays of other libraries as NumPy's: tensors on any device, with a gradient or of few bits, columns of tables.

None of the libraries is imported; an array is known by what it can do (`__array__`, `__dlpack__`, `detach`, ...). What
is an array and cannot be read is refused: taken for a list of objects it would be a stream of symbols that all differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import DataError

Array = np.ndarray[Any, Any]

_MARKS = ("__array__", "__array_interface__", "__cuda_array_interface__", "__dlpack__", "detach", "to_pylist", "as_py")
"""What an array or a scalar of an array library has at least one of."""
_FAULTS = (TypeError, ValueError, RuntimeError, BufferError, AttributeError, OverflowError)


def is_foreign(kind: type) -> bool:
    """Whether values of a type are arrays or scalars of a library other than NumPy."""
    if issubclass(kind, (np.ndarray, np.generic)):
        return False
    return any(hasattr(kind, mark) for mark in _MARKS)


def as_numpy(x: Any) -> Any:
    """An array or a column of another library as a NumPy array, or as a list of elements where some are missing.

    Args:
        x: An object whose type `is_foreign`.

    Raises:
        DataError: Its library does not give its values away.
    """
    try:
        if hasattr(x, "detach") and hasattr(x, "cpu"):
            return _of_tensor(x)
        if hasattr(x, "as_py"):  # a scalar of Arrow
            return np.asarray(x.as_py())
        return _of_column(x) if hasattr(x, "to_pylist") or hasattr(x, "to_list") else _of_array(x)
    except _FAULTS as fault:
        reason = (str(fault).splitlines() or ["no reason is given"])[0]
        raise DataError(
            f"the {type(x).__module__}.{type(x).__name__} cannot be read as an array ({reason}); give a NumPy array"
        ) from fault


def with_numbers(array: Array) -> Array:
    """An array whose numbers are of a type of NumPy's own; bfloat16 and its like come as floats."""
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.type is not np.void:
        return array.astype(np.float64)
    return array


def _of_tensor(x: Any) -> Array:
    """A tensor of PyTorch: without its gradient, on the CPU, dense, in a type that NumPy has."""
    tensor = x.detach().cpu()
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if not str(getattr(tensor, "layout", "torch.strided")).endswith("strided"):
        tensor = tensor.to_dense()
    if tensor.dtype.is_floating_point:
        tensor = tensor.double()
    return np.asarray(tensor.resolve_conj().resolve_neg().numpy())


def _of_column(x: Any) -> Any:
    """A column of Arrow or polars; as a list where values are missing or NumPy would round or refuse its integers."""
    missing = getattr(x, "null_count", 0)
    beyond = str(getattr(x, "type", "")).startswith("dictionary") or str(getattr(x, "dtype", "")).endswith("Int128")
    if (missing() if callable(missing) else missing) or beyond:
        return x.to_pylist() if hasattr(x, "to_pylist") else x.to_list()
    return _of_array(x)


def _of_array(x: Any) -> Array:
    """What has an array interface, wherever it lies."""
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        return np.from_dlpack(x, device="cpu")
    try:
        return with_numbers(np.asarray(x))
    except _FAULTS:
        if hasattr(x, "get"):  # as CuPy copies an array from its device
            return np.asarray(x.get())
        raise
