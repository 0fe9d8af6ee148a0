"""What every part of a specification has in common: frozen, complete, unknown keys refused."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic_core import PydanticCustomError

from ceteris.errors import CeterisError, Problem
from ceteris.spec.labels import format_label
from ceteris.spec.wording import LEVEL, SENTENCE, problems_of

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class SpecType(ModelMetaclass):
    """Makes ``SGD(lr=-1)`` in Python raise the same sentences as a file with the same mistake."""

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """Validate the settings.

        Raises:
            CeterisError: with one problem for each wrong setting.
        """
        if args:
            first = next(iter(cast("type[BaseModel]", self).model_fields))
            message = f"settings are given by their names: {self.__name__}({first}=...)"
            raise CeterisError(Problem(message, where=self.__name__))
        try:
            return super().__call__(**settings)
        except ValidationError as error:
            problems = problems_of(error, cast("type[BaseModel]", self), settings, self.__name__)
        raise CeterisError(problems)


class Spec(BaseModel, metaclass=SpecType):
    """A part of a specification. It never changes; a changed copy comes from ``apply_patch``."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )


def wrong(sentence: str, field: str = "") -> PydanticCustomError:
    """Return an error for a validator to raise, whose sentence reaches the user as it stands.

    ``field`` names the setting that is to be corrected, where the validator looks at several.
    """
    return PydanticCustomError(SENTENCE, "{sentence}", {"sentence": sentence, "field": field})


def _real(value: object) -> object:
    """Let numbers of any library pass as Python's own; refuse truth values and text."""
    if isinstance(value, bool | str):
        raise PydanticCustomError("not_a_number", "not a number")
    if isinstance(value, numbers.Integral):
        value = int(value)
    if isinstance(value, numbers.Real):
        try:
            return value if isinstance(value, int) and abs(value) < 2**63 else float(value)
        except OverflowError:
            return math.inf
    return value


def _kind_only(value: object) -> object:
    """Expand the short form: ``adam`` means ``{kind: adam}``."""
    return {"kind": value} if isinstance(value, str) else value


def _one_to_list(value: object) -> object:
    """Expand the short form: ``64`` means ``[64]``."""
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


def _label(value: object) -> object:
    return value if isinstance(value, str) else format_label(value)


AnyNumber = BeforeValidator(_real)
KindOnly = BeforeValidator(_kind_only)
OneToList = BeforeValidator(_one_to_list)

Number = Annotated[float, AnyNumber]
Whole = Annotated[int, AnyNumber]
Switch = Annotated[bool, Strict()]
Label = Annotated[str, BeforeValidator(_label), Field(title=LEVEL)]
"""A level's label; a claim may give the value instead (``order: [32, 1000]``)."""
