"""A corpus as one page: what each criterion took, duplicates, balance, coverage, tags, marks, revisions, pairs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tertulia.corpus.balance import Balanced
from tertulia.corpus.criteria import COMPARED
from tertulia.corpus.distributions import Distributions, binned, spread
from tertulia.corpus.selecting import Selected
from tertulia.corpus.steps import Step
from tertulia.corpus.trust.faulty import Shares
from tertulia.pages.document import document, figure, folded, named, table, text, tiles, title, wide
from tertulia.pages.plots import Bar, bars, counts
from tertulia.records import Conversation
from tertulia.shares import percent

__all__ = ["figures_of", "length_bias", "page_of", "shares", "top"]

MOST = 20  # rows of one plot
QUOTED = 160  # characters of an example


def page_of(made: Selected, talks: Iterable[Conversation]) -> str:
    """The page of a selection, with the spread of all conversations below."""
    body = [*head(made), *steps(made), *plots(made), *coverage(made), "<h2>The corpus before</h2>"]
    return document(f"corpus {made.criteria}", [*body, *figures_of(Distributions.of(talks))])


def head(made: Selected) -> Iterator[str]:
    yield title(made.criteria)
    yield (
        f'<p class="lead"><strong>{made.kept:,}</strong> of {made.conversations:,} conversations are kept '
        f"({percent(made.kept / made.conversations if made.conversations else None)})</p>"
    )
    if made.parts:
        kept = made.kept or 1
        yield tiles((f"part {part}", f"{count:,}", percent(count / kept)) for part, count in made.parts.items())
    yield from (f"<p>{text(told)}</p>" for told in made.notes)


def steps(made: Selected) -> Iterator[str]:
    """Every criterion, with what it took and what it left."""
    of = made.conversations or 1
    unknown = any(step.unknown for step in made.steps)
    rows = [Bar(step.name, step.left / of, numbers(step, unknown), behind=step.reached / of) for step in made.steps]
    columns = ("criterion", "rejected", "left", *(("unknown",) if unknown else ()))
    note = "Bar: left; behind it: reached." + " Unknown: what the rule speaks of is not there." * unknown
    yield figure("criteria, in their order", bars(columns, rows, ("0", f"{made.conversations:,}")), note)
    examples = [
        (text(step.name), f"{named(name)}: {text(why)} <q><bdi>{text(opening, QUOTED)}</bdi></q>")
        for step in made.steps
        for name, why, opening in step.examples
    ]
    if examples:
        yield folded("rejected, for example", table(("criterion", "<conversation"), examples))


def numbers(step: Step, unknown: bool) -> list[str]:
    return [f"{count:,}" for count in (step.rejected, step.left, *((step.unknown,) if unknown else ()))]


def plots(made: Selected) -> Iterator[str]:
    yield '<div class="plots">'
    found = {step.name: (step.rejected, step.reached) for step in made.steps if step.name in COMPARED}
    if found:
        sets = ", ".join(f"{name} ({items:,} items)" for name, items in made.sets.items())
        note = f"Held against {sets}. {made.too_short:,} items are too short to look for." if sets else ""
        yield figure("duplicates and leaks found", shares(("found by", "conversations", "of", "share"), found), note)
    if made.faulty:
        yield figure("faulty conversations", faulty(made.faulty), "as a share of those of which it is known")
    if made.tags:
        yield figure("tags", counts(("tag", "conversations"), top(made.tags.counts)))
    for one in made.balance:
        yield figure(f"balance by {one.by}", balance(one), "Bar: after; behind it: before.")
    yield "</div>"


def faulty(known: Iterable[Shares]) -> str:
    """By what is known of faults: their share among all conversations, and among those that are kept."""
    rows = []
    for one in known:
        told = one.as_json()
        low, high = told["ci95"] or (None, None)
        between = f"{percent(low)} to {percent(high)}"
        rows += [
            (f"{one.truth}: all", percent(one.rules.before), ""),
            (f"{one.truth}: kept", percent(told["faulty_kept"]), between),
        ]
    return table(("known from", "faulty", "95% interval"), rows)


def balance(one: Balanced) -> str:
    """Each sort before and after, on one scale, and how many of it are missing."""
    before = one.before | {sort: 0 for sort in one.short if sort not in one.before}
    most = max(before.values(), default=0) or 1
    rows = []
    for sort, count in before.items():
        after = one.after.get(sort, 0)
        cells = (f"{count:,}", f"{after:,}", *((f"{one.short.get(sort, 0):,}",) if one.short else ()))
        rows.append(Bar(sort, after / most, cells, behind=count / most))
    columns = (one.by, "before", "after", *(("missing",) if one.short else ()))
    return bars(columns, rows, ("0", f"{most:,}"))


def coverage(made: Selected) -> Iterator[str]:
    for matrix in made.coverage:
        name = " by ".join(matrix["fields"])
        yield f"<h2>Coverage: {text(name)}</h2><p>Kept, of all there were.</p>{wide(name, grid(matrix))}"


def grid(matrix: Mapping[str, Any]) -> str:
    columns = sorted({value for row in matrix["before"].values() for value in row})
    rows = []
    for value, row in matrix["before"].items():
        after = matrix["after"].get(value, {})
        rows.append([named(value), *(f"{after.get(c, 0)} / {row[c]}" if c in row else "" for c in columns)])
    return table((matrix["fields"][0], *columns), rows)


# --- the whole corpus --------------------------------------------------------------------------------------------


def figures_of(found: Distributions) -> Iterator[str]:
    """Plots of how a corpus is made up."""
    yield '<div class="plots">'
    yield distribution("turns", found.turns)
    for name, counted in found.tags.items():
        if counted:
            yield distribution(name, counted)
    yield figure("how conversations ended", counts(("end", "conversations"), top(found.ends)))
    if found.asked:
        failed = {name: (count, found.asked[name]) for name, count in found.failed.items() if count}
        note = f"{len(found.asked) - len(failed)} of {len(found.asked)} judges passed all"
        drawn = shares(("judge", "not passed", "of", "share"), failed) if failed else ""
        yield figure("verdicts that did not pass, by judge", drawn, note)
    yield figure("markers by principle", counts(("principle", "markers"), top(found.marked)))
    yield revisions(found)
    yield pairs(found)
    yield "</div>"


def distribution(name: str, counted: Mapping[float, int], unit: str = "conversations") -> str:
    """How a measure spreads, each bin named by where it begins."""
    places = spread(counted)
    note = f"median {places['median']:,g}; from {places['min']:,g} to {places['max']:,g}" if counted else ""
    return figure(name, counts(("from", unit), binned(counted)), note)


def shares(columns: tuple[str, str, str, str], found: Mapping[str, tuple[int, int]]) -> str:
    """A bar per name for its share of how often it could have been, the largest first; the others are one bar."""
    ranked = sorted(found, key=lambda name: (-found[name][0] / (found[name][1] or 1), -found[name][0], name))
    rows = []
    for name, (part, whole) in first_of(ranked, found):
        share = part / (whole or 1)
        rows.append(Bar(name, share, (f"{part:,}", f"{whole:,}", percent(share))))
    return bars(columns, rows)


def first_of(ranked: Sequence[str], found: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The first names with their two counts, and what the others come to together."""
    yield from ((name, found[name]) for name in ranked[:MOST])
    if rest := [found[name] for name in ranked[MOST:]]:
        yield f"{len(rest)} others", (sum(one for one, _ in rest), sum(other for _, other in rest))


