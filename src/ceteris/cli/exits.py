"""Exit codes of the command."""

FINISHED = 0
UNEXPECTED = 1
"""Something went wrong inside Ceteris."""
WRONG_INPUT = 2
"""Something that the user can put right; nothing was run."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it (128 + SIGINT)."""
BROKEN_PIPE = 141
"""Whoever read the output went away (128 + SIGPIPE)."""
