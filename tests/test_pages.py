"""Pages as their readers see them, drawn by Chromium: the answer first, every number right, nothing cut or run."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from browser import CHROMIUM, seen
from evaluations import bundled

import tertulia
from tertulia.commands import corpus_page, report
from tertulia.corpus.distributions import Distributions
from tertulia.evaluation.causes.findings import Finding
from tertulia.evaluation.dialogue_html import dialogue
from tertulia.evaluation.evaluating import evaluate, figures_of
from tertulia.evaluation.html import MOST, page_of, spread
from tertulia.evaluation.sets import EvalSet
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.evaluation.statistics.variance import BETWEEN
from tertulia.pages.document import document, text
from tertulia.parts import heuristics
from tertulia.records import Draft, EndReason, Message, ToolCall, Turn
from tertulia.running.run_settings import RunSettings
from tertulia.shares import percent

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

DESK, PHONE = 1280, 390
AGENT = "tertulia.testing.reference_agents:never_asks"
ITEMS = (0, 2, 3, 13)  # of the bundled set
CRITERIA = """
id: lean
title: Lean
rules:
  - keep: accepted
  - reject: size.tokens.total > 400
    because: too long
near: {similarity: 0.6, words: 3}
balance: [{by: [kind], most: 2}]
split: {shares: {train: 0.5, test: 0.5}, by: [scenario]}
coverage: [[kind, principles]]
"""
HOSTILE = (
    "<script>alert(1)</script>",
    "</span></p></section></main></body><h1>boo</h1>",
    "W" * 100_000,
    "\u202eabc \u05de\u05d6\u05dc \u05d8\u05d5\u05d1 (hello) 123",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 40,
    "null \x00, bell \x07 and \x1b[31m red, half \ud800 of a pair",
    "one\r\ntwo\n\n- three",
    "<img src=http://127.0.0.1:9/x.png onerror=alert(2)><iframe src=//127.0.0.1:9/></iframe>",
    "&amp; &lt;b&gt; \"both\" 'quotes' --> ]]> <!-- {{x}}",
    "<style>body{display:none}</style><base href=http://127.0.0.1:9/>",
)
FLAWED = """<!doctype html><body style="margin:0"><h1>x</h1><h3>y</h3><p style="width:500px;color:#999">wide</p>
<a href="#nowhere">x</a>
<table><tr><th>a</th></tr></table><div style="overflow-x:auto">x</div>
<i id="a"></i><i id="a"></i>
<svg viewBox="0 0 10 10"><rect x="5" width="9" height="9"/></svg><img src="data:,x">
<img src="http://127.0.0.1:9/x.png">
<script>console.error("ran")</script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def figures(folder):
    """An evaluation in which some items pass, some fail, and one fails now and then, for another cause."""
    run = RunSettings.of(out=str(folder / "evaluation"))
    asked = EvaluationSettings.of(sets=("parcels",), agent=AGENT, k=4, run=run)
    whole = bundled("parcels")
    evalset = EvalSet(whole.name, tuple([whole.items[nth] for nth in ITEMS]))
    return asyncio.run(figures_of(asyncio.run(evaluate(asked, evalset=evalset)), evalset=evalset))


@pytest.fixture(scope="module")
def run(folder):
    made = tertulia.run("parcels", n=15, slips=0.4, out=folder / "run")
    made.judge(*heuristics())
    return made


@pytest.fixture(scope="module")
def selected(run, folder):
    (folder / "lean.yaml").write_text(CRITERIA)
    return run.select(folder / "lean.yaml", preview=True)


def hostile_page(figures):
    """The evaluation's page as an agent would like it that puts markup everywhere it can."""
    texts = itertools.cycle(HOSTILE)
    trials = [
        replace(one, fault=one.fault and replace(one.fault, text=next(texts), rule=next(texts)))
        for one in figures.trials
    ]
    spoilt = replace(
        figures, trials=trials, agent=HOSTILE[0] + HOSTILE[2], left_out=dict.fromkeys(HOSTILE[3:], HOSTILE[1])
    )
    return page_of(spoilt)


