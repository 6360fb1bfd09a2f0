"""Whatever a conversation holds comes back from the rows of every format, or is counted as lost under a name it tells.

What was said, heard, called and got is written down here from the records alone, without the exporters' code.
"""

import json
import re
import runpy
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import SHOP, Scene, scenario, shop, three_party, three_party_scenario, two_party, with_tool_error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.export import columns_of, export
from tertulia.exporters.critic import CHARACTERS, HISTORY, MARKERS
from tertulia.exporting.columns import misfits
from tertulia.exporting.parquet import read_parquet
from tertulia.files import bundled_scenarios, load_scenario
from tertulia.parts import load, names
from tertulia.records import Conversation, Draft, EndReason, Message, ToolCall
from tertulia.scenario import Scenario
from tertulia.variation import settle

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("shop")

Row = dict[str, Any]
Said = tuple[Any, ...]  # ("user" | "tool", text), or ("assistant", text, [(name, args)])
FORMATS = names("exporters")
ITEMS = ["tau2", "bfcl", "inspect", "deepeval", "adk", "evalset"]
TALKS = [name for name in FORMATS if name not in ITEMS]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
ARGS = st.dictionaries(TEXT, VALUES, max_size=3)
STEPS = st.lists(
    st.tuples(st.just("customer"), TEXT)
    | st.tuples(st.just("agent"), TEXT, st.lists(TEXT, max_size=2), st.booleans())
    | st.tuples(st.just("call"), st.sampled_from(sorted(SHOP.tools)), ARGS, TEXT, st.booleans()),
    max_size=9,
)
RELAXED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def conversation(steps: list[tuple[Any, ...]], **fields: Any) -> Conversation:
    """Anything that two parties can do: words, calls with any arguments and results, drafts sent back, markers."""
    scene = Scene(scenario())
    for step in steps:
        if step[0] == "customer":
            scene.say("customer", step[1])
        elif step[0] == "agent":
            for text in step[2]:
                scene.sent_back("agent", text, "no_empty_claims")
            scene.say("agent", step[1], labels=("no_empty_claims",) if step[3] else ())
        else:
            _, name, args, given, error = step
            call = ToolCall(id=f"call_{len(scene.turns)}", name=name, args=args)
            result = Message(speaker=name, role="tool", text=given, audience=("agent",), answers=call.id, error=error)
            scene.commit(Draft(message=scene.message("agent", "", (), (call,))), (result,))
    return scene.end(id="any-0", **fields)


def rows(name: str, talk: Conversation, played: Scenario | None = None) -> tuple[list[Row], list[Row], Counter[str]]:
    """The rows of a conversation as a reader has them, those beside them, and what was lost."""
    exporter = load("exporters", name)()
    main = json.loads(json.dumps(list(exporter.rows(played or scenario(), talk))))
    beside = exporter.sidecar(played or scenario(), talk) if hasattr(exporter, "sidecar") else ()
    return main, json.loads(json.dumps(list(beside))), Counter(exporter.lost)


# --- what there is, from the records -----------------------------------------------------------------------------


def event(message: Message) -> Said:
    if message.role == "assistant":
        return "assistant", message.text, [(call.name, call.args) for call in message.calls]
    return message.role, message.text


def heard(talk: Conversation, until: int = 1_000_000) -> list[Said]:
    """What the agent said, heard, called and got before a turn; users' messages in a row are one."""
    made: list[Said] = []
    for turn in talk.turns[:until]:
        for message in (turn.message, *turn.results):
            if message.role == "user" and made and made[-1][0] == "user":
                made[-1] = ("user", f"{made[-1][1]}\n\n{message.text}")
            else:
                made.append(event(message))
    return made


def drafts(talk: Conversation) -> dict[tuple[int, int], Said]:
    """Every draft of the agent, by turn and number."""
    return {
        (turn.index, number): event(draft.message)
        for turn in talk.turns
        if turn.speaker == "agent"
        for number, draft in enumerate(turn.drafts)
    }


# --- what comes back, from the rows ------------------------------------------------------------------------------


