"""The terminal UI: a Textual app over the same core that the command line uses.

Screens own what they show; threads only leave small messages behind, and a timer takes them up.
"""
