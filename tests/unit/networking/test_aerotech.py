import pytest

from concert.networking.aerotech import Connection
from tests.servers import answering, serving

REPLIES = {
    "PFBK(X)": "%1.5",
    "ENABLE X": "%",
    "MOVEABS Y 5": "!",
    "MOVEABS X 500": "!500 is out of the travel [-90, 90]",
    "MOVEABS X 5": "#",
    "HOME X": "#axis fault 0x4",
    "VERSION": "OK",
    "QUIET": "",
}


@pytest.fixture
def controller():
    """A connection to a controller that gives the replies of the table."""
    with serving(answering(lambda line: REPLIES[line] + "\n")) as server, Connection(server.host, server.port) as each:
        yield each


def test_acknowledgement_gives_the_data(controller):
    assert controller.execute("PFBK(X)") == "1.5"


def test_mere_acknowledgement_gives_nothing(controller):
    assert controller.execute("ENABLE X") == ""


def test_receiving_gives_the_data_as_well(controller):
    controller.send("PFBK(X)")
    assert controller.recv() == "1.5"


def test_refusal_is_an_error_of_the_caller(controller):
    with pytest.raises(ValueError, match=rf"^{controller.peer} refused 'MOVEABS Y 5'$"):
        controller.execute("MOVEABS Y 5")


def test_reason_of_a_refusal_is_told(controller):
    with pytest.raises(ValueError, match=r"refused 'MOVEABS X 500': 500 is out of the travel \[-90, 90\]$"):
        controller.execute("MOVEABS X 500")


def test_fault_is_an_error_of_the_device(controller):
    message = rf"^{controller.peer} could not carry out 'MOVEABS X 5' because of a fault$"
    with pytest.raises(RuntimeError, match=message):
        controller.execute("MOVEABS X 5")


def test_description_of_a_fault_is_told(controller):
    with pytest.raises(RuntimeError, match=r"because of a fault: axis fault 0x4$"):
        controller.execute("HOME X")


@pytest.mark.parametrize("command", ["VERSION", "QUIET"])
def test_any_other_reply_is_an_error_of_the_line(controller, command):
    expected = rf"^expected a reply starting with %, ! or #, not '{REPLIES[command]}', from {controller.peer} to "
    with pytest.raises(ConnectionError, match=expected + f"'{command}'$"):
        controller.execute(command)


def test_refusal_of_what_was_sent_before_is_told(controller):
    controller.send("MOVEABS Y 5")
    with pytest.raises(ValueError, match=rf"^{controller.peer} refused the last command$"):
        controller.recv()


def test_next_command_is_answered_after_an_error(controller):
    with pytest.raises(RuntimeError):
        controller.execute("HOME X")
    assert controller.execute("PFBK(X)") == "1.5"
