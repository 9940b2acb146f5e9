"""What the finder makes of sentences, by phenomenon. All sentences are invented."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.domain.documents import Document
from monitor.register.finder import CompanyFinder

NOW = "2024-06-03"
THEN = "2014-10-15"

SENTENCES = [
    ("plain name", "Pfizer lifts its outlook", NOW, ["PFE"]),
    ("name with legal form", "Shares of Apple Inc. rose", NOW, ["AAPL"]),
    ("two names", "Intel and Nvidia fall in early trade", NOW, ["INTC", "NVDA"]),
    ("alias", "JP Morgan hires two bankers", NOW, ["JPM"]),
    ("alias with dots", "J.P. Morgan hires two bankers", NOW, ["JPM"]),
    ("short alias of a bank", "BofA cuts its forecast", NOW, ["BAC"]),
    ("acronym", "IBM opens a laboratory", NOW, ["IBM"]),
    ("two-letter acronym", "GE wins an order", NOW, ["GE"]),
    ("name with an ampersand", "AT&T adds customers", NOW, ["T"]),
    ("name with an ampersand left as HTML has it", "AT&amp;T adds customers", NOW, ["T"]),
    ("car maker that is not the truck maker", "Volvo Cars hires, Volvo does not", NOW, ["VLVCY", "VOLVY"]),
    ("index", "S&P 500 closes higher, FTSE flat", NOW, ["SPX", "FTSE"]),
    ("name with a digit", "3M settles a claim", NOW, ["MMM"]),
    ("name with a mark", "Yahoo! posts results", THEN, ["YHOO"]),
    ("small first letter", "eBay fees rise", NOW, ["EBAY"]),
    ("any case where the register has no capitals", "i cancelled netflix today", NOW, ["NFLX"]),
    ("possessive", "Boeing's orders fall", NOW, ["BA"]),
    ("possessive with a curly quote", "Boeing’s orders fall", NOW, ["BA"]),
    ("possessive that belongs to the name", "McDonald's sales drop", NOW, ["MCD"]),
    ("curly quote within the name", "McDonald’s sales drop", NOW, ["MCD"]),
    ("possessive of a name ending in s", "Starbucks' stores close", NOW, ["SBUX"]),
    ("hyphen after the name", "a Google-backed start-up", NOW, ["GOOG"]),
    ("hyphen before the name", "UPDATE 1-Tesco cuts dividend", NOW, ["TSCDY"]),
    ("hyphen within the name", "Coca-Cola buys a brand", NOW, ["KO"]),
    ("hashtag", "long #Tesla here", NOW, ["TSLA"]),
    ("accents", "Nestlé sells its water unit", NOW, ["NSRGY"]),
    ("without the accents", "Nestle sells its water unit", NOW, ["NSRGY"]),
    ("longest name wins", "Bank of America Merrill Lynch moves", NOW, ["BAC"]),
    ("longer name of another company", "Merck KGaA in licence deal", NOW, ["MRK.DE"]),
    ("shorter name elsewhere", "Merck in licence deal", NOW, ["MRK"]),
    ("central bank within a bank's name", "Royal Bank of Canada raises dividend", NOW, ["RY"]),
    ("central bank", "Fed holds rates, Bank of England next", NOW, ["FED", "BOE"]),
    ("inside a word", "Pineapple and Intelligence", NOW, []),
    ("inside a word with capitals", "ForDummies and GEneral", NOW, []),
    ("small letters where the name has capitals", "an apple a day, shell on the beach", NOW, []),
    ("excluded phrase", "Concert at Barclays Center sold out", NOW, []),
    ("excluded phrase does not hide another mention", "Barclays funds Barclays Center", NOW, ["BCS"]),
    ("excluded fruit", "Apple growers fear frost", NOW, []),
    ("excluded forest", "Loggers leave the Amazon", NOW, []),
    ("excluded mayor", "Rob Ford returns to office", THEN, []),
    ("excluded index of another", "China factories slow: HSBC PMI", NOW, []),
    ("target as a noun", "Target rate stays at two percent", NOW, []),
    ("target as a verb", "Regulators Target Lenders", NOW, []),
    ("price target in title case", "Price Target Raised To $50", NOW, []),
    ("target the retailer with a verb", "Target says sales fell", NOW, ["TGT"]),
    ("target the retailer in full", "Thieves robbed Target Corp stores", NOW, ["TGT"]),
    ("target the retailer as owner", "Target's holiday sales rise", NOW, ["TGT"]),
    ("gap as a noun", "Gap between rich and poor grows", NOW, []),
    ("gap the retailer", "Gap cuts its profit forecast", NOW, ["GPS"]),
    ("visa of a traveller", "Visa rules for students change", NOW, []),
    ("visa in a list with a company", "Visa, Mastercard face new caps", NOW, ["V", "MA"]),
    ("common word beside its cashtag", "Bought Visa for the long run $V", NOW, ["V", "V"]),
    ("orange the operator", "Orange to cut jobs in Spain", NOW, ["ORAN"]),
    ("orange the fruit", "Orange harvest hit by frost", NOW, []),
    ("cashtag", "$AAPL looks heavy", NOW, ["AAPL"]),
    ("cashtag in small letters", "long $aapl and $msft", NOW, ["AAPL", "MSFT"]),
    ("cashtag with a share class", "$BRK.B at a high", NOW, ["BRK.B"]),
    ("cashtag with a dash", "$RDS-B pays well", THEN, ["RDS.B"]),
    ("cashtag at the end of a sentence", "I sold $TSLA.", NOW, ["TSLA"]),
    ("cashtag of one letter", "$T and $C are cheap", NOW, ["T", "C"]),
    ("cashtag of another exchange", "$T.TO raises dividend", NOW, ["TU"]),
    ("sum of money", "It cost $5 or US$T and $ALLTHEMONEY", NOW, []),
    ("bare ticker of four letters", "MSFT and GOOG led the gains", NOW, ["MSFT", "GOOG"]),
    ("bare ticker that is a word", "ALL of us, NOW and IT", NOW, []),
    ("bare ticker of one letter", "Plan C for T and V", NOW, []),
    ("ticker with its exchange", "Results (NYSE: T) beat", NOW, ["T"]),
    ("ticker with its exchange, no space", "Watch NASDAQ:AAPL today", NOW, ["AAPL"]),
    ("Reuters code", "Drugmaker <JNJ.N> slips", NOW, ["JNJ"]),
    ("Reuters code of another country", "Lender <BARC.L> slips", NOW, ["BCS"]),
    ("ambiguous ticker in brackets alone", "Senator Smith (D) and plan (C)", NOW, []),
    ("ambiguous ticker in brackets beside its name", "Citigroup (C) slips", NOW, ["C", "C"]),
    ("exchange named with its listing only", "NYSE: XQZW rises", NOW, []),
    ("headline in capitals", "BOEING AND AIRBUS WIN ORDERS", NOW, ["BA", "EADSY"]),
    ("common word in a headline in capitals", "TARGET SAYS SALES FELL AGAIN", NOW, ["TGT"]),
    ("noun in a headline in capitals", "INFLATION TARGET MISSED AGAIN", NOW, []),
    ("bare ticker in a headline in capitals", "THE MSFT CONFERENCE BEGINS TODAY", NOW, []),
    ("one word in capitals is no headline", "an APPLE a day keeps them away", NOW, []),
    ("address of a page", "see https://example.org/Apple/Intel for more", NOW, []),
    ("address of a mailbox", "write to netflix@example.org", NOW, []),
    ("Japanese name", "トヨタは工場を閉鎖する", NOW, ["TM"]),
    ("Latin name in Japanese text", "昨日Appleの株価が上昇", NOW, ["AAPL"]),
    ("Korean name with a particle", "삼성전자가 실적을 발표했다", NOW, ["SSNLF"]),
    ("Chinese name", "阿里巴巴发布财报", NOW, ["BABA"]),
    ("Cyrillic name", "Газпром снижает добычу", NOW, ["OGZPY"]),
    ("Cyrillic name inside a word", "Газпромбанк растёт", NOW, []),
    ("name of the time", "Facebook buys a start-up", THEN, ["FB"]),
    ("name that came later", "Facebook buys a start-up", NOW, ["META"]),
    ("ticker of the time", "$FB and $PCLN and $YHOO", THEN, ["FB", "PCLN", "YHOO"]),
    ("ticker that passed on", "$FB gains", NOW, ["META"]),
    ("name before the company had it", "Meta is a prefix", THEN, []),
    ("company that has gone", "Yahoo rises", NOW, []),
    ("brand that changed hands", "Priceline beats forecasts", NOW, ["BKNG"]),
    ("brand before it changed hands", "Priceline beats forecasts", THEN, ["PCLN"]),
    ("subsidiary", "Instagram adds a feature", NOW, ["INSTAGRAM"]),
    ("nothing", "The weather is fine", NOW, []),
]


@pytest.mark.parametrize(("text", "day", "expected"), [row[1:] for row in SENTENCES], ids=[row[0] for row in SENTENCES])
def test_sentence_names_these_companies(
    finder: CompanyFinder, make_document: Callable[..., Document], text: str, day: str, expected: list[str]
) -> None:
    assert [mention.entity for mention in finder.find(make_document(text, day=day))] == expected


WHY = [
    ("name", "Pfizer Inc. rises", "name"),
    ("alias", "Pfizer rises", "alias"),
    ("cashtag", "$PFE rises", "cashtag"),
    ("exchange", "up (NYSE: PFE)", "ticker"),
    ("bare", "MSFT rises", "ticker"),
]


@pytest.mark.parametrize(("text", "why"), [row[1:] for row in WHY], ids=[row[0] for row in WHY])
def test_mention_says_why(finder: CompanyFinder, make_document: Callable[..., Document], text: str, why: str) -> None:
    assert [mention.why for mention in finder.find(make_document(text))] == [why]


REASONS = [
    ("inside a longer word", "Pineapples", "AAPL", "longer word"),
    ("other case", "an apple", "AAPL", "another case"),
    ("excluded", "at Barclays Center", "BCS", "barclays center"),
    ("common word", "Target rate", "TGT", "common word"),
    ("ambiguous", "plan (C)", "C", "ambiguous ticker"),
    ("address", "https://Intel.example.org", "INTC", "address"),
    ("gone", "Yahoo rises", "YHOO", "valid from ever to 2017-06-16"),
    ("covered", "Bank of America Merrill Lynch", "MERRILL", "covered by 'Bank of America Merrill Lynch'"),
    ("ticker in capitals", "THE MSFT CONFERENCE BEGINS TODAY", "MSFT", "capitals"),
]


@pytest.mark.parametrize(("text", "entity", "reason"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS])
def test_explain_names_the_rule_that_rejects(finder: CompanyFinder, text: str, entity: str, reason: str) -> None:
    rejected = [finding for finding in finder.explain(text) if not finding.accepted]
    assert [finding.reason for finding in rejected if finding.mention.entity == entity and reason in finding.reason]


def test_hints_follow_the_mentions_of_the_text(finder: CompanyFinder, make_document: Callable[..., Document]) -> None:
    mentions = finder.find(make_document("Pfizer rises", hints=("MSFT", "$brk-b", "MSFT", "NOSUCH")))
    assert [(mention.entity, mention.start, mention.why) for mention in mentions] == [
        ("PFE", 0, "alias"),
        ("MSFT", -1, "hint"),
        ("BRK.B", -1, "hint"),
    ]


def test_hint_of_the_source_makes_a_common_word_a_name(
    finder: CompanyFinder, make_document: Callable[..., Document]
) -> None:
    assert finder.find(make_document("Love Target stuff")) == ()
    assert [mention.why for mention in finder.find(make_document("Love Target stuff", hints=("TGT",)))] == [
        "alias",
        "hint",
    ]


def test_hint_means_the_company_of_its_time(finder: CompanyFinder, make_document: Callable[..., Document]) -> None:
    assert [m.entity for m in finder.find(make_document("x", day="2014-01-02", hints=("FB",)))] == ["FB"]
    assert [m.entity for m in finder.find(make_document("x", day="2024-01-02", hints=("FB",)))] == ["META"]


def test_no_mention_reaches_from_title_to_text(finder: CompanyFinder, make_document: Callable[..., Document]) -> None:
    assert finder.find(make_document("The house of Goldman", "Sachs was a painter"))[0].matched == "Goldman"
    broken = finder.find(make_document("News", "shares of Goldman\nSachs rose"))
    assert [mention.matched for mention in broken] == ["Goldman\nSachs"]


def test_other_words_can_be_declared_ambiguous(make_document: Callable[..., Document], finder: CompanyFinder) -> None:
    from monitor.domain.entities import Company

    sunny = Company(id="SUNNY", ticker="", name="Sunny")
    assert CompanyFinder([sunny], ambiguous=["sunny"]).find(make_document("Sunny day")) == ()
    assert CompanyFinder([sunny], ambiguous=[]).find(make_document("Sunny day"))[0].entity == "SUNNY"
