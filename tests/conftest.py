"""What several tests share: records made by hand, small enough to read."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tertulia.parts import load
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation, Draft, EndReason, Marker, Message, Turn

Talk = Callable[..., Conversation]


@pytest.fixture
def talk() -> Talk:
    """Makes a short conversation at a place of a run; keywords replace fields."""

    def make(index: int = 0, text: str = "Your parcel comes on friday.", **fields: Any) -> Conversation:
        marker = Marker(principle="be_plain", turn=1, draft=0, severity="medium", critic="detectors")
        first = Draft(message=Message(speaker="agent", role="assistant", text="Whatever."), markers=(marker,))
        last = Draft(message=Message(speaker="agent", role="assistant", text=text))
        ask = Draft(message=Message(speaker="customer", role="user", text="When does it come?"))
        values: dict[str, Any] = {
            "id": f"tiny-{index:06d}",
            "index": index,
            "scenario": "tiny",
            "seed": 7,
            "roles": {"customer": "user", "agent": "assistant"},
            "turns": (
                Turn(index=0, speaker="customer", drafts=(ask,)),
                Turn(index=1, speaker="agent", drafts=(first, last)),
            ),
            "end_reason": EndReason.GOAL_REACHED,
        }
        return Conversation(**values | fields)

    return make


@pytest.fixture(autouse=True)
def parts_as_installed() -> Iterator[None]:
    """What a test installs is unknown to the next one: parts and recipes are remembered by name in a process."""
    yield
    load.cache_clear()
    bundled_recipe.cache_clear()
