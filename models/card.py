"""The model card of an artefact, from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.artefact import Manifest
from monitor.domain.sentiment import TOPICS, Label

__all__ = ["model_card"]

_CARD = """\
# {name}

Sentiment ({labels}) and topic ({topics} classes) of financial news and comments in English. One encoder, two linear
heads on the mean of its token vectors; {parameters}float16 weights. Digest `{digest}`.

Written by `bellwether train`; used by Bellwether, which checks digests, label order and the golden sentences in
manifest.json before it uses the weights. How it was made, and its limits: docs/model.md.

## Where it comes from
Base: {base}, {base_licence}. Fine-tuned on the train split of:

| set | licence | origin |
|---|---|---|
{sets}

Near-duplicates were clustered over all sets before the split; no cluster is on both sides. No other text was used:
no prices, no unlabelled news or comments, nothing of Financial PhraseBank, FiQA or FinEntity, and none of the public
validation files of the sets above. No sentence of a data set is in this folder; the golden sentences are invented.

Recipe: {recipe}.{teacher} {texts:,} texts, {steps:,} steps, {seconds:,} s.

## Scores
Probabilities are divided by temperatures fitted on validation: sentiment {heat_sentiment}, topic {heat_topic}.

| task / set / split | texts | accuracy | macro F1 | weighted F1 | ECE |
|---|---|---|---|---|---|
{scores}

Sentiment on sentfin and finentity counts the texts whose entities all agree; finentity was never trained on.

## Limits
English only. Tweets and headlines of 2009-2022, mostly about companies listed in the United States and India. It tells
the tone of what is written, not whether it is true, nor what a price will do. Irony, comparisons between two
companies in one sentence and numbers that need context are often read wrong.
"""


def _recipe(facts: Mapping[str, Any]) -> str:
    members = [", ".join(f"{name} {value}" for name, value in member.items()) for member in facts["members"]]
    left_out = {"members", "order", "masking", "consistency"}
    common = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items() if name not in left_out)
    return f"the mean of the weights of {len(members)} networks ({'; '.join(members)}), each {common}"


def _teacher(facts: Mapping[str, Any]) -> str:
    found = facts.get("teacher")
    told = "Taught by a network trained on the same split of the same sets"
    return f" {told} (base {found['base']}, digest {found['digest'][:12]})." if found else ""


def model_card(manifest: Manifest, digest: str) -> str:
    """Return the card as Markdown."""
    facts = manifest.facts
    sets = [f"| {one['name']} | {one['licence']} | {one['origin']} |" for one in facts["trained_on"]]
    scores = [
        f"| {name} | {one['n']:,.0f} | {one['accuracy']:.4f} | {one['macro_f1']:.4f} | {one['weighted_f1']:.4f} "
        f"| {one['ece']:.4f} |"
        for name, one in facts["scores"].items()
    ]
    return _CARD.format(
        name=manifest.name,
        labels=", ".join(label.word for label in Label),
        topics=len(TOPICS),
        parameters=f"{facts['parameters'] / 1e6:.1f} M parameters, " if "parameters" in facts else "",
        digest=digest[:12],
        base=manifest.base,
        base_licence=manifest.base_licence,
        sets="\n".join(sets),
        recipe=_recipe(facts["recipe"]),
        teacher=_teacher(facts),
        texts=facts["texts"],
        steps=facts["steps"],
        seconds=facts["seconds"],
        heat_sentiment=manifest.temperatures["sentiment"],
        heat_topic=manifest.temperatures["topic"],
        scores="\n".join(scores),
    )
