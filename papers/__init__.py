"""Reading a study: what is run, what the paper printed, what it claims, what is audited."""
