"""The summaries of traces, sessions and users: which calls count, what they used and cost, and why."""
