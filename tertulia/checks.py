"""Everything that can be wrong with a scenario file beyond its shape: one small function for each thing.

A check looks at a `Reading` and yields faults. It must also work on a file whose other parts are broken, so that
all faults of a file are named at once: what is broken is stood in for, and a check that concludes from something
being absent asks first whether that part is `intact`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tertulia import check_cast, check_names, check_script, check_slots, check_success, check_tools
from tertulia.errors import Fault
from tertulia.reading import Reading

__all__ = ["CHECKS", "Check", "check"]

Check = Callable[[Reading], Iterator[Fault]]

CHECKS: tuple[Check, ...] = (
    *check_names.CHECKS,
    *check_tools.CHECKS,
    *check_cast.CHECKS,
    *check_slots.CHECKS,
    *check_script.CHECKS,
    *check_success.CHECKS,
)


def check(reading: Reading) -> Iterator[Fault]:
    """Every fault that a check finds; its rule is the name of the check."""
    for look in CHECKS:
        for fault in look(reading):
            yield replace(fault, rule=look.__name__.replace("_", "-"), item=reading.scenario.id)
