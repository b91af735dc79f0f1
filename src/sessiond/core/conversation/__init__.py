"""What was said: in one turn without the history that its prompts repeat (`turn`), and over all turns of a session (`transcript`).

`heard` reads what one span tells, `parts` and `thread` bring together what several spans tell of the same words, `entry` holds the
shapes that come out. The definitions are in docs/turns.md.
"""
