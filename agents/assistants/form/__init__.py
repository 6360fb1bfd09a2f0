"""The rule assistant: a form filler that works on visible text alone, for any tools with JSON Schemas.

It matches the user's words with the tools it has, reads the parameters out of what was said, asks for what is
missing, asks for a yes before it changes anything, calls, and reports the result. It never sees a script or a gold
label. A draft that was sent back is made anew: in other words, without what was quoted, or as another move; see
`second_thoughts`. At a seeded rate it slips on purpose; see `slips`.
"""

from tertulia.agents.assistants.form.desk import Desk
from tertulia.agents.assistants.form.moves import next_move
from tertulia.agents.assistants.form.phrases import utter
from tertulia.agents.assistants.form.second_thoughts import reconsidered
from tertulia.agents.assistants.form.slips import plant
from tertulia.contracts import Utterance, View
from tertulia.language.rewording import reworded

__all__ = ["Form"]

LAST_RESORT = "I can't say more about that. What else can I do for you?"


class Form:
    """The rule assistant."""

    async def speak(self, view: View) -> Utterance:
        desk = Desk.read(view)
        move = reconsidered(desk, next_move(desk))
        honest = reworded(view, lambda: utter(desk, move), LAST_RESORT)
        return (plant(desk, move, honest) if view.slips else None) or honest