def chat(messages: list[Row]) -> list[Said]:
    """Messages of a chat; the system's is left out."""
    made: list[Said] = []
    for message in messages:
        if message["role"] == "assistant":
            calls = [call["function"] for call in message.get("tool_calls", ())]
            given = [c["arguments"] if isinstance(c["arguments"], dict) else json.loads(c["arguments"]) for c in calls]
            made.append(("assistant", message["content"], list(zip([c["name"] for c in calls], given, strict=True))))
        elif message["role"] != "system":
            made.append((message["role"], message["content"]))
    return made


CALL = re.compile(r"\n?<tool_call>\n(.*)\n</tool_call>")
RESPONSE = re.compile(r"<tool_response>\n(.*)\n</tool_response>")


def tagged(text: str) -> tuple[str, list[tuple[str, Any]]]:
    """The words of an assistant's turn, and the calls in its tags."""
    calls = [json.loads(inside) for inside in CALL.findall(text)]
    return CALL.sub("", text), [(call["name"], call["arguments"]) for call in calls]


def in_words(said: list[Said]) -> list[tuple[str, str, list[Any]]]:
    """What was said as turns of a role: words with line breaks between, and calls; what texts can hold of it."""
    made: list[tuple[str, list[str], list[Any]]] = []
    for role, text, *calls in said:
        if not made or made[-1][0] != role:
            made.append((role, [], []))
        if text or not (calls and calls[0]):
            made[-1][1].append(text)
        made[-1][2].extend(calls[0] if calls else ())
    return [(role, "\n".join(texts), calls) for role, texts, calls in made]


# --- each format -------------------------------------------------------------------------------------------------


