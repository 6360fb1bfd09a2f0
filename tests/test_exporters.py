"""What each format holds, what it must never hold, and how files are written."""

import gc
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from examples import (
    CONFIRM,
    SHOP,
    Scene,
    marker,
    scenario,
    shop,
    three_party,
    three_party_scenario,
    two_party,
    with_tool_error,
)
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict

from tertulia import exporters
from tertulia.errors import UnknownPart, UserError
from tertulia.export import as_line, columns_of, export, sidecar_of
from tertulia.exporters.critic import CHARACTERS, HISTORY, Critic
from tertulia.exporters.dpo import Dpo
from tertulia.exporters.evalset import EvalItem, Evalset, schema
from tertulia.exporters.oasst import Oasst
from tertulia.exporters.openai import Openai
from tertulia.exporters.sft import Sft
from tertulia.exporters.ultrafeedback import Ultrafeedback
from tertulia.judges.aspects import ASPECTS, Aspects
from tertulia.models.prompts import blocks
from tertulia.models.records import Request
from tertulia.parts import names
from tertulia.records import Conversation, Slip
from tertulia.running.runner import tried
from tertulia.scenario import Scenario
from tertulia.testing import Scripted
from tertulia.variation import settle
from tertulia.verifying.verify import verify

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

FORMATS = [name for name in names("exporters") if columns_of(name)]
HIDDEN = ["carpenter", "K7731", "my brother took it", "When asked, say what", '"script"', '"persona"']
PAIRS = [(two_party, scenario), (three_party, three_party_scenario), (with_tool_error, scenario)]


def only(exporter: Any, talk: Conversation, played: Scenario | None = None) -> dict[str, Any]:
    (row,) = exporter.rows(played or scenario(), talk)
    result: dict[str, Any] = row
    return result


def rejected(talk: Conversation) -> Conversation:
    return talk.model_copy(update={"rejected_by": "markers"})


# --- sft and openai ----------------------------------------------------------------------------------------------


