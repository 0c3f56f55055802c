"""What both faces do: runs, results, exports, archives, run options."""
