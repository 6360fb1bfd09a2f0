"""Doubles of models for tests, yours and ours: nothing here needs a network beyond loopback, a key, or luck.

scripted      Scripted: a model that answers from a list, a function or a file
recorded      Recording, Replaying: the replies of a real model kept and given again
fault_server  FaultServer: a real HTTP endpoint that plays every role with the rule cast, and goes wrong by seed
faults        Fault, Faults: what goes wrong, and how often
"""

from tertulia.testing.fault_server import FaultServer
from tertulia.testing.faults import Fault, Faults
from tertulia.testing.recorded import Recording, Replaying
from tertulia.testing.scripted import NoReply, Scripted

__all__ = ["Fault", "FaultServer", "Faults", "NoReply", "Recording", "Replaying", "Scripted"]