def hostile_dialogue(figures, talk):
    """One dialogue with every hostile text in it, as words, call and result."""
    call = ToolCall(id="1", name=HOSTILE[0], args={HOSTILE[1]: HOSTILE[2]})
    spoken = [Message(speaker=HOSTILE[0], role="assistant", text=said, calls=(call,)) for said in HOSTILE]
    turns = [Turn(index=n, speaker="agent", drafts=(Draft(message=one),)) for n, one in enumerate(spoken)]
    made = talk(turns=tuple(turns), error="\n".join(HOSTILE), end_reason=EndReason.FAILED)
    return document("hostile", ["<h1>hostile</h1><h2>dialogue</h2>", dialogue(figures.failures[0], made)])


@pytest.fixture(scope="module")
def pages(figures, run, selected):
    return {
        "evaluation": page_of(figures),
        "hostile": hostile_page(figures),
        "corpus": corpus_page.page_of(selected, run.conversations()),
        "report": report.page_of(run.summary, Distributions.of(run.conversations())),
    }


@pytest.fixture(scope="module")
def light(pages, folder):
    return seen(pages | {"flawed": FLAWED}, folder, (DESK, PHONE))


@pytest.fixture(scope="module")
def dark(pages, folder):
    return seen(pages, folder, (DESK,), dark=True)


@pytest.fixture
def views(light, pages):
    """What is seen of every page of ours at every width."""
    return {key: view for key, view in light.items() if key[0] in pages}


FLAWS = ("beyond", "dangling", "fetched", "headless", "keyless", "outside", "pale", "twice", "unnamed", "unscoped")


def test_what_looks_at_the_pages_sees_every_flaw(light):
    flawed = light["flawed", PHONE]

    assert [flaw for flaw in FLAWS if not flawed[flaw]] == []
    assert flawed["scrolls"] > flawed["width"]
    assert flawed["headings"] == [1, 3]
    assert flawed["foreign"] == 3
    assert any("ran" in line for line in light["", 0]["console"])


def test_no_page_has_a_flaw_at_any_width(views):
    found = {(key, flaw): view[flaw] for key, view in views.items() for flaw in (*FLAWS, "spilt")}

    assert {key: flaws for key, flaws in found.items() if flaws} == {}
    assert {key: view["scrolls"] for key, view in views.items() if view["scrolls"] > view["width"]} == {}
    assert len(views) == 8


def test_pages_follow_the_dark_scheme_and_every_text_has_contrast_there(dark, views):
    assert {view["background"] for view in views.values()} == {"rgb(255, 255, 255)"}
    assert {view["background"] for key, view in dark.items() if key[0]} == {"rgb(20, 24, 31)"}
    assert {key: view["pale"] for key, view in dark.items() if view.get("pale")} == {}


def test_headings_begin_with_one_and_leave_no_level_out(views):
    for view in views.values():
        levels = view["headings"]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_nothing_that_an_agent_says_is_run_or_asked_for(light, views):
    assert {view["foreign"] for view in views.values()} == {0}
    assert [line for line in light["", 0]["console"] if "alert" in line or "Content Security" in line] == []


# --- an evaluation -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_first_screen_has_the_score_its_interval_the_floors_and_the_first_cause(views, figures, width):
    first, told = views["evaluation", width]["first"], figures.as_json()
    score = told["pass"][0]

    assert percent(score["value"]) in first
    assert f"{percent(score['low'])} to {percent(score['high'])}" in first
    assert [name for name in ("none", "rules", "oracle") if name not in first] == []
    assert f"agent: {next(iter(told['agent_causes']))}" in first