def revisions(found: Distributions) -> str:
    """Of the drafts that were sent back, the share whose next draft had no such mark."""
    sent = found.helped + found.in_vain
    ranked = sorted(sent, key=lambda name: (-sent[name], name))
    rows = []
    for name, (helped, in_vain) in first_of(ranked, {name: (found.helped[name], found.in_vain[name]) for name in sent}):
        share = helped / (helped + in_vain)
        rows.append(Bar(name, share, (f"{helped:,}", f"{in_vain:,}", percent(share))))
    total = sum(sent.values())
    note = f"{found.helped.total():,} of {total:,} helped" if total else "No draft was sent back."
    drawn = bars(("principle", "helped", "in vain", "share"), rows) if rows else ""
    return figure(
        "revisions, judged before and after",
        drawn,
        f"{note}. Helped: the next draft was not marked for it again." if total else note,
    )


def pairs(found: Distributions) -> str:
    told = length_bias(found) or "There are no pairs."
    drawn = counts(("words, from", "pairs"), binned(found.longer)) if found.longer else ""
    return figure("words of the chosen draft less those of the rejected one", drawn, told)


def length_bias(found: Distributions) -> str:
    """How much longer chosen drafts are, in a sentence; empty without pairs."""
    if found.length_bias is None:
        return ""
    more = "longer" if found.length_bias >= 0 else "shorter"
    return f"chosen drafts are {abs(found.length_bias):.1f} words {more} than rejected ones on average"


def top(counted: Mapping[str, int]) -> dict[str, int]:
    """The most frequent, and what the others come to together."""
    ranked = sorted(((name, n) for name, n in counted.items() if n), key=lambda entry: (-entry[1], entry[0]))
    rest = ranked[MOST:]
    return dict(ranked[:MOST]) | ({f"{len(rest)} others": sum(n for _, n in rest)} if rest else {})
