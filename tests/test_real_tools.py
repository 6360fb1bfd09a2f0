"""Real tools that the code has never seen: five APIs, one scenario each, played as they stand by the rule cast."""

from pathlib import Path

import pytest

from tertulia.files import load_scenario
from tertulia.gold import calls_that_worked, comparable
from tertulia.graph import Item, Stage
from tertulia.judges.success import Success
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.scenario import Scenario
from tertulia.streams import number
from tertulia.worlds import open_world

FILES = sorted((Path(__file__).parent / "real_tools").glob("*.yaml"))
SEEDS = range(8)


async def played(path: Path, seed: int) -> tuple[Scenario, Conversation]:
    stage, scenario = Stage(bundled_recipe("user_script")), load_scenario(path)
    return scenario, await stage.play(stage.seat(Item(0, path.stem, scenario, {}, number(seed, path.stem), 0.0)))


def hits(scenario: Scenario, talk: Conversation) -> tuple[int, int]:
    """How many of the calls wanted were made, arguments and all, and how many there are."""
    tools = open_world(scenario).tools
    made = calls_that_worked(list(talk.messages), tools)
    wanted = [comparable(want.call, scenario.assistant, want.args, tools) for want in scenario.script.wants]
    return sum(call in made for call in wanted), len(wanted)


def test_there_are_five_apis_with_all_their_operations() -> None:
    sizes = {path.stem: len(load_scenario(path).tools) for path in FILES}

    assert sizes == {"abuseipdb": 4, "amethyste": 5, "aniapi": 6, "auth0": 9, "axolotl": 3}


async def test_nine_in_ten_golden_calls_are_made_with_all_their_arguments() -> None:
    found = [hits(*await played(path, seed)) for path in FILES for seed in SEEDS]

    assert sum(hit for hit, _ in found) >= 0.9 * sum(wanted for _, wanted in found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_real_api_is_played_to_success_with_no_marker_on_it(path: Path) -> None:
    scenario, talk = await played(path, 7)
    verdict = await Success().judge(scenario, talk)

    assert verdict.passed, verdict.reason
    assert not [marker.evidence for marker in talk.markers]