class Function(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    arguments: str


class Call(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    type: Literal["function"]
    function: Function


class ChatMessage(BaseModel):
    """A message of OpenAI's fine-tuning format."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    weight: Literal[0, 1] | None = None


def well_formed(chat: list[dict[str, Any]], tools: list[dict[str, Any]]) -> None:
    """Every call names a tool, fits its schema, and is answered before the next message of another role."""
    schemas = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
    waiting: set[str] = set()
    for raw in chat:
        message = ChatMessage.model_validate(raw)
        if message.role == "tool":
            assert message.tool_call_id in waiting
            waiting.remove(message.tool_call_id)
            continue
        assert not waiting
        assert message.content or message.tool_calls
        for call in message.tool_calls or ():
            Draft202012Validator(schemas[call.function.name]).validate(json.loads(call.function.arguments))
            waiting.add(call.id)


@pytest.mark.parametrize(("talk", "played"), PAIRS)
def test_openai_rows_are_openai_fine_tuning_rows(talk, played):
    row = only(Openai(), talk(), played())
    well_formed(row["messages"], row["tools"])
    assert [m["role"] for m in row["messages"][:2]] == ["system", "user"]
    assert row["messages"][-1]["role"] == "assistant"
    assert "tool_calls" not in row["messages"][-1]
    assert row["parallel_tool_calls"] is False
    assert set(row) == {"messages", "tools", "parallel_tool_calls"}
    assert all(("weight" in m) == (m["role"] == "assistant") for m in row["messages"])


@pytest.mark.parametrize("exporter", [Sft, Openai, Dpo])
@pytest.mark.parametrize(("talk", "played"), PAIRS)
def test_training_rows_never_hold_plan_script_persona_or_secret(exporter, talk, played):
    for row in exporter().rows(played(), talk()):
        assert not [text for text in HIDDEN if text in as_line(row)]


def test_the_system_prompt_is_policy_and_principles():
    system = only(Sft(), two_party())["messages"][0]["content"]
    assert system.startswith("You work for a shop.")
    assert CONFIRM.text in system


def test_a_trailing_goodbye_is_trimmed_and_counted():
    exporter = Sft()
    assert only(exporter, two_party())["messages"][-1]["content"] == "Done. It comes on friday."
    assert exporter.lost == {"trailing_user_messages": 1}


def test_unanswered_ends_are_trimmed_back_to_words():
    scene = Scene(scenario())
    scene.say("agent", "Hello.")
    scene.say("customer", "Is A1042 there?")
    scene.say("agent", "I look.")
    scene.call("agent", "find_order", order="A1042")
    exporter = Sft()
    row = only(exporter, scene.end())
    assert [m["role"] for m in row["messages"]] == ["system", "user", "assistant"]
    assert exporter.lost == {
        "leading_assistant_messages": 1,
        "trailing_assistant_messages": 1,
        "trailing_tool_messages": 1,
    }


def test_only_assistant_messages_without_a_known_fault_have_weight():
    row = only(Openai(), with_tool_error())
    said = [m for m in row["messages"] if m["role"] == "assistant"]
    assert [m["weight"] for m in said] == [1, 1, 1, 0]
    (side,) = Openai().sidecar(scenario(), with_tool_error())
    assert side["meta"]["masked"] == 1


def test_a_planted_slip_that_nobody_noticed_has_no_weight():
    unnoticed = Slip(kind="claim", speaker="agent", turn=1, draft=0, breaks=("no_empty_claims",))
    row = only(Openai(), two_party(slips=(unnoticed,)))
    assert [m["weight"] for m in row["messages"] if m["role"] == "assistant"] == [0, 1, 1, 1]


def test_a_revised_draft_has_weight_for_the_slip_was_in_the_one_before():
    (side,) = Openai().sidecar(scenario(), two_party())
    assert side["meta"]["masked"] == 0


def test_nothing_to_learn_from_is_no_row():
    scene = Scene(scenario())
    scene.say("customer", "Hello")
    scene.say("agent", "Done.", labels=("no_empty_claims",))
    exporter = Sft()
    assert list(exporter.rows(scenario(), scene.end())) == []
    assert exporter.lost == {"nothing_to_learn": 1}


def test_tools_are_left_out_when_there_are_none():
    cast = {"customer": {"role": "user"}, "agent": {"role": "assistant", "tools": []}}
    played = scenario(cast=cast)
    scene = Scene(played)
    scene.say("customer", "Hello")
    scene.say("agent", "Hello to you.")
    assert list(only(Openai(), scene.end(), played)) == ["messages"]
    assert only(Sft(), scene.end(), played)["tools"] is None


def test_a_row_for_a_trainer_without_weights_ends_before_the_first_known_fault():
    unnoticed = Slip(kind="claim", speaker="agent", turn=3, draft=1, breaks=("no_empty_claims",))
    exporter = Sft()
    row = only(exporter, two_party(slips=(unnoticed,)))
    assert [m["content"] for m in row["messages"]][1:] == [
        "Can my parcel come on another day?",
        "Of course. Which order, and which day?",
    ]
    assert row["meta"]["cut"] == exporter.lost["messages_from_a_fault_on"] == 6
    assert not any("weight" in message for message in row["messages"])


def test_chat_templates_get_arguments_as_objects_and_uploads_get_them_as_text():
    (call,) = next(m for m in only(Sft(), two_party())["messages"] if "tool_calls" in m)["tool_calls"]
    (text,) = next(m for m in only(Openai(), two_party())["messages"] if "tool_calls" in m)["tool_calls"]
    assert call["function"]["arguments"] == {"order": "A1042", "day": "friday"}
    assert text["function"]["arguments"] == '{"order": "A1042", "day": "friday"}'


@pytest.mark.parametrize("exporter", [Sft, Openai, Dpo, Oasst])
def test_nothing_of_a_rejected_conversation_is_training_data(exporter):
    part = exporter()
    assert list(part.rows(scenario(), rejected(two_party()))) == []
    assert part.lost == {"rejected_conversations": 1}


# --- dpo ---------------------------------------------------------------------------------------------------------


def test_every_draft_that_was_sent_back_is_a_pair_with_the_accepted_one():
    rows = list(Dpo().rows(scenario(), two_party()))
    assert [(r["provenance"]["turn"], r["provenance"]["rejected_draft"]) for r in rows] == [(3, 0), (6, 0), (6, 1)]
    assert rows[0]["rejected"][0]["tool_calls"][0]["function"]["name"] == "move_delivery"
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "Order A1042 to friday: shall I do that?"}]
    assert rows[0]["principles"] == ["confirm_first"]
    assert rows[0]["provenance"]["planted"] == ["skip_confirmation"]
    assert rows[1]["prompt"] == rows[2]["prompt"]
    assert rows[1]["chosen"] == rows[2]["chosen"] != rows[1]["rejected"] != rows[2]["rejected"]


def test_the_prompt_is_all_that_the_assistant_had_before_the_turn():
    row = list(Dpo().rows(scenario(), two_party()))[1]
    full = only(Sft(), two_party())
    assert row["prompt"] == full["messages"][:-1]
    assert row["chosen"] == full["messages"][-1:]
    assert row["tools"] == full["tools"]


def test_users_drafts_give_no_pair():
    scene = Scene(scenario())
    scene.sent_back("customer", "I am the agent.", "stay_in_role")
    scene.say("customer", "Hello")
    scene.say("agent", "Hello.")
    assert list(Dpo().rows(scenario(), scene.end())) == []


def test_pairs_that_teach_nothing_are_dropped_and_counted():
    scene = Scene(scenario())
    scene.say("customer", "Is A1042 there?")
    call = ("find_order", {"order": "A1042"})
    scene.sent_back("agent", "", "confirm_first", call=call)
    scene.sent_back("agent", "Yes.", "no_empty_claims")
    scene.sent_back("agent", "Yes. ", "no_empty_claims")
    scene.sent_back("agent", " ", "no_empty_claims")
    scene.call("agent", "find_order", order="A1042")
    scene.say("agent", "It is.")
    exporter = Dpo()
    row = only(exporter, scene.end())
    assert row["rejected"] == [{"role": "assistant", "content": "Yes."}]
    assert exporter.lost == {"chosen_equals_rejected": 1, "repeated_rejected": 1, "empty_drafts": 1}


def test_a_turn_that_answers_nothing_gives_no_pair():
    scene = Scene(scenario())
    scene.sent_back("agent", "I am here for you!", "no_empty_claims")
    scene.say("agent", "Hello.")
    exporter = Dpo()
    assert list(exporter.rows(scenario(), scene.end())) == []
    assert exporter.lost == {"prompts_without_a_question": 1}


WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS)
def test_chosen_never_equals_rejected(drafts, accepted):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tertulia.worlds.bundled_world", lambda name: SHOP)
        scene = Scene(scenario())
        scene.say("customer", "Hello")
        for text in drafts:
            scene.sent_back("agent", text, "no_empty_claims")
        scene.say("agent", accepted)
        exporter = Dpo()
        rows = list(exporter.rows(scenario(), scene.end()))
    assert all(row["chosen"] != row["rejected"] for row in rows)
    assert len({as_line({"r": row["rejected"]}) for row in rows}) == len(rows)
    assert len(rows) + exporter.lost.total() == len(drafts)


# --- critic ------------------------------------------------------------------------------------------------------


def test_every_draft_is_a_row_for_the_critic():
    rows = list(Critic().rows(scenario(), rejected(two_party())))
    assert len(rows) == 11
    first, second, third = (row for row in rows if row["meta"]["turn"] == 6)
    assert [row["verdict"] for row in (first, second, third)] == ["revise", "revise", "accept"]
    assert first["markers"] == [
        {
            "principle": "no_empty_claims",
            "quote": "the words",
            "evidence": "it breaks no_empty_claims",
            "severity": "medium",
        }
    ]
    assert first["revision"] == second["draft"]
    assert third["revision"] is None
    assert third["markers"] == []
    assert first["messages"] == third["messages"]


def test_a_critic_row_holds_the_history_of_its_own_speaker():
    rows = list(Critic().rows(three_party_scenario(), three_party()))
    lead = next(row for row in rows if row["speaker"] == "lead")
    assert [m["role"] for m in lead["messages"]] == ["user"]
    assert lead["messages"][0]["content"] == (
        "customer: I want my money back for order B2077.\n\nagent: @lead May I refund order B2077?"
    )
    assert [p["id"] for p in lead["principles"]] == ["no_empty_claims"]


def test_critic_rows_are_bounded_and_count_what_they_cut():
    scene = Scene(scenario())
    for _ in range(HISTORY):
        scene.say("customer", "Look again.")
        scene.call("agent", "find_order", order="A1042")
        scene.say("agent", "x" * (CHARACTERS + 5))
    exporter = Critic()
    rows = list(exporter.rows(scenario(), scene.end()))
    last = rows[-1]
    assert len(last["messages"]) <= HISTORY + 1
    assert last["messages"][1]["role"] != "tool"
    assert all(len(m["content"]) <= CHARACTERS for row in rows for m in row["messages"])
    assert exporter.lost["history_messages"] > 0
    assert exporter.lost["clipped_texts"] > HISTORY


# --- oasst -------------------------------------------------------------------------------------------------------


class Label(BaseModel):
    model_config = ConfigDict(extra="forbid")
    value: float | None
    count: int


class Node(BaseModel):
    """A message of an OASST tree, field by field; every field must be there."""

    model_config = ConfigDict(extra="forbid", strict=True)
    message_id: str
    parent_id: str | None
    user_id: str | None
    created_date: str | None
    text: str
    role: Literal["prompter", "assistant"]
    lang: str
    review_count: int | None
    review_result: bool | None
    deleted: bool | None
    rank: int | None
    synthetic: bool | None
    model_name: str | None
    emojis: dict[str, int] | None
    replies: list["Node"]
    labels: dict[str, Label] | None
    events: dict[str, list[dict[str, Any]]] | None
    detoxify: dict[str, float] | None
    message_tree_id: None
    tree_state: None


class MessageTree(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    message_tree_id: str
    tree_state: Literal["ready_for_export"]
    prompt: Node
    origin: str


def walk(node: Node) -> Iterator[Node]:
    yield node
    for reply in node.replies:
        assert reply.parent_id == node.message_id
        assert reply.role != node.role
        assert reply.text.strip()
        yield from walk(reply)


@pytest.mark.parametrize(("talk", "played"), PAIRS)
def test_oasst_rows_are_message_trees(talk, played):
    tree = MessageTree.model_validate(only(Oasst(), talk(), played()))
    nodes = list(walk(tree.prompt))
    assert tree.message_tree_id == tree.prompt.message_id
    assert tree.prompt.role == "prompter"
    assert tree.prompt.parent_id is None
    assert len({node.message_id for node in nodes}) == len(nodes)
    assert all(node.synthetic for node in nodes)


def test_drafts_are_siblings_ranked_below_the_accepted_one():
    tree = MessageTree.model_validate(only(Oasst(), two_party()))
    family = next(node.replies for node in walk(tree.prompt) if len(node.replies) > 1)
    assert [(node.rank, node.text) for node in family] == [
        (0, "Done. It comes on friday."),
        (1, "It comes on friday, and 5 euros are on their way."),
        (2, "It comes on friday, and I have paid you 5 euros."),
    ]
    assert [len(node.replies) for node in family] == [1, 0, 0]


def test_the_sidecar_carries_what_trees_cannot():
    exporter = Oasst()
    tree = MessageTree.model_validate(only(exporter, two_party()))
    (side,) = exporter.sidecar(scenario(), two_party())
    assert side["message_tree_id"] == tree.message_tree_id
    assert CONFIRM.text in side["system"]
    assert {node["message_id"] for node in side["nodes"]} == {node.message_id for node in walk(tree.prompt)}
    assert [(aside["kind"], aside["turn"]) for aside in side["asides"]] == [("draft", 3), ("calls", 5), ("result", 5)]
    assert side["asides"][1]["calls"][0]["args"] == {"order": "A1042", "day": "friday"}
    place = next(node for node in walk(tree.prompt) if node.message_id == side["asides"][1]["after"])
    assert place.text == "Yes."
    assert exporter.lost == {"draft_in_sidecar": 1, "calls_in_sidecar": 1, "result_in_sidecar": 1}


def test_no_word_of_a_conversation_is_lost_between_tree_and_sidecar():
    for make, played in PAIRS:
        talk, exporter = make(), Oasst()
        both = as_line(only(exporter, talk, played())) + as_line(next(iter(exporter.sidecar(played(), talk))))
        for turn in talk.turns:
            for message in (*(draft.message for draft in turn.drafts), *turn.results):
                assert json.dumps(message.text, ensure_ascii=False)[1:-1] in both


def test_a_third_partys_words_stand_in_the_sidecar_and_roles_still_alternate():
    exporter = Oasst()
    tree = MessageTree.model_validate(only(exporter, three_party(), three_party_scenario()))
    assert [node.text for node in walk(tree.prompt)] == [
        "I want my money back for order B2077.",
        "You get 35 euros back.",
        "Great, thanks.",
    ]
    assert exporter.lost["message_in_sidecar"] == 2


def test_turns_of_one_role_in_a_row_are_one_node():
    scene = Scene(scenario())
    scene.say("agent", "Welcome.")
    scene.say("customer", "Hello")
    scene.say("agent", "One moment.")
    scene.sent_back("agent", "All done.", "no_empty_claims")
    scene.say("agent", "Still here.")
    exporter = Oasst()
    tree = MessageTree.model_validate(only(exporter, scene.end()))
    assert [node.text for node in tree.prompt.replies] == ["One moment.\n\nStill here.", "One moment.\n\nAll done."]
    assert exporter.lost == {"leading_assistant_messages": 1, "message_in_sidecar": 1}


def test_a_conversation_in_which_the_user_says_nothing_is_no_tree():
    scene = Scene(scenario())
    scene.say("agent", "Anybody?")
    exporter = Oasst()
    assert list(exporter.rows(scenario(), scene.end())) == []
    assert list(exporter.sidecar(scenario(), scene.end())) == []
    assert exporter.lost == {"conversations_without_a_prompt": 1}


# --- evalset -----------------------------------------------------------------------------------------------------


def test_an_evaluation_item_reads_back_as_the_scenario_that_was_played():
    row = json.loads(as_line(only(Evalset(), two_party())))
    item = EvalItem.model_validate(row)
    assert item.scenario == scenario()
    assert [(call.name, call.args, call.by) for call in item.gold.calls] == [
        ("move_delivery", {"order": "A1042", "day": "friday"}, "agent")
    ]
    assert item.floors.none.passed is False
    assert item.floors.none.slot_f1 == 0.0
    Draft202012Validator(json.loads(schema())).validate(row)


def test_the_null_floor_shows_an_item_that_doing_nothing_passes():
    played = scenario(kind="nothing_to_do", script={"opening": "Hello there"}, success={"unchanged": True})
    assert only(Evalset(), two_party(), played)["floors"] == {"none": {"passed": True, "slot_f1": 1.0}}


def test_each_variant_is_one_item_however_often_it_was_played():
    grid = scenario(
        kind="nothing_to_do",
        slots={"day": "friday"},
        vary={"slots.day": ["friday", "sunday"], "customer.persona": ["calm", "hurried"]},
        script={"opening": "On ${day}, please"},
        success={"unchanged": True},
    )
    exporter, found = Evalset(), []
    for nth, day in enumerate(["friday", "sunday", "friday", "friday"]):
        choice = {"slots.day": day}
        played = settle(grid, choice)
        found += exporter.rows(played, two_party(id=f"talk-{nth}", variant=choice))
    assert [json.loads(row["scenario"])["script"]["opening"] for row in found] == [
        "On friday, please",
        "On sunday, please",
    ]
    assert len({row["id"] for row in found}) == 2


def test_an_item_whose_gold_cannot_be_right_is_left_out_and_counted_by_its_rule():
    exporter = Evalset()
    lazy = scenario(script={"opening": "Hello there"}, success={"unchanged": True})
    want = {"call": "move_delivery", "with": {"order": "B9", "day": "sunday"}}
    lost = scenario(script={"opening": "Hello", "wants": [want]})

    assert [*exporter.rows(lazy, two_party(id="a")), *exporter.rows(lost, two_party(id="b", variant={"n": 1}))] == []
    assert exporter.lost == {"items with wrong gold: gold-null": 1, "items with wrong gold: gold-value": 1}


def test_choices_that_settle_to_the_same_scenario_are_one_item():
    exporter = Evalset()
    rows = [row for n in range(3) for row in exporter.rows(scenario(), two_party(variant={"slots.unused": n}))]
    assert len(rows) == 1


def test_the_published_schema_of_evaluation_items_is_current():
    home = Path(exporters.__path__[0]).parent / "scenarios" / "schema" / "evalset.json"
    current = home.read_text(encoding="utf-8") == schema()
    assert current, f"write it anew: python -m tertulia.exporters.evalset {home}"


# --- files -------------------------------------------------------------------------------------------------------


def pairs(count: int = 3) -> Iterator[tuple[Scenario, Conversation]]:
    played, talk = scenario(), two_party()
    for index in range(count):
        yield played, talk.model_copy(update={"id": f"talk-{index}", "index": index})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_is_jsonl_the_same_bytes_each_time(name, tmp_path):
    one = export(name, pairs(), tmp_path / "one.jsonl")
    two = export(name, pairs(), tmp_path / "two.jsonl")
    assert one.path.read_bytes() == two.path.read_bytes()
    assert len(lines(one.path)) == one.rows > 0
    beside = lines(one.sidecar) if name == "openai" else lines(one.path)
    ids = [next(row[key] for key in ("id", "message_tree_id", "external_id", "name") if key in row) for row in beside]
    assert len(set(ids)) == len(ids)
    assert not list(tmp_path.glob(".*"))


def test_a_sidecar_is_written_beside_its_file_line_by_line(tmp_path):
    report = export("oasst", pairs(), tmp_path / "oasst.jsonl")
    assert report.sidecar == tmp_path / "oasst.sidecar.jsonl" == sidecar_of(report.path)
    trees, sides = lines(report.path), lines(report.sidecar)
    assert [row["message_tree_id"] for row in trees] == [row["message_tree_id"] for row in sides]
    assert report.lost["calls_in_sidecar"] == 3


@pytest.mark.parametrize("taken", ["oasst.jsonl", "oasst.sidecar.jsonl"])
def test_an_existing_file_is_overwritten_only_by_force(taken, tmp_path):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(UserError, match=f"{taken}' exists; to overwrite it, give --force"):
        export("oasst", pairs(), tmp_path / "oasst.jsonl")
    assert (tmp_path / taken).read_text() == "mine"
    assert export("oasst", pairs(), tmp_path / "oasst.jsonl", force=True).rows == 3
    assert (tmp_path / taken).read_text() != "mine"


def test_a_failed_export_leaves_what_was_there_and_nothing_else(tmp_path):
    def broken() -> Iterator[tuple[Scenario, Conversation]]:
        yield from pairs(2)
        raise KeyError("the run folder vanished")

    (tmp_path / "sft.jsonl").write_text("old")
    with pytest.raises(KeyError):
        export("sft", broken(), tmp_path / "sft.jsonl", force=True)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("sft.jsonl", "old")]


def test_a_path_that_cannot_be_written_is_the_users_to_mend(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        export("sft", pairs(), tmp_path / "file" / "sft.jsonl")
    with pytest.raises(UserError, match="is a folder"):
        export("sft", pairs(), tmp_path)


def test_an_unknown_format_names_the_nearest(tmp_path):
    with pytest.raises(UnknownPart, match="did you mean 'oasst'"):
        export("oast", pairs(), tmp_path / "x.jsonl")


class Fragile:
    """Writes two rows a conversation and fails after the first of talk-1."""

    def __init__(self) -> None:
        self.lost = Counter({"rejected_conversations": 7})

    def rows(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        yield {"id": f"{talk.id}/0"}
        if talk.id == "talk-1":
            raise KeyError("the party\nis gone")
        yield {"id": f"{talk.id}/1"}

    def sidecar(self, scenario: Scenario, talk: Conversation) -> Iterator[dict[str, Any]]:
        if talk.id == "talk-2":
            raise TypeError("no line for it")
        yield {"id": talk.id}


def test_an_exporter_that_raises_loses_that_conversation_alone_and_counts_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tertulia.export.load", lambda kind, name: Fragile)
    report = export("fragile", pairs(4), tmp_path / "f.jsonl", attempt=tried)

    assert [row["id"] for row in lines(report.path)] == ["talk-0/0", "talk-0/1", "talk-3/0", "talk-3/1"]
    assert [row["id"] for row in lines(report.sidecar)] == ["talk-0", "talk-3"]
    assert (report.rows, list(report.failed)) == (4, ["talk-1", "talk-2"])
    assert report.lost == {"failed_conversations": 2, "rejected_conversations": 7}
    assert report.failed["talk-1"].startswith("KeyError: 'the party\\nis gone' (test_exporters.py:")
    assert report.trouble.startswith(f"2 conversations missing in {report.path}, the first is talk-1: KeyError: ")
    assert "\n" not in report.trouble


def test_folders_on_the_way_are_made(tmp_path):
    assert export("sft", pairs(), tmp_path / "new" / "sft.jsonl").rows == 3


def test_memory_does_not_grow_with_the_rows(tmp_path):
    def tidied(count: int) -> Iterator[tuple[Scenario, Conversation]]:
        for nth, pair in enumerate(pairs(count)):
            if nth % 20 == 0:
                gc.collect()  # what waits to be collected is not held
            yield pair

    def peak(count: int) -> int:
        tracemalloc.start()
        export("sft", tidied(count), tmp_path / "sft.jsonl", force=True)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(20)
    assert peak(400) < 1.5 * peak(40)


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_one_line_of_json_that_reads_back(text):
    line = as_line({"text": text}) + "\n"
    stored = line.encode("utf-8", "backslashreplace")
    assert stored.count(b"\n") == 1
    assert json.loads(stored)["text"] == text


def test_labels_and_markers_reach_the_exports_unclipped():
    talk = with_tool_error()
    row = next(row for row in Critic().rows(scenario(), talk) if row["markers"])
    assert row["verdict"] == "accept"
    assert row["markers"][0]["severity"] == marker("no_empty_claims", 5, 0, revise=False).severity


def test_what_other_models_drafted_in_the_place_of_a_draft_is_paired_and_rated():
    talk = two_party()
    last = talk.turns[6].drafts[-1]
    worse = last.model_copy(
        update={
            "message": last.message.model_copy(update={"text": "It is done, for ever and for free."}),
            "markers": (marker("no_empty_claims", 6, 2),),
            "by": "small",
        }
    )
    fine = worse.model_copy(update={"markers": (), "by": "other"})
    drafts = (*talk.turns[6].drafts[:-1], last.model_copy(update={"by": "large", "siblings": (worse, fine)}))
    turns = (*talk.turns[:6], talk.turns[6].model_copy(update={"drafts": drafts}), talk.turns[7])
    talk = talk.model_copy(update={"turns": turns})

    pair = list(Dpo().rows(scenario(), talk))[-1]
    assert pair["rejected"][0]["content"] == "It is done, for ever and for free."
    origin = pair["provenance"]
    assert (origin["source"], origin["chosen_by"], origin["rejected_by"]) == ("sibling", "large", "small")
    assert len({row["id"] for row in Dpo().rows(scenario(), talk)}) == 4
    rated = list(Ultrafeedback().rows(scenario(), talk))[-1]
    assert rated["models"] == ["draft-0", "draft-1", "large", "other"]
    assert [made["annotations"]["honesty"]["Rating"] for made in rated["completions"]] == ["3", "3", "5", "5"]


def rated_by_length(request: Request) -> dict[str, Any]:
    """A model that rates by the number of words, and says that helpfulness does not apply to calls."""
    texts = blocks(str(request.messages[-1]["content"]))["texts"]
    helpful = "helpfulness" in str(request.messages[0]["content"])
    scores = {
        name: None if helpful and "calls" in text else max(1, min(5, len(text.get("says", "").split())))
        for name, text in texts.items()
    }
    return {"ratings": [{"name": name, "reason": f"for {score}", "score": score} for name, score in scores.items()]}


async def test_what_a_model_rated_fills_the_aspects_of_ultrafeedback_and_both_kinds_of_rows_are_sound(tmp_path):
    talk = two_party()
    verdict = await Aspects(Scripted(rated_by_length)).judge(scenario(), talk)
    judged = talk.model_copy(update={"verdicts": (*talk.verdicts, verdict)})
    unrated, rated = (list(Ultrafeedback().rows(scenario(), one))[-1] for one in (talk, judged))

    assert {made["annotations"]["truthfulness"]["Rating"] for made in unrated["completions"]} == {"N/A"}
    assert {made["annotations"]["helpfulness"]["Rating"] for made in unrated["completions"]} == {"N/A"}
    assert [made["response"] for made in rated["completions"]] == [made["response"] for made in unrated["completions"]]
    for made in rated["completions"]:
        wanted = str(min(5, len(made["response"].split())))
        assert {name: given["Rating"] for name, given in made["annotations"].items()} == dict.fromkeys(ASPECTS, wanted)
        assert made["annotations"]["truthfulness"]["Rationale For Rating"] == f"for {wanted}"
        assert made["fine-grained_score"] == float(wanted)
    called = next(iter(Ultrafeedback().rows(scenario(), judged)))["completions"][0]
    assert called["response"].startswith("<tool_call>")
    assert called["annotations"]["helpfulness"]["Rating"] == "N/A"
    for name, one in (("unrated", talk), ("rated", judged)):
        path = export("ultrafeedback", [(scenario(), one)], tmp_path / f"{name}.jsonl").path
        assert verify("ultrafeedback", path, [(scenario(), one)]).faults == []
