"""Lists that grow: numbers in memory that Python enlarges when asked to."""

from des.compiled.kernel.memory import Record, at, float_at, int_at, set_float, set_int
from des.compiled.kernel.questions import LARGER, ask
from des.compiled.kernel.world import World


def put_last(w: World, number: int, value: float) -> None:
    """Add a float at the end of a list."""
    several = at(w.lists, number)
    if several.first + several.count == several.places:
        ask(w, LARGER, number, 0, 0)
    set_float(several.address + 8 * (several.first + several.count), value)
    several.count += 1


def drop_first(several: Record, count: int) -> None:
    """Leave out the first entries."""
    several.first += count
    several.count -= count
    if several.count == 0:
        several.first = 0


def first_of(several: Record) -> float:
    """The first float."""
    return float_at(several.address + 8 * several.first)


def address_of(several: Record) -> int:
    """Where the first entry is."""
    address: int = several.address + 8 * several.first
    return address


# Heaps of floats, the least first.


def heap_push(w: World, number: int, value: float) -> None:
    """Add a float to a heap."""
    put_last(w, number, value)
    several = at(w.lists, number)
    address = address_of(several)
    place = several.count - 1
    while place > 0:
        above = (place - 1) >> 1
        if float_at(address + 8 * above) <= value:
            break
        set_float(address + 8 * place, float_at(address + 8 * above))
        place = above
    set_float(address + 8 * place, value)


def heap_replace(several: Record, value: float) -> None:
    """Put a float into the place of the least one."""
    address, count = address_of(several), several.count
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        if below + 1 < count and float_at(address + 8 * below + 8) < float_at(address + 8 * below):
            below += 1
        if float_at(address + 8 * below) >= value:
            break
        set_float(address + 8 * place, float_at(address + 8 * below))
        place = below
    set_float(address + 8 * place, value)


def heap_pop(several: Record) -> None:
    """Remove the least float."""
    several.count -= 1
    if several.count > 0:
        heap_replace(several, float_at(address_of(several) + 8 * several.count))


# Corrections to come: heaps of (time, number, estimated, actual, entry), of five words each.

WORDS = 5


def _precedes(one: int, time_s: float, number: int) -> bool:
    if float_at(one) != time_s:
        return float_at(one) < time_s
    return int_at(one + 8) < number


def _copy(to: int, of: int) -> None:
    for word in range(WORDS):
        set_int(to + 8 * word, int_at(of + 8 * word))


def corrections_push(
    w: World, number: int, time_s: float, order: int, estimated: float, actual: float, entry: int
) -> None:
    """Add a correction."""
    several = at(w.lists, number)
    if WORDS * (several.count + 1) > several.places:
        ask(w, LARGER, number, 0, 0)
    place = several.count
    several.count = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if _precedes(several.address + 8 * WORDS * above, time_s, order):
            break
        _copy(several.address + 8 * WORDS * place, several.address + 8 * WORDS * above)
        place = above
    address = several.address + 8 * WORDS * place
    set_float(address, time_s)
    set_int(address + 8, order)
    set_float(address + 16, estimated)
    set_float(address + 24, actual)
    set_int(address + 32, entry)


def corrections_pop(several: Record) -> None:
    """Remove the first correction."""
    count = several.count - 1
    several.count = count
    last = several.address + 8 * WORDS * count
    time_s, order = float_at(last), int_at(last + 8)
    place = 0
    while True:
        below = 2 * place + 1
        if below >= count:
            break
        address = several.address + 8 * WORDS * below
        if below + 1 < count:
            right = address + 8 * WORDS
            if _precedes(right, float_at(address), int_at(address + 8)):
                below, address = below + 1, right
        if not _precedes(address, time_s, order):
            break
        _copy(several.address + 8 * WORDS * place, address)
        place = below
    if place != count:
        _copy(several.address + 8 * WORDS * place, last)
