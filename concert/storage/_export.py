"""The data of a scan for pandas and xarray, which are optional: units go along as attributes."""

from __future__ import annotations

import importlib
from typing import Any

from concert.quantities import q
from concert.storage._data import ScanData


def to_pandas(data: ScanData) -> Any:
    """Return a :class:`pandas.DataFrame` with a column for each of *data*; its ``attrs["units"]`` has their units.

    Of an array at each point, the table has the arrays as objects.
    """
    pandas = _load("pandas")
    columns = {name: data[name] for name in data.columns}
    frame = pandas.DataFrame({name: _series(_magnitude(column)) for name, column in columns.items()})
    frame.attrs["title"] = data.title
    frame.attrs["units"] = {name: _unit(column) for name, column in columns.items()}
    return frame


def to_xarray(data: ScanData) -> Any:
    """Return a :class:`xarray.Dataset`: a variable with an attribute ``units`` for each column, by point.

    The column that was varied is the coordinate of the points.
    """
    xarray = _load("xarray")
    variables = {}
    for name in data.columns:
        values = _magnitude(data[name])
        dimensions = ["point", *(f"{name}_{axis}" for axis in range(1, values.ndim))]
        unit = _unit(data[name])
        variables[name] = xarray.Variable(dimensions, values, {"units": unit} if unit else {})
    coordinates = {data.axis: variables.pop(data.axis)}
    return xarray.Dataset(variables, coordinates, {"title": data.title, "start_time": data.began.isoformat()})


def _load(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ImportError(f"this needs {package}, which is not installed: pip install {package}") from None


def _series(values: Any) -> Any:
    return values if values.ndim == 1 else list(values)


def _magnitude(column: Any) -> Any:
    return column.magnitude if isinstance(column, q.Quantity) else column


def _unit(column: Any) -> str:
    return f"{column.units:~P}" if isinstance(column, q.Quantity) else ""
