"""The rule assistant: a form filler that works on visible text alone, for any tools with JSON Schemas.

It matches the user's words with the tools it has, reads the parameters out of what was said, asks for what is
missing, asks for a yes before it changes anything, calls, and reports the result. It never sees a script or a gold
label. At a seeded rate it slips on purpose; see `slips`.
"""

from tertulia.agents.assistants.form.desk import Desk
from tertulia.agents.assistants.form.moves import next_move
from tertulia.agents.assistants.form.phrases import utter
from tertulia.agents.assistants.form.slips import plant
from tertulia.contracts import Utterance, View

__all__ = ["Form"]


class Form:
    """The rule assistant."""

    async def speak(self, view: View) -> Utterance:
        desk = Desk.read(view)
        move = next_move(desk)
        honest = utter(desk, move)
        if view.slips and view.rng.random() < view.slips:
            return plant(desk, move, honest) or honest
        return honest
