"""Numbers and counts as a reader sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ceteris.evidence.observations import Unit


def numbers(*values: float) -> tuple[str, ...]:
    """Write numbers that stand together with the same decimals: three digits of the largest.

    More decimals where a number that is not zero would read as zero.
    """
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return tuple("0" for _ in values)
    if max(sizes) >= 1e6 or max(sizes) < 1e-4:
        return tuple(format(value, ".3g") for value in values)
    exponent = int(format(max(sizes), ".2e").partition("e")[2])
    decimals = max(0, 2 - exponent)
    while decimals < 6 and any(float(format(size, f".{decimals}f")) == 0 for size in sizes):
        decimals += 1
    return tuple(format(value, f".{decimals}f") for value in values)


def number(value: float | None) -> str:
    """Write one number with three digits; an empty place for None."""
    return "-" if value is None else numbers(value)[0]


def p_words(p: float) -> str:
    """Write a p value: ``p = 0.0004``, ``p < 0.0001``."""
    if p < 1e-4:
        return "p < 0.0001"
    return f"p = {float(format(p, '.2f' if p >= 0.1 else '.4f')):g}"


def percent(confidence: float) -> str:
    """Write a confidence: ``95%``, ``98.3%``."""
    return f"{float(format(100 * confidence, '.4g')):g}%"


def units(n: int, unit: Unit) -> str:
    """Write how many seeds or folds: ``5 seeds``, ``1 seed``, ``5 folds of one seed``."""
    if unit == "folds":
        return f"{n} folds of one seed"
    return f"{n} seed" if n == 1 else f"{n} seeds"


def averaged(n: int, unit: Unit, folds: int) -> str:
    """Write what a mean is over: ``5 seeds``, ``5 seeds, each the mean of its 3 folds,``."""
    each = f", each the mean of its {folds} folds," if unit == "seeds" and folds > 1 else ""
    return f"{units(n, unit)}{each}"


def listing(words: Sequence[str]) -> str:
    """Write a list: ``a, b and c``; words that hold commas themselves are parted by semicolons."""
    if len(words) == 1:
        return words[0]
    if any(", " in word for word in words):
        return f"{'; '.join(words[:-1])}; and {words[-1]}"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def levels(labels: Sequence[str], known: Collection[str]) -> str:
    """Write which of the ``known`` levels are meant: ``all levels``, or the list of them."""
    return "all levels" if len(known) > 1 and set(labels) == set(known) else listing(labels)
