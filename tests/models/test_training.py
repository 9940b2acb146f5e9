from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.artefact import read_manifest
from models.datasets import Split, load_corpus
from models.golden import GoldenSentence
from models.learning import IGNORED, Learner, Recipe, TokenRow
from models.network import load_base
from models.training import TrainReport, TrainSettings, train
from monitor.domain.errors import InvalidArtefact, InvalidConfiguration
from monitor.domain.sentiment import Label

CPU = torch.device("cpu")


def rows() -> list[TokenRow]:
    generator = torch.Generator().manual_seed(2)
    found = []
    for number in range(60):
        length = int(torch.randint(3, 20, (1,), generator=generator))
        ids = tuple(torch.randint(5, 40, (length,), generator=generator).tolist())
        found.append(TokenRow(ids, number % 3 if number % 2 else IGNORED, number % 20 if not number % 2 else IGNORED))
    return found


def learner(base: Path, recipe: Recipe) -> Learner:
    torch.manual_seed(recipe.seed)
    return Learner(load_base(str(base)), rows(), recipe, padding=0, hidden=4, device=CPU)


RECIPE = Recipe(epochs=3, batch=16, learning_rate=1e-3, masking=0.2, consistency=0.5)


def test_a_run_that_was_stopped_ends_in_the_same_weights(tiny_base: Path, tmp_path: Path) -> None:
    straight = learner(tiny_base, RECIPE)
    losses: list[float] = []
    straight.run(straight.steps, losses.append)
    first = learner(tiny_base, RECIPE)
    again: list[float] = []
    first.run(5, again.append)
    first.save(tmp_path / "checkpoint.pt", "same")
    torch.manual_seed(99)
    second = learner(tiny_base, RECIPE)
    second.restore(tmp_path / "checkpoint.pt", "same")
    second.run(second.steps, again.append)
    assert straight.step == second.step == 12
    assert losses == again
    for name, value in straight.averaged().items():
        assert torch.equal(value, second.averaged()[name]), name
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_the_loss_falls(tiny_base: Path) -> None:
    one = learner(tiny_base, replace(RECIPE, epochs=30))
    losses: list[float] = []
    one.run(one.steps, losses.append)
    assert sum(losses[-4:]) < 0.7 * sum(losses[:4])


def test_the_learning_rate_rises_then_falls_to_nothing(tiny_base: Path) -> None:
    one = learner(tiny_base, replace(RECIPE, warm_up=0.25))
    shares = []
    for step in range(one.steps):
        one.step = step
        shares.append(one._rate())
    assert shares[:3] == pytest.approx([1 / 3, 2 / 3, 1])
    assert shares[3] == 1
    assert shares[3:] == sorted(shares[3:], reverse=True)
    assert shares[-1] == pytest.approx(1 / 9)


def test_a_checkpoint_of_another_recipe_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    one = learner(tiny_base, RECIPE)
    one.save(tmp_path / "checkpoint.pt", "one recipe")
    with pytest.raises(InvalidConfiguration, match="another recipe"):
        one.restore(tmp_path / "checkpoint.pt", "another one")


def test_a_broken_checkpoint_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(InvalidConfiguration, match="remove it to start anew"):
        learner(tiny_base, RECIPE).restore(tmp_path / "checkpoint.pt", "x")


def test_the_tiny_network_learns_its_sets(tiny_report: TrainReport) -> None:
    for name, figures in tiny_report.scores.items():
        assert figures.accuracy > 0.85, name


def test_the_folder_holds_the_artefact_and_no_checkpoint(tiny_report: TrainReport) -> None:
    found = {path.name for path in tiny_report.artefact.iterdir()}
    assert found == {"README.md", "manifest.json", "model.safetensors", "tokenizer.json", "config.json"}


def test_the_card_names_sets_and_scores_and_quotes_no_text(tiny_report: TrainReport, tiny_sets: Path) -> None:
    card = (tiny_report.artefact / "README.md").read_text()
    written = card + (tiny_report.artefact / "manifest.json").read_text()
    assert "| sentfin | MIT |" in card
    assert "sentiment/twitter_financial_news_sentiment/test" in card
    assert tiny_report.digest[:12] in card
    for split in Split:
        for example in load_corpus(tiny_sets, verify=False).of(split):
            assert example.text not in written


def test_a_run_stopped_in_its_second_network_ends_in_the_same_weights(
    tiny_report: TrainReport, tiny_settings: TrainSettings, tiny_golden: tuple[GoldenSentence, ...], tmp_path: Path
) -> None:
    settings = replace(tiny_settings, output=tmp_path / "out")
    with pytest.raises(InvalidArtefact):
        train(settings, golden=[GoldenSentence("Quantara plunges after profit warning", Label.POSITIVE)])
    (settings.output / "checkpoint-1.pt").unlink()
    report = train(replace(settings, replace_output=True), golden=tiny_golden)
    assert report.steps == tiny_report.steps
    assert read_manifest(report.artefact).files == read_manifest(tiny_report.artefact).files


def test_another_artefact_is_not_overwritten(tiny_report: TrainReport, tiny_sets: Path) -> None:
    settings = TrainSettings(data=tiny_sets, output=tiny_report.artefact, any_edition=True, progress=False)
    with pytest.raises(InvalidConfiguration, match="--replace"):
        train(settings)


def test_a_base_that_is_none_is_named(tiny_sets: Path, tmp_path: Path) -> None:
    settings = TrainSettings(
        data=tiny_sets, output=tmp_path / "out", base=str(tmp_path), any_edition=True, progress=False
    )
    with pytest.raises(InvalidConfiguration, match="`base`"):
        train(settings)


def test_a_network_that_learned_nothing_is_not_accepted(tiny_settings: TrainSettings, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=256, learning_rate=1e-9)
    with pytest.raises(InvalidArtefact, match="trained too little"):
        train(replace(tiny_settings, output=tmp_path / "out", recipe=recipe))
