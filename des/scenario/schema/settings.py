"""What the settings of a client share: read from a scenario by the names that users write, used by names with units.

A setting is described once: the model that checks what a scenario says is the object that a run reads. Its attributes
carry the names that the code uses (`cap_s`), their aliases the names that users write (`cap`), and its defaults are
those that hold.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    Discriminator,
    GetPydanticSchema,
    PlainSerializer,
    Tag,
    WithJsonSchema,
    model_validator,
)

from des.scenario.schema.spec import Spec, contradiction, mapping_or_word
from des.scenario.schema.statuses import Handled
from des.scenario.text.units import PositiveDuration, read_positive_duration, written_as


@dataclass(frozen=True, slots=True)
class BelongsTo:
    """Marks a field of a setting that means something only beside another: one of these values, or any at all."""

    field: str
    values: tuple[str, ...] = ()


class Setting(Spec):
    """A setting some of whose fields mean nothing without others."""

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        """Refuses what is written, but means nothing beside the rest."""
        for name in self.model_fields_set:
            for mark in type(self).model_fields[name].metadata:
                if isinstance(mark, BelongsTo) and not self._has(mark):
                    value = f": {' or '.join(mark.values)}" if mark.values else ""
                    message = f"{self.written(name)} belongs to {self.written(mark.field)}{value}"
                    raise contradiction(message, self.written(name))
        return self

    def _has(self, mark: BelongsTo) -> bool:
        return getattr(self, mark.field) in mark.values if mark.values else mark.field in self.model_fields_set

    @classmethod
    def written(cls, name: str) -> str:
        """The name that users write for an attribute."""
        return cls.model_fields[name].alias or name


Of = TypeVar("Of")
Off = Annotated[Literal["none"], Tag("word")]
OrNone = Annotated[Annotated[Of, Tag("mapping")] | Off, Discriminator(mapping_or_word)]
"""A setting, or `none`, which takes away what is said elsewhere."""


def _bound_text(bound_s: float) -> str | None:
    return None if bound_s == inf else f"{bound_s!r}s"


Bound = Annotated[
    float,
    BeforeValidator(read_positive_duration),
    PlainSerializer(_bound_text),
    WithJsonSchema(written_as(PositiveDuration)),
]
"""The most seconds that something may take; infinite where nothing is said."""

Failures = Annotated[
    Collection[str | int], GetPydanticSchema(lambda _, handler: handler.generate_schema(tuple[Handled, ...]))
]
"""Failed outcomes as words, by outcome, status or hundred; in a plan, as the codes of outcome kinds."""
