"""Everything that can be wrong with a scenario file beyond its shape: one small function for each thing.

A check looks at a `Reading` and yields faults. It must also work on a file whose other parts are broken, so that
all faults of a file are named at once: what is broken is stood in for, and a check that concludes from something
being absent asks first whether that part is `intact`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tertulia.checks import cast, names, script, slots, success, tools
from tertulia.checks.reading import Reading
from tertulia.errors import Fault

__all__ = ["CHECKS", "Check", "check"]

Check = Callable[[Reading], Iterator[Fault]]

CHECKS: tuple[Check, ...] = (
    *names.CHECKS,
    *tools.CHECKS,
    *cast.CHECKS,
    *slots.CHECKS,
    *script.CHECKS,
    *success.CHECKS,
)


def check(reading: Reading) -> Iterator[Fault]:
    """Every fault that a check finds; its rule is the name of the check."""
    for look in CHECKS:
        for fault in look(reading):
            yield replace(fault, rule=look.__name__.replace("_", "-"), item=reading.scenario.id)
