"""From a study to a plan: its cells, what each starts from, how long it takes, what it may use."""
