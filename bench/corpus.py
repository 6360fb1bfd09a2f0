"""A corpus with planted duplicates and leaks: what is found, how long each stage takes, and how memory grows.

    python bench/corpus.py [--conversations N] [--played M] [--quick]

M conversations are played by the rule cast and N are derived from them, for playing is a hundred times dearer: most
words of each derived one are replaced by words of its own, so that no two are alike by chance. Of each sort, 2%:

    exact      a copy of an earlier one, in other case and punctuation
    near       a copy with 3% of its words changed (at least one)
    look-alike a copy with 12% of its words changed, which is below the similarity that is looked for
    leak       an item of an evaluation set said by the user: word for word, or with the last 30% of it changed
    half-leak  a quarter of such an item, or no run of ten words of it; it must stay

Prints precision and recall of each filter against what was planted, processor seconds by stage, and resident memory
after a tenth and after all of it.
"""

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import tertulia
from tertulia.corpus.criteria import read_plan
from tertulia.corpus.selecting import select
from tertulia.records import Conversation, Draft, Message, Turn
from tertulia.running.items import Pairs
from tertulia.running.reading import pairs
from tertulia.running.store import Store

WORD = re.compile(r"[^\W_]+")
ITEMS = 500  # of the evaluation set
LONG = 40  # words of an item
EACH = 50  # one in so many is planted, of each sort
REACH = 2000  # how far back an original lies
SORTS = ("exact", "near", "look-alike", "leak", "half-leak")
CRITERIA = """
id: bench
contamination: {against: [items.jsonl], words: 10, match: 0.5, fields: [question]}
near: {similarity: 0.7, words: 3}
balance:
  - {by: [kind]}
split: {shares: {train: 0.9, test: 0.1}}
"""
RULES = {"exact": "exact duplicate", "near": "near duplicate", "leak": "in an evaluation set"}


