"""How networks are trained: the recipe of the shipped one, of a large teacher, and of a small one that is taught."""

from __future__ import annotations

from dataclasses import dataclass

from models.bases import LARGE_BASE
from models.learning import Recipe

__all__ = ["MEMBERS", "Member", "recipe_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """How one of the networks is trained whose weights are averaged; see `Recipe` for the fields."""

    masking: float
    consistency: float


MEMBERS = (Member(masking=0.0, consistency=0.0), Member(masking=0.1, consistency=1.0))
"""One network learns the labels closely, the other one guardedly; the mean of the two is better than either.

References:
    Wortsman et al. (2022), Model soups: averaging weights of multiple fine-tuned models.
"""

_LARGE = Recipe(epochs=3, batch=32, learning_rate=5e-5, average=0.998)
"""For the large base: a smaller step, smaller batches; one network, since it only teaches."""

_TAUGHT = Recipe(epochs=8, teaching=0.7)
"""For a small network with a teacher: what the teacher says of every text keeps it from learning labels by heart."""


def recipe_for(base: str, *, taught: bool) -> tuple[Recipe, tuple[Member, ...]]:
    """Return the recipe and the networks whose mean is kept, for a base and with or without a teacher."""
    if base == LARGE_BASE:
        return _LARGE, (Member(masking=0.0, consistency=0.0),)
    return (_TAUGHT, (Member(masking=0.1, consistency=0.0),)) if taught else (Recipe(), MEMBERS)
