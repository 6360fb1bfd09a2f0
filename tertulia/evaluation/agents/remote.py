"""An agent behind an address, asked over HTTP.

    POST URL   {"conversation": ID, "messages": [...], "tools": [...]}
    answer     {"message": {"role": "assistant", "content": "..."} or "tool_calls", see `chat` beside this}

Messages and tools are in OpenAI's shape, the conversation's id is the same in all of its turns. `#VARIABLE` at the end
of the URL names an environment variable whose value is sent as a bearer token. What fails in passing (a refused
connection, 429, 5xx) is tried again as models are; what is still wrong then is the agent's failure. Where nobody
listens at all, from the start or for several turns on end, the evaluation stops instead of counting that.
"""

import asyncio
from typing import Any

import aiohttp
import orjson
from multidict import CIMultiDict
from yarl import URL

from tertulia.contracts import Utterance, View
from tertulia.errors import SettingsError
from tertulia.evaluation.agents.chat import asked, read_message
from tertulia.evaluation.agents.seat import AgentFailed, AgentGone, AgentMisspoke
from tertulia.models.endpoint import Endpoint, key_in, proxy_of
from tertulia.models.limits import Patience
from tertulia.models.records import CallFailed, Trouble
from tertulia.streams import stream

__all__ = ["RemoteAgent"]

TRIES = 3  # after the first
LOST = 8  # turns on end that nobody took, until the agent counts as gone
SHOWN = 500  # characters of an answer that cannot be read


class AgentEndpoint(Endpoint):
    """Posts to the very URL of an agent."""

    def __init__(self, url: str, key_env: str) -> None:
        self.url = URL(url)
        if not self.url.host or self.url.user or self.url.password:
            raise SettingsError(f"--agent {url!r}: write http(s)://HOST/PATH, with a key as #VARIABLE")
        key = key_in(key_env, needed=True) if key_env else ""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "tertulia"}
        self.headers = CIMultiDict({**headers, "Authorization": f"Bearer {key}"} if key else headers)
        self.hide = [key.encode()] if key else []
        self.proxy = proxy_of(self.url)


class RemoteAgent:
    """A speaker that answers over HTTP.

    Raises:
        SettingsError: if the URL cannot be read, or its key is not set."""

    def __init__(self, spec: str, deadline: float) -> None:
        url, _, key_env = spec.partition("#")
        self.endpoint = AgentEndpoint(url, key_env)
        self.patience = Patience(deadline, TRIES)
        self.replied, self.lost = False, 0  # the lost ones are turns since the last reply

    async def speak(self, view: View) -> Utterance:
        """The agent's turn.

        Raises:
            AgentFailed, AgentMisspoke: naming what is wrong with it.
            AgentGone: if nobody listens there."""
        answer = await self.answer(orjson.dumps(asked(view), default=str), view)
        try:
            told: Any = orjson.loads(answer)
        except orjson.JSONDecodeError:
            shown = answer[:SHOWN].decode("utf-8", "replace")
            raise AgentMisspoke(Trouble.NOT_JSON, f"gave an answer that is not JSON: {shown}") from None
        if not isinstance(told, dict) or "message" not in told:
            shown = answer[:SHOWN].decode("utf-8", "replace")
            raise AgentMisspoke(Trouble.WRONG_SCHEMA, f"gave an answer without a message: {shown}")
        return read_message(told["message"], view)

    async def answer(self, body: bytes, view: View) -> bytes:
        tried = 0
        while True:
            tried += 1
            try:
                answer = await self.endpoint.post(body, self.patience.deadline)
                self.replied, self.lost = True, 0
                return answer
            except CallFailed as failed:
                chance = stream(0, "retry", view.conversation, view.step, tried)
                late = failed.trouble is Trouble.TIMEOUT  # the agent's own time is up
                wait = None if late else self.patience.wait(tried, failed, chance)
                if wait is None:
                    self.missed(failed)
                    raise AgentFailed(failed.trouble, f"could not be asked: {failed.detail}", failed.raw) from None
            await asyncio.sleep(wait)

    def missed(self, failed: CallFailed) -> None:
        """One more turn that did not come.

        Raises:
            AgentGone: if there is no agent, or none any more."""
        away = failed.trouble is Trouble.CONNECTION or (failed.trouble is Trouble.DENIED and not self.replied)
        self.lost = self.lost + 1 if away else 0
        nobody = isinstance(failed.__cause__, aiohttp.ClientConnectorError)
        if self.lost >= LOST or (nobody and not self.replied):
            raise AgentGone(f"--agent {str(self.endpoint.url)!r} gives no answer: {failed.detail}") from None
