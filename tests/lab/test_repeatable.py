import pytest

from ceteris.lab import repeatable
from ceteris.lab.repeatable import (
    deciding_differences,
    other_differences,
    recorded_device,
    required_environment,
    with_scheme,
)

NUMERICS = {"version": 1, "device": "cpu", "blas": {"kernels": "SkylakeX", "version": "0.3.31"}}
VERSIONS = with_scheme({"python": "3.11.7", "numba": "0.61.0", "scikit-learn": "1.5"})


def test_what_decides_bits_is_told_from_what_does_not() -> None:
    assert deciding_differences(NUMERICS, NUMERICS, VERSIONS, VERSIONS) == []
    other = NUMERICS | {"blas": {"kernels": "Haswell", "version": "0.3.31"}}
    newer = VERSIONS | {"numba": "0.62.1", "python": "3.12.1"}
    assert deciding_differences(NUMERICS, other, VERSIONS, newer) == [
        "blas.kernels SkylakeX then, Haswell now",
        "numba 0.61.0 then, 0.62.1 now",
    ]
    assert other_differences(VERSIONS, newer) == ["python 3.11.7 then, 3.12.1 now"]


def test_recorded_kernels_are_asked_for_where_the_processor_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    haswell = {"blas": {"kernels": "Haswell"}}
    monkeypatch.setattr(repeatable, "has_avx512", lambda: True)
    assert required_environment(haswell) == {"OPENBLAS_CORETYPE": "Haswell"}
    assert required_environment(NUMERICS) == {}
    monkeypatch.setattr(repeatable, "has_avx512", lambda: False)
    assert required_environment(haswell) == {}


@pytest.mark.parametrize(("recorded", "asked"), [("cpu", "cpu"), ("cuda: NVIDIA H200", "cuda")])
def test_the_device_of_a_record_is_asked_for_again(recorded: str, asked: str) -> None:
    assert recorded_device(recorded) == asked
