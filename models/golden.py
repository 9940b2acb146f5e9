"""Sentences with an answer that nobody doubts: an artefact that gets one wrong is refused when it is loaded.

They are invented; none occurs in a data set. They tell swapped labels, swapped heads and foreign weights at once.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.domain.sentiment import Label

__all__ = ["GOLDEN", "GoldenSentence"]


class GoldenSentence(NamedTuple):
    """A text with its sentiment and, where it is beyond doubt, the name of its topic ("" where not)."""

    text: str
    sentiment: Label
    topic: str = ""


GOLDEN: tuple[GoldenSentence, ...] = (
    GoldenSentence("Orbital Foods shares plunge 18% after profit warning", Label.NEGATIVE, "Stock Movement"),
    GoldenSentence("Halvorsen Bank stock slumps as losses widen", Label.NEGATIVE),
    GoldenSentence("Quantara downgraded to sell at Brightwater, price target cut", Label.NEGATIVE, "Analyst Update"),
    GoldenSentence("Talvera Mining falls sharply on weak outlook", Label.NEGATIVE),
    GoldenSentence("Orbital Foods shares surge 18% after record profit", Label.POSITIVE, "Stock Movement"),
    GoldenSentence("Halvorsen Bank beats profit and revenue estimates, raises guidance", Label.POSITIVE),
    GoldenSentence("Quantara upgraded to buy at Brightwater, price target raised", Label.POSITIVE, "Analyst Update"),
    GoldenSentence("Talvera Mining stock jumps on strong outlook", Label.POSITIVE),
    GoldenSentence("Orbital Foods to hold annual meeting of shareholders on Tuesday", Label.NEUTRAL),
    GoldenSentence("Edited transcript of Halvorsen Bank earnings conference call", Label.NEUTRAL, "Earnings"),
    GoldenSentence("Quantara declares quarterly dividend of $0.25 per share", Label.NEUTRAL, "Dividend"),
    GoldenSentence("Talvera Mining files for IPO on the New York Stock Exchange", Label.NEUTRAL, "IPO"),
)
