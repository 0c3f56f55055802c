"""Tables in LaTeX: golden bytes, nothing in them is a command, and they compile within the line."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.audit import audit
from comparisons.comparison import Comparison
from comparisons.render import TEXT_FORMATS, latex
from comparisons.render.latex_widths import LINE, fit
from comparisons.report.documents import render_latex
from comparisons.results import gather
from manifests.manifest import Flag, Manifest, Metric
from manifests.metrics import METRICS
from manifests.paths import ROOT
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study
from tests.comparisons.samples import a_comparison, a_line, measured

LATEX = r"""% \usepackage{array,booktabs}
\begin{table}[htbp]
\centering
\caption{Model size (Table I) $\cdot$ tier quick $\cdot$ digits $\cdot$ rigorous}
\label{tab:toy:table1}
\footnotesize\setlength{\tabcolsep}{0.4em}
\begin{tabular}{@{}llrrrrl@{}}
\toprule
framework & quantity & published & measured & ratio & n & flags \\
\midrule
pytorch & int8 size & \textasciitilde{}10.76 MB & 5.380 MiB & 0.500 & 1 & drift \\
a\textbar{}b\_c & =1 & -- & crashed & -- & 0 &  \\
\bottomrule
\end{tabular}
\end{table}
"""
LINES = (
    a_line(flags=["drift"]),
    a_line(
        key={"framework": "a|b_c"}, quantity="=1", printed="", published=None, measured=None,
        ratio=None, n=0, state="crashed: x", flags=[],
    ),
)  # fmt: skip


def rendered(*lines: object, **changes: object) -> str:
    return TEXT_FORMATS["latex"]([a_comparison(*lines, study="toy", **changes)])  # type: ignore[arg-type]


def test_latex_to_the_byte() -> None:
    assert rendered(*LINES) == LATEX


def test_columns_that_say_nothing_are_left_out() -> None:
    text = rendered(a_line(flags=[], printed="", published=None, ratio=None))
    assert "framework & quantity & measured & n \\\\" in text


def test_a_long_table_is_broken_over_pages_with_its_header_on_each() -> None:
    lines = [a_line(quantity=str(number), flags=["drift"]) for number in range(41)]
    text = rendered(*lines)
    assert text.startswith("% \\usepackage{array,booktabs,longtable}\n\\begingroup")
    assert text.count("framework & quantity") == 2
    assert "longtable" not in rendered(*lines[:36])


def test_labels_carry_the_study_and_of_several_runs_the_run() -> None:
    one, other = (a_comparison(a_line(), study="lad2023", run=run) for run in ("a", "b"))
    labels = re.findall(r"\\label\{(.*?)\}", latex.render([one, other]))
    assert labels == ["tab:lad2023:a:table1", "tab:lad2023:b:table1"]
    assert r"\label{tab:lad2023:table1}" in latex.render([one])


@given(st.text(), st.text())
def test_no_text_is_a_command_in_latex(key: str, quantity: str) -> None:
    text = rendered(a_line(key={"framework": key}, quantity=quantity, state="x", measured=None))
    row = text.partition("\\midrule\n")[2].partition("\n\\bottomrule")[0]
    assert "\n" not in row
    commands = set(re.findall(r"\\(?:[A-Za-z]+|.)", row.removesuffix("\\\\")))
    assert commands <= {
        r"\textbackslash", r"\{", r"\}", r"\$", r"\&", r"\#", r"\_", r"\%", r"\textasciicircum",
        r"\textasciitilde", r"\textless", r"\textgreater", r"\textbar", r"\times", r"\cdot",
        r"\ldots", r"\pm", r"\leq", r"\geq", r"\to", r"\div", r"\allowbreak",
    }  # fmt: skip
    assert row.count("&") - row.count(r"\&") == text.count("&", 0, text.index("\\midrule"))


@given(st.lists(st.lists(st.text(max_size=300), min_size=5, max_size=5), min_size=1, max_size=4))
def test_columns_share_the_line_and_none_is_wider(rows: list[list[str]]) -> None:
    fitting = fit(["a", "b", "c", "d", "e"], rows)
    assert sum(fitting.widths) <= LINE
    for row in rows:
        for column, field in enumerate(row):
            assert "".join(fitting.pieces(column, field)) == field


def a_study(name: str) -> tuple[Plan, list[Manifest]]:
    """Every cell of a tier with values of no meaning, so that every column has something in it."""
    source = random.Random(name)
    study = load_study(name)
    choices = Choices("paper", None, "cifar10")
    plan = make_plan(study, choices, Estimates(Path("/nonexistent")), gpus=1)
    flags = [Flag(name=flag, detail="x") for flag in ("busy-machine", "few-samples")]
    return plan, [measured(item.cell, *_metrics(source), flags=flags) for item in plan.cells]


def _metrics(source: random.Random) -> list[Metric]:
    found = []
    for name, info in METRICS.items():
        value = source.random() * (1 if name == "accuracy" else 1000)
        found.append(Metric(name=name, unit=info.unit, samples=[value], items=32))
    return found


needs_tex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="no pdflatex (Debian: texlive-latex-recommended)"
)


def compiled(folder: Path, texts: Sequence[str], options: str = "") -> str:
    """What LaTeX says of a document with these in it, when it has settled."""
    for number, text in enumerate(texts):
        (folder / f"part{number}.tex").write_text(text, encoding="utf-8")
    parts = "\n".join(rf"\input{{part{number}}}\clearpage" for number in range(len(texts)))
    (folder / "a.tex").write_text(
        f"\\documentclass[{options}]{{article}}\n\\usepackage{{array,booktabs,longtable}}\n"
        f"\\begin{{document}}\n{parts}\n\\end{{document}}\n"
    )
    for _ in range(4):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
            cwd=folder, capture_output=True, timeout=300, check=False,
        )  # fmt: skip
        said = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, said[-3000:]
        if "Rerun" not in said and "have changed" not in said:
            break
    return said


def complaints(said: str) -> list[str]:
    """Lines that run off by more than a point, pages that are too full, and labels given twice."""
    wide = [
        line for line in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\).*", said)
        if float(line) > 1
    ]  # fmt: skip
    return [*wide, *re.findall(r".*(?:Float too large|multiply defined|Missing character).*", said)]


@needs_tex
@pytest.mark.parametrize("options", ["", pytest.param("12pt", marks=pytest.mark.thorough)])
def test_everything_of_two_studies_compiles_in_one_document(tmp_path: Path, options: str) -> None:
    texts = []
    for name in ("lad2023", "shafique2023"):
        plan, manifests = a_study(name)
        folder = ROOT / "studies" / name
        texts.append(render_latex(gather(folder, plan, manifests, "a-run"), audit(folder)))
    assert "busy-machine" in texts[0]
    assert complaints(compiled(tmp_path, texts, options)) == []


HOSTILE = [
    "supercalifragilisticexpialidocious" * 8, "a_b/c.d=e:" * 30, "\\end{document} % $x$ & ~^_#{}",
    "“quoted” ‘so’ \"and\" -- --- 'so'", "×·–…±−≤≥→÷", "".join(map(chr, range(0xA1, 0x250))),
    "漢字 и кириллица 🙂 ́", "[x] <y> |z| ?` !` << >>", "w" * 300,
]  # fmt: skip


@needs_tex
def test_whatever_a_text_is_made_of_compiles(tmp_path: Path) -> None:
    lines = [a_line(key={"framework": text}, quantity=text, flags=[text]) for text in HOSTILE]
    tables: list[Comparison] = [
        a_comparison(line, study="toy", id=f"t{n}") for n, line in enumerate(lines)
    ]
    issues = [{"area": text, "issue": text, "more": text} for text in HOSTILE]
    tables.append(a_comparison(issues=issues, study="toy", id="issues"))
    assert complaints(compiled(tmp_path, [latex.render(tables)])) == []
