"""Streams can be read at any index, in any order, by anybody."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from des.draws import BLOCK, KEPT_BLOCKS, ReusedGenerator, Stream, generator


def uniform(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    return rng.random(size)


def normal(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    return rng.standard_normal(size)


def stream(name: str = "luck", seed: int = 1, replication: int = 0) -> Stream:
    return Stream(seed, replication, name, uniform)


def test_a_stream_reads_the_same_forwards_backwards_and_shuffled() -> None:
    indices = list(range(0, 5 * BLOCK, 7))
    read = stream()
    forwards = {index: read.at(index) for index in indices}
    for order in (indices[::-1], random.Random(3).sample(indices, len(indices))):
        again = stream()
        assert {index: again.at(index) for index in order} == forwards


def test_a_single_index_needs_no_other_to_be_read() -> None:
    read = stream()
    ahead = [read.at(i) for i in range(3 * BLOCK)]
    assert stream().at(2 * BLOCK + 5) == ahead[2 * BLOCK + 5]


def test_reading_twice_changes_nothing() -> None:
    read, once = stream(), stream().at(3)
    assert [read.at(3), read.at(3)] == [once, once]
    read.at(700)
    assert read.at(3) == once


def test_blocks_are_drawn_for_themselves() -> None:
    for block in (0, 1, 7, 1_000_000):
        drawn = generator(1, 0, "luck", block).random(BLOCK)
        read = stream()
        assert [read.at(block * BLOCK + place) for place in range(BLOCK)] == drawn.tolist()


def test_the_blocks_of_a_stream_do_not_repeat_one_another() -> None:
    read = stream()
    values = [read.at(i) for i in range(20 * BLOCK)]
    assert len(set(values)) == len(values)
    blocks = np.array(values).reshape(20, BLOCK)
    correlations = np.corrcoef(blocks)[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 5.0 / np.sqrt(BLOCK)


def test_a_block_that_takes_more_than_one_word_a_draw_does_not_run_into_the_next() -> None:
    first = generator(1, 0, "luck", 0)
    many = first.standard_normal(50 * BLOCK)
    second = generator(1, 0, "luck", 1).standard_normal(BLOCK)
    assert not set(many.tolist()) & set(second.tolist())


@pytest.mark.parametrize("other", [("luck", 1, 1), ("luck", 2, 0), ("luck/0", 1, 0), ("", 1, 0), ("luck", 10, 1)])
def test_seed_replication_and_name_each_change_the_draws(other: tuple[str, int, int]) -> None:
    ours = [stream().at(i) for i in range(BLOCK)]
    name, seed, replication = other
    read = stream(name, seed, replication)
    theirs = [read.at(i) for i in range(BLOCK)]
    assert not set(ours) & set(theirs)
    assert abs(np.corrcoef(ours, theirs)[0, 1]) < 5.0 / np.sqrt(BLOCK)


def test_the_parts_of_a_key_do_not_run_together() -> None:
    keys = [(1, 11, "a"), (11, 1, "a"), (1, 1, "1a"), (111, 0, "a"), (0, 111, "a")]
    assert len({generator(*key).random() for key in keys}) == len(keys)


def test_an_evicted_block_is_drawn_again_with_the_same_values() -> None:
    read = stream()
    before = [read.at(i) for i in range(2 * BLOCK)]
    for block in range(2, KEPT_BLOCKS + 10):
        read.at(block * BLOCK)
    assert 0 not in read
    assert 1 not in read
    assert [read.at(i) for i in range(2 * BLOCK)] == before


def test_a_stream_keeps_a_bounded_number_of_blocks() -> None:
    read = stream()
    for block in [*range(3 * KEPT_BLOCKS), *range(3 * KEPT_BLOCKS, 0, -1)]:
        read.at(block * BLOCK)
        assert len(read) <= 2 * 3 * KEPT_BLOCKS  # twice what is read again at most, however far the reader gets


def test_a_stream_whose_readers_move_on_keeps_few_blocks() -> None:
    read = stream()
    for block in range(10 * KEPT_BLOCKS):
        read.at(block * BLOCK)
        assert len(read) <= KEPT_BLOCKS


def test_a_stream_that_few_read_keeps_few_blocks_though_some_come_late() -> None:
    """A block that nobody had asked for yet is asked for after a later one: nothing is drawn a second time for that."""
    read = stream()
    for block in range(1, 10 * KEPT_BLOCKS, 4):
        for asked in (block + 3, block):
            read.at(asked * BLOCK)
            assert len(read) <= KEPT_BLOCKS


def test_the_fast_path_reads_what_at_reads() -> None:
    read = stream()
    for index in (0, 511, 512, 12_345):
        assert read[index >> 9][index & 511] == stream().at(index)


def test_draws_have_the_distribution_of_their_sampler() -> None:
    read = Stream(5, 0, "normal", normal)
    values = np.array([read.at(i) for i in range(40 * BLOCK)])
    assert abs(values.mean()) < 4.0 / np.sqrt(len(values))
    assert abs(values.std() - 1.0) < 4.0 / np.sqrt(2 * len(values))


def test_a_reused_generator_draws_as_a_new_one() -> None:
    reused = ReusedGenerator()
    for name, block in (("a", 0), ("b", 3), ("a", 1 << 40), ("a", 0)):
        for draw in ("random", "standard_normal", "standard_exponential"):
            new = getattr(generator(7, 2, name, block), draw)(513)
            assert (getattr(reused(7, 2, name, block), draw)(513) == new).all()
        new = generator(7, 2, name, block).integers(0, 5, 7, dtype=np.int32)  # half a word is left over
        assert (reused(7, 2, name, block).integers(0, 5, 7, dtype=np.int32) == new).all()
