"""How numbers are written in the report: as many digits as their interval supports."""

from __future__ import annotations

import math

NARROW = 1e-5
"""Intervals narrower than this share of the value do not get more than its five digits."""
MINUS = "−"


def plain(value: float | None, digits: int = 4) -> str:
    """Write ``value`` with ``digits`` significant digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{max(digits - 2, 0)}e}".replace("-", MINUS)
    return f"{value:.{digits}g}".replace("-", MINUS)


def with_interval(value: float | None, low: float | None, high: float | None, *, signed: bool = False) -> str:
    """Write ``value [low, high]``, all with the decimals at which the interval's half-width has two digits.

    Without an interval (one seed) only the value; a dash without a value.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return _sign(value, signed) + plain(value)
    decimals = _decimals(value, (high - low) / 2)
    if decimals is None:
        return f"{_sign(value, signed)}{plain(value)} [{plain(low)}, {plain(high)}]"
    mean, *ends = (round(number, decimals) + 0.0 for number in (value, low, high))  # no zero keeps a sign
    parts = [f"{number:.{decimals}f}".replace("-", MINUS) for number in (mean, *ends)]
    return f"{_sign(mean, signed)}{parts[0]} [{parts[1]}, {parts[2]}]"


def _decimals(value: float, half_width: float) -> int | None:
    """Return the decimals to print, or None where powers of ten read better."""
    size = max(abs(value), half_width)
    if size == 0:
        return 1
    if not 1e-3 <= size < 1e5:
        return None
    if half_width == 0:
        return max(0, 3 - math.floor(math.log10(size)))
    if half_width < NARROW * size:
        return max(0, 4 - math.floor(math.log10(size)))
    return min(7, max(0, 1 - math.floor(math.log10(half_width))))


def _sign(value: float, signed: bool) -> str:
    return "+" if signed and value > 0 else ""


def p_value(p: float | None) -> str:
    """Write a p value as ``p = 0.012`` or ``p < 0.001``; a dash where there is none."""
    if p is None or not math.isfinite(p):
        return "–"
    return "p < 0.001" if p < 1e-3 else f"p = {p:.2g}"


def duration(seconds: float) -> str:
    """Write a time as ``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def counted(number: int, noun: str) -> str:
    """Write ``1 seed`` or ``5 seeds``, with commas in long numbers."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def rounded(value: float, digits: int) -> float | None:
    """Round to ``digits`` significant digits; None for what is not finite (JSON has no NaN)."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
