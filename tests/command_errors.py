"""How a command refuses bad input."""


def error_of(capsys, status):
    """The one line that it printed, after the word error; its exit status was 2."""
    message = capsys.readouterr().err.strip()
    assert status == 2
    assert message.startswith("error: ")
    assert "\n" not in message
    return message