def test_every_failed_trial_is_one_click_away_and_shows_where_it_failed(views, figures):
    view = views["evaluation", PHONE]
    trials = [link for link in view["followed"] if link["to"].startswith("#trial-")]
    turns = [link for link in view["followed"] if link["to"].startswith("#failing-")]

    assert [link["onScreen"] for link in view["followed"]] == [True] * len(view["followed"])
    assert len(trials) == len(turns) == len(figures.failures) > 3
    assert [link["label"] for link in turns] == [f"turn {link['said'].split()[0]}" for link in turns]
    assert sorted(link["label"] for link in turns) == sorted(f"turn {one.fault.turn}" for one in figures.failures)
    assert {one.score.conversation for one in figures.failures} == {link["said"].split("\n")[0] for link in trials}
    rules = sorted(f"Failed here: {one.name}. {one.fault.rule}" for one in figures.failures)
    assert sorted(link["said"].splitlines()[-1] for link in turns) == rules


def test_the_plots_say_what_the_json_says(views, figures):
    drawn, told = views["evaluation", DESK]["figures"], figures.as_json()

    def rows(found):
        return {
            name: [percent(one["value"]), f"{percent(one['low'], 0)} to {percent(one['high'], 0)}"]
            for name, one in found.items()
        }

    def shown(name, nth=None):
        tables = drawn[name]["tables"]
        return {row[0]: row[2:4] for made in (tables if nth is None else tables[nth : nth + 1]) for row in made[1:]}

    assert shown("pass^1 by kind of scenario") == rows(told["kinds"])
    assert shown("share of trials that held each principle") == rows(told["principles"])
    beside = shown("pass^1, and what stands beside it")
    assert beside == rows({"this agent": told["pass"][0]}) | {n: [percent(r), ""] for n, r in told["floors"].items()}
    curve = drawn["pass^k: all of k trials of an item pass"]["tables"][0][1:]
    assert curve == [[f"k = {p['k']}", *(percent(p[end]) for end in ("value", "low", "high"))] for p in told["pass"]]
    bars, numbers = (made[1:] for made in drawn["where outcomes differ: the variance of one trial"]["tables"])
    parts = {BETWEEN[name]: part for name, part in told["variance"].items()}
    assert {row[0]: row[2] for row in bars} == {name: percent(part["share"]) for name, part in parts.items()}
    bounds = {name: [max(0.0, part[end]) for end in ("value", "low", "high")] for name, part in parts.items()}
    assert {name: [*map(float, ends)] for name, *ends in numbers} == bounds
    assert len(parts) == 2
    causes = {row[0]: row[2] for row in drawn["why trials failed"]["tables"][0][1:]}
    assert causes == {f"agent: {name}": str(count) for name, count in told["agent_causes"].items()}
    assert [link.removeprefix("#cause-agent-") for link in drawn["why trials failed"]["linked"]] == [
        *told["agent_causes"]
    ]
    assert len(causes) > 1
    assert len({point["value"] for point in told["pass"]}) > 1
    cost = dict(drawn["cost of a trial"]["tables"][0][1:])
    assert cost["turns"] == f"{told['cost']['turns']:,.1f}"


def test_bars_and_intervals_are_as_long_as_their_numbers_say(views, figures):
    drawn, told = views["evaluation", DESK]["figures"], figures.as_json()
    kinds = sorted(told["kinds"].items(), key=lambda pair: (pair[1]["value"], pair[0]))
    wanted = [[100 * one[end] for end in ("value", "low", "high")] for _, one in kinds]

    assert len(wanted) > 2
    for long, numbers in zip(drawn["pass^1 by kind of scenario"]["drawn"], wanted, strict=True):
        assert long == pytest.approx(numbers, abs=0.5)  # the caps of an interval stay inside the picture


def test_of_many_failures_some_of_every_cause_are_shown():
    groups = {"frequent": [*range(2000)], "rare": [2000], "seldom": [2001, 2002]}
    shown = spread(groups, MOST)

    assert len(shown) == MOST
    assert {2000, 2001, 2002} < set(shown)


def test_where_the_simulator_tainted_every_trial_the_page_says_that_none_counts(figures):
    taint = Finding("invented", 0, "Q7731", "nobody told it")
    trials = [replace(one, cause="simulator", fault=taint, simulator=(taint,)) for one in figures.trials]
    page = page_of(replace(figures, trials=trials))

    assert "No trial counts: the simulator tainted every one." in page
    assert f"The simulator tainted {len(trials)} trials; 0 were played again, and {len(trials)} are set aside." in page
    assert f"{percent(figures.as_json()['pass_raw'][0]['value'])} (" in page
    assert "pass^1 by kind" not in page


