"""One encoder, two heads: sentiment and topic.

Issue 4 adds a third head (sentiment toward an entity) beside these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from models.bases import DEFAULT_BASE, base_folder
from monitor.domain.errors import InvalidConfiguration
from monitor.domain.sentiment import TOPICS, Label

__all__ = ["HeadLogits", "OpinionNetwork", "load_base", "load_tokenizer"]


class HeadLogits(NamedTuple):
    """Float32 logits: sentiment (batch, 3), columns in Label order; topic (batch, 20), columns in TOPICS order."""

    sentiment: Tensor
    topic: Tensor


class OpinionNetwork(nn.Module):
    """An encoder pooled by the mean over its tokens, and a linear head per task."""

    def __init__(self, encoder: nn.Module, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.sentiment = nn.Linear(width, len(Label))
        self.topic = nn.Linear(width, len(TOPICS))

    def forward(self, token_ids: Tensor, mask: Tensor) -> HeadLogits:
        """Return logits of token_ids: int64 (batch, tokens); mask: int64 (batch, tokens), 1 where a token is real."""
        pooled = self.dropout(self.pooled(token_ids, mask))
        return HeadLogits(self.sentiment(pooled).float(), self.topic(pooled).float())

    def pooled(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Return the mean over real tokens: (batch, width)."""
        hidden = self.encoder(input_ids=token_ids, attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return mean


def load_base(base: str = DEFAULT_BASE) -> OpinionNetwork:
    """Return a network with pre-trained encoder and fresh heads (drawn from torch's global generator).

    Raises:
        InvalidConfiguration: `base` is no encoder that transformers can load.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    folder = base_folder(base)
    try:
        config = AutoConfig.from_pretrained(folder)
        if getattr(config, "attention_probs_dropout_prob", 0.0):
            config.attention_probs_dropout_prob = 0.0  # hidden words and dropout are noise enough, and fused attention
        # fused attention has a slow backward pass on a CPU
        encoder = AutoModel.from_pretrained(folder, config=config, dtype=torch.float32, attn_implementation="eager")
    except (OSError, ValueError, KeyError) as error:
        msg = f"`base` {base!r} cannot be loaded as an encoder: {error}"
        raise InvalidConfiguration(msg) from error
    return OpinionNetwork(_without_pooler(encoder), int(encoder.config.hidden_size))


def _without_pooler(encoder: Any) -> nn.Module:
    """Drop BERT's pooler, which mean pooling does not use."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    assert isinstance(encoder, nn.Module)
    return encoder


def load_tokenizer(base: str = DEFAULT_BASE) -> Any:
    """Return the `tokenizers.Tokenizer` of a base, without truncation or padding of its own.

    Raises:
        InvalidConfiguration: `base` has none.
    """
    from tokenizers import Tokenizer

    path = Path(base_folder(base)) / "tokenizer.json"
    if path.is_file():
        tokenizer = Tokenizer.from_file(str(path))
    else:
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(base_folder(base), use_fast=True).backend_tokenizer
        except (OSError, ValueError, AttributeError) as error:
            msg = f"`base` {base!r} has no tokenizer that can be loaded: {str(error).splitlines()[0]}"
            raise InvalidConfiguration(msg) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
