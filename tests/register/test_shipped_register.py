"""The register that is shipped: its size, its facts of 2014, and that it can be read in full."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from monitor.register.context import common_words
from monitor.register.finder import CompanyFinder
from monitor.register.registry import Register, load_register

AUTUMN_2014 = datetime(2014, 10, 15, tzinfo=UTC)
TODAY = datetime(2025, 6, 2, tzinfo=UTC)

OF_2014 = tuple(
    re.findall(
        r"\S+",
        """
        XOM RDS-B PTR CVX TOT BP BHP SNP SLB BBL AAPL PG BUD KO PM TM PEP UN UL MO JNJ PFE NVS UNH MRK AMGN
        MDT ABBV SNY CELG AMZN BABA WMT CMCSA HD DIS MCD CHTR UPS PCLN NEE DUK D SO NGG AEP PCG EXC SRE PPL
        IEP HRG CODI REX SPLP PICO AGFS GMRE BCH BSAC BRK-A JPM WFC BAC V C HSBC MA GE MMM BA HON UTX LMT
        CAT GD DHR ABB GOOG MSFT FB T CHL ORCL TSM VZ INTC CSCO
        """,
    )
)
"""Tickers that must resolve in a replay of 2014."""


def test_register_has_at_least_five_hundred_listed_companies(register: Register) -> None:
    listed = [c for c in register.companies if c.kind == "company" and c.ticker and c.is_valid_on(TODAY)]
    assert len(listed) >= 500


def test_register_knows_what_is_no_company(register: Register) -> None:
    kinds = {company.kind for company in register.companies}
    assert {"company", "exchange", "central-bank", "regulator"} <= kinds


@pytest.mark.parametrize("ticker", OF_2014)
def test_ticker_of_2014_resolves(register: Register, ticker: str) -> None:
    company = register.resolve(f"${ticker}", AUTUMN_2014)
    assert company is not None
    assert company.is_valid_on(AUTUMN_2014)


def test_tickers_of_2014_are_as_many_companies_but_for_share_classes(register: Register) -> None:
    ids = [register.resolve(f"${ticker}", AUTUMN_2014) for ticker in OF_2014]
    assert len(set(ids)) == len(OF_2014)


def test_parents_are_in_the_register(register: Register) -> None:
    ids = {company.id for company in register.companies}
    assert {company.parent for company in register.companies} <= ids | {""}
    assert any(company.parent for company in register.companies)


def test_every_company_is_found_by_its_own_name(register: Register, finder: CompanyFinder) -> None:
    missed = []
    for company in register.companies:
        at = TODAY if company.valid_to is None else datetime.combine(company.valid_to, datetime.min.time(), UTC)
        before = at if company.valid_to is None else at.replace(year=at.year - 1)
        if company.valid_from is not None and before.date() < company.valid_from:
            before = datetime.combine(company.valid_from, datetime.min.time(), UTC)
        found = {f.mention.entity for f in finder.explain(f"{company.name} says so", before) if f.accepted}
        if company.id not in found:
            missed.append(company.id)
    assert missed == []


def test_exclude_phrases_are_in_small_letters_so_that_case_does_not_matter(register: Register) -> None:
    assert [p for company in register.companies for p in company.exclude if p != p.lower()] == []


def test_common_words_are_in_small_letters() -> None:
    assert len(common_words()) > 500
    assert all(word == word.lower() for word in common_words())


def test_reading_twice_gives_the_same() -> None:
    assert load_register() == load_register()
