"""Tables on terminals of every width."""

import pytest
from rich.text import Text

from client.canned import session
from sessiond.cli.columns import session_columns
from sessiond.cli.output import Layout, drawn
from sessiond.cli.render import Column, table

ROW = session("5c9a3b1e-7b0e-4d0e-9d6c-0a4f6f1f2f3d", user_id="ada", models=["gpt-5"], input_tokens=10, output_tokens=5)
NOW = ROW.last_activity_time.ToNanoseconds() + 180 * 10**9


def lines(width):
    layout = Layout(width)
    return drawn(table(session_columns([ROW], NOW), [ROW], layout), layout).splitlines()


def test_a_narrow_terminal_leaves_out_what_matters_least_and_says_so():
    assert lines(80) == [
        "LAST ACTIVITY  SESSION                               TURNS  COST  ERRORS",
        "3m ago         5c9a3b1e-7b0e-4d0e-9d6c-0a4f6f1f2f3d      1     -       0",
        "too narrow for user, duration, llm calls, tokens in / out, first token,",
        "models, state; --json shows all",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 10_000])
def test_no_line_is_wider_than_the_terminal_and_a_row_is_one_line(width):
    found = lines(width)
    assert max(map(len, found)) <= width
    assert width < 60 or "5c9a3b1e-7b0e-4d0e-9d6c-0a4f6f1f2f3d" in found[1]


def test_an_id_wider_than_the_terminal_is_folded_and_not_cut():
    assert "".join(line[15:].strip() for line in lines(40)[1:4]).startswith("5c9a3b1e-7b0e-4d0e-9d6c-0a4f6f1f2f3d")


def test_a_long_cell_is_cut_on_a_terminal_only():
    columns = [Column("NAME", Text, rank=1, width_max=5)]
    on_terminal, elsewhere = (
        drawn(table(columns, ["a long name"], layout), layout).splitlines()[1]
        for layout in (Layout(80, is_terminal=True), Layout())
    )
    assert (on_terminal, elsewhere) == ("a lo…", "a long name")


def test_colours_are_for_terminals_only(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    red = Text("3", "bold red")
    assert (drawn(red, Layout(80, is_terminal=True)), drawn(red, Layout())) == ("\x1b[1;31m3\x1b[0m", "3")
