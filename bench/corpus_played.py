"""A run that was really played as a corpus: what is taken out as a duplicate, whether rightly, and what is missed.

    python bench/corpus_played.py RUN [--sizes 10000,30000,100000] [--sample 2000] [--seed 0]

Rule-made talk is full of templates, so that most of what is alike was planted by nobody. What is right is therefore
worked out anew, without hashes, over everything that the filters saw:

    exact    every conversation against every earlier one, by its words
    near     every pair that was called alike: the true Jaccard similarity of its runs of three words; and of those that
             were kept, a sample against every earlier one that was kept, to count what was missed
    novelty  every opening that was called no news: ROUGE-L by another implementation; all that were kept, pair by pair

At the end of the run come planted ones, 1% of each sort (see `bench/corpus.py`). Whether a planted near duplicate or
look-alike is a duplicate is worked out as well, since what it was made from may have been taken out before.

Each size is measured in a fresh process: processor seconds by stage and the peak of its memory; the largest is checked.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import numpy as np
from corpus import CRITERIA, ITEMS, LONG, SORTS, copied, leaking, made_up

from tertulia.corpus.criteria import read_plan
from tertulia.corpus.selecting import Selected, select
from tertulia.corpus.words import words_of
from tertulia.lint.duplicates import alikeness
from tertulia.running.items import Pairs, Variants
from tertulia.running.reading import pairs
from tertulia.running.store import Store

SHARE = 100  # one in so many is planted, of each sort
SIMILARITY, RUN = 0.7, 3  # as CRITERIA has it
NEWS = 0.7
LEAKED, EXACT, NEAR, NO_NEWS = "in an evaluation set", "exact duplicate", "near duplicate", "no news"
NOVELTY = f"id: news\nexact: false\nnovelty: {{rouge_l: {NEWS}, of: opening}}\n"
Set = np.ndarray[Any, np.dtype[np.uint64]]


class Talks:
    """The first conversations of a run, and after them what is planted."""

    def __init__(self, store: Store, count: int, seed: int) -> None:
        self.store, self.count, self.seed = store, count, seed
        rng = random.Random(f"{seed}/items")
        self.items = [[made_up(rng) for _ in range(LONG)] for _ in range(ITEMS)]
        self.planted: dict[int, str] = {}

    def played(self) -> Pairs:
        yield from islice(pairs(self.store), self.count)

    def __iter__(self) -> Pairs:
        places, last = [], 0  # of what is planted from: conversations in which somebody speaks
        for scenario, talk in self.played():
            last = talk.index
            if talk.turns:
                places.append(last)
            yield scenario, talk
        rng, scenarios, variants = random.Random(self.seed), self.store.scenarios(), Variants()
        for nth in range(len(SORTS) * (len(places) // SHARE)):
            talk, sort = self.store.conversation(rng.choice(places)), SORTS[nth % len(SORTS)]
            assert talk is not None
            scenario = variants.or_as_written(scenarios[talk.scenario], talk.variant)[0]
            made = leaking(talk, rng, self.items, sort) if "leak" in sort else copied(talk, rng, sort)
            place = last + 1 + nth
            self.planted[place] = sort
            yield scenario, made.model_copy(update={"index": place, "id": f"{talk.scenario}-{place:06d}"})


def selected(folder: Path, criteria: str, found: Pairs, items: Sequence[Sequence[str]]) -> Selected:
    lines = (json.dumps({"question": " ".join(item), "answer": "42"}) for item in items)
    (folder / "items.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "criteria.yaml").write_text(criteria, encoding="utf-8")
    return select(read_plan(str(folder / "criteria.yaml")), found, folder / "selection.jsonl")


def rows(folder: Path) -> dict[int, dict[str, Any]]:
    with (folder / "selection.jsonl").open(encoding="utf-8") as lines:
        return {row["place"]: row for row in map(json.loads, lines)}


def named(row: Mapping[str, Any]) -> tuple[float, int]:
    """The similarity that a filter tells, and the place of the one that is repeated."""
    score, _, name = str(row["note"]).split(" ", 2)
    return float(score), int(name.rpartition("-")[2])


class Truth:
    """The words of every conversation, and what is alike by them. No two words share a number, no two runs either."""

    def __init__(self, found: Pairs) -> None:
        self.numbers: dict[str, int] = {}
        self.runs: dict[int, Set] = {}
        self.texts: dict[int, bytes] = {}
        for _, talk in found:
            said = [self.numbers.setdefault(word, len(self.numbers) + 1) for word in words_of(talk, "all")]
            self.texts[talk.index] = np.array(said, dtype=np.uint32).tobytes()
        assert len(self.numbers) < 2**21

    def of(self, place: int) -> Set:
        if place not in self.runs:
            said = np.frombuffer(self.texts[place], dtype=np.uint32).astype(np.uint64)
            size = min(RUN, len(said))
            runs = np.zeros(len(said) - size + 1, dtype=np.uint64)
            for at in range(size):
                runs = (runs << np.uint64(21)) | said[at : len(said) - size + 1 + at]
            self.runs[place] = np.unique(runs)
        return self.runs[place]

    def jaccard(self, one: int, other: int) -> float:
        common = len(np.intersect1d(self.of(one), self.of(other), assume_unique=True))
        return common / (len(self.of(one)) + len(self.of(other)) - common)


class Pool:
    """What was kept, by its runs: the most similar earlier one of any conversation, by looking at all."""

    def __init__(self, truth: Truth, kept: Sequence[int]) -> None:
        self.truth, self.kept = truth, np.array(kept)
        sizes = np.array([len(truth.of(place)) for place in kept])
        values = np.concatenate([truth.of(place) for place in kept])
        order = np.argsort(values, kind="stable")
        self.values, self.owners = values[order], np.repeat(np.arange(len(kept)), sizes)[order]
        self.sizes = sizes

    def best(self, place: int) -> float:
        own = self.truth.of(place)
        lows, highs = np.searchsorted(self.values, own, "left"), np.searchsorted(self.values, own, "right")
        found = np.concatenate([self.owners[low:high] for low, high in zip(lows, highs, strict=True)])
        common = np.bincount(found, minlength=len(self.kept))
        rated = common / (len(own) + self.sizes - common)
        return float(rated[self.kept < place].max(initial=0.0))


def checked(talks: Talks, by_place: Mapping[int, dict[str, Any]], sample: int) -> Iterator[tuple[str, float, float]]:
    """Precision and recall of each filter; lines are printed on the way."""
    truth, rule = Truth(iter(talks)), {place: row.get("rule", "") for place, row in by_place.items()}
    leaks = {place for place, sort in talks.planted.items() if sort == "leak"}
    yield rated("leaks", {place for place, name in rule.items() if name == LEAKED}, leaks)
    first: dict[bytes, int] = {}
    seen = [place for place in sorted(rule) if rule[place] != LEAKED and truth.texts[place]]  # without words: no repeat
    repeats = {place for place in seen if first.setdefault(truth.texts[place], place) != place}
    yield rated("exact", {place for place, name in rule.items() if name == EXACT}, repeats)
    flagged = [place for place in seen if rule[place] == NEAR]
    told = [(named(by_place[place]), place) for place in flagged]
    true = [(truth.jaccard(place, other), score) for (score, other), place in told]
    right = sum(value >= SIMILARITY for value, _ in true)
    off = max((abs(value - score) for value, score in true), default=0.0)
    kept = [place for place in seen if rule[place] not in (EXACT, NEAR)]
    pool, rng = Pool(truth, kept), random.Random(talks.seed)
    drawn = rng.sample(kept, min(sample, len(kept)))
    missed = sum(pool.best(place) >= SIMILARITY for place in drawn)
    least = missed * len(kept) / len(drawn)
    print(
        f"near: {right:,} of {len(flagged):,} pairs that were called alike are; the similarity told is off by {off:.3f}"
    )
    print(f"near: of {len(kept):,} kept, {len(drawn):,} held against all earlier ones: {missed} should have been found")
    yield "near", right / max(1, len(flagged)), right / max(1, right + least)
    yield planted(talks, rule, pool)


def planted(talks: Talks, rule: Mapping[int, str], pool: Pool) -> tuple[str, float, float]:
    """Planted near duplicates and look-alikes, by what they truly are."""
    copies = [place for place, sort in talks.planted.items() if sort in ("near", "look-alike")]
    alike = {place for place in copies if pool.best(place) >= SIMILARITY}
    return rated("near, planted", {place for place in copies if rule[place] in (EXACT, NEAR)}, alike)


def rated(name: str, flagged: set[int], wanted: set[int]) -> tuple[str, float, float]:
    true = len(flagged & wanted)
    print(f"{name}: {len(wanted):,} there, {len(flagged):,} found, {true:,} of them rightly")
    return name, true / max(1, len(flagged)), true / max(1, len(wanted))


def news(talks: Talks, folder: Path) -> tuple[str, float, float]:
    """Openings alone, against the growing pool."""
    made = selected(folder, NOVELTY, talks.played(), ())
    by_place = rows(folder)
    said = {talk.index: tuple(words_of(talk, "opening")) for _, talk in talks.played()}
    flagged = [(place, named(row)[1]) for place, row in by_place.items() if row.get("rule") == NO_NEWS]
    pairs_ = {(said[place], said[other]) for place, other in flagged}
    rating = {pair: alikeness(*pair) for pair in pairs_}
    right = sum(rating[said[place], said[other]] > NEWS for place, other in flagged)
    kept = [said[place] for place, row in by_place.items() if row["kept"] and said[place]]  # without words: no repeat
    missed = len({other for one, other in combinations(kept, 2) if alikeness(one, other) > NEWS})
    step = next(step for step in made.steps if step.name == NO_NEWS)
    print(f"novelty: {step.seconds:.1f} s of the processor; {right:,} of {len(flagged):,} called no news are none")
    print(f"novelty: {len(kept):,} kept, all held against each other: {missed} should have been found")
    return "novelty", right / max(1, len(flagged)), right / max(1, right + missed)


def one(run: Path, count: int, sample: int, seed: int) -> int:
    """One size, in this process; with a sample, what was found is checked."""
    with Store(run) as store, tempfile.TemporaryDirectory() as temporary:
        talks, folder = Talks(store, count, seed), Path(temporary)
        before = peak()
        made = selected(folder, CRITERIA, iter(talks), talks.items)
        after = peak()
        print(f"{made.conversations:,} conversations ({len(talks.planted):,} of them planted), {made.kept:,} kept")
        print(f"{'stage':36}{'reached':>10}{'rejected':>10}{'cpu s':>9}{'ms each':>9}")
        each = 1e3 * made.seconds / made.conversations
        print(f"{'reading':36}{made.conversations:>10,}{'':>10}{made.seconds:>9.1f}{each:>9.3f}")
        for step in made.steps:
            each = 1e3 * step.seconds / max(1, step.reached)
            print(f"{step.name:36}{step.reached:>10,}{step.rejected:>10,}{step.seconds:>9.1f}{each:>9.3f}")
        print(f"peak memory: {after:.0f} MiB, {before:.0f} before the first conversation")
        if not sample:
            return 0
        found = [*checked(talks, rows(folder), sample), news(talks, folder)]
    for name, precision, recall in found:
        print(f"{name:16}precision {precision:.4f}  recall {recall:.4f}")
    wanted = {"exact": 0.99}
    return int(any(min(rates) < wanted.get(name, 0.95) for name, *rates in found))


def peak() -> float:
    """Mebibytes that this process has had in memory at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(options: argparse.Namespace) -> int:
    if options.one:
        return one(options.run, options.one, options.sample, options.seed)
    with Store(options.run) as store:
        there = len(store.finished())
    sizes = sorted({min(int(size), there) for size in options.sizes.split(",")})
    status = 0
    for size in sizes:
        sample = options.sample if size == sizes[-1] else 0
        command = [sys.executable, __file__, str(options.run), "--one", str(size), "--sample", str(sample)]
        status |= subprocess.run([*command, "--seed", str(options.seed)], check=False).returncode
        print(flush=True)
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--sizes", default="10000,30000,100000", help="those above what is there: all of it")
    parser.add_argument("--sample", type=int, default=2_000, help="kept conversations that are held against all others")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", type=int, default=0, help=argparse.SUPPRESS)
    sys.exit(main(parser.parse_args()))
