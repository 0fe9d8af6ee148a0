"""YAML 1.2 with line numbers; whatever cannot be read is one clear line."""

from pathlib import Path

import pytest

from ceteris.errors import CeterisError
from ceteris.spec.document import MAX_BYTES, parse_document, parse_value, read_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("-0.5", -0.5),
        ("32", 32),
        ("1_000", 1000),
        ("0x10", 16),
        ("0o17", 15),
        ("010", 10),
        ("yes", "yes"),
        ("off", "off"),
        ("True", True),
        ("none", "none"),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("2020-01-01", "2020-01-01"),
        ("12:30", "12:30"),
        ("[64, 32]", [64, 32]),
        ("{kind: sgd, lr: 1e-2}", {"kind": "sgd", "lr": 0.01}),
        ("{1e-5: a, true: b, null: c}", {"1e-05": "a", "true": "b", "none": "c"}),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_every_key_and_item_knows_its_line() -> None:
    document = parse_document("a: 1\n\nb:\n  c.d: [1,\n    2]\n  e:\n    - {f: 3}\n")
    assert document.lines == {"": 1, "a": 1, "b": 3, "b.c.d": 4, "b.c.d.0": 4, "b.c.d.1": 5} | {
        "b.e": 6,
        "b.e.0": 7,
        "b.e.0.f": 7,
    }


def test_anchors_are_read_where_they_are_used() -> None:
    assert parse_document("a: &x {b: 1}\nc: *x\n").data == {"a": {"b": 1}, "c": {"b": 1}}


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcd", "bcde", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "f.yaml: the file is empty; a study needs at least `experiment`"),
        ("# only a comment\n", "f.yaml: the file is empty; a study needs at least `experiment`"),
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: `a` is given twice, first on line 1"),
        ("x:\n  a: 1\n  a: 3", "f.yaml:3: x.a: `a` is given twice, first on line 2"),
        ("1: a\n1.0: b", "f.yaml:2: 1: `1` is given twice, first on line 1"),
        ("a:\n\tb: 1", "f.yaml:2: a tab stands where YAML wants spaces; indent with spaces"),
        ("\ta: 1", "f.yaml:1: a tab stands where YAML wants spaces; indent with spaces"),
        ("x: 1\na: b: c", "f.yaml:2: this is not YAML: mapping values are not allowed here"),
        ("a: [1\n", "f.yaml:2: this is not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("a: *x", "f.yaml:1: this is not YAML: found undefined alias 'x'"),
        ("a: 1\n---\nb: 2", "f.yaml:2: the file holds more than one document; write one study per file"),
        ("a: !!python/object:os.system x", "f.yaml:1: a: the tag `!!python/object:os.system` is not known"),
        (
            "a: !!python/object/apply:os.system [x]",
            "a: the tag `!!python/object/apply:os.system` is not known",
        ),
        ("a: !mine {b: 1}", "f.yaml:1: a: the tag `!mine` is not known; a study is plain data"),
        ("a: !!float x", "f.yaml:1: a: 'x' cannot be read as a number"),
        (
            "a: 99999999999999999999999",
            "a: '99999999999999999999999' cannot be read as a whole number of 64 bits",
        ),
        ("<<: 1", "f.yaml:1: merging with `<<` is not part of YAML 1.2; write the settings out"),
        ("? [1]\n: 2", "f.yaml:1: a name must be text or a number, not a list or a mapping"),
        ("a: \x07", "f.yaml:1: this is not YAML: special characters are not allowed"),
        ("&a [*a]", "f.yaml:1: this is nested more than 32 deep, which no study is"),
        ("[" * 5000, "f.yaml:1: this is nested more than 32 deep, which no study is"),
        (BOMB, "the file holds more than 20,000 values, which no study does"),
    ],
)
def test_what_is_not_a_specification_is_one_clear_line(text: str, words: str) -> None:
    with pytest.raises(CeterisError) as caught:
        parse_document(text, "f.yaml")
    assert len(caught.value.problems) == 1
    assert words in str(caught.value)


def test_two_duplicates_are_told_at_once() -> None:
    with pytest.raises(CeterisError) as caught:
        parse_document("a: 1\na: 2\nb: 1\nb: 2\n")
    assert len(caught.value.problems) == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: 1\ntitle: Lernrate für SGD\n".encode("latin-1"))
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    for path, words in [
        (tmp_path, f"{tmp_path}: this is a folder; give a YAML file"),
        (tmp_path / "none.yaml", "none.yaml: there is no such file"),
        (latin, "latin.yaml:2: the file is not text in UTF-8; save it in that encoding"),
        (large, "large.yaml: the file is larger than 256 KiB, which no study is"),
        (Path("/dev/null"), "/dev/null: this is not an ordinary file"),
        (tmp_path / ("x" * 300 + ".yaml"), "the file cannot be read: File name too long"),
    ]:
        with pytest.raises(CeterisError) as caught:
            read_document(path)
        assert str(caught.value).endswith(words)


def test_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xe4\xb8\xad\xe6\x96\x87\r\n")
    document = read_document(path)
    assert document.data == {"a": 1, "b": "中文"}
    assert document.lines["b"] == 2
