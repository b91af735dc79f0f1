"""How a conversation went over its turns: each against the session's middle, and what went wrong in it. See docs/turns.md."""
