"""What a reader sees of a report's page."""

import re
from html import unescape
from pathlib import Path


def text_of(page: Path) -> str:
    """Return the text of a page; what stands as code there stands in backticks here."""
    marked = re.sub(r"</?code>", "`", page.read_text(encoding="utf-8"))
    return unescape(re.sub(r"<[^>]+>", "", marked))
