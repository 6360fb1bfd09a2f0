"""A thin, fast chat model for OpenAI-compatible endpoints: vLLM, llama.cpp, Ollama, and hosted ones.

It is an ordinary LangChain chat model, with callbacks, cache, tracing, tools and structured output. Where nothing of
that is attached, `complete` goes straight to the wire, at a tenth of what LangChain's own path costs.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    BaseCallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.globals import get_llm_cache
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from tertulia.models.completions import body_of, encoded, options_of, reply_in
from tertulia.models.endpoint import OPENAI, Endpoint
from tertulia.models.langchain import message_of, reply_of
from tertulia.models.measuring import (
    COMPLETIONS,
    EMBEDDINGS,
    body_to_embed,
    body_to_score,
    embedded_in,
    scored_in,
    text_of,
)
from tertulia.models.records import CallFailed, Reply, Request, Trouble

__all__ = ["OpenAIChat"]

LIMIT = 600.0  # seconds a call may take when LangChain's methods are used


class OpenAIChat(BaseChatModel):
    """A model behind an OpenAI-compatible endpoint.

    The API key is read from the environment when the model is made; it is no field, so it is in no dump or repr.

    Raises:
        SettingsError: if the endpoint is OpenAI's, or `key_env` is given, and there is no key."""

    model: str
    base_url: str = OPENAI
    key_env: str = Field("", description="the environment variable that holds the key; empty: OPENAI_API_KEY, if set")
    settings: dict[str, Any] = Field(
        {}, description="fields of the body, such as temperature; None takes a field out that would be sent otherwise"
    )
    _endpoint: Endpoint = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        self._endpoint = Endpoint(self.base_url, self.key_env)

    async def complete(self, request: Request, deadline: float) -> Reply:
        """One call without retries; `deadline` is how many seconds it may take.

        Raises:
            CallFailed: with the trouble that kept a reply from coming."""
        if request.wants != "reply":
            return await self.measured(request, deadline)
        if not self.watched():
            return await self.wired(request.messages, options_of(request), deadline)
        messages = convert_to_messages(list(request.messages))
        try:
            async with asyncio.timeout(deadline):
                return reply_of(await self.ainvoke(messages, **options_of(request)))
        except TimeoutError:
            raise CallFailed(Trouble.TIMEOUT, f"no answer in {deadline:g} s") from None

    def watched(self) -> bool:
        """Whether a cache, a rate limiter, a tracer or any callback wants to know of the calls."""
        if self.rate_limiter or self.cache or (self.cache is None and get_llm_cache() is not None):
            return True
        config = var_child_runnable_config.get()
        inherited = config.get("callbacks") if config else None
        if isinstance(inherited, BaseCallbackManager) and not self.callbacks and not self.verbose:
            return bool(inherited.handlers)  # the graph around this call has looked for tracers already
        return bool(AsyncCallbackManager.configure(inherited, self.callbacks, self.verbose).handlers)

    async def wired(self, messages: Any, options: dict[str, Any], deadline: float) -> Reply:
        """To the wire and back."""
        body = encoded(body_of(self.model, messages, options, self.settings))
        return reply_in(await self._endpoint.post(body, deadline), len(body))

    async def measured(self, request: Request, deadline: float) -> Reply:
        """What a text is to the model; no tracer is told, as LangChain's chat models know no such call."""
        text = text_of(request)
        if request.wants == "embedding":
            body = encoded(body_to_embed(self.model, text, self.settings))
            return embedded_in(await self._endpoint.post(body, deadline, EMBEDDINGS), len(body))
        body = encoded(body_to_score(self.model, text, self.settings))
        return scored_in(await self._endpoint.post(body, deadline, COMPLETIONS), text, len(body))

    # --- as LangChain calls it -----------------------------------------------------------------------------------

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "base_url": self.base_url, "settings": self.settings}

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        options = {**kwargs, "stop": stop} if stop else kwargs
        reply = await self.wired(convert_to_openai_messages(messages), options, LIMIT)
        return ChatResult(generations=[ChatGeneration(message=message_of(reply))])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """In a loop and a thread of its own, so that it also works where a loop is running."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, self._agenerate(messages, stop, **kwargs)).result()

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """`tool_choice` is auto, none, any (or required), or the name of a tool."""
        if tool_choice:
            kwargs["tool_choice"] = choice_of(tool_choice)
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


def choice_of(wanted: str) -> str | dict[str, Any]:
    """LangChain's way of naming a tool that must be called, as OpenAI's."""
    if wanted in ("auto", "none", "required"):
        return wanted
    return "required" if wanted == "any" else {"type": "function", "function": {"name": wanted}}
