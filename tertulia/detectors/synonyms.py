"""Verbs that service language uses for the same action."""

from functools import lru_cache

from tertulia.language.wording import KEPT, stem

__all__ = ["kin"]

GROUPS = """
    cancel void annul terminate abort
    reschedule move postpone change shift rebook
    change update modify edit amend adjust correct alter set
    book reserve schedule arrange make place create
    create open file raise log submit register add make place start issue
    add include attach insert append put
    delete remove clear erase drop
    refund reimburse repay credit return issue
    send email mail text forward dispatch ship issue share resend
    replace exchange swap
    activate enable unblock unlock turn reactivate start resume restore
    deactivate disable block lock freeze suspend stop pause hold turn
    reset restart reboot power
    upgrade downgrade switch change move
    redirect reroute forward divert change move
    renew extend prolong
    order reorder buy purchase place
    pay charge debit bill settle
    transfer move send escalate forward hand pass
    notify inform tell contact alert message
    cover waive remove drop
    save store record note log keep
    report file raise log flag
    approve authorise authorize grant
    subscribe sign enrol enroll register
    unsubscribe cancel remove
    assign allocate
    confirm book
    set change update move reschedule adjust switch make
    move transfer reschedule change relocate shift
    switch change upgrade downgrade move
    make book create place add
    issue send create give
    raise open file create log submit
    file raise open log submit report
    place order book make
    log file record note open raise
    turn switch
    submit send file lodge
    dispatch send ship
    ship send dispatch
    claim file open
"""


def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in GROUPS.strip().splitlines():
        group = {stem(word) for word in line.split()}
        head = stem(line.split()[0])
        found.setdefault(head, set()).update(group)
    return {head: frozenset(group) for head, group in found.items()}


KIN = _groups()


@lru_cache(maxsize=KEPT)
def kin(verb: str) -> frozenset[str]:
    """The stems of the words by which people say this verb, itself included: cancel -> cancel, void, annul, ..."""
    key = stem(verb)
    return KIN.get(key, frozenset()) | {key}
