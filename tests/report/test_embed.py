import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.report.embed import json_block

HOSTILE = "</script><!-- <script> & ' \" \u2028 \u2029 学习率"


def test_no_character_can_end_the_script_element_or_a_line():
    block = str(json_block({"label": HOSTILE}))
    assert not set("<>&\u2028\u2029") & set(block)
    assert "学习率" in block


@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_what_is_embedded_reads_back_the_same(value):
    assert json.loads(str(json_block(value))) == value


def test_nan_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_block([float("nan")])
