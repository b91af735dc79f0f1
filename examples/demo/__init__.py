"""A conversation with a small agent, from its OpenAI calls to `sessiond sessions`. Run `python -m examples.demo`."""
