import hashlib
import re
from importlib.resources import files

VENDOR = files("ceteris.report") / "vendor"
README = (VENDOR / "README.md").read_text(encoding="utf-8")


def test_the_library_is_the_file_that_the_readme_describes():
    content = (VENDOR / "echarts.min.js").read_bytes()
    assert f"`{hashlib.sha256(content).hexdigest()}`" in README
    assert f"{len(content)} bytes" in README


def test_the_library_can_stand_inside_a_page_and_asks_nothing_of_the_network():
    text = (VENDOR / "echarts.min.js").read_text(encoding="utf-8")
    assert "</script" not in text.lower()
    assert "<!--" not in text
    assert set(re.findall(r"https?://[\w.]+", text)) == {"http://www.w3.org"}  # names of SVG's namespaces
    assert not re.search(r"\bfetch\(|XMLHttpRequest|importScripts|WebSocket|sendBeacon", text)


def test_licences_stand_beside_it_and_the_notice_fits_into_a_comment():
    licences = (VENDOR / "LICENSES.txt").read_text(encoding="utf-8")
    for words in ("Apache License", "Mike Bostock", "Baidu Inc.", "Microsoft Corporation"):
        assert words in licences
    assert "--" not in (VENDOR / "NOTICE.txt").read_text(encoding="utf-8")
