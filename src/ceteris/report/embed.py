"""JSON that can stand inside a script element of an HTML page."""

from __future__ import annotations

import json
from typing import Any

from markupsafe import Markup

_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})


def json_block(value: Any) -> Markup:
    """Return ``value`` as JSON in which no character can end the script element or a line of it.

    ``<``, ``>`` and ``&`` are escaped, so neither ``</script>`` nor ``<!--`` can appear, and so are
    U+2028 and U+2029. Raises ValueError for NaN and infinities, which JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))
