"""Which model plays which role, as a person types it, and the endpoint that it stands for.

    openai:NAME[@URL][#KEY]     any OpenAI-compatible endpoint; KEY is the environment variable with its API key
    PROVIDER:NAME               a provider of LangChain's, such as anthropic:... (see `langchain.PROVIDERS`)
    scripted:FILE               replies from a file
    replay:FILE                 the replies of a recording

The records hold no secret: they go into the manifest of a run.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Any, get_args

from pydantic import Field
from yarl import URL

from tertulia.errors import SettingsError, did_you_mean
from tertulia.models.client import OpenAIChat
from tertulia.models.endpoint import OPENAI
from tertulia.models.langchain import opened
from tertulia.models.records import ChatEndpoint, ModelRole, ToolForm
from tertulia.records import Record

__all__ = [
    "ModelSpec",
    "RoleModel",
    "known_role",
    "open_endpoint",
    "parse_setting",
    "parse_spec",
    "role_models",
]

ROLES: tuple[str, ...] = get_args(ModelRole)
SPEC = re.compile(r"(?P<name>.+?)(?:@(?P<url>https?://[^#]*))?(?:#(?P<key>[A-Za-z_][A-Za-z0-9_]*))?")
BETWEEN = re.compile(r",(?=[a-z][a-z0-9_-]*:)")  # a comma before the next spec
DOUBLES = {  # in the test kit, looked up by name since the core imports no part
    "scripted": ("tertulia.testing.scripted", "Scripted", "from_file"),
    "replay": ("tertulia.testing.recorded", "Replaying", ""),
}
SECRETIVE = re.compile(r"api.?key|authorization|headers|password|secret|(?:access|auth|api).?token|credential", re.I)
TAKEN = {"model", "messages", "stream", "n", "functions"}  # fields of the body that tertulia fills
LEAVABLE = {"tools", "response_format", "stop", "seed", "logprobs"}  # ... and those that can only be left out
SECRET_QUERY = re.compile(r"key|token|secret|password|sig", re.I)


class ModelSpec(Record):
    """One model at one address."""

    provider: str
    name: str = Field(description="the model's name there, or a file for scripted and replay")
    base_url: str = Field("", description="of an OpenAI-compatible endpoint")
    key_env: str = Field("", description="the environment variable that holds the API key; empty: the usual one")

    def __str__(self) -> str:
        at = f"@{self.base_url}" if self.base_url not in ("", OPENAI) else ""
        return f"{self.provider}:{self.name}{at}"


class RoleModel(Record):
    """The model of one role, and how it is asked."""

    spec: ModelSpec
    settings: dict[str, Any] = Field({}, description="sampling settings, such as temperature, and other fields")
    tool_form: ToolForm = Field("native", description="how it is told of its tools")
    others: tuple["RoleModel", ...] = Field((), description="further candidates, which draft for the same turns")

    @property
    def candidates(self) -> tuple["RoleModel", ...]:
        """Every model of the role."""
        return (self.model_copy(update={"others": ()}), *self.others)

    @property
    def most_out(self) -> int:
        """Tokens that a reply may have, 0 where the settings do not bound it."""
        bounds = (self.settings.get(name) for name in ("max_tokens", "max_completion_tokens"))
        return next((bound for bound in bounds if isinstance(bound, int)), 0)


def role_models(
    model: str = "", role_model: Sequence[str] = (), base_url: str = "", role_setting: Sequence[str] = ()
) -> dict[str, RoleModel]:
    """The model of each role. `model` plays every role that `role_model` (ROLE=SPEC) does not name.

    `assistant=SPEC,SPEC` names several candidates, which all draft for each turn.

    `role_setting` are ROLE.NAME=VALUE, or NAME=VALUE for all roles; `tool_form=prompt` is for models that cannot call
    tools. What is set for a role counts more than what is set for all.

    Raises:
        SettingsError: naming the option that cannot be read."""
    texts = dict.fromkeys(ROLES, model) if model else {}
    for option in role_model:
        role, equals, spec = option.partition("=")
        if not equals or not spec:
            raise SettingsError(f"--role-model {option!r}: write ROLE=SPEC, such as critic=openai:NAME")
        texts[known_role(role, option)] = spec
    specs = {role: [parse_spec(one, base_url) for one in BETWEEN.split(text)] for role, text in texts.items()}
    if several := [role for role in specs if len(specs[role]) > 1 and role != "assistant"]:
        raise SettingsError(f"{texts[several[0]]!r}: only the assistant can have several models, not the {several[0]}")
    settings: dict[str, dict[str, Any]] = {role: {} for role in specs}
    for wanted in sorted(map(parse_setting, role_setting), key=lambda setting: bool(setting[0])):
        for role in targets(wanted[0], specs):
            settings[role][wanted[1]] = wanted[2]
    return {role: chosen(several, settings[role]) for role, several in specs.items()}


def chosen(specs: Sequence[ModelSpec], settings: Mapping[str, Any]) -> RoleModel:
    form = settings.get("tool_form", "native")
    if form not in get_args(ToolForm):
        raise SettingsError(f"tool_form is native or prompt, not {form!r}")
    sent = {k: v for k, v in settings.items() if k != "tool_form"}
    first, *others = [RoleModel(spec=spec, tool_form=form, settings=sent) for spec in specs]
    return first.model_copy(update={"others": tuple(others)})


def targets(role: str, specs: Collection[str]) -> list[str]:
    if role and role not in specs:
        raise SettingsError(
            f"--role-setting {role}...: no model plays the {role}; name one with --role-model {role}=SPEC"
        )
    return [role] if role else list(specs)


def known_role(role: str, option: str) -> str:
    if role not in ROLES:
        raise SettingsError(
            f"{option!r}: no role is called {role!r}{did_you_mean(role, ROLES)}; known: {', '.join(ROLES)}"
        )
    return role


def parse_setting(option: str) -> tuple[str, str, Any]:
    """`critic.temperature=0` as role, name and value; the value is JSON, or else a text, and null leaves a field out.

    Raises:
        SettingsError: if it cannot be read, holds a secret, or is a field that tertulia fills."""
    target, equals, text = option.partition("=")
    role, _, name = target.partition(".") if "." in target else ("", "", target)
    if not equals or not name:
        raise SettingsError(f"--role-setting {option!r}: write ROLE.NAME=VALUE, such as critic.temperature=0")
    if SECRETIVE.search(name):
        raise SettingsError(
            f"--role-setting {target}: keys come from the environment only; write #VARIABLE in the model's spec"
        )
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        value = text
    if name in TAKEN or (name in LEAVABLE and value is not None):
        left = "; it can only be left out, with null" if name in LEAVABLE else ""
        raise SettingsError(f"--role-setting {target}: tertulia fills {name!r} itself{left}")
    return (known_role(role, option) if role else ""), name, value


def parse_spec(text: str, base_url: str = "") -> ModelSpec:
    """A model as a person types it; `base_url` is for openai models that name no address of their own.

    Raises:
        SettingsError: if it cannot be read."""
    provider, colon, rest = text.partition(":")
    if not colon or not provider or not rest:
        raise SettingsError(f"model {text!r}: write PROVIDER:NAME, such as openai:NAME")
    if provider != "openai":
        return ModelSpec(provider=provider, name=rest)
    found = SPEC.fullmatch(rest)
    if found is None:
        raise SettingsError(f"model {text!r}: write openai:NAME, openai:NAME@URL or openai:NAME@URL#KEY_VARIABLE")
    url = checked_url(found["url"] or base_url or OPENAI)
    return ModelSpec(provider=provider, name=found["name"], base_url=url, key_env=found["key"] or "")


def checked_url(text: str) -> str:
    """A base URL that can be asked and holds no secret."""
    try:
        url = URL(text)
    except ValueError as error:
        raise SettingsError(f"base URL {text!r}: {error}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise SettingsError(f"base URL {text!r}: write http://HOST:PORT/v1 or https://HOST/v1")
    if url.user or url.password or any(SECRET_QUERY.search(name) for name in url.query):
        raise SettingsError(f"the base URL at {url.host} holds a key: put it into an environment variable, #VARIABLE")
    return text.rstrip("/")


def open_endpoint(role: RoleModel) -> ChatEndpoint:
    """The endpoint of a role's model.

    Raises:
        SettingsError: if a key or a package is missing, or there is no such provider.
        UserError: if a file cannot be read."""
    spec = role.spec
    if spec.provider == "openai":
        url, key = spec.base_url or OPENAI, spec.key_env
        return OpenAIChat(model=spec.name, base_url=url, key_env=key, settings=role.settings)
    if spec.provider in DOUBLES:
        module, kind, maker = DOUBLES[spec.provider]
        made = getattr(import_module(module), kind)
        double: ChatEndpoint = (getattr(made, maker) if maker else made)(spec.name)
        return double
    return opened(spec.provider, spec.name, role.settings)
