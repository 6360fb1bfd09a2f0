"""An agent behind an address, or a model, that goes away: what is told, what scripts see, and what is played again."""

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tertulia.cli import main
from tertulia.commands import evaluation_tables as tables
from tertulia.evaluation.agents import remote
from tertulia.evaluation.comparing import compare_folders
from tertulia.models import limits
from tertulia.testing import Fault, Faults, FaultServer
from tertulia.testing.players import played

GOODBYE = json.dumps({"message": {"content": "Goodbye.", "done": True}}).encode()


@contextmanager
def serving(port=0, turns=10**6):
    """An agent that takes leave, and that goes away for good after so many turns."""
    left = [turns]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            left[0] -= 1
            if left[0] < 0:
                self.server.socket.close()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(GOODBYE)))
            self.end_headers()
            self.wfile.write(GOODBYE)

        def log_message(self, *told):
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def evaluated(tmp_path, monkeypatch, capsys):
    """Calls the command for an agent at a port; gives its exit status, its JSON and what it says beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tertulia.models.limits.Patience.wait", lambda *told: None)

    def call(port, *more):
        agent = ["--agent", f"http://127.0.0.1:{port}/agent", "--no-floors", "--out", "runs/a", "--json", "-q"]
        monkeypatch.setattr("sys.argv", ["tertulia", "evaluate", "parcels", *agent, "--concurrency", "1", *more])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return left.value.code, json.loads(told.out.splitlines()[-1]) if told.out else {}, told.err

    return call


def test_where_nobody_listens_from_the_start_nothing_is_scored(evaluated, tmp_path):
    with serving() as port:
        pass
    status, told, said = evaluated(port)

    assert (status, told) == (2, {})
    assert said == (
        f"tertulia: --agent 'http://127.0.0.1:{port}/agent' gives no answer: "
        f"nobody answers at 127.0.0.1:{port}: Connection refused\n"
    )


def test_an_agent_that_goes_away_stops_the_evaluation_and_is_asked_again_later(evaluated):
    with serving(turns=4) as port:
        status, told, said = evaluated(port)

    assert status == 1
    assert (told["trials"], told["unreached"]) == (4 + remote.LOST - 1, remote.LOST - 1)
    assert told["agent_causes"]["unreachable"] == remote.LOST - 1
    assert "Connection refused; 11 of 15 trials are kept in runs/a; the same command goes on" in said
    assert (
        "7 of 11 trials ended because no answer came from the agent or a model; the same command plays them again"
        in said
    )

    with serving(port) as again:
        status, told, said = evaluated(again)

    assert (status, said) == (0, "")
    assert (told["trials"], told["unreached"]) == (15, 0)
    assert "unreachable" not in told["agent_causes"]


def test_trials_that_ended_unreached_are_told_though_every_trial_is_there(evaluated, monkeypatch):
    monkeypatch.setattr(remote, "LOST", 100)
    with serving(turns=4) as port:
        status, told, said = evaluated(port)

    compared = asyncio.run(compare_folders(Path("runs/a"), Path("runs/a")))
    assert compared.as_json()["unreached"] == (11, 11)
    assert "11 and 11 trials ended because no answer came" in tables.compared(compared)
    assert status == 1
    assert (told["trials"], told["unreached"]) == (15, 11)
    assert said.startswith("tertulia: 11 of 15 trials ended because no answer came from the agent or a model")

    with serving(port) as again:
        assert evaluated(again)[1]["unreached"] == 0


def test_a_model_that_goes_away_stops_the_evaluation_and_no_reply_is_paid_twice(evaluated):
    def mortal(request):
        """The rule cast, until it is gone after a few replies."""
        if server.tally.answered.total() == 20:
            server.endpoint.faults = Faults({Fault.RESET: 1.0})
        return played(request)

    with FaultServer(player=mortal) as server:
        model = ["--agent", "openai:m", "--base-url", server.url]
        status, told, said = evaluated(0, *model)

        assert status == 1
        assert told["agent_causes"]["unreachable"] == told["unreached"] == limits.LOST - 1
        assert 0 < told["trials"] - told["unreached"] < 15
        assert f"openai:m@{server.url} gives no answer: 127.0.0.1:{server.port}: Server disconnected" in said
        assert f"{told['trials']} of 15 trials are kept in runs/a; the same command goes on" in said

        server.endpoint.player, server.endpoint.faults = played, Faults()
        status, told, said = evaluated(0, *model)

        assert (status, said) == (0, "")
        assert (told["trials"], told["unreached"]) == (15, 0)
        assert set(server.tally.answered.values()) == {1}


def test_a_dialogue_that_no_party_ended_has_no_slots(evaluated, monkeypatch):
    monkeypatch.setattr(remote, "LOST", 100)
    with serving(turns=1) as port:
        _, told, _ = evaluated(port)

    assert told["slot_f1"] < 0.07
