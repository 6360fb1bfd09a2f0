"""Detectors on free paraphrases of slips and on innocent talk that comes near them."""

from pathlib import Path

import pytest
import yaml
from hearings import OPENING, Talk

from tertulia.detectors import find
from tertulia.principles import bundled_principles

PARAPHRASES = yaml.safe_load((Path(__file__).parent / "paraphrases.yaml").read_text(encoding="utf-8"))
LEAST = 0.95  # of the paraphrases that must be found


def marked(name: str, text: str) -> bool:
    principle = bundled_principles()[name]
    assert principle.detector is not None
    speaker = "customer" if "user" in principle.applies_to else "agent"
    return bool(find(principle.detector, Talk().says("customer", OPENING).hearing(text, speaker=speaker)))


@pytest.mark.parametrize("name", PARAPHRASES)
def test_nearly_every_paraphrase_of_a_slip_is_found(name):
    lines = PARAPHRASES[name]["breaks"]

    missed = [line for line in lines if not marked(name, line)]

    assert len(missed) <= (1 - LEAST) * len(lines), missed


@pytest.mark.parametrize("name", PARAPHRASES)
def test_no_innocent_line_is_marked(name):
    assert [line for line in PARAPHRASES[name]["keeps"] if marked(name, line)] == []
