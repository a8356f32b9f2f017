"""Records, numbers at addresses, and questions to Python: what the compiler replaces by machine instructions.

As plain Python, a pointer to records is the array of them, and an address is read through ctypes.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

Record = Any
"""A row of a structured array, with its fields as attributes; assigning to one changes the array."""
Records = Any
Answer = Callable[[int, int, int, int], int]

_ANSWERS: dict[int, Answer] = {}


def pointers(world: Any) -> Any:
    """The same world, whose arrays the kernel reads through `at`."""
    return type(world)(*[records.view(np.recarray) for records in world])


def at(records: Records, place: int) -> Record:
    """The record at this place."""
    return records[place]


def beginning_at(records: Records, place: int) -> Records:
    """The records from this place on, for `at`."""
    return records[place:]


def floats(records: Records, first: int, count: int) -> Any:
    """`count` numbers from place `first` on of records of one float each, as an array over the same memory."""
    return np.asarray(records["value"][first : first + count])


def float_at(address: int) -> float:
    """The float at an address."""
    return ctypes.c_double.from_address(int(address)).value


def set_float(address: int, value: float) -> None:
    """Store a float at an address."""
    ctypes.c_double.from_address(int(address)).value = value


def int_at(address: int) -> int:
    """The int64 at an address."""
    return ctypes.c_int64.from_address(int(address)).value


def set_int(address: int, value: int) -> None:
    """Store an int64 at an address."""
    ctypes.c_int64.from_address(int(address)).value = value


def floats_at(address: int, count: int) -> Any:
    """`count` floats from an address on, as an array over the same memory."""
    if count == 0:
        return np.empty(0)
    return np.ctypeslib.as_array((ctypes.c_double * count).from_address(int(address)))


def asked(address: int, what: int, first: int, second: int, third: int) -> int:
    """What Python answers a question. `address` is that of its answering function."""
    return _ANSWERS[address](what, first, second, third)


def answering(address: int, answer: Answer | None) -> None:
    """Say which function answers at an address, for the kernel as plain Python; None: no longer any."""
    if answer is None:
        _ANSWERS.pop(address, None)
    else:
        _ANSWERS[address] = answer
