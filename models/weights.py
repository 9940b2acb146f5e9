"""The weights of an artefact, to disk and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.network import OpinionNetwork
from monitor.domain.errors import InvalidArtefact

__all__ = ["read_network", "read_tokenizer", "write_weights"]


def write_weights(folder: Path, network: OpinionNetwork, weights: Mapping[str, Tensor], tokenizer: Any) -> None:
    """Write model.safetensors (float16), config.json and tokenizer.json, replacing what is there."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in weights.items()
    }
    save_file(halves, folder / "model.safetensors")
    config: Any = network.encoder.config
    config.dtype = None  # weights are stored in float16 and used in float32 or bfloat16: the file says so, not this
    config.to_json_file(str(folder / "config.json"))
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)


def read_network(folder: Path) -> OpinionNetwork:
    """Return the network in float32, on the CPU, ready for inference.

    Raises:
        InvalidArtefact: Weights and config do not belong together.
    """
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True)
        with torch.no_grad():
            encoder = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
            if getattr(encoder, "pooler", None) is not None:
                encoder.pooler = None
            network = OpinionNetwork(encoder, int(config.hidden_size))
            halves = load_file(folder / "model.safetensors")
            network.load_state_dict({name: value.float() for name, value in halves.items()})
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        msg = f"artefact `{folder.name}` has weights that do not fit its config.json: {str(error).splitlines()[0]}"
        raise InvalidArtefact(msg) from error
    return network.eval()


def read_tokenizer(folder: Path) -> Any:
    """Return the tokenizer, without truncation or padding.

    Raises:
        InvalidArtefact: tokenizer.json is not one.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises bare Exception for whatever its file holds
        msg = f"artefact `{folder.name}` has a tokenizer.json that cannot be read: {error}"
        raise InvalidArtefact(msg) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
