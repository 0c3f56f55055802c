"""One self-contained page over a run, the same to the byte for the same input."""

from comparisons.report.page import ReportInput, render_page

__all__ = ["ReportInput", "render_page"]
