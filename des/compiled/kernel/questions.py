"""What the kernel asks Python, and why it returns to it."""

from des.compiled.kernel.memory import asked, at, float_at, int_at
from des.compiled.kernel.world import TAGS, World

DRAW_BLOCK, SLOW_DRAW, LONG_WAIT, KILL, ARRIVALS, LARGER, MARKS = range(7)
"""Questions: a block of a stream, a draw of a stream without a place in the table, a wait after many retries, the first
incident that kills a call, the next arrivals, more memory for a list, and the
marks of a request."""

OVER, ROWS_ARE_FULL, INCIDENTS_ARE_OVER, PLACES_ARE_FULL, WRONG = range(5)
"""Why the kernel returns. `WRONG`: a question has failed."""


def ask(w: World, what: int, first: int, second: int, third: int) -> int:
    """Python's answer. A failed question ends the run before the next event."""
    return asked(at(w.run, 0).answering, what, first, second, third)


def drawn(w: World, owner: int, nth: int, purpose: int, index: int) -> float:
    """The draw at `index` of the stream for the purpose of a leg's (or the client's) n-th call or decision."""
    g = at(w.run, 0)
    if nth + 1 >= g.calls_kept:
        ask(w, SLOW_DRAW, owner * g.purposes + purpose, nth, index)
        return g.answer
    place = (owner * g.calls_kept + nth + 1) * g.purposes + purpose
    stream = at(w.streams, place)
    block = index >> 9
    if stream.tags == 0:
        ask(w, DRAW_BLOCK, place, block, 0)
    if stream.tags < 0:
        return stream.value
    tag = stream.tags + 16 * (block & (TAGS - 1))
    if int_at(tag) != block:
        ask(w, DRAW_BLOCK, place, block, 0)
    return float_at(int_at(tag + 8) + 8 * (index & 511))
