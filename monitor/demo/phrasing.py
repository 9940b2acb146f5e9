"""Makes sentences of the templates in phrases.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from random import Random
from typing import Any

__all__ = ["Phrasebook", "phrasebook"]

_SLOT = re.compile(r"\{(\w+)\}")


class Phrasebook:
    """Templates by family, form and tone, and what their slots may hold.

    Args:
        tables: `slots`, `things` and `products` (by sector), and one table for each family.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables = tables

    def say(self, rng: Random, path: tuple[str, str, str], bound: Mapping[str, str]) -> str:
        """Return a sentence.

        Args:
            rng: Chooses template and words.
            path: Family, form (``headlines``, ``sentences`` or ``comments``) and tone.
            bound: Slots with a value of their own; `sector` chooses things and products.
        """
        return self.say_some(rng, path, bound, 1)[0]

    def say_some(self, rng: Random, path: tuple[str, str, str], bound: Mapping[str, str], most: int) -> list[str]:
        """Return up to `most` sentences, each of another template."""
        family, form, tone = path
        templates: list[str] = self._tables[family][form][tone]
        chosen = rng.sample(templates, min(most, len(templates)))
        texts = [self._fill(rng, template, bound).strip() for template in chosen]
        return [text[:1].upper() + text[1:] for text in texts]

    def _fill(self, rng: Random, template: str, bound: Mapping[str, str]) -> str:
        def word(slot: re.Match[str]) -> str:
            name = slot.group(1)
            if name in bound:
                return bound[name]
            return self._fill(rng, rng.choice(self._choices(name, bound.get("sector", ""))), bound)

        return _SLOT.sub(word, template)

    def _choices(self, name: str, sector: str) -> Sequence[str]:
        by_sector = {"thing": "things", "product": "products"}.get(name)
        found: Sequence[str] = self._tables[by_sector][sector] if by_sector else self._tables["slots"][name]
        return found


@cache
def phrasebook() -> Phrasebook:
    """Return the phrasebook that comes with the product."""
    return Phrasebook(tomllib.loads(resources.files("monitor.demo").joinpath("phrases.toml").read_text("utf-8")))
