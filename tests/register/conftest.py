"""The shipped register, loaded once, and documents to search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from monitor.domain.documents import Document, SourceClass
from monitor.register.finder import CompanyFinder
from monitor.register.registry import Register, load_register

MakeDocument = Callable[..., Document]


@pytest.fixture(scope="session")
def register() -> Register:
    return load_register()


@pytest.fixture(scope="session")
def finder(register: Register) -> CompanyFinder:
    return CompanyFinder(register.companies)


@pytest.fixture(scope="session")
def make_document() -> MakeDocument:
    def make(title: str, text: str = "", day: str = "2024-06-03", hints: tuple[str, ...] = ()) -> Document:
        at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
        return Document(
            id="d1",
            source="wire",
            source_class=SourceClass.NEWS,
            origin="wire",
            title=title or "-",
            text=text,
            url="",
            language="en",
            published_at=at,
            crawled_at=at,
            event_at=at,
            story="d1",
            hints=hints,
        )

    return make