def whole_chat(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    everything = heard(talk)
    if not main:
        assert lost["nothing_to_learn"] == 1
        return
    back = chat(main[0]["messages"])
    leading = lost["leading_assistant_messages"] + lost["leading_tool_messages"]
    assert everything[leading : leading + len(back)] == back
    assert len(back) + lost.total() == len(everything)


def turns_of_text(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    same, _, _ = rows("sft", talk)
    assert len(main) == len(same)
    for row, other in zip(main, same, strict=True):
        said = chat(other["messages"])
        roles = {"human": "user", "gpt": "assistant", "User": "user", "Assistant": "assistant", "tool": "tool"}
        back = [(roles[t["from"]], t["value"]) for t in row["conversations"] if t["from"] != "system"]
        if name == "daring_anteater":  # results stand in turns of the user
            said = [("user" if one[0] == "tool" else one[0], *one[1:]) for one in said]
        wanted = in_words(said)
        assert [role for role, _ in back] == [role for role, _, _ in wanted]
        for (role, text), (_, words, calls) in zip(back, wanted, strict=True):
            if role == "assistant":
                assert tagged(text) == (words, calls)
            else:
                assert RESPONSE.sub(lambda found: json.loads(found[1])["content"], text) == words
        assert lost["call_ids"] == sum(len(one[2]) for one in said if len(one) > 2)
        assert lost["message_boundaries"] == len(said) - len(wanted)


def answers_alone(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    own = [said for said in heard(talk) if said[0] == "assistant"]
    outputs = [tagged(row["output"]) for row in main]
    places = [row["meta"]["place"] for row in main]
    cut = lost["leading_assistant_messages"]
    assert outputs == [tuple(own[cut + place][1:]) for place in places]
    for row in main:
        assert all(said[1] in row["input"] for said in heard(talk)[: before(talk, cut + row["meta"]["place"])][-1:])
    if main:
        missing = lost["leading_assistant_messages"] + lost["trailing_assistant_messages"] + lost["faulty_messages"]
        assert len(main) + missing == len(own)


def before(talk: Conversation, nth: int) -> int:
    """The place of the agent's nth message among all that it heard and said."""
    return [at for at, said in enumerate(heard(talk)) if said[0] == "assistant"][nth]


def pairs(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    every = drafts(talk)
    for row in main:
        origin = row["provenance"]
        turn, last = origin["turn"], len(talk.turns[origin["turn"]].drafts) - 1
        if name == "reward":
            row = row | {"prompt": row["chosen"][:-1], "chosen": row["chosen"][-1:], "rejected": row["rejected"][-1:]}
        assert chat(row["prompt"]) == heard(talk, turn)
        assert chat(row["chosen"]) == [every[turn, last]]
        assert chat(row["rejected"]) == [every[turn, origin["rejected_draft"]]]
    assert len(main) + lost.total() == sum(len(turn.drafts) - 1 for turn in talk.turns)


def judgements(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    every = drafts(talk)
    for row in main:
        turn, number = row["provenance"]["turn"], row["provenance"]["draft"]
        assert chat(row["prompt"]) == heard(talk, turn)
        assert chat(row["completion"]) == [every[turn, number]]
        assert row["label"] is (number + 1 == len(talk.turns[turn].drafts))
    assert len(main) + lost.total() == len(every)


def completions(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    every = drafts(talk)
    shown = 0
    for row in main:
        said = [every[key][1:] for key in sorted(every) if key[0] == row["turn"]]
        back = [tagged(made["response"]) for made in row["completions"]]
        assert all(tuple(made) in said for made in back)
        shown += len(back)
        final = every[row["turn"], len(said) - 1]
        assert tuple(back[-1]) == final[1:]
    several = [turn for turn in talk.turns if turn.speaker == "agent" and len(turn.drafts) > 1]
    asked = [turn for turn in several if turn.index and heard(talk, turn.index)[-1][0] != "assistant"]
    assert len(main) + lost["turns_with_one_completion"] == len(asked)
    dropped = lost["empty_repeated_or_doubtful_drafts"] + lost["turns_with_one_completion"]
    assert shown + dropped == sum(len(turn.drafts) for turn in asked)


def dialogue(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    words: list[tuple[str, str]] = []
    for turn in talk.turns:
        if turn.message.text:
            role = turn.message.role
            if words and words[-1][0] == role:
                words[-1] = (role, f"{words[-1][1]}\n\n{turn.message.text}")
            else:
                words.append((role, turn.message.text))
    assert [(m["role"], m["content"]) for row in main for m in row["messages"]] == words
    assert lost["calls"] == lost["results"] == sum(len(turn.message.calls) for turn in talk.turns)
    assert lost["conversations_without_words"] == (not words)


def retrieved(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    worked = {
        call.name
        for turn in talk.turns
        for call, result in zip(turn.message.calls, turn.results, strict=True)
        if not result.error
    }
    found = {row["positive"].partition(":")[0] for row in main}
    assert found <= worked
    assert len(main) + lost.total() >= len(worked)
    for row in main:
        asked = [said[1] for said in heard(talk) if said[0] == "user"]
        assert row["query"] in {"\n\n".join(asked[:place]) for place in range(1, len(asked) + 1)}


def reviewed(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    every = drafts(talk)
    for row in main:
        turn, number = row["metadata"]["turn"], row["metadata"]["draft_number"]
        assert tagged(row["fields"]["draft"]) == tuple(every[turn, number][1:])
        history = [(m["role"], m["content"]) for m in row["fields"]["history"] if m["role"] != "system"]
        assert [(r, *tagged(t)) if r == "assistant" else (r, t) for r, t in history] == heard(talk, turn)
    assert len(main) + lost["drafts_that_answer_nobody"] == len(every)
    assert lost["call_ids"] == sum(len(every[r["metadata"]["turn"], r["metadata"]["draft_number"]][2]) for r in main)


def criticised(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    assert [(row["meta"]["turn"], row["meta"]["draft"]) for row in main] == [
        (turn.index, number) for turn in talk.turns for number in range(len(turn.drafts))
    ]
    for row in (row for row in main if row["speaker"] == "agent"):
        turn, number = row["meta"]["turn"], row["meta"]["draft"]
        assert chat(row["messages"]) == heard(talk, turn)
        assert chat([row["draft"]]) == [event(talk.turns[turn].drafts[number].message)]
        markers = talk.turns[turn].drafts[number].markers
        assert [(m["principle"], m["quote"], m["evidence"]) for m in row["markers"]] == [
            (m.principle, m.quote, m.evidence) for m in markers
        ]
    assert lost.total() == 0  # nothing here is long


def trees(name: str, talk: Conversation) -> None:
    main, beside, lost = rows(name, talk)
    spoken = [turn for turn in talk.turns if turn.message.text]
    if not main:
        assert lost["conversations_without_a_prompt"] == 1
        assert not [turn for turn in spoken if turn.speaker == "customer"]
        return
    (tree,), (side,) = main, beside
    words, node = [tree["prompt"]["text"]], tree["prompt"]
    siblings = 0
    while node["replies"]:
        siblings += len(node["replies"]) - 1
        node = node["replies"][0]
        words.append(node["text"])
    asides = Counter((one["kind"], one["turn"], one["draft"], one["text"]) for one in side["asides"])
    leading = [turn for turn in spoken if turn.index < first_of(talk)]
    on_the_path = [turn for turn in spoken if turn not in leading]
    groups: list[tuple[str, str]] = []
    for turn in on_the_path:
        if groups and groups[-1][0] == turn.speaker:
            groups[-1] = (turn.speaker, f"{groups[-1][1]}\n\n{turn.message.text}")
        else:
            groups.append((turn.speaker, turn.message.text))
    assert words == [text for _, text in groups]
    assert lost["calls_in_sidecar"] == sum(1 for turn in talk.turns if turn.message.calls)
    assert lost["result_in_sidecar"] == sum(len(turn.results) for turn in talk.turns)
    sent_back = sum(len(turn.drafts) - 1 for turn in talk.turns)
    assert siblings + lost["draft_in_sidecar"] == sent_back
    for turn in talk.turns:
        if turn.message.calls or turn in leading:
            kind = "calls" if turn.message.calls else "message"
            assert asides[kind, turn.index, len(turn.drafts) - 1, turn.message.text] == 1
    assert lost["message_in_sidecar"] == lost["leading_assistant_messages"] == len(leading)


def first_of(talk: Conversation) -> int:
    return next(turn.index for turn in talk.turns if turn.speaker == "customer" and turn.message.text)


def trajectory(name: str, talk: Conversation) -> None:
    main, _, lost = rows(name, talk)
    (row,) = main
    assert chat(row["trajectory"]) == heard(talk)
    assert lost == +Counter(drafts_sent_back=sum(len(turn.drafts) - 1 for turn in talk.turns))


HOLDS: dict[str, Callable[[str, Conversation], None]] = {
    "sft": whole_chat,
    "openai": whole_chat,
    "sharegpt": turns_of_text,
    "hermes": turns_of_text,
    "daring_anteater": turns_of_text,
    "alpaca": answers_alone,
    "dpo": pairs,
    "reward": pairs,
    "kto": judgements,
    "ultrafeedback": completions,
    "sdsd": dialogue,
    "triplets": retrieved,
    "argilla": reviewed,
    "critic": criticised,
    "oasst": trees,
    "openevals": trajectory,
}


def test_every_format_of_conversations_is_read_back() -> None:
    assert sorted(HOLDS) == sorted(TALKS)


@pytest.mark.parametrize("name", TALKS)
@RELAXED
@given(steps=STEPS)
def test_what_a_conversation_holds_comes_back_or_is_counted(name, steps):
    HOLDS[name](name, conversation(steps))


@pytest.mark.parametrize("name", TALKS)
@RELAXED
@given(steps=STEPS, accepted=st.booleans(), reason=st.sampled_from(EndReason))
def test_nothing_is_counted_under_a_name_that_a_format_does_not_tell(name, steps, accepted, reason):
    talk = conversation(steps).model_copy(update={"rejected_by": "" if accepted else "success", "end_reason": reason})
    _, _, lost = rows(name, talk)

    assert {what.partition(":")[0] for what in lost} <= set(load("exporters", name).loses)
    if not accepted and "rejected_conversations" in load("exporters", name).loses:
        assert lost == {"rejected_conversations": 1}


@settings(RELAXED, max_examples=15)
@given(steps=STEPS)
def test_any_conversation_fits_the_columns_and_is_the_same_in_parquet(tmp_path_factory, steps):
    folder, pairs = tmp_path_factory.mktemp("any"), [(scenario(), conversation(steps))]
    for name in FORMATS:
        columns = columns_of(name)
        if columns is None:  # a folder
            continue
        text = export(name, pairs, folder / f"{name}.jsonl").path.read_text(encoding="utf-8")
        table = export(name, pairs, folder / f"{name}.parquet", force=True).path
        made = [json.loads(line) for line in text.split("\n")[:-1]]
        wanted = [{column: row.get(column) for column in columns} for row in made]
        assert list(read_parquet(table, columns)) == wanted
        assert [misfit for row in wanted for misfit in misfits(columns, row)] == []


# --- the list of what is lost ------------------------------------------------------------------------------------


def odd_conversations() -> Iterator[tuple[Scenario, Conversation]]:
    """Conversations in which every kind of loss happens."""
    for talk, played in (
        (two_party(), scenario()),
        (three_party(), three_party_scenario()),
        (with_tool_error(), scenario()),
    ):
        yield played, talk
        yield played, talk.model_copy(update={"rejected_by": "success"})
    yield scenario(), two_party(end_reason=EndReason.MODEL_FAILURE)
    yield scenario(), with_siblings(two_party())
    yield scenario(), conversation([("agent", "Hello.", ["Hi."], False)])
    asked = [("customer", "Is it there?"), ("agent", "Yes.", ["Yes."], False), ("agent", "It is.", [], False)]
    yield scenario(), conversation([("agent", "Hello.", [], False), *asked])
    private = Scene(three_party_scenario())
    private.say("customer", "A word, please.", to=("lead",))
    yield three_party_scenario(), private.end()
    yield scenario(), conversation([("call", "find_order", {"order": "A1042"}, "there", False)])
    scene = Scene(scenario())
    scene.call("agent", "find_order", order="A1042")
    scene.say("customer", "Is it there?")
    for text in ("Yes.", "Yes. ", " ", "It is."):
        scene.sent_back("agent", text, "no_empty_claims")
    scene.say("agent", "It is.", labels=("no_empty_claims",))
    scene.say("agent", "Anything else?")
    scene.say("agent", "I can look.")
    scene.say("customer", "No.")
    scene.call("agent", "find_order", order="A1042")
    yield scenario(), scene.end()
    long = Scene(scenario())
    for _ in range(HISTORY):
        long.say("customer", "Look again.")
        long.say("agent", "x" * (CHARACTERS + 1), labels=("no_empty_claims",) * (MARKERS + 1))
    yield scenario(), long.end(plan_drafts=long.turns[0].drafts)
    only = scenario(tools=[{"name": "ring"}], world="", success={}, script={"opening": "Ring!"})
    yield only, rung()


def with_siblings(talk: Conversation) -> Conversation:
    """What another model drafted stands beside every draft."""

    def beside(draft: Draft) -> Draft:
        return draft.model_copy(update={"siblings": (draft,)})

    turns = [turn.model_copy(update={"drafts": tuple(map(beside, turn.drafts))}) for turn in talk.turns]
    return talk.model_copy(update={"turns": tuple(turns)})


def rung() -> Conversation:
    """A call of the only tool that there is."""
    scene = Scene(scenario())
    scene.say("customer", "Ring!")
    call = ToolCall(id="call_1", name="ring", args={})
    result = Message(speaker="ring", role="tool", text="rung", audience=("agent",), answers=call.id)
    scene.commit(Draft(message=scene.message("agent", "", (), (call,))), (result,))
    scene.say("agent", "Done.")
    return scene.end(id="rung-0")


@pytest.mark.parametrize("name", TALKS)
def test_every_loss_that_a_format_tells_can_happen(name):
    told, happened = set(load("exporters", name).loses), Counter[str]()
    for played, talk in odd_conversations():
        happened += rows(name, talk, played)[2]

    assert set(happened) == told


def test_the_page_shows_the_losses_that_the_code_tells():
    losses = runpy.run_path(str(Path(__file__).parents[1] / "docs" / "losses.py"))
    page = losses["PAGE"].read_text(encoding="utf-8")

    assert page == losses["written"](page), "a format loses something else: run `python docs/losses.py`"
    assert "`quotes_without_a_span`" in page


# --- items -------------------------------------------------------------------------------------------------------


def settled(name: str) -> Scenario:
    return settle(load_scenario(bundled_scenarios()[name]), {})


def unplayed(played: Scenario) -> Conversation:
    roles = {name: party.role for name, party in played.cast.items()}
    return Conversation(
        id=f"{played.id}-0", scenario=played.id, index=0, seed=0, roles=roles, end_reason=EndReason.GOAL_REACHED
    )


def leaves(value: Any) -> Iterator[str]:
    """The words and numbers of a value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif value not in (None, "", True, False):
        yield value if isinstance(value, str) else json.dumps(value)


def at(record: Any, path: list[str]) -> Iterator[Any]:
    """The values of a field, of every record on the way."""
    if not path:
        yield record.model_dump(mode="json") if hasattr(record, "model_dump") else record
        return
    inner = getattr(record, path[0])
    many = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, tuple) else (inner,)
    for one in many if len(path) > 1 else (inner,):
        yield from at(one, path[1:])


def texts(value: Any) -> str:
    """All that an item says, as one text."""
    return "\n".join(leaves(value))


# What stands in other words, or follows from the rest of the item: BFCL plays the calls to find the end state.
SAID_OTHERWISE = {"script", "script.wants.call", "script.wants.outcome", "script.wants.by", "script.of"}
SAID_OTHERWISE |= {"success", "success.state", "cast.role", "cast.secret"}
USERS_ALONE = ("cast.persona", "cast.knows", "cast.tools")


@pytest.fixture(scope="module")
def bundled() -> list[Scenario]:
    return [settled(name) for name in sorted(bundled_scenarios())]


@pytest.mark.parametrize("name", ["tau2", "bfcl", "deepeval", "adk"])
def test_the_fields_of_a_scenario_that_an_item_carries_stand_in_it(name, bundled, monkeypatch):
    monkeypatch.undo()
    exporter = load("exporters", name)
    for played in bundled:
        main, beside, lost = rows(name, unplayed(played), played)
        shown = texts([main, beside])
        for path in exporter.carries:
            missing = [leaf for leaf in leaves(list(values_at(played, path, name))) if not stands(leaf, shown)]
            assert (played.id, path, missing) == (played.id, path, [])
        assert all(what in exporter.loses or what.partition(".")[0] in Scenario.model_fields for what in lost)
        assert not set(exporter.carries) & set(lost)


def values_at(played: Scenario, path: str, name: str) -> Iterator[Any]:
    """What a scenario has at a path; of parties, the user's, and without what tau2's user must not tell."""
    if path in SAID_OTHERWISE:
        return
    if path not in USERS_ALONE:
        yield from at(played, path.split("."))
        return
    user = played.cast[played.user]
    value = getattr(user, path.partition(".")[2])
    told = path == "cast.knows" and name == "tau2"
    yield {key: one for key, one in value.items() if key not in user.secret} if told else value


def stands(leaf: str, shown: str) -> bool:
    return any(part.casefold() in shown.casefold() for part in (leaf, json.dumps(leaf)[1:-1], repr(leaf)[1:-1]))


def test_items_that_carry_the_whole_scenario_give_it_back(bundled, monkeypatch):
    monkeypatch.undo()
    for played in bundled:
        (sample,), _, none = rows("inspect", unplayed(played), played)
        (item,), _, lost = rows("evalset", unplayed(played), played)
        assert Scenario.model_validate(sample["metadata"]["scenario"]) == played
        assert Scenario.model_validate_json(item["scenario"]) == played
        assert (none, lost) == ({}, {})
