"""Counts over a run, and how they are shown."""

import io
from collections import Counter

import pytest
from rich.console import Console

from tertulia.commands.tables import brief, full
from tertulia.records import EndReason, Slip, Verdict
from tertulia.running.pool import Standing
from tertulia.running.progress import PlainLines, plain_line, shown
from tertulia.running.summary import OTHER, REASONS, Summary

GOOD = Verdict(judge="success", passed=True)


def bad(reason: str) -> Verdict:
    return Verdict(judge="success", passed=False, reason=reason)


def test_counts_add_up(talk):
    slip = Slip(kind="rude", speaker="agent", turn=1, draft=0, breaks=("be_plain",))
    talks = [
        talk(0, verdicts=(GOOD,), slips=(slip,)),
        talk(1, verdicts=(bad("calls: none made"),), rejected_by="success"),
        talk(2, rejected_by="failed", end_reason=EndReason.FAILED),
    ]
    summary = Summary.of("r", talks).as_json()

    assert (summary["conversations"], summary["accepted"]) == (3, 1)
    assert summary["rejected"] == {"failed": 1, "success": 1}
    assert summary["end_reasons"] == {"goal_reached": 2, "failed": 1}
    assert summary["markers"] == {"be_plain": 3}
    assert (summary["revisions"], summary["slips"]) == (3, 1)
    assert summary["success_rate"] == pytest.approx(1 / 3, abs=1e-4)
    assert (summary["critic_precision"], summary["critic_recall"]) == (pytest.approx(1 / 3, abs=1e-4), 1)
    assert summary["critic"]["be_plain"] == {
        "planted": 1,
        "found": 1,
        "missed": 0,
        "false_alarms": 2,
        "precision": 0.3333,
        "recall": 1.0,
    }
    assert summary["scenarios"]["tiny"]["reasons"] == {
        "calls: none made": 1,
        "ended by failed; no success verdict": 1,
    }


def test_an_empty_run_has_no_rates():
    summary = Summary.of("r", []).as_json()

    assert summary["success_rate"] is summary["critic_precision"] is summary["critic_recall"] is None
    assert "0 conversations" in brief(Summary("r"))


def test_failures_that_differ_in_values_alone_are_one_sort(talk):
    reasons = [f'missing: move(day="{day}", count={n})' for n, day in enumerate(("monday", "tuesday", "friday"))]
    summary = Summary.of("r", [talk(n, verdicts=(bad(reason),)) for n, reason in enumerate(reasons)])

    assert summary.scenarios["tiny"].why == [('missing: move(day="monday", count=0)', 3)]


def test_a_planted_slip_is_part_of_the_reason(talk):
    slip = Slip(kind="rude", speaker="agent", turn=1, draft=0, breaks=())
    summary = Summary.of("r", [talk(0, verdicts=(bad("too rude"),), slips=(slip,))])

    assert summary.scenarios["tiny"].why == [("too rude [a slip was planted]", 1)]


def test_the_sorts_of_failure_stay_bounded(talk):
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]
    summary = Summary.of("r", [talk(n, verdicts=(bad(word),)) for n, word in enumerate(words)])

    why = dict(summary.scenarios["tiny"].why)
    assert len(why) == REASONS + 1
    assert why[OTHER] == 200 - REASONS


def test_the_report_shows_what_failed_and_what_the_critic_missed(talk):
    missed = Slip(kind="rude", speaker="agent", turn=1, draft=1, breaks=("be_kind",))
    summary = Summary.of("r", [talk(0, verdicts=(bad("[odd] reason"),), slips=(missed,), rejected_by="success")])
    screen = Console(width=160, file=io.StringIO())
    for part in full(summary):
        screen.print(part)
    text = screen.file.getvalue()  # type: ignore[attr-defined]

    for words in ("planted, and not marked", "tiny-000000", "be_kind", "[odd] reason", "0 of 1 scenarios succeeded"):
        assert words in text


def test_a_report_of_80_columns_cuts_no_name(talk):
    name = "a-scenario-with-quite-a-long-name"
    reason = 'calls: missing: reschedule_delivery(day="wednesday", order="A1047") by agent; never_calls: cancel_order'
    slip = Slip(kind="reveal_internals", speaker="agent", turn=1, draft=1, breaks=("no_legal_or_medical_advice",))
    summary = Summary.of("r", [talk(0, scenario=name, id=f"{name}-000000", verdicts=(bad(reason),), slips=(slip,))])
    screen = Console(width=80, file=io.StringIO())
    for part in full(summary):
        screen.print(part)
    lines = screen.file.getvalue().splitlines()  # type: ignore[attr-defined]

    assert max(map(len, lines)) <= 80
    for word in (
        name,
        f"{name}-000000",
        "no_legal_or_medical_advice  ",
        'reschedule_delivery(day="wednesday",',
        "cancel_order",
    ):
        assert any(word in line for line in lines)


def test_a_plain_line_names_causes_rate_and_time_left():
    standing = Standing(total=120, kept=20, open=64, accepted=30, rejected=Counter({"markers": 6, "success": 4}))

    assert plain_line(standing, 2.0) == (
        "60/120 done, 20 from before, 64 open, 30 accepted, 10 rejected (markers 6, success 4), 20.0/s, 3s left"
    )


def test_a_run_with_nothing_left_to_play_says_that_all_is_there():
    assert plain_line(Standing(total=45, kept=45), 0.1) == "45 conversations, all there already"
    assert plain_line(Standing(total=1, kept=1), 0.1) == "1 conversation, all there already"


@pytest.mark.parametrize(("seconds", "left"), [(1, "10s"), (60, "10m00s"), (1000, "2h46m")])
def test_time_left_is_said_in_fitting_units(seconds, left):
    assert plain_line(Standing(total=110, accepted=10), seconds).endswith(f"{left} left")


def test_plain_lines_come_seldom_and_once_at_the_end():
    stream = io.StringIO()
    show = PlainLines(stream)
    for accepted in range(11):
        show(Standing(total=10, accepted=accepted))
    show(Standing(total=10, accepted=10))

    assert stream.getvalue().count("\n") == 1


def test_a_terminal_gets_live_lines_that_leave_no_trace():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with shown(stream=stream) as show:
        show(Standing(total=10, accepted=4, rejected=Counter({"leaks": 1}), kept=2))

    assert "7/10" in stream.getvalue()
    assert "1 rejected (leaks 1)" in stream.getvalue()
    with shown(quiet=True, stream=stream) as show:
        before = stream.getvalue()
        show(Standing(total=10))
    assert stream.getvalue() == before
