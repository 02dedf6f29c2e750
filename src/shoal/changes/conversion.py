"""Single values and arrays as they were given: missing, numbers, symbols, arrays of other libraries, exact order.

Arrays of other libraries as NumPy's: tensors on any device, with a gradient or of few bits, columns of tables. None of
the libraries is imported; an array is known by what it can do (`__array__`, `__dlpack__`, `detach`, ...). What is an
array and cannot be read is refused: taken for a list of objects it would be a stream of symbols that all differ.

**Exact numbers.** The order of numbers that float64 cannot distinguish: whole numbers beyond 2^53, long decimals,
fractions.

Ranks are all that the engine looks at, so such a column is stored as it came, together with its nearest floats, and
compared by dense ranks.
"""

from __future__ import annotations

import math
from numbers import Complex, Integral, Number, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

Array = np.ndarray[Any, Any]

MISSING = "missing"
"""How the symbol of a missing value is written."""


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT or pandas' NA."""
    # By name, so that pandas is not imported; its NA cannot be compared, since a comparison gives NA again.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    if type(value).__name__ == "Decimal":
        return bool(value.is_nan())
    return isinstance(value, (float, np.floating)) and value != value


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number of any type."""
    return isinstance(value, Integral)


def are_numbers(elements: Sequence[Any]) -> bool:
    """Whether all elements are real numbers or missing; a few numbers among symbols are a fault.

    Raises:
        DataError: numbers and other things are mixed.
    """
    kinds = {type(element): element for element in elements if not is_missing(element)}
    numeric = {kind: _is_real(kind) for kind in kinds}
    if len(set(numeric.values())) > 1:
        some = [str(kinds[kind])[:40] for kind in sorted(numeric, key=lambda kind: not numeric[kind])]
        raise DataError(
            f"the stream mixes numbers ({some[0]!r}) with other things ({some[-1]!r}); "
            "make them all numbers, or give kind='symbols'"
        )
    return all(numeric.values())


def numbers_of(elements: Sequence[Any]) -> Array:
    """Real numbers as float64, NaN where one is missing; integers beyond the floats are infinite."""
    return np.array([math.nan if is_missing(element) else number_of(element) for element in elements])


def symbols_of(elements: Any) -> tuple[Array, tuple[str, ...]]:
    """Codes in the order of first appearance (sorted for arrays of numbers), and how each symbol is written.

    Raises:
        DataError: an element cannot be a symbol because it is not hashable.
    """
    if isinstance(elements, np.ndarray) and elements.dtype.kind in "biuf":
        # np.unique takes all NaN for one value.
        distinct, ranks = np.unique(elements, return_inverse=True)
        return ranks.astype(np.int64), tuple(MISSING if is_missing(value) else str(value) for value in distinct)
    known: dict[Any, int] = {}
    try:
        # A NaN is unequal to itself and would be a symbol of its own each time; None stands for all that is missing.
        codes = [known.setdefault(None if is_missing(element) else element, len(known)) for element in elements]
    except TypeError as fault:
        raise DataError(f"{fault}: symbols are hashable values such as strings, numbers or tuples") from fault
    return np.array(codes, dtype=np.int64), tuple(MISSING if symbol is None else str(symbol) for symbol in known)


def _is_real(kind: type) -> bool:
    """Whether values of a type are real numbers; those of `decimal` are registered as numbers only."""
    return issubclass(kind, Number) and (issubclass(kind, Real) or not issubclass(kind, Complex))


def number_of(element: Any) -> float:
    """The float64 next to a real number; infinite beyond the floats."""
    try:
        return float(element)
    except OverflowError:
        return math.inf if element > 0 else -math.inf


_MARKS = ("__array__", "__array_interface__", "__cuda_array_interface__", "__dlpack__", "detach", "to_pylist", "as_py")
"""What an array or a scalar of an array library has at least one of."""
# PyTorch raises RuntimeError, the DLPack protocol BufferError, NumPy the others.
_FAULTS = (TypeError, ValueError, RuntimeError, BufferError, AttributeError, OverflowError)


def is_foreign(kind: type) -> bool:
    """Whether values of a type are arrays or scalars of a library other than NumPy."""
    if issubclass(kind, (np.ndarray, np.generic)):
        return False
    return any(hasattr(kind, mark) for mark in _MARKS)


def as_numpy(x: Any) -> Any:
    """An array or a column of another library as a NumPy array, or as a list of elements where some are missing.

    Args:
        x: an object whose type `is_foreign`.

    Raises:
        DataError: its library does not give its values away.
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
    # ml_dtypes registers bfloat16 and its like under kind V, as NumPy does records and plain bytes.
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
    # Conjugation and negation are only marked on a tensor, and numpy() refuses a marked one.
    return np.asarray(tensor.resolve_conj().resolve_neg().numpy())