def test_a_turn_that_never_came_is_told_after_the_last_one(figures, talk):
    one = next(one for one in figures.failures)
    died = replace(one, fault=Finding("crashed", 2, "status 3", "crashed"))
    drawn = dialogue(died, talk(error="Traceback\nstatus 3", end_reason=EndReason.FAILED))

    assert drawn.index("Your parcel comes") < drawn.index("Failed here: agent: crashed") < drawn.index("Traceback")
    assert drawn.count('class="turn failing"') == 1


def test_hostile_texts_are_read_as_they_are_and_break_nothing(figures, talk, folder):
    made = seen({"hostile": hostile_dialogue(figures, talk)}, folder, (PHONE,))
    view = made["hostile", PHONE]
    said = view["said"]

    assert (view["foreign"], view["fetched"], view["spilt"], view["beyond"]) == (0, [], [], [])
    assert view["scrolls"] == view["width"]
    assert len(said) == len(HOSTILE)
    assert [said[n] for n in (0, 1, 3, 4, 7, 8, 9)] == [HOSTILE[n] for n in (0, 1, 3, 4, 7, 8, 9)]
    assert said[2] == "W" * 4000 + " \u2026 96,000 characters more"
    assert said[5] == "null \u2400, bell \u2407 and \u241b[31m red, half \ufffd of a pair"
    assert said[6] == "one\ntwo\n\n- three"


def test_a_page_can_be_written_whatever_was_said():
    document(HOSTILE[5], [text(HOSTILE[5])]).encode()


# --- a corpus ----------------------------------------------------------------------------------------------------


def test_the_page_of_a_selection_says_what_its_json_says(views, selected):
    drawn, told = views["corpus", DESK]["figures"], selected.as_json()

    def column(name, *places):
        return {row[0]: [row[place] for place in places] for row in drawn[name]["tables"][0][1:]}

    steps = {step["step"]: [f"{step['rejected']}", f"{step['left']}"] for step in told["steps"]}
    assert column("criteria, in their order", 2, 3) == steps
    found = {step["step"]: [str(step["rejected"])] for step in told["steps"] if step["step"].endswith("duplicate")}
    assert column("duplicates and leaks found", 2) == found
    assert len(found) == 2
    balance = told["balance"][0]
    weighed = {sort: [str(count), str(balance["after"][sort])] for sort, count in balance["before"].items()}
    assert column("balance by kind", 2, 3) == weighed
    assert f"{told['kept']} of {told['conversations']} conversations are kept" in views["corpus", PHONE]["first"]


@pytest.mark.parametrize("page", ["corpus", "report"])
def test_the_page_of_a_corpus_has_spreads_marks_revisions_and_pairs_as_the_json_has(views, run, page):
    drawn, found = views[page, DESK]["figures"], Distributions.of(run.conversations())
    told = found.as_json()

    def column(name, *places):
        return {row[0]: tuple(int(row[place]) for place in places) for row in drawn[name]["tables"][0][1:]}

    for name, spread_ in (("turns", told["turns"]), *told["tags"].items()):
        assert sum(sum(row) for row in column(name, 2).values()) == told["conversations"]
        assert f"median {spread_['median']:,g}; from {spread_['min']:,g} to {spread_['max']:,g}" == drawn[name]["note"]
    revised = {name: (one["helped"], one["in_vain"]) for name, one in told["revisions"].items()}
    assert column("revisions, judged before and after", 2, 3) == revised
    assert sum(helped for helped, _ in revised.values()) > 10
    assert column("markers by principle", 2) == {name: (count,) for name, count in found.marked.items()}
    assert (
        f"{abs(told['chosen_longer_by_words']):.1f} words"
        in (drawn["words of the chosen draft less those of the rejected one"]["note"])
    )
