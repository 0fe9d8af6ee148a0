import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceteris.lab.wire import receive, send


@given(st.lists(st.binary() | st.text() | st.integers()))
def test_messages_come_out_as_they_went_in(messages: list[object]) -> None:
    pipe = io.BytesIO()
    for message in messages:
        send(pipe, message)
    pipe.seek(0)
    assert [receive(pipe) for _ in messages] == messages


def test_arrays_travel_bit_for_bit() -> None:
    array = np.array([np.nan, -0.0, 1e-45, np.inf], dtype=np.float32)
    pipe = io.BytesIO()
    send(pipe, {"x": array})
    pipe.seek(0)
    assert receive(pipe)["x"].tobytes() == array.tobytes()


def test_the_end_and_half_a_message_are_both_the_end() -> None:
    pipe = io.BytesIO()
    send(pipe, "whole")
    whole = pipe.getvalue()
    for length in (0, 3, 8, len(whole) - 1):
        with pytest.raises(EOFError):
            receive(io.BytesIO(whole[:length]))