def _of_column(x: Any) -> Any:
    """A column of Arrow or polars; as a list where values are missing or NumPy would round or refuse its integers."""
    # An attribute in Arrow, a method in polars.
    missing = getattr(x, "null_count", 0)
    beyond = str(getattr(x, "type", "")).startswith("dictionary") or str(getattr(x, "dtype", "")).endswith("Int128")
    if (missing() if callable(missing) else missing) or beyond:
        return x.to_pylist() if hasattr(x, "to_pylist") else x.to_list()
    return _of_array(x)


def _of_array(x: Any) -> Array:
    """What has an array interface, wherever it lies."""
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        # np.asarray would make an array of one object of it.
        return np.from_dlpack(x, device="cpu")
    try:
        return with_numbers(np.asarray(x))
    except _FAULTS:
        if hasattr(x, "get"):  # as CuPy copies an array from its device
            return np.asarray(x.get())
        raise


WHOLE = 2**53
"""Whole numbers up to this are exact as float64."""


def beyond_floats(column: Array) -> bool:
    """Whether an array of numbers may hold different values that are one float64."""
    kind, size = column.dtype.kind, column.dtype.itemsize
    # Whole numbers of up to 32 bits and shorter floats all are float64 exactly.
    if not column.size or size < 8:
        return False
    if kind in "iu":
        return int(column.max()) > WHOLE or int(column.min()) < -WHOLE
    if kind == "f" and size > 8:
        with np.errstate(over="ignore", invalid="ignore"):
            return not np.array_equal(column.astype(np.float64).astype(column.dtype), column, equal_nan=True)
    return False


def collide(elements: Sequence[Any], floats: Array) -> bool:
    """Whether different numbers of a list have become one float64.

    Args:
        elements: the numbers, of any real types, some of them missing.
        floats: the same as float64, of shape (n,).
    """
    if all(type(element) in (int, float, bool) for element in elements) and not np.any(np.abs(floats) > WHOLE):
        return False
    # Equal numbers of different types have one hash, so a set counts values.
    here = [element for element in elements if not is_missing(element)]
    return len(set(here)) > len(set(floats[~np.isnan(floats)].tolist()))


def dense_ranks(column: Array) -> Array:
    """The rank of each value among the distinct ones, as float64; NaN where a value is missing."""
    if column.dtype.kind in "iu":
        return np.unique(column, return_inverse=True)[1].astype(np.float64)
    ranks = np.full(len(column), np.nan)
    if column.dtype.kind == "f":
        here = ~np.isnan(column)
        ranks[here] = np.unique(column[here], return_inverse=True)[1]
        return ranks
    keys = {place: _exactly(value) for place, value in enumerate(column.tolist()) if not is_missing(value)}
    rank = {key: number for number, key in enumerate(sorted(set(keys.values())))}
    ranks[list(keys)] = [rank[key] for key in keys.values()]
    return ranks


def distances_from_first(column: Array) -> Array:
    """How far each value is from the first known one, taken exactly and then rounded to float64; NaN where missing."""
    from fractions import Fraction

    known = [value for value in column.tolist() if not is_missing(value)]
    start = next((_exactly(value)[1] for value in known if _exactly(value)[0] == 0), Fraction(0))
    return np.array([math.nan if is_missing(value) else _distance(value, start) for value in column.tolist()])


def _distance(element: Any, start: Fraction) -> float:
    outside, exact = _exactly(element)
    return outside * math.inf if outside else number_of(exact - start)


def _exactly(element: Any) -> tuple[int, Fraction]:
    """A number as a key that sorts exactly; infinities lie outside all others."""
    from fractions import Fraction  # few streams need it

    if isinstance(element, Integral):
        return (0, Fraction(int(element)))
    if element in (math.inf, -math.inf):
        return (1 if element > 0 else -1, Fraction(0))
    ratio = getattr(element, "as_integer_ratio", None)
    return (0, Fraction(*ratio()) if ratio else Fraction(number_of(element)))
