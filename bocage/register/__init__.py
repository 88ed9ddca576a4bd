"""The public register: which use cases are used, by whom, for what, with what result and energy."""
