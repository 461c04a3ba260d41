import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.eventstore import merkle

LEAVES = [bytes([number]) for number in range(70)]


def plain_root(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 6962 defines it, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:middle]) + plain_root(leaves[middle:])).digest()


def subtree(level: int, number: int) -> bytes:
    return plain_root(LEAVES[number << level : (number + 1) << level])


ROOTS = [plain_root(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
sizes = st.integers(1, len(LEAVES))


def test_the_root_is_that_of_the_definition_at_every_size() -> None:
    assert [merkle.root(size, subtree) for size in range(len(LEAVES) + 1)] == ROOTS


@given(sizes, st.data())
def test_every_leaf_is_proven_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion(index, size, subtree)
    assert merkle.includes(LEAVES[index], index, size, path, ROOTS[size])
    other = data.draw(st.integers(0, size - 1).filter(lambda found: found != index)) if size > 1 else size
    assert not merkle.includes(LEAVES[index], other, size, path, ROOTS[size])
    assert not merkle.includes(b"other", index, size, path, ROOTS[size])
    assert not merkle.includes(LEAVES[index], index, size, [*path, ROOTS[1]], ROOTS[size])
    assert not path or not merkle.includes(LEAVES[index], index, size, path[:-1], ROOTS[size])


@given(sizes, st.data())
def test_an_older_tree_is_proven_to_be_a_part(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, size))
    path = merkle.consistency(old, size, subtree)
    assert merkle.extends(old, size, path, ROOTS[old], ROOTS[size])
    if 0 < old < size:
        assert not merkle.extends(old, size, path, ROOTS[old - 1], ROOTS[size])
        assert not merkle.extends(old, size, path, ROOTS[old], ROOTS[size - 1])
        assert not merkle.extends(old, size, path[:-1], ROOTS[old], ROOTS[size])


@given(st.lists(st.integers(0, 30)), st.sampled_from([0, 1, 3]))
def test_leaves_may_be_added_in_any_portions(portions: list[int], lowest: int) -> None:
    found: dict[tuple[int, int], bytes] = {}

    def keep(level: int, number: int, root: bytes) -> None:
        found[level, number] = root

    tree = merkle.Accumulator(0, (), keep, lowest)
    for portion in portions:
        tree.extend(LEAVES[tree.size : tree.size + portion])
        assert tree.root() == ROOTS[tree.size]
    assert all(root == subtree(*place) for place, root in found.items())
    assert len(found) == sum(tree.size >> level for level in range(lowest, 7))


@given(sizes, sizes)
def test_a_tree_continues_from_its_complete_subtrees(first: int, size: int) -> None:
    first, size = sorted((first, size))
    tree = merkle.Accumulator(first, [subtree(*place) for place in merkle.complete_subtrees(0, first)])
    tree.extend(LEAVES[first:size])
    assert tree.root() == ROOTS[size]
