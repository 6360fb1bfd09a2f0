"""A real HTTP endpoint on loopback that speaks OpenAI's chat completions, and goes wrong as often as you want.

python -m tertulia.testing.server --port 8123 --faults 0.2

POST /v1/chat/completions    answered by the rule cast, with the faults asked for in between
POST /v1/completions         with `echo` and `logprobs`: how likely each token of a prompt is
POST /v1/embeddings          the words of a text, hashed into a vector
GET  /v1/models
GET  /counts                 what was asked, answered and spoiled so far, by the hash of each body
"""

import argparse
import sys
from collections.abc import Sequence

from tertulia.errors import TertuliaError
from tertulia.testing.fault_server import FaultServer
from tertulia.testing.faults import Faults

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tertulia.testing.server", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--port", type=int, default=0, help="left out: any that is free")
    parser.add_argument("--faults", nargs="*", default=[], help="0.2 for all kinds mixed, or hang=0.05 empty=0.1")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--slow", type=float, default=1.0, help="further seconds before a slow answer")
    parser.add_argument("--at-once", type=int, default=0, help="requests at a time before it says 429; 0: any number")
    parser.add_argument("--retry-after", type=float, default=0.05, help="seconds told with a 429")
    parser.add_argument("--key", default="", help="the API key it asks for")
    parser.add_argument("--no-caching", dest="caching", action="store_false", help="do not count cached tokens")
    parser.add_argument(
        "--no-prompt-logprobs",
        dest="prompt_logprobs",
        action="store_false",
        help="do not tell how likely tokens of a prompt are, as most hosted endpoints",
    )
    chosen = vars(parser.parse_args(arguments))
    try:
        server = FaultServer(Faults.parsed(chosen.pop("faults"), chosen.pop("seed")), **chosen)
        with server:
            print(server.url, flush=True)
            server.thread.join()
    except (TertuliaError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
