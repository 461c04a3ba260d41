"""Merkle tree over the hashes of the log (RFC 6962): what is in a tree of some size is proven by a few hashes.

The tree of n leaves splits at the largest power of two below n. A complete subtree of 2^level leaves is named by its
level and its number at that level, counted from the left; it never changes once it is complete. All hashes are SHA-256.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

EMPTY = hashlib.sha256(b"").digest()
Subtree = Callable[[int, int], bytes]
"""The hash of a complete subtree by level and number."""


def leaf(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield level and number of the largest complete subtrees that cover the leaves from `start` to before `end`.

    `start` is a multiple of the largest power of two that is at most end - start, as everywhere in the tree.
    """
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def root(size: int, subtree: Subtree) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _range(0, size, subtree) if size else EMPTY


def inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of leaf `index` (from 0) in the tree of `size` leaves, from the leaf up (RFC 6962)."""
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of `size` leaves begins with that of the first `old` (RFC 6962, 2.1.2)."""
    if old in {0, size}:
        return []
    path, start, end = [], 0, size
    whole = True  # the part of the old tree within start..end is a subtree whose hash the verifier knows
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range(middle, end, subtree))
            end = middle
        else:
            path.append(_range(start, middle, subtree))
            start, whole = middle, False
    return ([] if whole else [_range(start, end, subtree)]) + path[::-1]


def includes(data: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Tell whether leaf `index` of the tree of `size` leaves with the root `expected` is `data` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf(data)
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node(found, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and found == expected


def extends(old: int, size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Tell whether the tree of `size` leaves begins with that of `old`, by their roots (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not path and old_root == new_root
    if not 0 < old < size or not path:
        return old == 0 and not path and old_root == EMPTY
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    position, last = old - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            before, after = node(sibling, before), node(sibling, after)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            after = node(after, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


class Accumulator:
    """The tree of leaves that are added one after another; holds one hash per level."""

    def __init__(
        self,
        size: int = 0,
        subtrees: Iterable[bytes] = (),
        completed: Callable[[int, int, bytes], None] | None = None,
        lowest: int = 0,
    ) -> None:
        """Continue a tree of `size` leaves from the hashes of its `complete_subtrees(0, size)`.

        `completed` receives each subtree of at least 2^lowest leaves that becomes complete: level, number, hash.
        """
        self.size = size
        self._subtrees = list(subtrees)
        self._completed = completed
        self._lowest = lowest

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaves in order, whole aligned groups of 2^lowest at once."""
        group, done = 1 << self._lowest, 0
        while done < len(leaves):
            if self.size % group == 0 and len(leaves) - done >= group:
                self._append(_balanced(leaves[done : done + group]), self._lowest)
                done += group
            else:
                self._append(leaf(leaves[done]), 0)
                done += 1

    def _append(self, found: bytes, level: int) -> None:
        """Add a complete subtree at the right end, whose size is aligned to it."""
        number = self.size >> level
        self.size += 1 << level
        while True:
            if self._completed and level >= self._lowest:
                self._completed(level, number, found)
            if not number & 1:
                break
            found, level, number = node(self._subtrees.pop(), found), level + 1, number >> 1
        self._subtrees.append(found)

    def root(self) -> bytes:
        """Return the root of the tree so far."""
        return _joined(self._subtrees) if self._subtrees else EMPTY


def _split(size: int) -> int:
    """Return the largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _range(start: int, end: int, subtree: Subtree) -> bytes:
    return _joined([subtree(level, number) for level, number in complete_subtrees(start, end)])


def _joined(subtrees: Sequence[bytes]) -> bytes:
    """Return the root above complete subtrees of falling size."""
    *others, found = subtrees
    for left in reversed(others):
        found = node(left, found)
    return found


def _balanced(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a power of two of leaves."""
    sha256 = hashlib.sha256
    level = [sha256(b"\x00" + data).digest() for data in leaves]
    while len(level) > 1:
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]
