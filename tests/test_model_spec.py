"""Models as a person types them, and the endpoints that they stand for."""

from pathlib import Path

import pytest

from tertulia.errors import SettingsError
from tertulia.models.client import OpenAIChat
from tertulia.models.endpoint import OPENAI
from tertulia.models.records import Request
from tertulia.models.spec import ModelSpec, open_endpoint, parse_setting, parse_spec, role_models

LOCAL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("openai:gpt-4.1", ModelSpec(provider="openai", name="gpt-4.1", base_url=OPENAI)),
        ("openai:llama3:8b", ModelSpec(provider="openai", name="llama3:8b", base_url=OPENAI)),
        (f"openai:Qwen/Qwen3-8B@{LOCAL}/", ModelSpec(provider="openai", name="Qwen/Qwen3-8B", base_url=LOCAL)),
        (
            "openai:a@b@https://host/v1?api-version=2#MY_KEY",
            ModelSpec(provider="openai", name="a@b", base_url="https://host/v1?api-version=2", key_env="MY_KEY"),
        ),
        ("openai:x#K", ModelSpec(provider="openai", name="x", base_url=OPENAI, key_env="K")),
        ("anthropic:claude-haiku-4-5", ModelSpec(provider="anthropic", name="claude-haiku-4-5")),
        ("scripted:replies.yaml", ModelSpec(provider="scripted", name="replies.yaml")),
    ],
)
def test_a_spec_names_provider_model_address_and_key_variable(text: str, spec: ModelSpec) -> None:
    assert parse_spec(text) == spec


def test_the_base_url_option_is_for_openai_models_without_an_address_of_their_own() -> None:
    assert parse_spec("openai:m", LOCAL).base_url == LOCAL
    assert parse_spec("openai:m@http://other:1/v1", LOCAL).base_url == "http://other:1/v1"
    assert parse_spec("anthropic:m", LOCAL).base_url == ""


@pytest.mark.parametrize("text", ["", "gpt-4.1", "openai:", ":x", "openai:m@ftp://x/v1", "openai:m@http://"])
def test_a_spec_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    if "@ftp" in text:  # an @ that begins no web address belongs to the name
        assert parse_spec(text).name == "m@ftp://x/v1"
        return
    with pytest.raises(SettingsError, match="write"):
        parse_spec(text)


@pytest.mark.parametrize("url", ["https://me:hunter2hunter2@host/v1", "https://host/v1?api_key=hunter2hunter2"])
def test_an_address_with_a_key_in_it_is_refused_without_repeating_the_key(url: str) -> None:
    with pytest.raises(SettingsError, match="holds a key") as caught:
        parse_spec("openai:m", url)
    assert "hunter2" not in str(caught.value)


def test_a_role_takes_its_own_model_and_settings_before_those_of_all() -> None:
    roles = role_models(
        "openai:big",
        ["critic=openai:small"],
        LOCAL,
        ["critic.temperature=0", "temperature=0.7", "assistant.tool_form=prompt", "user.stop=null", "user.style=warm"],
    )
    assert set(roles) == {"planner", "user", "assistant", "colleague", "critic", "judge", "tool"}
    assert roles["critic"].spec.name == "small"
    assert roles["critic"].settings == {"temperature": 0}
    assert roles["user"].settings == {"temperature": 0.7, "stop": None, "style": "warm"}
    assert roles["assistant"].tool_form == "prompt"
    assert roles["assistant"].settings == {"temperature": 0.7}
    assert list(role_models(role_model=["critic=openai:small"])) == ["critic"]


def test_the_bound_of_a_reply_is_read_from_either_setting() -> None:
    roles = role_models(
        "openai:m", role_setting=["max_tokens=64", "critic.max_tokens=null", "critic.max_completion_tokens=9"]
    )
    assert (roles["user"].most_out, roles["critic"].most_out) == (64, 9)
    assert role_models("openai:m")["user"].most_out == 0


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("temperature", "write ROLE.NAME=VALUE"),
        ("critic.=1", "write ROLE.NAME=VALUE"),
        ("critc.temperature=1", "did you mean 'critic'"),
        ("critic.model=x", "fills 'model' itself"),
        ("tools=[]", "only be left out"),
        ("critic.api_key=hunter2hunter2", "environment only"),
        ('extra_headers={"Authorization": "hunter2hunter2"}', "environment only"),
    ],
)
def test_a_setting_that_cannot_be_taken_is_named(option: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        parse_setting(option)
    assert "hunter2" not in str(caught.value)


def test_max_tokens_is_no_secret() -> None:
    assert parse_setting("user.max_tokens=5") == ("user", "max_tokens", 5)


def test_options_for_roles_that_have_no_model_are_refused() -> None:
    with pytest.raises(SettingsError, match="no model plays the critic"):
        role_models(role_model=["user=openai:m"], role_setting=["critic.temperature=0"])
    with pytest.raises(SettingsError, match="did you mean 'assistant'"):
        role_models(role_model=["asistant=openai:m"])
    with pytest.raises(SettingsError, match="write ROLE=SPEC"):
        role_models(role_model=["critic"])
    with pytest.raises(SettingsError, match="native or prompt"):
        role_models("openai:m", role_setting=["tool_form=xml"])


def test_records_of_models_hold_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-0123456789")
    role = role_models(f"openai:m@{LOCAL}#MY_KEY")["user"]
    endpoint = open_endpoint(role)
    assert isinstance(endpoint, OpenAIChat)
    assert (endpoint.model, endpoint.base_url) == ("m", LOCAL)
    assert "sk-0123456789" not in role.model_dump_json() + repr(endpoint) + endpoint.model_dump_json()


def test_an_unset_key_variable_is_named_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(SettingsError, match="MY_KEY"):
        open_endpoint(role_models(f"openai:m@{LOCAL}#MY_KEY")["user"])


async def test_doubles_are_opened_by_name(tmp_path: Path) -> None:
    file = tmp_path / "replies.yaml"
    file.write_text("replies:\n- text: All done.\n")
    double = open_endpoint(role_models(f"scripted:{file}")["user"])
    asked = Request(conversation="c", role="user", step="u/0/0", messages=({"role": "user", "content": "Hi"},))
    assert (await double.complete(asked, 1.0)).text == "All done."
    (tmp_path / "recorded.jsonl").write_text("")
    assert open_endpoint(role_models(f"replay:{tmp_path / 'recorded.jsonl'}")["user"])


def test_an_unknown_provider_and_a_missing_package_are_named() -> None:
    with pytest.raises(SettingsError, match="did you mean 'anthropic'"):
        open_endpoint(role_models("antropic:claude")["user"])
    with pytest.raises(SettingsError, match="pip install langchain-together"):
        open_endpoint(role_models("together:llama")["user"])