def made_up(rng: random.Random) -> str:
    """A word that nobody else says."""
    return "".join(rng.choice("bcdfghjklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(3, 5)))


def mapped(talk: Conversation, change: Callable[[str], str]) -> Conversation:
    """A conversation with every text of its accepted path changed; earlier drafts are left behind."""

    def of(message: Message) -> Message:
        return message.model_copy(update={"text": change(message.text)})

    turns = tuple(
        Turn(
            index=turn.index,
            speaker=turn.speaker,
            drafts=(Draft(message=of(turn.message)),),
            results=tuple(map(of, turn.results)),
        )
        for turn in talk.turns
    )
    return talk.model_copy(update={"turns": turns, "verdicts": (), "plan": None, "plan_drafts": (), "slips": ()})


class Dialect:
    """Replaces a share of all words, the same word always by the same one."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self.rng, self.share = rng, share
        self.known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return WORD.sub(self.word, text)

    def word(self, match: re.Match[str]) -> str:
        word = match[0]
        if word not in self.known:
            self.known[word] = made_up(self.rng) if self.rng.random() < self.share else word
        return self.known[word]


class Edits:
    """Replaces so many words of a conversation, at places drawn beforehand."""

    def __init__(self, rng: random.Random, share: float, talk: Conversation) -> None:
        total = sum(len(WORD.findall(message.text)) for message in talk.messages)
        self.rng, self.at = rng, 0
        self.places = set(rng.sample(range(total), max(1, round(share * total))))

    def __call__(self, text: str) -> str:
        return WORD.sub(self.word, text)

    def word(self, match: re.Match[str]) -> str:
        self.at += 1
        return made_up(self.rng) if self.at - 1 in self.places else match[0]


def shouted(text: str) -> str:
    """The same words in other case and punctuation."""
    return f"  {text.upper().replace('.', ' !')} "


def derived(
    talks: Sequence[Conversation], items: Sequence[list[str]], count: int
) -> Iterator[tuple[str, Conversation]]:
    """`count` conversations, each with the sort of what was planted in it, or an empty text."""
    earlier: list[Conversation] = []
    for index in range(count):
        rng = random.Random(f"corpus/{index}")
        sort = SORTS[index % EACH] if index % EACH < len(SORTS) and earlier else ""
        talk = mapped(talks[index % len(talks)], Dialect(rng, 0.6))
        if sort in ("exact", "near", "look-alike"):
            talk = copied(rng.choice(earlier), rng, sort)
        elif sort:
            talk = leaking(talk, rng, items, sort)
        talk = talk.model_copy(update={"index": index, "id": f"{talk.scenario}-{index:06d}", "rejected_by": ""})
        if not sort:
            earlier = [*earlier[-REACH:], talk]
        yield sort, talk


def copied(talk: Conversation, rng: random.Random, sort: str) -> Conversation:
    if sort == "exact":
        return mapped(talk, shouted)
    return mapped(talk, Edits(rng, 0.03 if sort == "near" else 0.12, talk))


def leaking(talk: Conversation, rng: random.Random, items: Sequence[list[str]], sort: str) -> Conversation:
    """A conversation whose first message holds an item, or some of it."""
    item = list(rng.choice(items))
    if sort == "leak" and rng.random() < 0.5:
        item[int(LONG * 0.7) :] = [made_up(rng) for _ in range(LONG - int(LONG * 0.7))]
    if sort == "half-leak":
        item = item[: LONG // 4] if rng.random() < 0.5 else [w if n % 9 else made_up(rng) for n, w in enumerate(item)]
    first, *others = talk.turns
    said = first.message.model_copy(update={"text": f"{first.message.text} {' '.join(item)}"})
    return talk.model_copy(update={"turns": (first.model_copy(update={"drafts": (Draft(message=said),)}), *others)})


def resident() -> float:
    """Mebibytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def watched(found: Pairs, at: int, seen: list[float]) -> Pairs:
    """The same, with a look at the memory after `at` of them and at the end."""
    for nth, pair in enumerate(found):
        if nth == at:
            seen.append(resident())
        yield pair
    seen.append(resident())


def main(options: argparse.Namespace) -> int:
    count = 5_000 if options.quick else options.conversations
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        played = 200 if options.quick else options.played
        run = tertulia.run(n=played, out=folder / "played", slips=0.0)
        rng = random.Random("items")
        items = [[made_up(rng) for _ in range(LONG)] for _ in range(ITEMS)]
        lines = (json.dumps({"question": " ".join(item), "answer": "42"}) for item in items)
        (folder / "items.jsonl").write_text("\n".join(lines), encoding="utf-8")
        (folder / "bench.yaml").write_text(CRITERIA, encoding="utf-8")
        planted = filled(run, folder / "derived", items, count)
        with Store(folder / "derived") as store:
            memory = [resident()]
            found = watched(pairs(store), count // 10, memory)
            made = select(read_plan(str(folder / "bench.yaml")), found, folder / "selection.jsonl")
        by_rule = rules_of(folder / "selection.jsonl")
    print(f"{count:,} conversations derived from {played} that were played, {made.kept:,} kept")
    print(f"{'stage':24}{'reached':>10}{'rejected':>10}{'cpu s':>9}{'ms each':>9}")
    print(f"{'reading':24}{made.conversations:>10,}{'':>10}{made.seconds:>9.1f}{1e3 * made.seconds / count:>9.3f}")
    for step in made.steps:
        each = 1e3 * step.seconds / max(1, step.reached)
        print(f"{step.name:24}{step.reached:>10,}{step.rejected:>10,}{step.seconds:>9.1f}{each:>9.3f}")
    print("memory: " + ", ".join(f"{value:.0f} MiB" for value in memory) + " (before, after a tenth, at the end)")
    return int(not all([told(sort, rule, planted, by_rule) for sort, rule in RULES.items()]))


def filled(run: tertulia.Run, folder: Path, items: Sequence[list[str]], count: int) -> dict[int, str]:
    """A run of derived conversations; what was planted, by place."""
    talks, planted = list(run.conversations()), {}
    with Store(run.folder) as old:
        manifest = old.manifest | {"settings": old.manifest["settings"] | {"n": count}}
        scenarios = list(old.scenarios().values())
    with Store(folder, manifest) as store:
        store.keep_scenarios(scenarios)
        for sort, talk in derived(talks, items, count):
            planted[talk.index] = sort
            store.add(talk)
    return planted


def rules_of(path: Path) -> dict[int, str]:
    with path.open(encoding="utf-8") as lines:
        return {row["place"]: row.get("rule", "") for row in map(json.loads, lines)}


def told(sort: str, rule: str, planted: dict[int, str], by_rule: dict[int, str]) -> bool:
    """Precision and recall of one filter; whether both are what is wanted."""
    flagged = {place for place, name in by_rule.items() if name == rule}
    wanted = {place for place, name in planted.items() if name == sort}
    true = len(flagged & wanted)
    precision, recall = true / max(1, len(flagged)), true / max(1, len(wanted))
    wrong = Counter(planted[place] or "not planted" for place in flagged - wanted)
    rates = f"precision {precision:.4f}  recall {recall:.4f}"
    print(f"{sort:12}planted {len(wanted):>6,}  found {true:>6,}  {rates}  {dict(wrong) or ''}")
    least = 0.99 if sort == "exact" else 0.95
    return precision >= least and recall >= least


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--played", type=int, default=1_000)
    parser.add_argument("--quick", action="store_true", help="5,000 derived from 200")
    sys.exit(main(parser.parse_args()))
